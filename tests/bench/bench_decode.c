/*
 * bench_decode.c - how long decoding an instruction takes.
 *
 *      bench_decode FILE...        (by default the program itself)
 *
 * Decodes the code of 32-bit programs from end to end, several times, and
 * prints nanoseconds for each instruction and how many there were.  Linear
 * decoding of a whole file meets data too; so does a translator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bt/decode.h"

#define ROUNDS      20
#define FILE_MAX    (16u << 20)

static uint8_t code[FILE_MAX + INSN_LENGTH_MAX];

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Decode SIZE bytes; count what is an instruction. */
static unsigned long
decode_all(size_t size)
{
    unsigned long count = 0;
    struct insn insn;

    for (size_t at = 0; at < size; at += insn.length) {
        enum decode_result r = decode(code + at, size - at,
                                      DECODE_32 | DECODE_PROTECTED, &insn);

        if (r != DECODE_OK)
            insn.length = 1;
        count++;
    }
    return count;
}

static void
measure(const char *name)
{
    FILE *f = fopen(name, "rb");
    unsigned long count = 0;
    size_t size;
    double start;

    if (f == NULL) {
        perror(name);
        exit(EXIT_FAILURE);
    }
    size = fread(code, 1, FILE_MAX, f);
    fclose(f);
    decode_all(size);
    start = now_ns();
    for (int i = 0; i < ROUNDS; i++)
        count += decode_all(size);
    printf("%-40s %9lu instructions %6.1f ns each\n", name, count / ROUNDS,
           (now_ns() - start) / (double)count);
}

int
main(int argc, char **argv)
{
    if (argc < 2)
        measure(argv[0]);
    for (int i = 1; i < argc; i++)
        measure(argv[i]);
    return 0;
}
