/*
 * test_shadow_model.c - random guests: every access comes to what a walk of the
 * guest's tables says, and the audit is clean after every step.
 */
#include "unit/test.h"

#include "unit/fake_shadow.h"
#include "unit/fake_shadow_model.h"

#define RUNS        150u
#define STEPS       250u

static uint32_t
choose(void *ctx, uint32_t limit)
{
    return test_random_below(ctx, limit);
}

static void
test_random_guests(void **state)
{
    struct shadow_model m = { .below = choose };
    struct shadow_stats sum = { 0 };

    (void)state;
    for (uint64_t run = 1; run <= RUNS; run++) {
        struct test_random random = { run * 0x9e3779b97f4a7c15ull };

        m.ctx = &random;
        shadow_model_start(&m);
        for (unsigned n = 0; n < STEPS; n++) {
            const char *wrong = shadow_model_step(&m);

            if (wrong != NULL)
                fail_msg("run %u step %u: %s", (unsigned)run, n, wrong);
        }
        sum.reclaimed += fake_shadow.shadow.stats.reclaimed;
        sum.reused_as_data += fake_shadow.shadow.stats.reused_as_data;
        sum.faults[SHADOW_HIDDEN] +=
            fake_shadow.shadow.stats.faults[SHADOW_HIDDEN];
        sum.faults[SHADOW_BLOCK] +=
            fake_shadow.shadow.stats.faults[SHADOW_BLOCK];
    }
    print_message("done %u stale %u faults %u emulated %u of %u steps\n",
                  m.done, m.stale, m.faults, m.emulated, m.steps);
    print_message("hidden %u block %u reclaimed %u data %u\n",
                  (unsigned)sum.faults[SHADOW_HIDDEN],
                  (unsigned)sum.faults[SHADOW_BLOCK],
                  (unsigned)sum.reclaimed, (unsigned)sum.reused_as_data);
    assert_true(m.done > 2000 && m.stale > 10);
    assert_true(m.faults > 1000 && m.emulated > 500);
    assert_true(sum.reclaimed > 100 && sum.reused_as_data > 20);
    assert_true(sum.faults[SHADOW_BLOCK] > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_guests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
