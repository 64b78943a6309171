/*
 * disasm.h - one instruction as a line of Intel syntax, for logs and tests.
 */
#ifndef BT_DISASM_H
#define BT_DISASM_H

#include "bt/insn.h"
#include "kernel/base/types.h"

/* Room for any instruction's text and its NUL. */
#define DISASM_TEXT_MAX 96

/*
 * Write "lock add dword ptr fs:[eax+ecx*4+0x10], edx" to TEXT of SIZE bytes,
 * NUL-terminated, cut if it does not fit; returns the length.  EIP is the
 * instruction's own offset in its code segment: direct branches are shown with
 * the offset they go to.  INSN must have decoded as DECODE_OK.
 */
size_t disasm(const struct insn *insn, uint32_t eip, char *text,
              size_t size);

/* The instruction's name, in upper case as in opcodes.def: "ADD". */
const char *opcode_name(unsigned row);

#endif
