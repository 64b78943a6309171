/*
 * memory.c - copying memory and measuring strings.
 *
 * With routines of its own, since the C library chooses by CPUID: REP MOVS for
 * long copies, words for strings.
 */
#include "tests/bench/programs/program.h"

#define SIZE        (256u << 10)
#define ONES        0x01010101u
#define HIGHS       0x80808080u

const unsigned default_rounds = 2000;

static char from[SIZE], to[SIZE];

static void
copy(void *target, const void *source, size_t size)
{
    size_t words = size / sizeof(uint32_t);

    __asm__ volatile("rep movsl"
                     : "+D"(target), "+S"(source), "+c"(words) :: "memory");
    size %= sizeof(uint32_t);
    __asm__ volatile("rep movsb"
                     : "+D"(target), "+S"(source), "+c"(size) :: "memory");
}

static size_t
length(const char *string)
{
    const char *p = string;
    const uint32_t *word;

    for (; (uintptr_t)p % sizeof(*word) != 0; p++) {
        if (*p == '\0')
            return (size_t)(p - string);
    }
    for (word = (const uint32_t *)p;
         ((*word - ONES) & ~*word & HIGHS) == 0; word++)
        continue;
    for (p = (const char *)word; *p != '\0'; p++)
        continue;
    return (size_t)(p - string);
}

/* Each line becomes a string. */
static void
split(void)
{
    for (size_t i = 0; i < SIZE; i++) {
        if (from[i] == '\n' || i == SIZE - 1)
            from[i] = '\0';
    }
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    random_text(from, sizeof(from));
    split();
    for (unsigned round = 0; round < rounds; round++) {
        uint32_t longest = 0;

        copy(to, from, SIZE);
        for (size_t at = 0; at < SIZE;) {
            size_t size = length(to + at);

            longest = size > longest ? (uint32_t)size : longest;
            at += size + 1;
        }
        for (size_t at = 0; at + 64 < SIZE; at += 64)
            copy(to + at, from + at + 1, at % 61);
        sum = checksum_add(sum, longest + (uint8_t)to[round]);
    }
    return sum;
}
