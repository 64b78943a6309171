/*
 * memory_phys.c - guest memory by guest-physical address: vmm/guest_mem.h.
 *
 * What the walker reads the guest's tables by, a few bytes at a time, and the
 * shadow MMU after it: one look at the map, one at the windows.  Accesses that
 * cross pages are rare, and are checked as a whole before anything is done.
 *
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/core/memory_int.h"
#include "vmm/guest_mem.h"

/* The bytes of [at, at + size) that lie in AT's page. */
static size_t
in_page(gpa_t at, size_t size)
{
    return MIN(size, PAGE_SIZE - (size_t)(gpa_raw(at) & PAGE_MASK));
}

/* Is all of it plain memory?  Asked beforehand where it crosses pages. */
static bool
is_plain(gpa_t at, size_t size, bool is_write)
{
    uint64_t first = gpa_raw(at) & ~(uint64_t)PAGE_MASK;

    for (uint64_t p = first; p < gpa_raw(at) + size; p += PAGE_SIZE)
        if (memory_page_of(gpa_to_ppn(make_gpa(p)), is_write) == NO_PAGE)
            return false;
    return true;
}

bool
guest_phys_read(UNUSED struct vcpu *v, gpa_t at, void *to, size_t size)
{
    uint8_t *bytes = to;

    if (in_page(at, size) < size && !is_plain(at, size, false))
        return false;
    while (size > 0) {
        uint32_t offset = (uint32_t)gpa_raw(at) & PAGE_MASK;
        uint32_t page = memory_page_of(gpa_to_ppn(at), false);
        size_t part = in_page(at, size);

        if (page == NO_PAGE)
            return false;
        memory_copy(bytes, memory_pointer(page, false) + offset, part);
        at = gpa_add(at, part);
        bytes += part;
        size -= part;
    }
    return true;
}

bool
guest_phys_write(UNUSED struct vcpu *v, gpa_t at, const void *from,
                 size_t size)
{
    const uint8_t *bytes = from;

    if (in_page(at, size) < size && !is_plain(at, size, true))
        return false;
    while (size > 0) {
        uint32_t offset = (uint32_t)gpa_raw(at) & PAGE_MASK;
        uint32_t page = memory_page_of(gpa_to_ppn(at), true);
        size_t part = in_page(at, size);

        if (page == NO_PAGE)
            return false;
        memory_copy(memory_pointer(page, true) + offset, bytes, part);
        memory_fire(page, offset, part);
        at = gpa_add(at, part);
        bytes += part;
        size -= part;
    }
    return true;
}
