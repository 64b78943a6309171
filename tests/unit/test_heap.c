/*
 * test_heap.c - the heap's workings: random load against a list of what should
 * be live, and every kind of misuse that the heap promises to notice.
 */
#include "unit/test.h"

#include "kernel/base/addr.h"
#include "mm/heap.h"

#define LIVE_MAX    600u
#define STEPS       60000u
#define ORDER_MAX   6u
#define SITES       5u

struct block {
    uint8_t *ptr;
    size_t size;
    uint8_t fill;
    uintptr_t site;
};

static struct block live[LIVE_MAX];
static unsigned live_count;
static size_t pages_out, pages_limit;
static struct heap heap;

static void *
get_pages(unsigned order)
{
    size_t size = (size_t)PAGE_SIZE << order;

    if (pages_out + (1u << order) > pages_limit)
        return NULL;
    pages_out += 1u << order;
    return aligned_alloc(size, size);
}

static void
put_pages(void *block, unsigned order)
{
    assert_true(pages_out >= 1u << order);
    pages_out -= 1u << order;
    free(block);
}

static const struct heap_pages pages = { get_pages, put_pages, ORDER_MAX };

static int
setup(void **state)
{
    (void)state;
    live_count = 0;
    pages_out = 0;
    pages_limit = 4096;
    heap_core_init(&heap, &pages);
    return 0;
}

/* An empty heap keeps a page or so of each class: give those back too. */
static int
teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HEAP_CLASSES; i++)
        while (!list_is_empty(&heap.partial[i])) {
            struct list *link = heap.partial[i].next;

            list_remove(link);
            put_pages((void *)ROUND_DOWN((uintptr_t)link, PAGE_SIZE), 0);
        }
    assert_int_equal(pages_out, 0);
    return 0;
}

static bool
is_filled(const struct block *b)
{
    for (size_t i = 0; i < b->size; i++)
        if (b->ptr[i] != b->fill)
            return false;
    return true;
}

static bool
take(struct test_random *r, size_t size)
{
    struct block b = { .size = size, .fill = (uint8_t)test_random_next(r),
                       .site = 0x1000 + test_random_below(r, SITES) };

    b.ptr = heap_core_alloc(&heap, size, b.site);
    if (b.ptr == NULL)
        return false;
    assert_int_equal((uintptr_t)b.ptr % HEAP_ALIGN, 0);
    memset(b.ptr, b.fill, size);
    live[live_count++] = b;
    return true;
}

static void
give(unsigned index)
{
    assert_true(is_filled(&live[index]));
    assert_int_equal(heap_core_free(&heap, live[index].ptr), OK);
    live[index] = live[--live_count];
}

static void
check_totals(void)
{
    struct heap_site sites[SITES + 2];
    size_t bytes = 0, blocks = 0, site_bytes[SITES] = { 0 };
    unsigned count = heap_core_sites(&heap, sites, SITES + 2);

    for (unsigned i = 0; i < live_count; i++) {
        bytes += live[i].size;
        site_bytes[live[i].site - 0x1000] += live[i].size;
    }
    assert_int_equal(heap.live_bytes, bytes);
    assert_int_equal(heap.live_blocks, live_count);
    assert_int_equal(heap.held_pages, pages_out);
    assert_int_equal(heap_core_check(&heap), OK);
    for (unsigned i = 0; i < count; i++) {
        assert_in_range(sites[i].site, 0x1000, 0x1000 + SITES - 1);
        assert_int_equal(sites[i].bytes, site_bytes[sites[i].site - 0x1000]);
        if (i > 0)
            assert_true(sites[i - 1].bytes >= sites[i].bytes);
        blocks += sites[i].blocks;
    }
    assert_int_equal(blocks, live_count);
}

static size_t
random_size(struct test_random *r)
{
    switch (test_random_below(r, 8)) {
    case 0:
        return test_random_below(r, 60000);
    case 1:
        return 1900 + test_random_below(r, 300);    /* around the border */
    case 2:
        return test_random_below(r, 4);
    default:
        return test_random_below(r, 700);
    }
}

static void
test_random_load(void **state)
{
    struct test_random r = { 4711 };

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned bias = (step / 5000) % 2 ? 35 : 65;

        if (live_count == 0 ||
            (live_count < LIVE_MAX && test_random_below(&r, 100) < bias))
            take(&r, random_size(&r));
        else
            give(test_random_below(&r, live_count));
        if (step % 1000 == 0)
            check_totals();
    }
    while (live_count > 0)
        give(0);
    check_totals();
    assert_true(pages_out <= HEAP_CLASSES);     /* one page kept a class */
}

static void
test_running_out_is_an_answer(void **state)
{
    struct test_random r = { 9 };
    unsigned many;

    (void)state;
    pages_limit = 20;
    while (take(&r, 500))
        ;
    many = live_count;
    assert_true(many >= 20 * 6);
    assert_null(heap_core_alloc(&heap, 500, 1));
    assert_null(heap.fault.what);
    give(3);
    assert_true(take(&r, 500));
    while (live_count > 0)
        give(live_count - 1);
    while (take(&r, 500))
        ;
    assert_int_equal(live_count, many);
    while (live_count > 0)
        give(0);
}

static void
test_too_large(void **state)
{
    size_t largest = ((size_t)PAGE_SIZE << ORDER_MAX) - 64 - 16 -
                     HEAP_RED_ZONE;
    void *p = heap_core_alloc(&heap, largest, 1);

    (void)state;
    assert_non_null(p);
    memset(p, 1, largest);
    assert_int_equal(heap_core_free(&heap, p), OK);
    assert_null(heap_core_alloc(&heap, largest + 1, 1));
    assert_null(heap_core_alloc(&heap, SIZE_MAX, 1));
    assert_null(heap_core_alloc(&heap, SIZE_MAX - 64, 1));
    assert_int_equal(pages_out, 0);
}

/* One byte behind a block: found at free and by the walk, with the culprit. */
static void
test_overrun(void **state)
{
    static const size_t sizes[] = { 1, 15, 100, 2016 - 24, 2016 - 23, 5000 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *p = heap_core_alloc(&heap, sizes[i], 0x77 + i);
        uint8_t saved = p[sizes[i]];

        p[sizes[i]] = 'x';
        assert_int_equal(heap_core_check(&heap), ERR_CORRUPT);
        assert_ptr_equal(heap.fault.block, p);
        assert_int_equal(heap.fault.size, sizes[i]);
        assert_int_equal(heap.fault.site, 0x77 + i);
        memset(&heap.fault, 0, sizeof(heap.fault));
        assert_int_equal(heap_core_free(&heap, p), ERR_CORRUPT);
        assert_ptr_equal(heap.fault.block, p);
        assert_int_equal(heap.fault.site, 0x77 + i);
        p[sizes[i]] = saved;
        assert_int_equal(heap_core_free(&heap, p), OK);
    }
    assert_int_equal(heap_core_check(&heap), OK);
}

/* A long overrun into the next block's header names who ran over. */
static void
test_overrun_is_blamed_on_the_first_block(void **state)
{
    uint8_t *a = heap_core_alloc(&heap, 40, 0xa);
    uint8_t *b = heap_core_alloc(&heap, 40, 0xb);

    (void)state;
    assert_ptr_equal(b, a + 64);
    memset(a, 'y', 64);
    assert_int_equal(heap_core_free(&heap, b), ERR_CORRUPT);
    assert_ptr_equal(heap.fault.block, a);
    assert_int_equal(heap.fault.site, 0xa);
}

static void
test_underrun(void **state)
{
    uint8_t *a = heap_core_alloc(&heap, 40, 0xa);

    (void)state;
    a[-1] ^= 1;
    assert_int_equal(heap_core_free(&heap, a), ERR_CORRUPT);
    assert_ptr_equal(heap.fault.block, a);
    a[-1] ^= 1;
    assert_int_equal(heap_core_free(&heap, a), OK);
}

static void
test_bad_pointers(void **state)
{
    uint8_t *keep = heap_core_alloc(&heap, 40, 1);
    uint8_t *p = heap_core_alloc(&heap, 40, 2);
    uint8_t *foreign = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

    (void)state;
    assert_int_equal(heap_core_free(&heap, p + 16), ERR_CORRUPT);
    assert_int_equal(heap_core_free(&heap, p + 1), ERR_CORRUPT);
    assert_int_equal(heap_core_free(&heap, p + 64), ERR_CORRUPT);
    assert_int_equal(heap_core_free(&heap, p), OK);
    assert_int_equal(heap_core_free(&heap, p), ERR_CORRUPT);
    assert_string_equal(heap.fault.what, "freed twice");
    assert_int_equal(heap.fault.site, 2);
    memset(foreign, 0x5a, PAGE_SIZE);
    assert_int_equal(heap_core_free(&heap, foreign + 128), ERR_CORRUPT);
    assert_int_equal(heap.live_blocks, 1);
    assert_int_equal(heap_core_free(&heap, keep), OK);
    free(foreign);
}

static void
test_write_after_free(void **state)
{
    uint8_t *keep = heap_core_alloc(&heap, 40, 1);
    uint8_t *p = heap_core_alloc(&heap, 40, 2);
    uint8_t saved;

    (void)state;
    assert_int_equal(heap_core_free(&heap, p), OK);
    saved = p[7];
    p[7] = 0;
    assert_int_equal(heap_core_check(&heap), ERR_CORRUPT);
    assert_int_equal(heap.fault.site, 2);
    memset(&heap.fault, 0, sizeof(heap.fault));
    assert_null(heap_core_alloc(&heap, 40, 3));
    assert_non_null(heap.fault.what);
    assert_ptr_equal(heap.fault.block, p);
    p[7] = saved;
    assert_ptr_equal(heap_core_alloc(&heap, 40, 3), p);
    assert_int_equal(heap_core_free(&heap, p), OK);
    assert_int_equal(heap_core_free(&heap, keep), OK);
}

static void
test_sites_that_do_not_fit_are_summed_up(void **state)
{
    struct heap_site sites[3];
    void *blocks[10];

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        blocks[i] = heap_core_alloc(&heap, i == 9 ? 1500 : 100, 0x100 + i);
    assert_int_equal(heap_core_sites(&heap, sites, 3), 3);
    assert_int_equal(sites[0].bytes + sites[1].bytes + sites[2].bytes, 2400);
    assert_int_equal(sites[0].blocks + sites[1].blocks + sites[2].blocks, 10);
    assert_int_equal(sites[0].site, 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(heap_core_free(&heap, blocks[i]), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_random_load),
        TEST(test_running_out_is_an_answer),
        TEST(test_too_large),
        TEST(test_overrun),
        TEST(test_overrun_is_blamed_on_the_first_block),
        TEST(test_underrun),
        TEST(test_bad_pointers),
        TEST(test_write_after_free),
        TEST(test_sites_that_do_not_fit_are_summed_up),
    };

    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
