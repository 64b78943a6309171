/*
 * test_time_scale.c - cycles to nanoseconds, against arithmetic of 128 bits.
 */
#include "unit/test.h"

#include "kernel/base/time_scale.h"

#define ROUNDS          20000u
#define SECONDS_36_YEARS (36ull * 366 * 86400)

/* floor(cycles * 10^9 / hz) by seconds, so that 64 bits are enough. */
static uint64_t
exact_ns(uint64_t cycles, uint64_t hz)
{
    return cycles / hz * NSEC_PER_SEC + cycles % hz * NSEC_PER_SEC / hz;
}

static void
check(uint64_t hz, uint64_t cycles)
{
    struct time_scale s;
    uint64_t exact = exact_ns(cycles, hz), got;

    time_scale_init(&s, hz);
    got = time_scale_ns(&s, cycles);
    assert_true(got == exact || got + 1 == exact);
}

static void
test_known(void **state)
{
    struct time_scale s = { .mult = 0 };

    (void)state;
    assert_true(time_scale_ns(&s, UINT64_MAX) == 0);
    time_scale_init(&s, NSEC_PER_SEC);
    assert_true(time_scale_ns(&s, 0) == 0);
    assert_true(time_scale_ns(&s, 123456789012345) == 123456789012345);
    time_scale_init(&s, 2 * NSEC_PER_SEC);
    assert_true(time_scale_ns(&s, UINT64_MAX) == UINT64_MAX / 2);
    time_scale_init(&s, NSEC_PER_SEC / 2);
    assert_true(time_scale_ns(&s, 1000) == 2000);
}

/* At rates from 1 MHz to 18 GHz, over all of the promised time. */
static void
test_random_rates(void **state)
{
    struct test_random rnd = { 5 };

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t hz = 1000000 + ((uint64_t)test_random_next(&rnd) <<
                                 test_random_below(&rnd, 3));
        uint64_t seconds = test_random_next(&rnd) % SECONDS_36_YEARS;

        check(hz, seconds * hz + test_random_next(&rnd));
        check(hz, test_random_next(&rnd));
    }
}

static void
test_never_goes_back(void **state)
{
    struct test_random rnd = { 6 };
    struct time_scale s;
    uint64_t cycles = 0, before = 0;

    (void)state;
    time_scale_init(&s, 2593907123);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t now = time_scale_ns(&s, cycles);

        assert_true(now >= before);
        before = now;
        cycles += test_random_below(&rnd, 5);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_random_rates),
        cmocka_unit_test(test_never_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
