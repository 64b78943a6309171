/*
 * test_tc_layout.c - where the TC lies among pages that a guest claims.
 */
#include "unit/test.h"

#include "kernel/base/bitmap.h"
#include "vmm/core/tc_layout.h"

#define FIXED_PAGES     (1 + TC_TABLE_PAGES)
#define SOME            120u

static uint32_t claimed[BITMAP_WORDS(TC_PAGES)];
static struct tc_layout layout;

static int
clear(void **state)
{
    (void)state;
    memset(claimed, 0, sizeof(claimed));
    return 0;
}

/* No claims: as vmm/layout.h says. */
static void
test_default(void **state)
{
    (void)state;
    assert_true(tc_layout_choose(claimed, &layout));
    assert_int_equal(layout.code, 0);
    assert_int_equal(layout.code_pages, VMM_TC_SIZE / PAGE_SIZE);
    assert_int_equal(layout.slots, (VMM_SLOTS_AT - VMM_TC_AT) / PAGE_SIZE);
    assert_true(tc_layout_is_free(&layout, claimed));
}

/* Each part's first and last pages. */
static void
test_is_free(void **state)
{
    const uint32_t used[] = {
        0, VMM_TC_SIZE / PAGE_SIZE - 1, VMM_TC_SIZE / PAGE_SIZE, TC_PAGES - 1
    };

    (void)state;
    assert_true(tc_layout_choose(claimed, &layout));
    for (size_t n = 0; n < ARRAY_LEN(used); n++) {
        bitmap_set(claimed, used[n]);
        assert_false(tc_layout_is_free(&layout, claimed));
        bitmap_clear(claimed, used[n]);
    }
}

/* A page at the end moves the tables, one in the middle cuts the code. */
static void
test_around(void **state)
{
    (void)state;
    bitmap_set(claimed, TC_PAGES - 1);
    assert_true(tc_layout_choose(claimed, &layout));
    assert_int_equal(layout.slots, TC_PAGES - 1 - FIXED_PAGES);
    assert_int_equal(layout.code_pages, layout.slots);
    bitmap_set(claimed, SOME);
    assert_true(tc_layout_choose(claimed, &layout));
    assert_int_equal(layout.code, SOME + 1);
    assert_int_equal(layout.code_pages, layout.slots - SOME - 1);
    assert_true(tc_layout_is_free(&layout, claimed));
}

/* The tables take the highest place that they fit in. */
static void
test_low_tables(void **state)
{
    (void)state;
    for (uint32_t n = FIXED_PAGES; n < TC_PAGES; n += FIXED_PAGES)
        bitmap_set(claimed, n);
    assert_true(tc_layout_choose(claimed, &layout));
    assert_int_equal(layout.slots, 0);
    assert_int_equal(layout.code_pages, FIXED_PAGES - 1);
    bitmap_clear(claimed, 2 * FIXED_PAGES);
    assert_true(tc_layout_choose(claimed, &layout));
    assert_int_equal(layout.slots, 2 * FIXED_PAGES);
    assert_true(tc_layout_is_free(&layout, claimed));
}

static void
test_none(void **state)
{
    (void)state;
    bitmap_set_run(claimed, 0, TC_PAGES);
    assert_false(tc_layout_choose(claimed, &layout));
    /* Enough for the tables, not for code as well. */
    bitmap_clear_run(claimed, SOME, FIXED_PAGES + 1);
    assert_false(tc_layout_choose(claimed, &layout));
}

/* Whatever is claimed: parts are free, and apart. */
static void
test_random(void **state)
{
    uint32_t seed = 1, found = 0;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        memset(claimed, 0, sizeof(claimed));
        for (unsigned n = round % 12; n > 0; n--) {
            seed = seed * 1664525u + 1013904223u;
            bitmap_set(claimed, (seed >> 16) % TC_PAGES);
        }
        if (!tc_layout_choose(claimed, &layout))
            continue;
        found++;
        assert_true(tc_layout_is_free(&layout, claimed));
        assert_true(layout.code + layout.code_pages <= layout.slots ||
                    layout.slots + FIXED_PAGES <= layout.code);
        assert_true(layout.code + layout.code_pages <= TC_PAGES &&
                    layout.slots + FIXED_PAGES <= TC_PAGES);
    }
    assert_true(found > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_default, clear),
        cmocka_unit_test_setup(test_is_free, clear),
        cmocka_unit_test_setup(test_around, clear),
        cmocka_unit_test_setup(test_low_tables, clear),
        cmocka_unit_test_setup(test_none, clear),
        cmocka_unit_test_setup(test_random, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
