/*
 * test_memory_map.c - flattening of claims, by example and against a model
 * that keeps the kind of every byte of a small address space.
 */
#include "unit/test.h"

#include "kernel/base/addr.h"
#include "kernel/base/memory_map.h"

static struct memory_map claims;
static struct memory_map flat;

static void
add(uint64_t base, uint64_t length, enum memory_kind kind)
{
    assert_int_equal(memory_map_add(&claims, base, length, kind), OK);
}

static void
flatten(void)
{
    assert_int_equal(memory_map_flatten(&flat, &claims), OK);
}

static void
check(unsigned i, uint64_t base, uint64_t end, enum memory_kind kind)
{
    assert_true(i < flat.count);
    assert_true(flat.ranges[i].base == base);
    assert_true(flat.ranges[i].base + flat.ranges[i].length == end);
    assert_int_equal(flat.ranges[i].kind, kind);
}

static int
reset(void **state)
{
    (void)state;
    claims.count = 0;
    memset(&flat, 0xa5, sizeof flat);
    return 0;
}

static void
test_empty(void **state)
{
    (void)state;
    flatten();
    assert_int_equal(flat.count, 0);
    add(0x5000, 0, MEMORY_RESERVED);
    assert_int_equal(claims.count, 0);
}

static void
test_sorts_and_merges(void **state)
{
    (void)state;
    add(0x300000, 0x100000, MEMORY_USABLE);
    add(0x100000, 0x100000, MEMORY_USABLE);
    add(0x200000, 0x100000, MEMORY_USABLE);
    add(0x000000, 0x080000, MEMORY_USABLE);
    flatten();
    assert_int_equal(flat.count, 2);
    check(0, 0, 0x80000, MEMORY_USABLE);
    check(1, 0x100000, 0x400000, MEMORY_USABLE);
}

static void
test_stronger_kind_wins(void **state)
{
    (void)state;
    add(0x0000, 0x100000, MEMORY_USABLE);
    add(0x4000, 0x2000, MEMORY_RESERVED);
    add(0x5000, 0x3000, MEMORY_ACPI);
    add(0x4000, 0x100000, MEMORY_USABLE);
    flatten();
    assert_int_equal(flat.count, 4);
    check(0, 0, 0x4000, MEMORY_USABLE);
    check(1, 0x4000, 0x6000, MEMORY_RESERVED);
    check(2, 0x6000, 0x8000, MEMORY_ACPI);
    check(3, 0x8000, 0x104000, MEMORY_USABLE);
}

static void
test_usable_is_whole_pages(void **state)
{
    (void)state;
    add(0x0000, 0x9fc00, MEMORY_USABLE);
    add(0x9fc00, 0x400, MEMORY_RESERVED);
    add(0x100200, 0x200, MEMORY_USABLE);        /* in one page */
    add(0x200200, 0xe00, MEMORY_USABLE);        /* not quite a page */
    add(0x300001, 0x1fff, MEMORY_USABLE);
    flatten();
    assert_int_equal(flat.count, 3);
    check(0, 0, 0x9f000, MEMORY_USABLE);
    check(1, 0x9fc00, 0xa0000, MEMORY_RESERVED);
    check(2, 0x301000, 0x302000, MEMORY_USABLE);
}

static void
test_wrapping(void **state)
{
    (void)state;
    assert_int_equal(memory_map_add(&claims, UINT64_MAX - 0xfff, 0x2000,
                                    MEMORY_USABLE), ERR_RANGE);
    add(UINT64_MAX - 0xfff, 0x2000, MEMORY_RESERVED);
    add(0x1000, UINT64_MAX, MEMORY_NVS);
    add(0, GB(100), MEMORY_USABLE);
    flatten();
    assert_int_equal(flat.count, 3);
    check(0, 0, 0x1000, MEMORY_USABLE);
    check(1, 0x1000, UINT64_MAX - 0xfff, MEMORY_NVS);
    check(2, UINT64_MAX - 0xfff, UINT64_MAX, MEMORY_RESERVED);
}

static void
test_limits(void **state)
{
    (void)state;
    add(MB(1), GB(200), MEMORY_USABLE);
    flatten();
    check(0, MB(1), GB(64), MEMORY_USABLE);
    memory_map_limit(&flat, MB(48) + 5);
    check(0, MB(1), MB(48), MEMORY_USABLE);
    assert_true(memory_map_total(&flat, MEMORY_USABLE) == MB(47));
    memory_map_limit(&flat, MB(1));
    assert_int_equal(flat.count, 0);
}

static void
test_contains(void **state)
{
    (void)state;
    add(0x1000, 0x3000, MEMORY_USABLE);
    add(0x4000, 0x1000, MEMORY_ACPI);
    flatten();
    assert_true(memory_map_contains(&flat, 0x1000, 0x3000, MEMORY_USABLE));
    assert_true(memory_map_contains(&flat, 0x3fff, 1, MEMORY_USABLE));
    assert_false(memory_map_contains(&flat, 0x1000, 0x3001, MEMORY_USABLE));
    assert_false(memory_map_contains(&flat, 0x4000, 1, MEMORY_USABLE));
    assert_false(memory_map_contains(&flat, 0xfff, 2, MEMORY_USABLE));
    assert_false(memory_map_contains(&flat, 0x1000, UINT64_MAX,
                                     MEMORY_USABLE));
    assert_true(memory_map_contains(&flat, 0x4000, 1, MEMORY_ACPI));
}

static void
test_too_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMORY_MAP_MAX - 1; i++)
        add(0x10000 + i * 0x3000, 0x1000, MEMORY_RESERVED);
    add(0, GB(1), MEMORY_USABLE);
    assert_int_equal(memory_map_add(&claims, 0, 1, MEMORY_BAD), ERR_FULL);
    assert_int_equal(memory_map_flatten(&flat, &claims), ERR_FULL);
    assert_int_equal(flat.count, MEMORY_MAP_MAX);
    check(0, 0, 0x10000, MEMORY_USABLE);
    check(1, 0x10000, 0x11000, MEMORY_RESERVED);
}

/* The strongest claim on page PAGE, or -1. */
static int
model_kind(unsigned page)
{
    int kind = -1;

    for (unsigned i = 0; i < claims.count; i++) {
        const struct memory_range *c = &claims.ranges[i];

        if (c->base <= page * PAGE_SIZE &&
            (page + 1) * PAGE_SIZE <= c->base + c->length)
            kind = MAX(kind, (int)c->kind);
    }
    return kind;
}

static int
flat_kind(unsigned page)
{
    for (unsigned i = 0; i < flat.count; i++)
        if (flat.ranges[i].base <= page * PAGE_SIZE &&
            page * PAGE_SIZE < flat.ranges[i].base + flat.ranges[i].length)
            return (int)flat.ranges[i].kind;
    return -1;
}

static void
test_against_model(void **state)
{
    enum { PAGES = 64, ROUNDS = 500 };
    struct test_random random = { 42 };

    for (unsigned round = 0; round < ROUNDS; round++) {
        reset(state);
        for (unsigned n = test_random_below(&random, 30); n > 0; n--) {
            uint64_t first = test_random_below(&random, PAGES);
            uint64_t count = test_random_below(&random, 20);

            add(first * PAGE_SIZE, count * PAGE_SIZE,
                (enum memory_kind)test_random_below(&random,
                                                    MEMORY_KIND_COUNT));
        }
        flatten();
        for (unsigned page = 0; page < 2 * PAGES; page++)
            assert_int_equal(flat_kind(page), model_kind(page));
        for (unsigned i = 1; i < flat.count; i++)
            assert_true(flat.ranges[i - 1].base + flat.ranges[i - 1].length <=
                        flat.ranges[i].base);
    }
}

static void
test_kind_names(void **state)
{
    (void)state;
    assert_string_equal(memory_kind_name(MEMORY_NVS), "ACPI NVS");
    assert_string_equal(memory_kind_name(MEMORY_KIND_COUNT), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, reset),
        cmocka_unit_test_setup(test_sorts_and_merges, reset),
        cmocka_unit_test_setup(test_stronger_kind_wins, reset),
        cmocka_unit_test_setup(test_usable_is_whole_pages, reset),
        cmocka_unit_test_setup(test_wrapping, reset),
        cmocka_unit_test_setup(test_limits, reset),
        cmocka_unit_test_setup(test_contains, reset),
        cmocka_unit_test_setup(test_too_many, reset),
        cmocka_unit_test_setup(test_against_model, reset),
        cmocka_unit_test_setup(test_kind_names, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
