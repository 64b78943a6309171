/*
 * test_gpa_map.c - the map of guest-physical memory against an array of pages.
 */
#include "unit/test.h"

#include "kernel/base/types.h"
#include "vmm/mmu/gpa_map.h"

#define PAGES       96u
#define CHANGES     4000

struct page {
    enum gpa_kind kind;
    uint32_t backing;
};

static void
check(const struct gpa_map *map, const struct page *model)
{
    uint32_t backing;

    for (uint32_t n = 0; n < PAGES; n++) {
        assert_int_equal(gpa_map_find(map, make_ppn(n), &backing),
                         model[n].kind);
        assert_int_equal(backing, model[n].backing);
    }
    for (unsigned n = 1; n < map->count; n++)
        assert_true(map->range[n].first >=
                    map->range[n - 1].first + map->range[n - 1].count);
}

static void
test_random_changes(void **state)
{
    struct test_random random = { 20 };
    struct page model[PAGES] = { { GPA_HOLE, 0 } };
    struct gpa_map map;
    unsigned full = 0;

    (void)state;
    gpa_map_init(&map);
    for (unsigned n = 0; n < CHANGES; n++) {
        struct gpa_range r = { .first = test_random_below(&random, PAGES) };
        status_t status;

        r.count = 1 + test_random_below(&random, MIN(PAGES - r.first, 9u));
        r.kind = test_random_below(&random, GPA_KIND_COUNT);
        r.backing = r.kind == GPA_HOLE ? 0 :
                    r.first + 1000 * test_random_below(&random, 3);
        status = gpa_map_set(&map, &r);
        full += status == ERR_FULL;
        for (uint32_t p = 0; status == OK && p < r.count; p++)
            model[r.first + p] = (struct page){
                r.kind, r.kind == GPA_HOLE ? 0 : r.backing + p };
        check(&map, model);
    }
    assert_true(full < CHANGES / 2);
}

static void
test_full_map_is_left_alone(void **state)
{
    struct gpa_range r = { .count = 1, .kind = GPA_RAM };
    struct gpa_map map, before;
    uint32_t backing;

    (void)state;
    gpa_map_init(&map);
    for (unsigned n = 0; n < GPA_RANGES_MAX; n++, r.first += 2)
        assert_int_equal(gpa_map_set(&map, &r), OK);
    before = map;
    assert_int_equal(gpa_map_set(&map, &r), ERR_FULL);
    assert_memory_equal(&map, &before, sizeof(map));
    /* What merges still fits. */
    r.first -= 1;
    r.backing = 1;
    assert_int_equal(gpa_map_set(&map, &r), OK);
    assert_int_equal(gpa_map_find(&map, make_ppn(r.first), &backing), GPA_RAM);
}

static void
test_neighbours_merge(void **state)
{
    struct gpa_range r = { 0, 10, 100, GPA_RAM };
    struct gpa_map map;

    (void)state;
    gpa_map_init(&map);
    assert_int_equal(gpa_map_set(&map, &r), OK);
    r = (struct gpa_range){ 4, 2, 0, GPA_ROM };
    assert_int_equal(gpa_map_set(&map, &r), OK);
    assert_int_equal(map.count, 3);
    r = (struct gpa_range){ 4, 2, 104, GPA_RAM };
    assert_int_equal(gpa_map_set(&map, &r), OK);
    assert_int_equal(map.count, 1);
}

static void
test_a20(void **state)
{
    struct gpa_range r = { 0, 1024, 0, GPA_RAM };
    struct gpa_map map;
    uint32_t backing;

    (void)state;
    gpa_map_init(&map);
    assert_int_equal(gpa_map_set(&map, &r), OK);
    gpa_map_find(&map, make_ppn(0x100), &backing);
    assert_int_equal(backing, 0x100);
    gpa_map_set_a20(&map, false);
    gpa_map_find(&map, make_ppn(0x100), &backing);
    assert_int_equal(backing, 0);
    gpa_map_find(&map, make_ppn(0x2ff), &backing);
    assert_int_equal(backing, 0x2ff);
    gpa_map_find(&map, make_ppn(0x3ff), &backing);
    assert_int_equal(backing, 0x2ff);
    gpa_map_set_a20(&map, true);
    gpa_map_find(&map, make_ppn(0x3ff), &backing);
    assert_int_equal(backing, 0x3ff);
}

static void
test_wrong_ranges(void **state)
{
    struct gpa_range empty = { 5, 0, 0, GPA_RAM };
    struct gpa_range wraps = { UINT32_MAX - 1, 3, 0, GPA_RAM };
    struct gpa_map map;

    (void)state;
    gpa_map_init(&map);
    assert_int_equal(gpa_map_set(&map, &empty), ERR_RANGE);
    assert_int_equal(gpa_map_set(&map, &wraps), ERR_RANGE);
    assert_int_equal(map.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_full_map_is_left_alone),
        cmocka_unit_test(test_neighbours_merge),
        cmocka_unit_test(test_a20),
        cmocka_unit_test(test_wrong_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
