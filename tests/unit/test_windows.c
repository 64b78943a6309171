/*
 * test_windows.c - windows as page table entries and a TLB would have it: what
 * the entry said when the TLB was last told is what an access goes to.
 */
#include "unit/test.h"

#include "vmm/core/windows.h"

#define COUNT       16u
#define RIGHTS      (PTE_P | PTE_A | PTE_D | PTE_NX)
#define MPN_OF(key) ((key) * 7 + 3)

static struct windows pool;
static pte_t entry[COUNT], known[COUNT];    /* known: by the TLB */
static uint8_t space[COUNT][PAGE_SIZE];
static uint32_t generation;
static unsigned forgotten;

static void
forget(const void *at)
{
    known[((const uint8_t *)at - space[0]) / PAGE_SIZE] = 0;
    forgotten++;
}

static int
setup(void **state)
{
    struct windows_place place = { space[0], entry, COUNT, RIGHTS, forget,
                                   &generation };

    (void)state;
    memset(entry, 0, sizeof(entry));
    memset(known, 0, sizeof(known));
    generation = 5;
    forgotten = 0;
    windows_init(&pool, &place);
    return 0;
}

/* Which machine page an access to window N reaches. */
static mpn_t
reached(unsigned n)
{
    if (known[n] == 0)
        known[n] = entry[n];
    assert_true(known[n] & PTE_P);
    return maddr_to_mpn(make_maddr(known[n] & PTE_ADDR));
}

static unsigned
show(uint32_t key)
{
    unsigned n = windows_find(&pool, key);

    if (n == WINDOW_NONE)
        n = windows_open(&pool, key, make_mpn(MPN_OF(key)), true);
    assert_ptr_equal(windows_use(&pool, n), space[n]);
    assert_int_equal(mpn_raw(reached(n)), MPN_OF(key));
    return n;
}

static void
test_entry(void **state)
{
    unsigned n = windows_open(&pool, 9, make_mpn(0x123456), false);

    (void)state;
    assert_true(entry[n] == (0x123456000ull | RIGHTS));
    assert_false(pool.window[n].is_writable);
    windows_close(&pool, 9);
    assert_int_equal(windows_find(&pool, 9), WINDOW_NONE);
    assert_true(entry[n] == 0);
    n = windows_open(&pool, 9, make_mpn(0x123456), true);
    assert_true(entry[n] == (0x123456000ull | RIGHTS | PTE_RW));
    windows_close(&pool, 10);
}

/* Entries that were not present are in no TLB: INVLPG is dear. */
static void
test_invalidations(void **state)
{
    (void)state;
    for (uint32_t key = 0; key < COUNT; key++)
        show(key);
    assert_int_equal(forgotten, 0);
    for (uint32_t key = 0; key < COUNT; key++)
        show(key);
    assert_int_equal(forgotten, 0);
    show(COUNT);
    assert_int_equal(forgotten, 1);
}

static void
test_random(void **state)
{
    struct test_random r = { .state = 1 };
    unsigned last = WINDOW_NONE;

    (void)state;
    for (unsigned step = 0; step < 20000; step++) {
        /* Three sizes of working set, and keys of the same hash. */
        uint32_t key = test_random_below(&r, 8u << step % 3 * 2) *
                       (step & 8 ? WINDOW_BUCKETS : 1);
        uint32_t old = last == WINDOW_NONE ? 0 : pool.window[last].key;
        bool is_gone = old == WINDOW_KEY_NONE;
        unsigned n;

        n = show(key);
        /* The one before is still there. */
        assert_true(last == WINDOW_NONE || is_gone ||
                    (pool.window[last].key == old &&
                     mpn_raw(reached(last)) == MPN_OF(old)));
        last = n;
        if (test_random_below(&r, 16) == 0)
            windows_close(&pool, test_random_below(&r, 64));
    }
}

/* A window in use is not the one that goes. */
static void
test_clock(void **state)
{
    unsigned n = show(1000);

    (void)state;
    for (uint32_t key = 0; key < 10 * COUNT; key++) {
        show(key);
        assert_int_equal(show(1000), n);
    }
}

static void
test_lent(void **state)
{
    unsigned n = show(1);

    (void)state;
    for (uint32_t key = 10; key < 10 + 4 * COUNT; key++)
        show(key);
    assert_int_equal(generation, 5);
    n = show(1);
    windows_lend(&pool, n);
    windows_lend(&pool, show(2));
    assert_int_equal(generation, 5);
    for (uint32_t key = 10; key < 10 + 4 * COUNT; key++)
        show(key);
    /* Once for both: the first that goes ends all pointers. */
    assert_int_equal(windows_find(&pool, 1), WINDOW_NONE);
    assert_int_equal(generation, 6);
    windows_lend(&pool, show(3));
    windows_close(&pool, 3);
    assert_int_equal(generation, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_entry, setup),
        cmocka_unit_test_setup(test_invalidations, setup),
        cmocka_unit_test_setup(test_random, setup),
        cmocka_unit_test_setup(test_clock, setup),
        cmocka_unit_test_setup(test_lent, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
