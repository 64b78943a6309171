/*
 * test.h - what every unit test includes first: cmocka and our own words.
 *
 * A test file is tests/unit/test_<file>.c with a main() that runs a group; the
 * Makefile finds it, builds it for 32 and 64 bits with ASan and UBSan, and
 * links all PURE code and the fakes (fake_*.c) to it.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * A small repeatable random sequence (xorshift64*): tests never use rand(),
 * so that a failure is the same on every machine.
 */
struct test_random {
    uint64_t state;
};

static inline uint32_t
test_random_next(struct test_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return (uint32_t)((r->state * 2685821657736338717ull) >> 32);
}

/* A number from 0 to LIMIT - 1; LIMIT must not be 0. */
static inline uint32_t
test_random_below(struct test_random *r, uint32_t limit)
{
    return (uint32_t)(((uint64_t)test_random_next(r) * limit) >> 32);
}

#endif
