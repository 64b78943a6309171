/*
 * test_buddy.c - the buddy allocator against a model that knows nothing of
 * buddies: one byte a page, free or not.
 *
 * After every step the allocator's whole state is compared with the model and
 * with its own invariants (mm/buddy.c).
 */
#include "unit/test.h"

#include "mm/buddy.h"

#define FRAMES      4096u
#define HOLE_FIRST  1500u
#define HOLE_END    1777u
#define STEPS       20000u

enum page { PAGE_ABSENT, PAGE_FREE, PAGE_TAKEN };

struct block {
    uint32_t mpn;
    unsigned order;
};

static struct frame frames[FRAMES];
static enum page model[FRAMES];
static struct block blocks[FRAMES];
static unsigned block_count;
static struct buddy buddy;

static void
add_run(uint32_t first, uint32_t end)
{
    buddy_add(&buddy, make_mpn(first), end - first);
    for (uint32_t i = first; i < end; i++)
        model[i] = PAGE_FREE;
}

static int
setup(void **state)
{
    (void)state;
    memset(frames, 0, sizeof(frames));
    memset(model, 0, sizeof(model));
    block_count = 0;
    buddy_init(&buddy, frames);
    return 0;
}

/* Walk all lists: each free block is free in the model, and maximal. */
static void
check_invariants(void)
{
    static uint8_t seen[FRAMES];
    uint32_t free_pages = 0;

    memset(seen, 0, sizeof(seen));
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        uint32_t prev = FRAME_NIL;

        for (uint32_t m = buddy.heads[order]; m != FRAME_NIL;
             prev = m, m = frames[m].next) {
            uint32_t other = m ^ (1u << order);

            assert_true(m + (1u << order) <= FRAMES);
            assert_int_equal(m % (1u << order), 0);
            assert_int_equal(frames[m].state, FRAME_FREE);
            assert_int_equal(frames[m].order, order);
            assert_int_equal(frames[m].prev, prev);
            if (order < BUDDY_ORDER_MAX)
                assert_false(frames[other].state == FRAME_FREE &&
                             frames[other].order == order);
            for (uint32_t i = m; i < m + (1u << order); i++) {
                assert_int_equal(model[i], PAGE_FREE);
                assert_int_equal(seen[i]++, 0);
                if (i != m)
                    assert_int_equal(frames[i].state, FRAME_INSIDE);
            }
            free_pages += 1u << order;
        }
    }
    assert_int_equal(free_pages, buddy.free_pages);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_int_equal(seen[i], model[i] == PAGE_FREE);
}

/* Whether an aligned free block of 2^ORDER exists, by brute force. */
static bool
model_has(unsigned order)
{
    for (uint32_t m = 0; m < FRAMES; m += 1u << order) {
        uint32_t i = m;

        while (i < m + (1u << order) && model[i] == PAGE_FREE)
            i++;
        if (i == m + (1u << order))
            return true;
    }
    return false;
}

static bool
take(unsigned order)
{
    bool expected = model_has(order);
    mpn_t mpn = buddy_alloc(&buddy, order);
    uint32_t m = mpn_raw(mpn);

    assert_int_equal(!mpn_eq(mpn, INVALID_MPN), expected);
    if (!expected)
        return false;
    assert_int_equal(m % (1u << order), 0);
    assert_int_equal(frames[m].state, FRAME_USED);
    assert_int_equal(frames[m].order, order);
    for (uint32_t i = m; i < m + (1u << order); i++) {
        assert_int_equal(model[i], PAGE_FREE);
        model[i] = PAGE_TAKEN;
    }
    blocks[block_count++] = (struct block){ m, order };
    return true;
}

static void
give(unsigned index)
{
    struct block b = blocks[index];

    assert_int_equal(buddy_free(&buddy, make_mpn(b.mpn), b.order), OK);
    for (uint32_t i = b.mpn; i < b.mpn + (1u << b.order); i++)
        model[i] = PAGE_FREE;
    blocks[index] = blocks[--block_count];
}

static void
test_random_load(void **state)
{
    struct test_random r = { 0x5eed };

    (void)state;
    add_run(3, HOLE_FIRST);
    add_run(HOLE_END, FRAMES - 5);
    check_invariants();
    for (unsigned step = 0; step < STEPS; step++) {
        /* Phases of growth and of shrinking, so that full and empty occur. */
        unsigned bias = (step / 1000) % 2 ? 35 : 65;

        if (block_count == 0 || test_random_below(&r, 100) < bias)
            take(test_random_below(&r, 100) < 70
                 ? test_random_below(&r, 3)
                 : test_random_below(&r, BUDDY_ORDERS));
        else
            give(test_random_below(&r, block_count));
        if (step % 16 == 0)
            check_invariants();
    }
    while (block_count > 0)
        give(0);
    check_invariants();
}

/* All free again means: the same blocks as in the beginning. */
static void
test_everything_merges_back(void **state)
{
    (void)state;
    add_run(0, FRAMES);
    while (take(0))
        ;
    assert_int_equal(block_count, FRAMES);
    assert_int_equal(buddy.free_pages, 0);
    for (unsigned i = 0; i < FRAMES; i++)
        give((i * 7) % block_count);
    check_invariants();
    for (unsigned i = 0; i < FRAMES >> BUDDY_ORDER_MAX; i++)
        assert_true(take(BUDDY_ORDER_MAX));
    assert_false(take(0));
}

static void
test_wrong_frees_are_refused(void **state)
{
    mpn_t m;

    (void)state;
    add_run(0, 1024);
    m = buddy_alloc(&buddy, 3);
    assert_int_equal(buddy_free(&buddy, m, 2), ERR_CORRUPT);
    assert_int_equal(buddy_free(&buddy, mpn_add(m, 1), 0), ERR_CORRUPT);
    assert_int_equal(buddy_free(&buddy, make_mpn(2000), 0), ERR_CORRUPT);
    assert_int_equal(buddy.free_pages, 1024 - 8);
    assert_int_equal(buddy_free(&buddy, m, 3), OK);
    assert_int_equal(buddy_free(&buddy, m, 3), ERR_CORRUPT);
    assert_int_equal(buddy.free_pages, 1024);
}

/* A block is only called poisoned if every page of it is. */
static void
test_flags_survive_split_and_merge(void **state)
{
    mpn_t a, b;

    (void)state;
    add_run(0, 4);
    a = buddy_alloc(&buddy, 1);
    b = buddy_alloc(&buddy, 1);
    frames[mpn_raw(a)].flags = FRAME_POISONED;
    assert_int_equal(buddy_free(&buddy, a, 1), OK);
    frames[mpn_raw(b)].flags = 0;
    assert_int_equal(buddy_free(&buddy, b, 1), OK);
    a = buddy_alloc(&buddy, 2);
    assert_int_equal(frames[mpn_raw(a)].flags, 0);

    frames[mpn_raw(a)].flags = FRAME_POISONED;
    assert_int_equal(buddy_free(&buddy, a, 2), OK);
    for (unsigned i = 0; i < 4; i++) {
        a = buddy_alloc(&buddy, 0);
        assert_int_equal(frames[mpn_raw(a)].flags, FRAME_POISONED);
    }
}

/* The same calls give the same pages, whatever happened before. */
static void
test_deterministic(void **state)
{
    uint32_t first[64];

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        setup(NULL);
        add_run(1, 777);
        for (unsigned i = 0; i < ARRAY_LEN(first); i++) {
            uint32_t m = mpn_raw(buddy_alloc(&buddy, i % 4));

            if (round == 0)
                first[i] = m;
            assert_int_equal(m, first[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_random_load, setup),
        cmocka_unit_test_setup(test_everything_merges_back, setup),
        cmocka_unit_test_setup(test_wrong_frees_are_refused, setup),
        cmocka_unit_test_setup(test_flags_survive_split_and_merge, setup),
        cmocka_unit_test_setup(test_deterministic, setup),
    };

    return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
