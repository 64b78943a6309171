/*
 * memory.c - guest memory for the interpreter: the process's own.
 *
 * An address is what it says.  What may be done to a page is what pages.c
 * knows; nothing here relies on signals.  A size that crosses a page is checked
 * as a whole first, as vmm/guest_mem.h promises.
 */
#include <string.h>

#include "tests/btrun/btrun.h"
#include "tests/btrun/pages.h"
#include "vmm/guest_mem.h"

/* Bits of a #PF's error code: SDM 3A 4.7. */
#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)

static unsigned
needed(unsigned access)
{
    static const uint8_t flags[] = {
        [GUEST_READ] = PAGE_READ, [GUEST_WRITE] = PAGE_WRITE,
        [GUEST_FETCH] = PAGE_EXECUTE,
    };

    return flags[access & GUEST_ACCESS_MASK];
}

/* The descriptor tables are btrun's, not the guest's. */
static bool
is_allowed(uint32_t at, unsigned access)
{
    return (access & GUEST_SYSTEM) != 0 ||
           (pages_flags(at) & needed(access)) != 0;
}

bool
guest_probe(struct vcpu *v, gla_t at, size_t size, unsigned access)
{
    uint32_t first = gla_raw(at), last = first + (uint32_t)size - 1;
    uint32_t bad = is_allowed(first, access) ? last : first;
    uint32_t error = PF_USER;

    if (is_allowed(bad, access))
        return true;
    if (bad != first)
        bad &= ~(uint32_t)PAGE_MASK;
    if (pages_flags(bad) & PAGE_READ)
        error |= PF_PRESENT;
    if ((access & GUEST_ACCESS_MASK) == GUEST_WRITE)
        error |= PF_WRITE;
    vcpu_fault_error(v, VEC_PF, error);
    v->fault.address = make_gla(bad);
    return false;
}

bool
guest_read(struct vcpu *v, gla_t at, void *to, size_t size, unsigned access)
{
    if (!guest_probe(v, at, size, access))
        return false;
    memcpy(to, (const void *)gla_raw(at), size);
    return true;
}

bool
guest_write(struct vcpu *v, gla_t at, const void *from, size_t size,
            unsigned access)
{
    if (!guest_probe(v, at, size, access))
        return false;
    memcpy((void *)gla_raw(at), from, size);
    return true;
}

bool
guest_compare_exchange(struct vcpu *v, gla_t at, size_t size, uint64_t *old,
                       uint64_t new)
{
    uint64_t found = 0;
    void *memory = (void *)gla_raw(at);

    if (!guest_probe(v, at, size, GUEST_WRITE))
        return false;
    /* One thread is all there is. */
    memcpy(&found, memory, size);
    if (found == *old)
        memcpy(memory, &new, size);
    *old = found;
    return true;
}

void *
guest_window(struct vcpu *v, gla_t at, unsigned access, size_t *size)
{
    uint32_t address = gla_raw(at);

    (void)v;
    *size = PAGE_SIZE - (address & PAGE_MASK);
    return is_allowed(address, access) ? (void *)address : NULL;
}

void
guest_mem_flush(struct vcpu *v, UNUSED bool with_global)
{
    v->memory_generation++;
}

void
guest_mem_flush_page(struct vcpu *v, gla_t at)
{
    (void)at;
    v->memory_generation++;
}

/* Without paging, physical is linear. */
bool
guest_phys_read(struct vcpu *v, gpa_t at, void *to, size_t size)
{
    return guest_read(v, make_gla((uint32_t)gpa_raw(at)), to, size,
                      GUEST_READ);
}

bool
guest_phys_write(struct vcpu *v, gpa_t at, const void *from, size_t size)
{
    return guest_write(v, make_gla((uint32_t)gpa_raw(at)), from, size,
                       GUEST_WRITE);
}
