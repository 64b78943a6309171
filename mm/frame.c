/*
 * frame.c - where the records of pages are, and opening sections of them.
 *
 * One page holds 256 records, those of 1 MB: a group.  When a section is opened
 * each group that has memory gets a page from the section's own, and all the
 * others share one page of zeros, read-only: so any record of an open section
 * can be read, and says FRAME_NONE where there is nothing.  The buddy allocator
 * relies on that.  A section costs at most 1/256 of its memory, and as many
 * pages as it has at the very least.
 *
 * The page tables under the records exist from the start (4 KB for each 512 MB
 * of machine memory), so that opening a section cannot fail.
 */
#include "mm/frame.h"

#include "kernel/base/assert.h"
#include "kernel/base/bitmap.h"
#include "kernel/base/string.h"
#include "kernel/x86/atomic.h"
#include "mm/mm_int.h"
#include "mm/pagetable.h"

#define GROUP_FRAMES    ((uint32_t)(PAGE_SIZE / sizeof(struct frame)))
#define SECTION_GROUPS  (SECTION_FRAMES / GROUP_FRAMES)
#define TABLE_FRAMES    (GROUP_FRAMES * PT_ENTRIES) /* behind a page table */

static uint32_t open_sections[BITMAP_WORDS(SECTION_COUNT)];

/* The records of all groups that have none. */
static const struct frame no_frames[PAGE_SIZE / sizeof(struct frame)]
    ALIGNED(PAGE_SIZE);

struct frame *
frame_lookup(mpn_t mpn)
{
    uint32_t m = mpn_raw(mpn);
    struct frame *f = &frame_table()[m];

    if (m >= FRAMES_MAX || !bitmap_test(open_sections, m >> SECTION_SHIFT))
        return NULL;
    return f->state == FRAME_NONE ? NULL : f;
}

static uint32_t
group_linear(uint32_t first)
{
    return (uint32_t)&frame_table()[first];
}

status_t
frame_init(const struct memmap *avail, status_t (*source)(mpn_t *mpn))
{
    for (uint32_t m = 0; m < FRAMES_MAX; m += TABLE_FRAMES) {
        struct page_range span = { m, m + TABLE_FRAMES };
        status_t status;

        if (memmap_count(avail, span) == 0)
            continue;
        status = pagetable_prepare(group_linear(m), PT_ENTRIES, source);
        if (status != OK)
            return status;
    }
    return OK;
}

/* Returns whether a page was needed for the records. */
static bool
open_group(struct memmap *avail, struct page_range section, uint32_t first)
{
    struct page_range group = { first, first + GROUP_FRAMES };
    uint32_t linear = group_linear(first);
    uint32_t page;

    if (memmap_count(avail, group) == 0 ||
        !memmap_take_page(avail, section, &page)) {
        pagetable_map(linear, maddr_to_mpn(direct_maddr(no_frames)),
                      MAP_RODATA);
        return false;
    }
    pagetable_map(linear, make_mpn(page), MAP_DATA);
    memset((void *)linear, 0, PAGE_SIZE);
    return true;
}

uint32_t
frame_open_section(struct memmap *avail, unsigned section,
                   void (*add)(mpn_t first, uint32_t count))
{
    uint32_t first = section * SECTION_FRAMES;
    struct page_range all = { first, first + SECTION_FRAMES };
    struct page_range run;
    uint32_t taken = 0;

    ASSERT(section < SECTION_COUNT && !bitmap_test(open_sections, section));
    for (uint32_t m = first; m < all.end; m += GROUP_FRAMES)
        taken += open_group(avail, all, m);
    while (memmap_find(avail, all, &run)) {
        memmap_remove(avail, run);
        add(make_mpn(run.first), run.end - run.first);
    }
    atomic_or(&open_sections[section / BITMAP_WORD_BITS],
              BIT(section % BITMAP_WORD_BITS));
    return taken;
}
