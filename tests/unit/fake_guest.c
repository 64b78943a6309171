/*
 * fake_guest.c - guest memory, ports and registers for tests of engines.
 *
 * Linear memory is physical memory, unless the test gives a walker of page
 * tables; a page that is to fault can be marked.
 */
#include "unit/fake_guest.h"

#include <string.h>

#include "kernel/x86/descriptor.h"
#include "vmm/guest_mem.h"
#include "vmm/guest_port.h"

#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)

struct fake_guest fake_guest;

void
fake_guest_reset(uint32_t base, uint32_t size, uint8_t *memory)
{
    memset(&fake_guest, 0, sizeof(fake_guest));
    fake_guest.base = base;
    fake_guest.size = size;
    fake_guest.memory = memory;
    fake_guest.hidden_leaf = UINT32_MAX;
}

void
fake_guest_flat(struct vcpu *v, unsigned cpl)
{
    vcpu_reset(v);
    v->cpu.cr0 |= CR0_PE;
    v->cpu.cpl = cpl;
    for (unsigned n = 0; n < SEG_NONE; n++) {
        struct guest_segment *s = &v->cpu.segment[n];

        s->selector = (uint16_t)(n == SEG_CS ? 8 | cpl : 16 | cpl);
        s->base = 0;
        s->limit = UINT32_MAX;
        s->rights = (uint16_t)(RIGHTS_P | RIGHTS_S | RIGHTS_DB | RIGHTS_G |
                               SEG_ACCESSED | SEG_DATA_W | cpl << 5);
        if (n == SEG_CS)
            s->rights |= SEG_CODE;
    }
    vcpu_derive_segments(v);
}

/* The byte at a physical address, or NULL. */
static uint8_t *
find(uint32_t at, unsigned access)
{
    uint32_t offset = at - fake_guest.base;

    if (offset >= fake_guest.size ||
        fake_guest.no_access[offset / PAGE_SIZE] ||
        ((access & GUEST_ACCESS_MASK) == GUEST_WRITE &&
         fake_guest.no_write[offset / PAGE_SIZE]))
        return NULL;
    return fake_guest.memory + offset;
}

/* Where the SIZE bytes at AT are, if all of them are. */
static uint8_t *
find_phys(gpa_t at, size_t size, unsigned access)
{
    uint64_t first = gpa_raw(at), last = first + size - 1;

    if (last > UINT32_MAX || find((uint32_t)last, access) == NULL)
        return NULL;
    return find((uint32_t)first, access);
}

static uint8_t *
page_fault(struct vcpu *v, uint32_t at, unsigned access)
{
    uint32_t error = find(at, GUEST_READ) != NULL ? PF_PRESENT : 0;

    if ((access & GUEST_ACCESS_MASK) == GUEST_WRITE)
        error |= PF_WRITE;
    if (v->cpu.cpl == 3 && !(access & GUEST_SYSTEM))
        error |= PF_USER;
    vcpu_fault_error(v, VEC_PF, error);
    v->fault.address = make_gla(at);
    return NULL;
}

/* The byte at a linear address; NULL is a page fault. */
static uint8_t *
translate(struct vcpu *v, uint32_t at, unsigned access)
{
    struct guest_mapping mapping = { .at = make_gpa(at) };
    uint8_t *byte;

    if (fake_guest.walk != NULL &&
        !fake_guest.walk(v, make_gla(at), access, &mapping))
        return NULL;
    byte = find_phys(mapping.at, 1, access);
    return byte != NULL ? byte : page_fault(v, at, access);
}

bool
guest_probe(struct vcpu *v, gla_t at, size_t size, unsigned access)
{
    for (uint32_t n = 0; n < size; n++)
        if (translate(v, gla_raw(at) + n, access) == NULL)
            return false;
    return true;
}

bool
guest_read(struct vcpu *v, gla_t at, void *to, size_t size, unsigned access)
{
    if (!guest_probe(v, at, size, access))
        return false;
    for (uint32_t n = 0; n < size; n++)
        ((uint8_t *)to)[n] = *translate(v, gla_raw(at) + n, access);
    return true;
}

/* Translated before any of it is written: it may write to its own tables. */
bool
guest_write(struct vcpu *v, gla_t at, const void *from, size_t size,
            unsigned access)
{
    uint8_t *byte[PAGE_SIZE];

    if (size > PAGE_SIZE || !guest_probe(v, at, size, access))
        return false;
    for (uint32_t n = 0; n < size; n++)
        byte[n] = translate(v, gla_raw(at) + n, access);
    for (uint32_t n = 0; n < size; n++)
        *byte[n] = ((const uint8_t *)from)[n];
    return true;
}

bool
guest_compare_exchange(struct vcpu *v, gla_t at, size_t size, uint64_t *old,
                       uint64_t new)
{
    uint64_t found = 0;

    if (!guest_probe(v, at, size, GUEST_WRITE) ||
        !guest_read(v, at, &found, size, GUEST_READ) ||
        (found == *old && !guest_write(v, at, &new, size, GUEST_WRITE)))
        return false;
    *old = found;
    return true;
}

void *
guest_window(struct vcpu *v, gla_t at, unsigned access, size_t *size)
{
    struct guest_fault fault = v->fault;
    void *window = translate(v, gla_raw(at), access);

    *size = PAGE_SIZE - (gla_raw(at) & PAGE_MASK);
    v->fault = fault;
    return window;
}

void
guest_mem_flush(struct vcpu *v, UNUSED bool with_global)
{
    v->memory_generation++;
}

void
guest_mem_flush_page(struct vcpu *v, UNUSED gla_t at)
{
    v->memory_generation++;
}

bool
guest_phys_read(UNUSED struct vcpu *v, gpa_t at, void *to, size_t size)
{
    uint8_t *from = find_phys(at, size, GUEST_READ);

    if (from != NULL)
        memcpy(to, from, size);
    return from != NULL;
}

bool
guest_phys_write(UNUSED struct vcpu *v, gpa_t at, const void *from,
                 size_t size)
{
    uint8_t *to = find_phys(at, size, GUEST_WRITE);

    if (to == NULL)
        return false;
    memcpy(to, from, size);
    if (fake_guest.written != NULL)
        fake_guest.written(at, size);
    return true;
}

uint32_t
guest_port_in(UNUSED struct vcpu *v, UNUSED uint16_t port,
              UNUSED unsigned size)
{
    fake_guest.ins++;
    return fake_guest.in_value;
}

void
guest_port_out(UNUSED struct vcpu *v, uint16_t port, unsigned size,
               uint32_t value)
{
    fake_guest.out_port = port;
    fake_guest.out_size = size;
    fake_guest.out_value = value;
    fake_guest.outs++;
}

bool
guest_msr_read(UNUSED struct vcpu *v, UNUSED uint32_t msr,
               UNUSED uint64_t *value)
{
    return false;
}

bool
guest_msr_write(UNUSED struct vcpu *v, UNUSED uint32_t msr,
                UNUSED uint64_t value)
{
    return false;
}

void
guest_cpuid(UNUSED struct vcpu *v, uint32_t leaf, UNUSED uint32_t subleaf,
            struct cpuid_leaf *out)
{
    *out = leaf == fake_guest.hidden_leaf ? fake_guest.hidden
           : (struct cpuid_leaf){ UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                  UINT32_MAX };
}

uint64_t
guest_machine_tsc(UNUSED struct vcpu *v)
{
    return fake_guest.tsc;
}

void
guest_fpu_error(UNUSED struct vcpu *v)
{
    fake_guest.fpu_errors++;
}
