/*
 * stack_switch.c - the stack of an inner privilege level.
 *
 * Call gates, interrupts and exceptions take it from the TSS, whose size (16 or
 * 32 bits) the busy TR tells.  What is pushed there is pushed with the rights
 * of the new level; when that fails, SS, eSP and CPL are the old ones again.
 *
 * Called by far transfers and event delivery; no locks.  SDM 3A 5.8.5, 6.12.1.
 */
#include "vmm/interp/segment_int.h"

/* Offsets in a 16-bit TSS (SDM 3A figure 7-10): SP0, then SS0, then level 1. */
#define TSS16_SP0       2
#define TSS16_STEP      4
#define TSS32_STEP      8

static bool
read_tss(struct interp *i, uint32_t offset, void *to, uint32_t size)
{
    const struct guest_segment *tr = &cpu_of(i)->tr;

    if (offset + size - 1 > tr->limit)
        return selector_fault(i, VEC_TS, tr->selector);
    return guest_read(i->vcpu, make_gla(tr->base + offset), to, size,
                      GUEST_READ | GUEST_SYSTEM);
}

bool
stack_from_tss(struct interp *i, struct new_stack *n)
{
    unsigned type = FIELD_GET(cpu_of(i)->tr.rights, RIGHTS_TYPE);
    bool is_32 = type == SYS_TSS32_BUSY || type == SYS_TSS32_AVAIL;
    uint32_t size = is_32 ? sizeof(uint32_t) : sizeof(uint16_t);
    uint32_t at = is_32 ? offsetof(struct tss, esp0) + n->cpl * TSS32_STEP
                        : TSS16_SP0 + n->cpl * TSS16_STEP;

    n->esp = 0;
    n->selector = 0;
    /* Both words are there, or neither is read. */
    if (at + 2 * size - 1 > cpu_of(i)->tr.limit)
        return selector_fault(i, VEC_TS, cpu_of(i)->tr.selector);
    return read_tss(i, at, &n->esp, size) &&
           read_tss(i, at + size, &n->selector, sizeof(uint16_t)) &&
           stack_segment_find(i, n, VEC_TS);
}

bool
stack_switch(struct interp *i, const struct new_stack *n,
             const struct stack_words *words)
{
    struct guest_cpu *cpu = cpu_of(i);
    struct guest_segment old_ss = cpu->segment[SEG_SS];
    uint32_t old_esp = cpu->gpr[GPR_ESP], old_cpl = cpu->cpl;
    uint32_t old_vm = cpu->eflags & EFLAGS_VM;

    cpu->eflags &= ~old_vm;
    cpu->segment[SEG_SS] = n->ss;
    cpu->gpr[GPR_ESP] = n->esp;
    set_cpl(i, n->cpl);
    if (stack_push_words(i, words))
        return true;
    /* No room: the error code names the new stack. */
    if (i->vcpu->fault.vector == VEC_SS && i->vcpu->fault.error == 0)
        selector_fault(i, VEC_SS, n->selector);
    cpu->segment[SEG_SS] = old_ss;
    cpu->gpr[GPR_ESP] = old_esp;
    cpu->eflags |= old_vm;
    set_cpl(i, old_cpl);
    return false;
}
