/*
 * fake_encodings.h - some encodings of each instruction, found by decoding all.
 */
#ifndef TESTS_UNIT_FAKE_ENCODINGS_H
#define TESTS_UNIT_FAKE_ENCODINGS_H

#include "bt/decode.h"
#include "unit/random.h"

#define ENCODING_MODE   (DECODE_32 | DECODE_PROTECTED)
#define ENCODINGS       16              /* kept for each row and size */

struct encoding {
    uint8_t bytes[INSN_LENGTH_MAX + 1];
};

/* By row and operand size (16, 32 bits); how many were found, kept or not. */
extern struct encoding encodings[OPCODE_ROW_COUNT][2][ENCODINGS];
extern unsigned encoding_count[OPCODE_ROW_COUNT][2];

void find_encodings(struct test_random *rnd);

#endif
