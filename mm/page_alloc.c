/*
 * page_alloc.c - machine pages: zones, owners, and what debug builds check.
 *
 * Each zone is a buddy allocator (mm/buddy.h) over the frame records of its
 * range.  Memory that nobody has needed yet is in `avail` only: when a zone
 * runs dry, its next section of 64 MB is opened (mm/frame.h) and the pages move
 * over.  So starting a machine with 64 GB costs no more than one with 64 MB.
 *
 * A request falls back from its zone to scarcer ones, but leaves each of those
 * a reserve for requests that have no choice.
 *
 * `zones_lock` guards all of this file's state and the frame records.  Filling
 * and checking poison happens outside of it, on pages that have one owner.
 */
#include "mm/mm_int.h"

#include "kernel/base/assert.h"
#include "kernel/base/stats.h"
#include "kernel/base/string.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "mm/buddy.h"
#include "mm/poison.h"

STATIC_ASSERT(PAGE_ORDER_MAX == BUDDY_ORDER_MAX);

STAT(mm, page_allocs);
STAT(mm, page_frees);
STAT(mm, page_fallbacks);
STAT(mm, page_failures);
STAT(mm, sections_opened);

/* A zone's last 1/32 is for those who asked for this zone. */
#define RESERVE_SHIFT   5

#define MB_TO_MPN(mb)   ((mb) * (MB(1) / PAGE_SIZE))

struct zone {
    const char *name;
    struct page_range range;    /* borders are multiples of 4 MB */
    unsigned next_section;      /* all below are open */
    uint32_t total_pages;
    struct buddy buddy;
};

static struct lock zones_lock = LOCK_INIT("pages", RANK_FRAME);
static struct zone zones[ZONE_COUNT] = {
    [ZONE_DMA]    = { .name = "dma",    .range = { 0, MB_TO_MPN(16) } },
    [ZONE_DIRECT] = { .name = "direct",
                      .range = { MB_TO_MPN(16), MB_TO_MPN(2048) } },
    [ZONE_DMA32]  = { .name = "dma32",
                      .range = { MB_TO_MPN(2048), MB_TO_MPN(4096) } },
    [ZONE_HIGH]   = { .name = "high",
                      .range = { MB_TO_MPN(4096), FRAMES_MAX } },
};
static struct memmap *avail;
static uint32_t owner_pages[OWNER_COUNT];

static const char *const owner_names[OWNER_COUNT] = {
#define PAGE_OWNER(name, text) [OWNER_##name] = (text),
#include "mm/page_owners.def"
#undef PAGE_OWNER
};

static enum zone_id
zone_of(uint32_t mpn)
{
    unsigned id = 0;

    while (mpn >= zones[id].range.end)
        id++;
    return (enum zone_id)id;
}

/* --- sections ------------------------------------------------------------ */

/* Pages of a new section; only the first section spans two zones. */
static void
add_run(mpn_t first, uint32_t count)
{
    uint32_t m = mpn_raw(first);

    while (count > 0) {
        struct zone *z = &zones[zone_of(m)];
        uint32_t part = MIN(count, z->range.end - m);

        buddy_add(&z->buddy, make_mpn(m), part);
        m += part;
        count -= part;
    }
}

/* Open the lowest closed section of Z that has memory, if there is one. */
static bool
open_next_section(struct zone *z)
{
    struct page_range closed = { z->next_section * SECTION_FRAMES,
                                 z->range.end };
    struct page_range run;

    if (closed.first >= closed.end || !memmap_find(avail, closed, &run))
        return false;
    z->next_section = (run.first >> SECTION_SHIFT) + 1;
    owner_pages[OWNER_FRAMES] +=
        frame_open_section(avail, z->next_section - 1, add_run);
    STAT_INC(mm, sections_opened);
    return true;
}

void
page_alloc_init(const struct memmap *ram, struct memmap *free_pages)
{
    avail = free_pages;
    for (unsigned id = 0; id < ZONE_COUNT; id++) {
        struct zone *z = &zones[id];

        buddy_init(&z->buddy, frame_table());
        z->total_pages = memmap_count(ram, z->range);
        z->next_section = z->range.first >> SECTION_SHIFT;
    }
    /* ZONE_DMA and the beginning of ZONE_DIRECT share section 0. */
    open_next_section(&zones[ZONE_DMA]);
    zones[ZONE_DIRECT].next_section = 1;
}

/* --- poison: debug builds ------------------------------------------------ */

static void
poison_block(mpn_t mpn, unsigned order)
{
    for (uint32_t i = 0; i < 1u << order; i++) {
        void *window = kmap_page(mpn_add(mpn, i));

        memset(window, POISON_PAGE, PAGE_SIZE);
        kunmap_page(window);
    }
}

/* Nobody may have written to the block while it was free. */
static void
check_poison(mpn_t mpn, unsigned order)
{
    for (uint32_t i = 0; i < 1u << order; i++) {
        mpn_t page = mpn_add(mpn, i);
        void *window = kmap_page(page);

        if (!poison_intact(window, POISON_PAGE, PAGE_SIZE))
            panic("machine page " PRI_mpn " was written to while it was "
                  "free", mpn_raw(page));
        kunmap_page(window);
    }
}

/* --- allocating ---------------------------------------------------------- */

/* Pages of closed sections count: they are a page_alloc away. */
static uint32_t
zone_free_pages(const struct zone *z)
{
    struct page_range closed = { z->next_section * SECTION_FRAMES,
                                 z->range.end };

    if (closed.first > closed.end)
        return z->buddy.free_pages;
    return z->buddy.free_pages + memmap_count(avail, closed);
}

/* A section may be too full of holes for the order; then try the next. */
static mpn_t
zone_alloc(struct zone *z, unsigned order)
{
    mpn_t mpn;

    do {
        mpn = buddy_alloc(&z->buddy, order);
    } while (mpn_eq(mpn, INVALID_MPN) && open_next_section(z));
    return mpn;
}

/* Would Z keep its reserve?  Else its own requests could starve. */
static bool
may_fall_back_to(const struct zone *z, unsigned order)
{
    uint32_t reserve = z->total_pages >> RESERVE_SHIFT;

    return zone_free_pages(z) >= reserve + (1u << order);
}

/* From the zone that was asked for, or a scarcer one.  Holds zones_lock. */
static mpn_t
alloc_block(enum zone_id zone, unsigned order)
{
    mpn_t mpn = zone_alloc(&zones[zone], order);

    for (unsigned id = zone; id > 0 && mpn_eq(mpn, INVALID_MPN); id--) {
        struct zone *scarcer = &zones[id - 1];

        if (!may_fall_back_to(scarcer, order))
            continue;
        mpn = zone_alloc(scarcer, order);
        STAT_INC(mm, page_fallbacks);
    }
    return mpn;
}

status_t
page_alloc(enum zone_id zone, unsigned order, enum page_owner owner,
           mpn_t *mpn)
{
    bool poisoned = false;
    mpn_t got;

    ASSERT(zone < ZONE_COUNT && order <= PAGE_ORDER_MAX &&
           owner < OWNER_COUNT);
    lock_acquire(&zones_lock);
    got = alloc_block(zone, order);
    if (!mpn_eq(got, INVALID_MPN)) {
        struct frame *f = &frame_table()[mpn_raw(got)];

        poisoned = f->flags & FRAME_POISONED;
        f->flags = 0;
        f->owner = (uint8_t)owner;
        f->site = (uint32_t)__builtin_return_address(0);
        owner_pages[owner] += 1u << order;
        STAT_INC(mm, page_allocs);
    } else {
        STAT_INC(mm, page_failures);
    }
    lock_release(&zones_lock);

    if (mpn_eq(got, INVALID_MPN))
        return TRACE_ERR(ERR_NO_MEMORY);
    if (poisoned)
        check_poison(got, order);
    *mpn = got;
    return OK;
}

/* --- freeing ------------------------------------------------------------- */

/* Freed twice, with another size, or never allocated: tell which. */
NORETURN static void
bad_free(mpn_t mpn, unsigned order)
{
    static const char *const states[] = {
        [FRAME_NONE] = "no page of ours", [FRAME_INSIDE] = "inside a block",
        [FRAME_FREE] = "free", [FRAME_USED] = "allocated"
    };
    const struct frame *f = frame_lookup(mpn);

    if (f == NULL)
        panic("page_free: machine page " PRI_mpn " was never allocated",
              mpn_raw(mpn));
    panic("page_free: machine page " PRI_mpn " order %u: it is %s, order %u, "
          "owner '%s', last allocated or freed at %08x", mpn_raw(mpn), order,
          states[f->state], f->order, owner_names[f->owner], f->site);
}

void
page_free(mpn_t mpn, unsigned order)
{
    struct frame *f = frame_lookup(mpn);

    if (f == NULL || f->state != FRAME_USED || f->order != order)
        bad_free(mpn, order);
    /* Still ours alone: the slow part needs no lock. */
    if (POISON_ON) {
        poison_block(mpn, order);
        f->flags |= FRAME_POISONED;
    }
    lock_acquire(&zones_lock);
    f->site = (uint32_t)__builtin_return_address(0);
    owner_pages[f->owner] -= 1u << order;
    f->owner = OWNER_FREE;
    if (buddy_free(&zones[zone_of(mpn_raw(mpn))].buddy, mpn, order) != OK)
        bad_free(mpn, order);
    STAT_INC(mm, page_frees);
    lock_release(&zones_lock);
}

/* --- counting ------------------------------------------------------------ */

void
page_owner_charge(enum page_owner owner, uint32_t pages)
{
    lock_acquire(&zones_lock);
    owner_pages[owner] += pages;
    lock_release(&zones_lock);
}

void
mm_get_info(struct mm_info *info)
{
    heap_get_info(info);
    lock_acquire(&zones_lock);
    memcpy(info->owner_pages, owner_pages, sizeof(owner_pages));
    info->total_pages = 0;
    info->free_pages = 0;
    for (unsigned id = 0; id < ZONE_COUNT; id++) {
        info->zones[id].name = zones[id].name;
        info->zones[id].total_pages = zones[id].total_pages;
        info->zones[id].free_pages = zone_free_pages(&zones[id]);
        info->total_pages += info->zones[id].total_pages;
        info->free_pages += info->zones[id].free_pages;
    }
    info->owner_pages[OWNER_FREE] = info->free_pages;
    lock_release(&zones_lock);
}

const char *
page_owner_name(enum page_owner owner)
{
    ASSERT(owner < OWNER_COUNT);
    return owner_names[owner];
}
