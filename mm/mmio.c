/*
 * mmio.c - device registers and memory, mapped uncached and for ever.
 *
 * Drivers map what they need when they find their device and keep it, so
 * addresses are simply handed out upwards, with an unmapped page after each
 * mapping.
 */
#include "mm/mm_int.h"

#include "kernel/lock.h"
#include "mm/pagetable.h"

#define MMIO_BASE       0x30000000u
#define MMIO_END        0x40000000u

static struct lock mmio_lock = LOCK_INIT("mmio", RANK_KVA);
static uint32_t next_linear = MMIO_BASE;    /* guarded by mmio_lock */

static status_t
table_source(mpn_t *mpn)
{
    return page_alloc(ZONE_DIRECT, 0, OWNER_TABLES, mpn);
}

/* PAGES pages of the region, or 0. */
static uint32_t
reserve(uint32_t pages)
{
    uint32_t linear;

    lock_acquire(&mmio_lock);
    linear = next_linear;
    if (pages >= (MMIO_END - linear) / PAGE_SIZE ||
        pagetable_prepare(linear, pages, table_source) != OK)
        linear = 0;
    else
        next_linear += (pages + 1) * PAGE_SIZE;
    lock_release(&mmio_lock);
    return linear;
}

void *
mmio_map(maddr_t maddr, size_t size)
{
    uint32_t offset = maddr_offset(maddr);
    mpn_t first = maddr_to_mpn(maddr);
    uint32_t pages, linear;

    if (size == 0 || size > MMIO_END - MMIO_BASE ||
        maddr_raw(maddr) > machine_limit() - size)
        return NULL;
    pages = DIV_ROUND_UP(offset + size, PAGE_SIZE);
    linear = reserve(pages);
    if (linear == 0)
        return NULL;
    for (uint32_t i = 0; i < pages; i++)
        pagetable_map(linear + i * PAGE_SIZE, mpn_add(first, i), MAP_DEVICE);
    return (void *)(linear + offset);
}
