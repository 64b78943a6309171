/*
 * kva.c - memory at consecutive linear addresses, between guard pages.
 *
 * A bitmap says which pages of the region are taken; every allocation takes one
 * page more on each side and never maps it, so that running over an end faults
 * at once.  Debug builds hand addresses out round and round the region: what is
 * used after it was freed is unmapped for as long as possible.
 *
 * `kva_lock` guards the bitmap and the adding of page tables.  The entries of a
 * range belong to whoever has the range; so the slow parts (clearing memory,
 * waiting for the other processors' TLBs) run without the lock.
 */
#include "mm/mm_int.h"

#include "kernel/base/assert.h"
#include "kernel/base/bitmap.h"
#include "kernel/base/string.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "mm/pagetable.h"
#include "mm/poison.h"

#define KVA_BASE        0x20000000u
#define KVA_PAGES       0x10000u        /* 256 MB */
#define GUARDS          2u              /* one page below, one above */

static struct lock kva_lock = LOCK_INIT("kva", RANK_KVA);
static uint32_t taken[BITMAP_WORDS(KVA_PAGES)];
static uint32_t search_from;

static uint32_t
page_linear(uint32_t page)
{
    return KVA_BASE + page * PAGE_SIZE;
}

static status_t
table_source(mpn_t *mpn)
{
    return page_alloc(ZONE_DIRECT, 0, OWNER_TABLES, mpn);
}

/* COUNT free pages of the region, or BITMAP_NONE.  Holds kva_lock. */
static uint32_t
find_run(uint32_t count)
{
    uint32_t first = bitmap_find_clear_run(taken, KVA_PAGES, search_from,
                                           count);

    if (first == BITMAP_NONE)
        first = bitmap_find_clear_run(taken, KVA_PAGES, 0, count);
    return first;
}

/* Take a run of COUNT pages, page tables ready; BITMAP_NONE if impossible. */
static uint32_t
reserve(uint32_t count)
{
    uint32_t first;

    lock_acquire(&kva_lock);
    first = find_run(count);
    if (first != BITMAP_NONE &&
        pagetable_prepare(page_linear(first), count, table_source) != OK)
        first = BITMAP_NONE;
    if (first != BITMAP_NONE) {
        bitmap_set_run(taken, first, count);
        if (POISON_ON)
            search_from = first + count;
    }
    lock_release(&kva_lock);
    return first;
}

/* After all pages of the run are unmapped and forgotten by every TLB. */
static void
release(uint32_t first, uint32_t count)
{
    lock_acquire(&kva_lock);
    bitmap_clear_run(taken, first, count);
    lock_release(&kva_lock);
}

/*
 * Unmap and free COUNT mapped pages from page FIRST of the region.  A page may
 * be given to somebody else only when no processor can reach it here any more;
 * until then its number waits in the entry.
 */
static void
drop_pages(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pagetable_unmap(page_linear(first + i));
    if (count > 0)
        tlb_shootdown(page_linear(first), count);
    for (uint32_t i = 0; i < count; i++)
        page_free(pagetable_take(page_linear(first + i)), 0);
}

void *
kva_alloc(unsigned count, enum page_owner owner)
{
    uint32_t first, i;
    void *ptr;

    ASSERT(count > 0 && PERCPU(irq_depth) == 0);
    if (count > KVA_PAGES - GUARDS)
        return NULL;
    first = reserve(count + GUARDS);
    if (first == BITMAP_NONE)
        return NULL;
    for (i = 0; i < count; i++) {
        mpn_t mpn;

        if (page_alloc(ZONE_HIGH, 0, owner, &mpn) != OK)
            break;
        pagetable_map(page_linear(first + 1 + i), mpn, MAP_DATA);
    }
    if (i < count) {
        drop_pages(first + 1, i);
        release(first, count + GUARDS);
        return NULL;
    }
    ptr = (void *)page_linear(first + 1);
    memset(ptr, 0, count * PAGE_SIZE);
    return ptr;
}

void
kva_free(void *ptr, unsigned count)
{
    uint32_t linear = (uint32_t)ptr;
    uint32_t first = (linear - KVA_BASE) / PAGE_SIZE - 1;

    ASSERT(PERCPU(irq_depth) == 0);
    ASSERT(linear % PAGE_SIZE == 0 && first < KVA_PAGES &&
           count <= KVA_PAGES - GUARDS - first);
    /* Guard pages where they must be: the range is one whole allocation. */
    ASSERT(kva_is_guard(page_linear(first)) &&
           kva_is_guard(page_linear(first + 1 + count)));
    drop_pages(first + 1, count);
    release(first, count + GUARDS);
}

bool
kva_is_guard(uint32_t linear)
{
    uint32_t page = (linear - KVA_BASE) / PAGE_SIZE;

    return linear >= KVA_BASE && page < KVA_PAGES &&
           bitmap_test(taken, page) && !pagetable_is_mapped(linear);
}
