/*
 * gdt_watch.c - see gdt_watch.h.
 *
 *      UNKNOWN --look--> WATCHED --write--> LOST --user code--> UNKNOWN
 *                           |                                      ^
 *                           +------- flush, another GDTR ----------+
 *
 * Only descriptors in the first page of the GDT count, which is all of it in
 * all kernels that matter, and no LDT's.
 *
 * The vcpu's thread; no locks.  SDM 3A 3.4.3 to 3.4.5.
 */
#include "vmm/core/gdt_watch.h"

#include "kernel/base/string.h"
#include "vmm/core/memory.h"
#include "vmm/guest_mem.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/mmu/trace.h"

#define REGION_SHIFT 22         /* the largest page is 4 MB */

enum state { UNKNOWN, WATCHED, LOST };

static enum state state;
static struct guest_table gdtr;         /* WATCHED: of which GDT ... */
static uint32_t gdt_ppn;                /* ... and where its page is */

/* The descriptor of SELECTOR, if it is one that we watch. */
static bool
read_descriptor(struct vcpu *v, uint16_t selector, struct segdesc *d)
{
    uint32_t offset = selector & ~(uint32_t)(SEL_RPL | SEL_TI);
    uint32_t first = gdtr.base & PAGE_MASK;

    return offset != 0 && (selector & SEL_TI) == 0 &&
           offset + sizeof(*d) - 1 <= gdtr.limit &&
           first + offset + sizeof(*d) <= PAGE_SIZE &&
           guest_read(v, make_gla(gdtr.base + offset), d, sizeof(*d),
                      GUEST_READ | GUEST_SYSTEM);
}

/* Find the GDT's page, and have its writes told. */
static bool
watch(struct vcpu *v)
{
    struct shadow *s = memory_shadow();
    struct guest_mapping mapping;

    gdtr = v->cpu.gdtr;
    if (!guest_walk_peek(v, make_gla(gdtr.base), GUEST_READ | GUEST_SYSTEM,
                         &mapping))
        return false;
    gdt_ppn = (uint32_t)ppn_raw(gpa_to_ppn(mapping.at));
    if (gdt_ppn >= s->machine.trace_count)
        return false;
    trace_set(s, make_ppn(gdt_ppn));
    return true;
}

bool
gdt_watch_begin(struct vcpu *v)
{
    static enum state told;
    bool is_kept;

    if (state == WATCHED && (gdtr.base != v->cpu.gdtr.base ||
                             gdtr.limit != v->cpu.gdtr.limit))
        state = UNKNOWN;
    is_kept = state != UNKNOWN && state == told;
    if (state == UNKNOWN)
        state = watch(v) ? WATCHED : LOST;
    told = state;
    return is_kept;
}

bool
gdt_watch_is_same(struct vcpu *v, enum segment n)
{
    const struct guest_segment *s = &v->cpu.segment[n];
    struct guest_fault fault = v->fault;
    struct guest_segment found;
    struct segdesc d;
    bool is_there = state == WATCHED && read_descriptor(v, s->selector, &d);

    v->fault = fault;
    if (!is_there)
        return false;
    found = segment_make(s->selector, &d);
    segment_derive(&found, true);
    return memcmp(&found, s, sizeof(found)) == 0;
}

void
gdt_watch_written(uint32_t ppn)
{
    if (state == WATCHED && ppn == gdt_ppn)
        state = LOST;
}

void
gdt_watch_rearm(void)
{
    if (state == LOST)
        state = UNKNOWN;
}

void
gdt_watch_flush(void)
{
    if (state == WATCHED)
        state = UNKNOWN;
}

void
gdt_watch_flush_page(const struct vcpu *v, gla_t at)
{
    if (gla_raw(at) >> REGION_SHIFT == v->cpu.gdtr.base >> REGION_SHIFT)
        gdt_watch_flush();
}
