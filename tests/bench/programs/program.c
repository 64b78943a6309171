/*
 * program.c - the frame of every benchmark program: PROGRAM [ROUNDS]
 *
 * Does the program's work and prints a checksum of it, which must be the same
 * natively and under everything that runs 32-bit code.  The C library is used
 * here and for memory only: it chooses its routines by CPUID, and the same
 * instructions shall be measured everywhere.
 */
#include "tests/bench/programs/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_PRIME 16777619u

uint32_t
random_next(void)
{
    static uint32_t state = 2463534242u;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

void
random_text(char *text, size_t size)
{
    static const char *const words[] = {
        "the ", "of ", "a ", "machine ", "page ", "is ", "memory ", "guest ",
        "in ", "kernel ", "that ", "to ", "processor ", "and ", "cache ",
        "translated ", "code ", "be ", "interrupt ", "which ", "frame, ",
        "device ", "when ", "it ", "register.\n", "by ", "segment ", "table ",
        "world ", "not ", "virtual ", "monitor. ",
    };
    enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

    for (size_t at = 0; at < size;) {
        const char *word = words[random_next() % WORD_COUNT];

        while (*word != '\0' && at < size)
            text[at++] = *word++;
    }
}

uint32_t
checksum_add(uint32_t sum, uint32_t value)
{
    return (sum ^ value) * FNV_PRIME;
}

int
main(int argc, char **argv)
{
    unsigned rounds = default_rounds;

    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 0);
    printf("%08x\n", (unsigned)work(rounds));
    return 0;
}
