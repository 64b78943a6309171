/*
 * test_memmap.c - ranges of pages against a plain array of booleans.
 */
#include "unit/test.h"

#include "mm/memmap.h"

#define PAGES   512u
#define STEPS   20000u

static struct memmap map;
static bool model[PAGES];

static int
setup(void **state)
{
    (void)state;
    memset(&map, 0, sizeof(map));
    memset(model, 0, sizeof(model));
    return 0;
}

static struct page_range
random_range(struct test_random *r, uint32_t longest)
{
    uint32_t first = test_random_below(r, PAGES);
    uint32_t size = test_random_below(r, longest);

    return (struct page_range){ first, MIN(first + size, PAGES) };
}

static void
set_model(struct page_range r, bool present)
{
    for (uint32_t i = r.first; i < r.end; i++)
        model[i] = present;
}

static uint32_t
model_count(struct page_range r)
{
    uint32_t pages = 0;

    for (uint32_t i = r.first; i < r.end; i++)
        pages += model[i];
    return pages;
}

static void
check(struct test_random *r)
{
    static bool seen[PAGES];
    struct page_range within = random_range(r, PAGES);
    struct page_range run;

    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < map.count; i++) {
        assert_true(map.ranges[i].first < map.ranges[i].end);
        if (i > 0)
            assert_true(map.ranges[i - 1].end < map.ranges[i].first);
        for (uint32_t p = map.ranges[i].first; p < map.ranges[i].end; p++)
            seen[p] = true;
    }
    assert_memory_equal(seen, model, sizeof(seen));

    assert_int_equal(memmap_count(&map, within), model_count(within));
    if (memmap_find(&map, within, &run)) {
        assert_true(within.first <= run.first && run.end <= within.end);
        assert_int_equal(model_count(run), run.end - run.first);
        within.end = run.first;
    }
    assert_int_equal(model_count(within), 0);
}

static void
test_random_ranges(void **state)
{
    struct test_random r = { 77 };

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        struct page_range x = random_range(&r, 24);

        if (test_random_below(&r, 2) != 0) {
            memmap_add(&map, x);
            set_model(x, true);
        } else {
            memmap_remove(&map, x);
            set_model(x, false);
        }
        check(&r);
    }
    assert_int_equal(map.lost, 0);
}

static void
test_take_page_takes_the_highest(void **state)
{
    const struct page_range all = { 0, PAGES };
    uint32_t last = PAGES, mpn, taken = 0;

    (void)state;
    memmap_add(&map, (struct page_range){ 10, 20 });
    memmap_add(&map, (struct page_range){ 30, 33 });
    while (memmap_take_page(&map, all, &mpn)) {
        assert_true(mpn < last);
        last = mpn;
        taken++;
    }
    assert_int_equal(taken, 13);
    assert_int_equal(last, 10);
    memmap_add(&map, (struct page_range){ 10, 20 });
    assert_true(memmap_take_page(&map, (struct page_range){ 0, 15 }, &mpn));
    assert_int_equal(mpn, 14);
    assert_int_equal(map.count, 2);
    assert_false(memmap_take_page(&map, (struct page_range){ 0, 10 }, &mpn));
}

/* More ranges than fit: pages may be lost, but never appear from nowhere. */
static void
test_full_map_loses_memory_only(void **state)
{
    (void)state;
    memmap_add(&map, (struct page_range){ 0, PAGES });
    for (uint32_t i = 1; i < PAGES; i += 2)
        memmap_remove(&map, (struct page_range){ i, i + 1 });
    assert_int_equal(map.count, MEMMAP_RANGES);
    assert_true(map.lost > 0);
    for (unsigned i = 0; i < map.count; i++)
        for (uint32_t p = map.ranges[i].first; p < map.ranges[i].end; p++)
            assert_int_equal(p % 2, 0);
    memmap_remove(&map, (struct page_range){ 0, UINT32_MAX });
    assert_int_equal(map.count, 0);
}

static void
test_odd_ranges(void **state)
{
    (void)state;
    memmap_add(&map, (struct page_range){ 5, 5 });
    memmap_add(&map, (struct page_range){ 9, 3 });
    assert_int_equal(map.count, 0);
    memmap_add(&map, (struct page_range){ 0, UINT32_MAX });
    memmap_add(&map, (struct page_range){ 7, UINT32_MAX });
    assert_int_equal(map.count, 1);
    memmap_remove(&map, (struct page_range){ 9, 3 });
    assert_int_equal(memmap_count(&map, (struct page_range){ 3, 9 }), 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_random_ranges, setup),
        cmocka_unit_test_setup(test_take_page_takes_the_highest, setup),
        cmocka_unit_test_setup(test_full_map_loses_memory_only, setup),
        cmocka_unit_test_setup(test_odd_ranges, setup),
    };

    return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
