/*
 * mm_init.c - from the loader's memory map to working allocators.
 *
 * The order matters, and each step needs only the ones before it:
 *
 *      1. two sets of pages: all RAM, and what of it is free
 *      2. the direct map; its page tables are taken out of the free set
 *      3. the switch to our own page tables
 *      4. page tables for the frame records, windows and start-up page
 *      5. the page allocator, then the heap
 *
 * Until 5 pages come from early_page(): the highest free ones that the boot
 * tables show.  Runs once, on the boot processor, interrupts off.
 */
#include "mm/mm_init.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/image.h"
#include "kernel/smp.h"
#include "kernel/x86/cpuid.h"
#include "mm/direct_map.h"
#include "mm/mm_int.h"

/* What the boot tables show (boot/entry.S): early pages come from there. */
#define EARLY_LIMIT     ((uint32_t)(GB(1) / PAGE_SIZE))

/*
 * A start-up IPI names a page of the first MB, where RAM ends at 640 KB; below
 * 32 KB are things of the firmware and of boot sectors.
 */
#define LOW_FIRST       (KB(32) / PAGE_SIZE)
#define LOW_LIMIT       (KB(640) / PAGE_SIZE)

static struct memmap ram, avail;
static maddr_t low_page;
static pte_t identity_table[PT_ENTRIES] ALIGNED(PAGE_SIZE);

/* Memory that is free counts in whole pages... */
static struct page_range
whole_pages(const struct memory_range *r)
{
    return (struct page_range){
        (uint32_t)DIV_ROUND_UP(r->base, PAGE_SIZE),
        (uint32_t)((r->base + r->length) / PAGE_SIZE)
    };
}

/* ... and memory that is somebody's takes the pages it touches. */
static struct page_range
touched_pages(const struct memory_range *r)
{
    return (struct page_range){
        (uint32_t)(r->base / PAGE_SIZE),
        (uint32_t)DIV_ROUND_UP(r->base + r->length, PAGE_SIZE)
    };
}

/* Leave out what no address of this CPU reaches, whatever the firmware says. */
static void
remove_unreachable(void)
{
    const struct page_range beyond = {
        (uint32_t)(machine_limit() / PAGE_SIZE), UINT32_MAX
    };
    uint32_t pages = memmap_count(&ram, beyond);

    memmap_remove(&ram, beyond);
    memmap_remove(&avail, beyond);
    if (pages > 0)
        log_warn(MOD_MM, "%u MB unused: the CPU has %u address bits",
                 pages / (uint32_t)(MB(1) / PAGE_SIZE),
                 cpu_model()->physical_bits);
}

static void
collect_memory(const struct memory_map *map)
{
    const struct memory_range image = {
        .base = maddr_raw(direct_maddr(image_start)),
        .length = (uint32_t)(image_end - image_start)
    };

    /* RAM is what the direct map shows; the firmware's own stays out. */
    memmap_add(&ram, touched_pages(&image));
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_range *r = &map->ranges[i];

        if (r->kind == MEMORY_USABLE) {
            memmap_add(&ram, whole_pages(r));
            memmap_add(&avail, whole_pages(r));
        } else if (r->kind == MEMORY_MODULE) {
            memmap_add(&ram, touched_pages(r));
        }
    }
    remove_unreachable();
    /* Page 0 holds the BIOS's data; and NULL is never a page of ours. */
    memmap_remove(&avail, (struct page_range){ 0, 1 });
    memmap_remove(&avail, touched_pages(&image));
    if (ram.lost + avail.lost > 0)
        log_warn(MOD_MM, "the memory map is too fragmented: %u pages unused",
                 MAX(ram.lost, avail.lost));
}

/* Who has the pages that are RAM but were not free from the start? */
static void
charge_owners(const struct memory_map *map)
{
    uint32_t image = (uint32_t)(image_end - image_start) / PAGE_SIZE;
    uint32_t all = memmap_count(&ram, (struct page_range){ 0, FRAMES_MAX });
    uint32_t unused = memmap_count(&avail,
                                   (struct page_range){ 0, FRAMES_MAX });
    uint32_t modules = 0;

    for (unsigned i = 0; i < map->count; i++)
        if (map->ranges[i].kind == MEMORY_MODULE) {
            struct page_range r = touched_pages(&map->ranges[i]);

            modules += r.end - r.first;
        }
    modules = MIN(modules, all - unused - image);
    page_owner_charge(OWNER_IMAGE, image);
    page_owner_charge(OWNER_MODULES, modules);
    page_owner_charge(OWNER_RESERVED, all - unused - image - modules);
}

/* The highest free page that the boot tables show. */
static status_t
early_page(mpn_t *mpn)
{
    uint32_t page;

    if (!memmap_take_page(&avail, (struct page_range){ 0, EARLY_LIMIT },
                          &page))
        return TRACE_ERR(ERR_NO_MEMORY);
    page_owner_charge(OWNER_TABLES, 1);
    *mpn = make_mpn(page);
    return OK;
}

/* Now, while low memory is still there. */
static void
take_low_page(void)
{
    struct page_range run;

    if (!memmap_find(&avail, (struct page_range){ LOW_FIRST, LOW_LIMIT },
                     &run))
        return;
    memmap_remove(&avail, (struct page_range){ run.first, run.first + 1 });
    page_owner_charge(OWNER_IMAGE, 1);
    low_page = mpn_to_maddr(make_mpn(run.first));
}

status_t
mm_init(const struct memory_map *map)
{
    status_t status;

    collect_memory(map);
    charge_owners(map);
    if (memmap_count(&avail, (struct page_range){ 0, FRAMES_MAX }) <
        MM_RAM_MIN / PAGE_SIZE)
        return TRACE_ERR(ERR_NO_MEMORY);
    take_low_page();

    pagetable_init();
    kmap_init();
    pagetable_use_table(0, identity_table);
    status = direct_map_build(&ram, early_page);
    if (status == OK)
        status = frame_init(&avail, early_page);
    if (status != OK)
        return status;
    pagetable_activate();

    page_alloc_init(&ram, &avail);
    heap_init();
    return OK;
}

maddr_t
mm_kernel_cr3(void)
{
    struct paging_registers r;

    pagetable_get_registers(&r);
    return make_maddr(r.cr3);
}

void
mm_get_paging_registers(struct paging_registers *r)
{
    pagetable_get_registers(r);
}

maddr_t
mm_low_page(void)
{
    return low_page;
}

void
mm_map_identity_page(maddr_t page)
{
    ASSERT(maddr_raw(page) < LARGE_PAGE_SIZE && maddr_offset(page) == 0);
    pagetable_map((uint32_t)maddr_raw(page), maddr_to_mpn(page), MAP_TEXT);
}

void
mm_unmap_identity_page(maddr_t page)
{
    uint32_t linear = (uint32_t)maddr_raw(page);

    pagetable_unmap(linear);
    tlb_shootdown(linear, 1);
}
