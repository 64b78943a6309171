/*
 * vmk_heap.c - the VMkernel's heap: one instance of mm/heap.h.
 *
 * Pages come from memory that is always mapped.  A heap that is found damaged
 * ends the machine at once, with the name of whoever allocated the damaged
 * block: every further step would be taken on broken ground.
 */
#include "mm/mm_int.h"

#include "kernel/backtrace.h"
#include "kernel/base/string.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "mm/heap.h"

#define SITE_NAME_SIZE  64u
#define SITES_MAX       64u

static struct lock heap_lock = LOCK_INIT("heap", RANK_HEAP);
static struct heap heap;                    /* guarded by heap_lock */

static void *
get_pages(unsigned order)
{
    mpn_t mpn;

    if (page_alloc(ZONE_DIRECT, order, OWNER_HEAP, &mpn) != OK)
        return NULL;
    return direct_ptr(mpn_to_maddr(mpn));
}

static void
put_pages(void *block, unsigned order)
{
    page_free(maddr_to_mpn(direct_maddr(block)), order);
}

static const struct heap_pages heap_pages = {
    .get = get_pages, .put = put_pages, .order_max = PAGE_ORDER_MAX
};

void
heap_init(void)
{
    heap_core_init(&heap, &heap_pages);
}

NORETURN static void
panic_corrupt(const struct heap_fault *fault)
{
    char site[SITE_NAME_SIZE];

    symtab_format(fault->site, site, sizeof(site));
    panic("heap: block %p: %s (%zu bytes, allocated at %08x %s)",
          fault->block, fault->what, fault->size, (uint32_t)fault->site,
          site);
}

/*
 * heap.fault is read without the lock: it is set once, and then the machine
 * ends.  panic() must not be called with the lock held, for its reporters may
 * want to know things that the lock guards.
 */
static void *
alloc_for(size_t size, const void *site)
{
    void *ptr;

    lock_acquire(&heap_lock);
    ptr = heap_core_alloc(&heap, size, (uintptr_t)site);
    lock_release(&heap_lock);
    if (ptr == NULL && heap.fault.what != NULL)
        panic_corrupt(&heap.fault);
    return ptr;
}

/* The return address is what reports name as the block's allocator. */
void *
heap_alloc(size_t size)
{
    return alloc_for(size, __builtin_return_address(0));
}

void *
heap_alloc_zero(size_t size)
{
    void *ptr = alloc_for(size, __builtin_return_address(0));

    if (ptr != NULL)
        memset(ptr, 0, size);
    return ptr;
}

void
heap_free(void *ptr)
{
    status_t status;

    if (ptr == NULL)
        return;
    lock_acquire(&heap_lock);
    status = heap_core_free(&heap, ptr);
    lock_release(&heap_lock);
    if (status != OK)
        panic_corrupt(&heap.fault);
}

void
heap_check_all(void)
{
    status_t status;

    lock_acquire(&heap_lock);
    status = heap_core_check(&heap);
    lock_release(&heap_lock);
    if (status != OK)
        panic_corrupt(&heap.fault);
}

/* SHOW is called without the lock: it may print, and even allocate. */
void
heap_report_leaks(unsigned top, heap_show_t show, void *arg)
{
    struct heap_site sites[SITES_MAX];
    unsigned count;

    lock_acquire(&heap_lock);
    count = heap_core_sites(&heap, sites, SITES_MAX);
    lock_release(&heap_lock);
    for (unsigned i = 0; i < MIN(top, count); i++)
        show(arg, (uint32_t)sites[i].site, sites[i].blocks, sites[i].bytes);
}

void
heap_get_info(struct mm_info *info)
{
    lock_acquire(&heap_lock);
    info->heap_blocks = heap.live_blocks;
    info->heap_bytes = heap.live_bytes;
    lock_release(&heap_lock);
}
