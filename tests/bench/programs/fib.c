/*
 * fib.c - Fibonacci's numbers by recursion: calls and returns, little else.
 */
#include "tests/bench/programs/program.h"

#define ARGUMENT    27

const unsigned default_rounds = 600;

/* Not to be unrolled, inlined or turned into a loop by the compiler. */
__attribute__((noinline, noclone,
               optimize("no-optimize-sibling-calls", "no-inline")))
static uint32_t
fib(uint32_t n)
{
    if (n < 2)
        return n;
    return fib(n - 1) + fib(n - 2);
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    for (unsigned round = 0; round < rounds; round++)
        sum = checksum_add(sum, fib(ARGUMENT - round % 2));
    return sum;
}
