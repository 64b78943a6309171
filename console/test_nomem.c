/*
 * test_nomem.c - `test nomem`: no memory for a world, at every possible point.
 *
 * All pages are taken; then they are given back one by one, and each time a
 * world is asked for, until there is one.  So creating fails first for want of
 * the first page that it needs, then of the second one, and so on; and
 * whatever it had got by then must be back in its place.
 */
#include "console/self_tests.h"

#include "console/output.h"
#include "kernel/x86/atomic.h"
#include "mm/mm.h"
#include "mm/mm_info.h"
#include "sched/world.h"

/* Pages in a row, each holding the number of the next one. */
struct hoard {
    mpn_t first;                /* or INVALID_MPN */
    unsigned count;
};

/* Last, and so given back first, those that the heap can use. */
static bool
hoard_take(struct hoard *hoard)
{
    mpn_t *next;
    mpn_t mpn;

    if (page_alloc(ZONE_HIGH, 0, OWNER_TEST, &mpn) != OK &&
        page_alloc(ZONE_DMA, 0, OWNER_TEST, &mpn) != OK &&
        page_alloc(ZONE_DIRECT, 0, OWNER_TEST, &mpn) != OK)
        return false;
    next = kmap_page(mpn);
    *next = hoard->first;
    kunmap_page(next);
    hoard->first = mpn;
    hoard->count++;
    return true;
}

static void
hoard_give(struct hoard *hoard)
{
    mpn_t mpn = hoard->first;
    mpn_t *next = kmap_page(mpn);

    hoard->first = *next;
    hoard->count--;
    kunmap_page(next);
    page_free(mpn, 0);
}

static void
set_flag(void *arg)
{
    atomic_store((uint32_t *)arg, 1);
}

/* One more page free each time; whether there was a world in the end. */
static bool
create_somehow(struct hoard *hoard, const struct world_params *params,
               struct world **world)
{
    while (world_create(params, world) != OK) {
        if (hoard->count == 0)
            return false;
        hoard_give(hoard);
    }
    return true;
}

/* Less is no leak: what had ended before the test may go during it. */
static bool
has_leaked(const struct mm_info *before, const struct mm_info *after)
{
    return after->heap_blocks > before->heap_blocks ||
           after->owner_pages[OWNER_STACKS] >
           before->owner_pages[OWNER_STACKS] ||
           after->owner_pages[OWNER_TEST] > before->owner_pages[OWNER_TEST];
}

void
self_test_nomem(const struct args *args UNUSED)
{
    struct hoard hoard = { .first = INVALID_MPN };
    uint32_t ran = 0;
    struct world_params params = {
        .name = "frugal", .fn = set_flag, .arg = &ran
    };
    struct mm_info before, after;
    struct world *world;
    unsigned pages, given;
    bool created;

    mm_get_info(&before);
    while (hoard_take(&hoard))
        ;
    pages = hoard.count;
    created = create_somehow(&hoard, &params, &world);
    given = pages - hoard.count;
    while (hoard.count > 0)
        hoard_give(&hoard);
    if (created)
        world_join(world);
    mm_get_info(&after);
    output_print("%u pages taken, %u given back for a world: %s\n", pages,
                 given, ran == 0 ? "FAILED, it did not run" :
                 has_leaked(&before, &after) ?
                 "FAILED, something was left behind" : "passed");
}
