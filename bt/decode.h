/*
 * decode.h - bytes to struct insn.
 *
 * A pure function over at most 15 bytes: it reads no guest memory, keeps no
 * state and allocates nothing, so that interpreter, translator, disassembler
 * and fuzzer use the same one in any context.  It judges what the encoding
 * alone decides; privilege, CPUID bits and memory are its callers' business.
 */
#ifndef BT_DECODE_H
#define BT_DECODE_H

#include "bt/insn.h"
#include "kernel/base/types.h"

/* The mode that the bytes run in: a sum of bits. */
enum decode_mode {
    DECODE_16        = 0,
    DECODE_32        = BIT(0),  /* CS.D: operands and addresses of 32 bits */
    DECODE_PROTECTED = BIT(1),  /* neither real nor virtual-8086 mode */
};

enum decode_result {
    DECODE_OK,
    DECODE_NEED_MORE,       /* it goes on behind the bytes available */
    DECODE_TOO_LONG,        /* more than 15 bytes: #GP(0) */
    DECODE_UNDEFINED,       /* #UD */
};

/*
 * Decode the instruction at BYTES, of which AVAILABLE (any number) may be
 * read.  With DECODE_OK all of *INSN is valid.  With DECODE_UNDEFINED,
 * insn->length counts the bytes that were looked at.  A CLASS_HIDDEN
 * instruction is DECODE_OK, and its execution must raise #UD.
 */
enum decode_result decode(const uint8_t *bytes, size_t available,
                          unsigned mode, struct insn *insn);

#endif
