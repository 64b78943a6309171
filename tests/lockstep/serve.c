/*
 * serve.c - what both sides do together: instructions that translated code
 * leaves to its owner, faults, interrupts.
 *
 * Called when the reference has caught up.  One instruction is interpreted on
 * both sides; what it meets is given to the guest, through its own IDT or by
 * going on at the next atom.  Afterwards both are still the same, or it is
 * said where they differ.
 */
#include "lockstep/run_int.h"

#include <stdio.h>

#include "vmm/guest_mem.h"

#define EVENTS_MAX      300u

bool
one_in(struct run *r, uint32_t n)
{
    return test_random_below(&r->random, n) == 0;
}

enum turn
fail(struct run *r, const char *what)
{
    snprintf(r->why, WHY_SIZE, "%s: eip %08x, machine at %08x, vector %u "
             "error %x cr2 %08x\n", what, subject.v.cpu.eip, r->m.eip,
             r->m.vector, r->m.error, r->m.cr2);
    return TURN_FAILED;
}

enum turn
judge(enum verdict verdict, enum turn next)
{
    return verdict == VERDICT_SAME ? next
           : verdict == VERDICT_OPEN ? TURN_OPEN : TURN_FAILED;
}

/* --- Events ----------------------------------------------------------------*/

/* The atom behind the last instruction that was in one. */
static uint32_t
resume_at(const struct program *p)
{
    uint32_t last = reference_last_eip();

    for (unsigned n = 0; n < p->count; n++)
        if (p->atoms[n].at > last)
            return p->atoms[n].at;
    return p->end;
}

static bool
write_word(uint32_t at, uint32_t value)
{
    return guest_write(&subject.v, make_gla(at), &value, sizeof(value),
                       GUEST_WRITE | GUEST_SYSTEM) &&
           guest_write(&reference.v, make_gla(at), &value, sizeof(value),
                       GUEST_WRITE | GUEST_SYSTEM);
}

static enum turn
deliver(struct run *r, enum event_kind kind, unsigned vector)
{
    enum interp_result a = interp_deliver(&subject.v, kind, vector);
    enum interp_result b = interp_deliver(&reference.v, kind, vector);
    enum turn same = judge(reference_compare(r->why), TURN_ON);

    if (a != b)
        return fail(r, "delivery differs");
    return same == TURN_ON && a != INTERP_OK ? TURN_DONE : same;
}

static enum turn
deliver_fault(struct run *r)
{
    uint32_t resume = resume_at(r->p);

    run_stats.faults++;
    if (++r->events > EVENTS_MAX)
        return TURN_DONE;
    if (!r->t->by_idt || r->config->is_user) {
        subject.v.cpu.eip = reference.v.cpu.eip = resume;
        subject.v.cpu.block = reference.v.cpu.block = 0;
        return TURN_ON;
    }
    if (!write_word(WORD_RESUME, resume))
        return fail(r, "no room to say where to go on");
    return deliver(r, EVENT_FAULT, 0);
}

static bool
same_fault(void)
{
    const struct guest_fault *a = &subject.v.fault, *b = &reference.v.fault;

    return a->vector == b->vector && a->has_error == b->has_error &&
           a->error == b->error && gla_eq(a->address, b->address);
}

/*
 * What the CPU said, and what the interpreter says of the same instruction.
 * Segments that configurations with slots in DS do not load may stop the
 * guest before the page does.
 */
static bool
trap_is_explained(struct run *r, enum interp_result result)
{
    uint32_t trap = r->trap, vector = subject.v.fault.vector;
    bool is_limit = trap == VEC_GP || trap == VEC_SS;

    if (trap == NO_TRAP)
        return true;
    if (result == INTERP_FAULT &&
        (vector == trap || (vector == VEC_GP && trap == VEC_PF)))
        return true;
    run_stats.limits += is_limit && !r->config->is_user;
    return is_limit && !r->config->is_user;
}

/* HLT: until an interrupt, which the machine always has in the end. */
static enum turn
halt(struct run *r)
{
    if (!vcpu_is_open(&subject.v) && (subject.v.cpu.eflags & EFLAGS_IF) == 0)
        return TURN_DONE;
    r->is_pending = true;
    reference_expect_interrupt(true);
    subject.v.cpu.block = reference.v.cpu.block = 0;
    return TURN_ON;
}

/* Both sides are the same: one instruction on both by the interpreter. */
enum turn
serve(struct run *r)
{
    enum interp_result a, b;
    enum turn turn;

    a = interp_step(&subject.v);
    b = reference_step();
    if (a != b || (a == INTERP_FAULT && !same_fault()))
        return fail(r, "the interpreter differs from itself");
    if (!trap_is_explained(r, a))
        return fail(r, "the interpreter does not see what the CPU saw");
    turn = judge(reference_compare(r->why), TURN_ON);
    if (turn != TURN_ON)
        return turn;
    switch (a) {
    case INTERP_OK:
        return TURN_ON;
    case INTERP_FAULT:
        return deliver_fault(r);
    case INTERP_HALTED:
        return halt(r);
    default:
        return TURN_DONE;
    }
}

enum turn
serve_traps(struct run *r)
{
    if (subject.v.cpu.pending_debug != 0) {
        vcpu_fault(&subject.v, VEC_DB);
        vcpu_fault(&reference.v, VEC_DB);
        return deliver_fault(r);
    }
    r->trap = NO_TRAP;
    return serve(r);
}

enum turn
take_interrupt(struct run *r)
{
    if (r->t->interrupts && !r->is_pending && one_in(r, 3)) {
        r->is_pending = true;
        reference_expect_interrupt(true);
    }
    if (!r->is_pending || !vcpu_is_open(&subject.v))
        return TURN_ON;
    r->is_pending = false;
    reference_expect_interrupt(false);
    run_stats.interrupts++;
    return deliver(r, EVENT_EXTERNAL, VECTOR_IRQ);
}
