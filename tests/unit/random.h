/*
 * random.h - a small repeatable random sequence (xorshift64*).
 *
 * Tests never use rand(), so that a failure is the same on every machine.
 */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H

#include <stdint.h>

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
