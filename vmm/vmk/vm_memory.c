/*
 * vm_memory.c - see vm_memory.h.
 *
 * The pmap's pages exist from the start, 4 KB for each 4 MB of guest memory;
 * guest pages come one by one, zeroed, from as high in machine memory as
 * possible.  They are freed by their list, not by the pmap, which a monitor
 * that has gone wrong might have written to.
 */
#include "vmm/vmk/vm_memory.h"

#include "kernel/base/string.h"
#include "vmm/boot/direct_boot.h"
#include "vmm/vmk/instance_int.h"

#define VIDEO_PPN       (PC_VIDEO_BASE / (uint32_t)PAGE_SIZE)
#define ROM_PPN         (PC_ROM_BASE / (uint32_t)PAGE_SIZE)
#define HIGH_PPN        (PC_HIGH_BASE / (uint32_t)PAGE_SIZE)

STATIC_ASSERT(PMAP_PER_PAGE * sizeof(uint32_t) == PAGE_SIZE);
STATIC_ASSERT(MACHINE_LIMIT / PAGE_SIZE - 1 <= PMAP_MPN);

status_t
vm_memory_init(struct vm_instance *i, uint32_t *root)
{
    uint32_t pages = DIV_ROUND_UP(i->params.memory_pages, PMAP_PER_PAGE);

    i->pmap = heap_alloc_zero(pages * sizeof(*i->pmap));
    if (i->pmap == NULL)
        return TRACE_ERR(ERR_NO_MEMORY);
    for (uint32_t n = 0; n < pages; n++) {
        mpn_t mpn;
        status_t status = page_list_alloc(&i->pages, 0, &mpn);

        if (status != OK)
            return status;
        i->pmap[n] = direct_ptr(mpn_to_maddr(mpn));
        memset(i->pmap[n], 0, PAGE_SIZE);
        root[n] = mpn_raw(mpn);
    }
    return OK;
}

void
vm_memory_destroy(struct vm_instance *i)
{
    page_list_free(&i->guest);
    heap_free(i->pmap);
}

static bool
is_ram(const struct vm_instance *i, uint32_t ppn)
{
    return ppn < VIDEO_PPN ||
           (ppn >= HIGH_PPN && ppn < i->params.memory_pages);
}

static bool
is_rom(uint32_t ppn)
{
    return ppn >= ROM_PPN && ppn < HIGH_PPN;
}

static uint32_t *
pmap_word(const struct vm_instance *i, uint32_t ppn)
{
    return &i->pmap[ppn / PMAP_PER_PAGE][ppn % PMAP_PER_PAGE];
}

status_t
vm_memory_back(struct vm_instance *i, ppn_t ppn)
{
    uint32_t *word, n = ppn_raw(ppn);
    void *window;
    status_t status;
    mpn_t mpn;

    if (!is_ram(i, n) && !is_rom(n))
        return TRACE_ERR(ERR_RANGE);
    word = pmap_word(i, n);
    if (*word & PMAP_PRESENT)
        return OK;
    status = page_list_alloc(&i->guest, 0, &mpn);
    if (status != OK)
        return status;
    window = kmap_page(mpn);
    memset(window, 0, PAGE_SIZE);
    kunmap_page(window);
    *word = mpn_raw(mpn) | PMAP_PRESENT | PMAP_WRITABLE;
    return OK;
}

/* A part of one page. */
static bool
write_page(struct vm_instance *i, gpa_t at, const uint8_t *from, size_t size)
{
    ppn_t ppn = gpa_to_ppn(at);
    uint8_t *window;

    if (vm_memory_back(i, ppn) != OK)
        return false;
    window = kmap_page(make_mpn(*pmap_word(i, ppn_raw(ppn)) & PMAP_MPN));
    memcpy(window + (gpa_raw(at) & PAGE_MASK), from, size);
    kunmap_page(window);
    return true;
}

static bool
is_all_ram(const struct vm_instance *i, gpa_t at, size_t size)
{
    uint64_t end = gpa_raw(at) + size;

    if (end < size || end > (uint64_t)i->params.memory_pages * PAGE_SIZE)
        return false;
    for (uint64_t p = gpa_raw(at) & ~(uint64_t)PAGE_MASK; p < end;
         p += PAGE_SIZE)
        if (!is_ram(i, (uint32_t)(p / PAGE_SIZE)))
            return false;
    return true;
}

bool
vm_memory_write(void *context, gpa_t at, const void *from, size_t size)
{
    struct vm_instance *i = context;
    const uint8_t *bytes = from;

    if (!is_all_ram(i, at, size))
        return false;
    while (size > 0) {
        size_t part = MIN(size, (size_t)PAGE_SIZE -
                                (size_t)(gpa_raw(at) & PAGE_MASK));

        if (!write_page(i, at, bytes, part))
            return false;
        at = gpa_add(at, part);
        bytes += part;
        size -= part;
    }
    return true;
}

uint32_t
vm_memory_used(const struct vm_instance *i)
{
    return i->guest.pages;
}
