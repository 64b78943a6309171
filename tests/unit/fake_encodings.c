/*
 * fake_encodings.c - decodes all opcodes with all ModRM bytes and prefixes, and
 * keeps a few encodings of each row, chosen evenly.
 */
#include "unit/fake_encodings.h"

#include <string.h>

struct encoding encodings[OPCODE_ROW_COUNT][2][ENCODINGS];
unsigned encoding_count[OPCODE_ROW_COUNT][2];

static void
keep(const uint8_t *bytes, struct test_random *rnd)
{
    struct insn insn;
    unsigned *count, place, size;

    if (decode(bytes, INSN_LENGTH_MAX, ENCODING_MODE, &insn) != DECODE_OK)
        return;
    size = insn.op_size == 4;
    count = &encoding_count[insn.row][size];
    place = (*count)++;
    if (place >= ENCODINGS)
        place = test_random_below(rnd, *count);
    if (place < ENCODINGS)
        memcpy(encodings[insn.row][size][place].bytes, bytes, INSN_LENGTH_MAX);
}

/* All ModRM bytes behind each opcode of LEAD, with each prefix in turn. */
static void
keep_map(const char *lead, bool has_prefixes, struct test_random *rnd)
{
    static const char *const prefixes[] = {
        "", "\x66", "\xf3", "\xf2", "\x66\xf2", "\x66\xf3", "\xf0",
    };
    uint8_t bytes[INSN_LENGTH_MAX + 1] = { 0 };

    for (size_t p = 0; p < (has_prefixes ? ARRAY_LEN(prefixes) : 1); p++) {
        size_t n = strlen(prefixes[p]);

        memcpy(bytes, prefixes[p], n);
        memcpy(bytes + n, lead, strlen(lead));
        n += strlen(lead);
        for (unsigned k = 0; k < 65536; k++) {
            bytes[n] = (uint8_t)k;
            bytes[n + 1] = (uint8_t)(k >> 8);
            for (size_t b = n + 2; b < INSN_LENGTH_MAX; b++)
                bytes[b] = (uint8_t)test_random_next(rnd);
            keep(bytes, rnd);
        }
    }
}

void
find_encodings(struct test_random *rnd)
{
    char vex[] = "\xc4\xe2\x00";

    keep_map("", true, rnd);
    keep_map("\x67", true, rnd);
    keep_map("\x0f", true, rnd);
    keep_map("\x0f\x38", true, rnd);
    keep_map("\x0f\x3a", true, rnd);
    /* VEX: 3 of its registers, 1111b too, and all of pp. */
    for (unsigned n = 0; n < 12; n++) {
        vex[2] = "\x78\x50\x28"[n % 3] | (char)(n / 3);
        vex[1] = (char)0xe2;
        keep_map(vex, false, rnd);
        vex[1] = (char)0xe3;
        keep_map(vex, false, rnd);
    }
}
