/*
 * ackermann.c - Ackermann's function: recursion some thousands deep, far more
 * than any processor's return predictor remembers.
 */
#include "tests/bench/programs/program.h"

#define FIRST       3
#define SECOND      9

const unsigned default_rounds = 40;

__attribute__((noinline, noclone,
               optimize("no-optimize-sibling-calls", "no-inline")))
static uint32_t
ackermann(uint32_t m, uint32_t n)
{
    if (m == 0)
        return n + 1;
    if (n == 0)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    for (unsigned round = 0; round < rounds; round++)
        sum = checksum_add(sum, ackermann(FIRST, SECOND - round % 2));
    return sum;
}
