/*
 * kmap.c - from machine memory to pointers: the direct map and windows.
 *
 * Memory below 2 GB is always mapped, and its pointer is arithmetic.  For the
 * rest each processor has a stack of windows, one page each; all windows of all
 * processors are behind one page table.  A window belongs to the processor
 * that opened it, so while one is open the world must not move (preemption is
 * off) and no other processor has its translation in a TLB.  Interrupt handlers
 * push and pop their own on top.
 */
#include "mm/mm_int.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/percpu.h"
#include "kernel/preempt.h"
#include "kernel/x86/cpu.h"
#include "mm/pagetable.h"

#define WINDOWS_BASE    0xc0000000u
#define CPU_WINDOWS     16u
#define WINDOWS_SIZE    (CPU_MAX * CPU_WINDOWS * PAGE_SIZE)

/* What the boot tables show at DIRECT_BASE (boot/entry.S). */
#define BOOT_DIRECT_SIZE GB(1)

static pte_t window_table[PT_ENTRIES] ALIGNED(PAGE_SIZE);
STATIC_ASSERT(CPU_MAX * CPU_WINDOWS <= PT_ENTRIES);

/* Windows open on each processor; written by that processor only. */
static uint8_t open_windows[CPU_MAX];

void
kmap_init(void)
{
    pagetable_use_table(WINDOWS_BASE, window_table);
}

void *
direct_ptr(maddr_t maddr)
{
    ASSERT(maddr_raw(maddr) < DIRECT_SIZE);
    return (void *)(DIRECT_BASE + (uint32_t)maddr_raw(maddr));
}

maddr_t
direct_maddr(const void *ptr)
{
    uint32_t offset = (uint32_t)ptr - DIRECT_BASE;

    ASSERT(offset < DIRECT_SIZE);
    return make_maddr(offset);
}

bool
mm_is_mapped(const void *ptr)
{
    return pagetable_is_mapped((uint32_t)ptr);
}

void *
kmap_page(mpn_t mpn)
{
    maddr_t maddr = mpn_to_maddr(mpn);
    unsigned slot;
    uint32_t linear;

    if (maddr_raw(maddr) < DIRECT_SIZE && mm_is_mapped(direct_ptr(maddr)))
        return direct_ptr(maddr);

    /* Interrupts here may open and close windows above ours, no harm. */
    preempt_disable();
    slot = open_windows[PERCPU(cpu)]++;
    ASSERT(slot < CPU_WINDOWS);
    linear = WINDOWS_BASE + (PERCPU(cpu) * CPU_WINDOWS + slot) * PAGE_SIZE;
    pagetable_map(linear, mpn, MAP_DATA);
    return (void *)linear;
}

void
kunmap_page(void *window)
{
    uint32_t offset = (uint32_t)window - WINDOWS_BASE;
    unsigned cpu = PERCPU(cpu);
    uint32_t newest;

    if (offset >= WINDOWS_SIZE)
        return;
    /* Windows close in the order opposite to that of opening. */
    newest = cpu * CPU_WINDOWS + open_windows[cpu] - 1u;
    ASSERT(open_windows[cpu] > 0 && offset / PAGE_SIZE == newest);
    pagetable_unmap((uint32_t)window);
    invlpg((uint32_t)window);
    open_windows[cpu]--;
    preempt_enable();
}

/* Before our own tables are in use there are no windows. */
static void *
readable_page(mpn_t mpn)
{
    maddr_t maddr = mpn_to_maddr(mpn);

    if (pagetable_is_active())
        return kmap_page(mpn);
    return maddr_raw(maddr) < BOOT_DIRECT_SIZE ? direct_ptr(maddr) : NULL;
}

status_t
machine_read(maddr_t from, void *buf, size_t size)
{
    uint8_t *to = buf;

    if (maddr_raw(from) >= machine_limit() ||
        size > machine_limit() - maddr_raw(from))
        return TRACE_ERR(ERR_RANGE);
    while (size > 0) {
        uint32_t offset = maddr_offset(from);
        size_t part = MIN(size, (size_t)PAGE_SIZE - offset);
        uint8_t *page = readable_page(maddr_to_mpn(from));

        if (page == NULL)
            return TRACE_ERR(ERR_RANGE);
        memcpy(to, page + offset, part);
        kunmap_page(page);
        to += part;
        size -= part;
        from = maddr_add(from, part);
    }
    return OK;
}

static bool
read_for_parser(void *ctx UNUSED, maddr_t from, void *buf, size_t size)
{
    return machine_read(from, buf, size) == OK;
}

const struct mem_reader machine_reader = { read_for_parser, NULL };
