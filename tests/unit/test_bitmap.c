/*
 * test_bitmap.c - kernel/base/bitmap.c against an array of bools.
 */
#include "unit/test.h"

#include "kernel/base/bitmap.h"

#define BITS_MAX        200u
#define ROUNDS          30000

/* The same set twice: as a bitmap, and so that nothing can be wrong with it. */
struct pair {
    uint32_t map[BITMAP_WORDS(BITS_MAX)];
    bool model[BITS_MAX];
};

static uint32_t
model_find(const bool *model, uint32_t bits, uint32_t from, bool value)
{
    for (uint32_t i = from; i < bits; i++)
        if (model[i] == value)
            return i;
    return BITMAP_NONE;
}

static uint32_t
model_find_run(const bool *model, uint32_t bits, uint32_t from,
               uint32_t count)
{
    uint32_t clear = 0;

    for (uint32_t i = from; i < bits; i++) {
        clear = model[i] ? 0 : clear + 1;
        if (clear == count)
            return i + 1 - count;
    }
    return BITMAP_NONE;
}

static void
change(struct pair *p, struct test_random *r)
{
    uint32_t bit = test_random_below(r, BITS_MAX);
    uint32_t count = test_random_below(r, BITS_MAX - bit + 1);
    uint32_t what = test_random_below(r, 8);

    if (what < 3) {
        bitmap_set(p->map, bit);
        p->model[bit] = true;
    } else if (what < 6) {
        bitmap_clear(p->map, bit);
        p->model[bit] = false;
    } else {
        if (what == 6)
            bitmap_set_run(p->map, bit, count);
        else
            bitmap_clear_run(p->map, bit, count);
        for (uint32_t i = bit; i < bit + count; i++)
            p->model[i] = what == 6;
    }
}

static void
compare(const struct pair *p, struct test_random *r)
{
    /* Fewer bits than there are: those behind must not be seen. */
    uint32_t bits = test_random_below(r, BITS_MAX + 1);
    uint32_t from = test_random_below(r, BITS_MAX + 1);
    uint32_t count = 1 + test_random_below(r, 70);
    uint32_t set = 0;

    for (uint32_t i = 0; i < bits; i++)
        set += p->model[i];
    assert_int_equal(bitmap_count(p->map, bits), set);
    assert_int_equal(bitmap_find_set(p->map, bits, from),
                     model_find(p->model, bits, from, true));
    assert_int_equal(bitmap_find_clear(p->map, bits, from),
                     model_find(p->model, bits, from, false));
    assert_int_equal(bitmap_find_clear_run(p->map, bits, from, count),
                     model_find_run(p->model, bits, from, count));
}

static void
test_random_sets(void **state)
{
    struct test_random r = { 3 };
    struct pair p = { 0 };

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        change(&p, &r);
        compare(&p, &r);
        for (uint32_t bit = 0; bit < BITS_MAX; bit++)
            assert_int_equal(bitmap_test(p.map, bit), p.model[bit]);
    }
}

static void
test_edges(void **state)
{
    uint32_t map[2] = { UINT32_MAX, UINT32_MAX };

    (void)state;
    assert_int_equal(BITMAP_WORDS(0), 0);
    assert_int_equal(BITMAP_WORDS(32), 1);
    assert_int_equal(BITMAP_WORDS(33), 2);
    assert_int_equal(bitmap_find_clear(map, 64, 0), BITMAP_NONE);
    assert_int_equal(bitmap_find_set(map, 0, 0), BITMAP_NONE);
    assert_int_equal(bitmap_find_set(map, 64, 64), BITMAP_NONE);
    bitmap_clear_run(map, 31, 2);
    assert_int_equal(map[0], 0x7fffffff);
    assert_int_equal(map[1], 0xfffffffe);
    assert_int_equal(bitmap_find_clear_run(map, 64, 0, 2), 31);
    assert_int_equal(bitmap_find_clear_run(map, 64, 0, 3), BITMAP_NONE);
    assert_int_equal(bitmap_find_clear_run(map, 32, 0, 2), BITMAP_NONE);
    bitmap_clear_run(map, 0, 64);
    assert_int_equal(bitmap_find_clear_run(map, 64, 0, 64), 0);
    assert_int_equal(bitmap_find_clear_run(map, 64, 0, 65), BITMAP_NONE);
    assert_int_equal(bitmap_find_clear_run(map, 64, 1, UINT32_MAX),
                     BITMAP_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_sets),
        cmocka_unit_test(test_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
