/*
 * test_nomem.c - `test nomem`: no memory for a world, at every possible point.
 *
 * All pages are taken; then they are given back one by one, and each time a
 * world is asked for, until there is one.  So creating fails first for want of
 * the first page that it needs, then of the second one, and so on; and
 * whatever it had got by then must be back in its place.
 */
#include "console/self_tests.h"

#include "console/hoard.h"
#include "console/output.h"
#include "kernel/x86/atomic.h"
#include "mm/mm.h"
#include "mm/mm_info.h"
#include "sched/world.h"

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
    hoard_take_all(&hoard);
    pages = hoard.count;
    created = create_somehow(&hoard, &params, &world);
    given = pages - hoard.count;
    hoard_give_all(&hoard);
    if (created)
        world_join(world);
    mm_get_info(&after);
    output_print("%u pages taken, %u given back for a world: %s\n", pages,
                 given, ran == 0 ? "FAILED, it did not run" :
                 has_leaked(&before, &after) ?
                 "FAILED, something was left behind" : "passed");
}
