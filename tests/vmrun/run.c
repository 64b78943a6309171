/*
 * run.c - the machine's loop: run to the next boundary that matters, then see
 * what happened there.
 *
 *      devices catch up with the clock      requests: reset, power, A20
 *      a pending event, if the CPU takes it
 *      instructions, until: a fault, HLT, attention, the next deadline
 *
 * An interrupt that is pending while the CPU does not take it makes it go on in
 * single steps, so that it comes at the first boundary that allows it.
 */
#include "vmrun/machine.h"

#include "kernel/base/assert.h"
#include "kernel/x86/exception.h"

/* Instructions between looks at the terminal, at most. */
#define POLL_INSTRUCTIONS   1000000u

static enum machine_end
serve_requests(struct machine *m)
{
    uint32_t requests = chipset_take_requests(&m->chipset);

    if (requests & REQUEST_A20)
        machine_set_a20(m, chipset_is_a20_on(&m->chipset));
    if (requests & REQUEST_POWER_OFF)
        return END_POWER_OFF;
    /* There is no firmware that could tell INIT# from RST#. */
    return requests & (REQUEST_INIT | REQUEST_RESET) ? END_RESET : END_NONE;
}

static enum machine_end
end_of(struct machine *m, enum interp_result result)
{
    if (result == INTERP_REFUSED)
        return END_REFUSED;
    m->is_triple_fault = result == INTERP_SHUTDOWN;
    return m->is_triple_fault ? END_RESET : END_NONE;
}

static enum machine_end
deliver(struct machine *m, enum event_kind kind, unsigned vector)
{
    m->events++;
    if (kind == EVENT_FAULT)
        m->stats.faults[m->vcpu.fault.vector]++;
    else
        m->stats.interrupts[vector]++;
    return end_of(m, interp_deliver(&m->vcpu, kind, vector));
}

/* What the CPU takes at this boundary. */
static enum machine_end
serve_events(struct machine *m)
{
    struct vcpu *v = &m->vcpu;
    bool has_interrupt = chipset_is_interrupt_pending(&m->chipset);

    switch (vcpu_pending(v, has_interrupt)) {
    case PENDING_DEBUG:
        vcpu_fault(v, VEC_DB);
        return deliver(m, EVENT_FAULT, VEC_DB);
    case PENDING_NMI:
        v->cpu.pending_nmi = 0;
        return deliver(m, EVENT_EXTERNAL, VEC_NMI);
    case PENDING_INTERRUPT:
        return deliver(m, EVENT_EXTERNAL,
                       chipset_acknowledge(&m->chipset));
    default:
        return END_NONE;
    }
}

/* Look at the terminal now and then; at each sleep, too. */
static enum machine_end
poll_terminal(struct machine *m)
{
    m->polled = m->vcpu.instructions;
    if (tty_poll(&m->tty))
        chipset_serial_ready(&m->chipset, 0);
    return m->tty.is_left ? END_DETACHED : END_NONE;
}

static enum machine_end
sleep_halted(struct machine *m)
{
    uint64_t deadline = chipset_next_deadline(&m->chipset);

    if ((m->vcpu.cpu.eflags & EFLAGS_IF) == 0)
        return END_HALTED;
    if (deadline == VDEV_NEVER && m->tty.is_closed)
        return END_HALTED;
    m->stats.halts++;
    machine_sleep_until(m, deadline);
    return poll_terminal(m);
}

/* How many instructions may run before something else must be looked at. */
static uint64_t
slice(struct machine *m)
{
    uint64_t total = m->executed + m->vcpu.instructions;
    uint64_t left = m->options->max_instructions - total;

    if (chipset_is_interrupt_pending(&m->chipset) || m->options->wants_trace)
        return 1;
    return MIN(MIN(left, POLL_INSTRUCTIONS),
               machine_instructions_until(
                   m, chipset_next_deadline(&m->chipset)));
}

static enum machine_end
run_slice(struct machine *m)
{
    struct vcpu *v = &m->vcpu;
    enum interp_result result;

    if (m->options->wants_trace)
        machine_trace(m);
    v->attention = 0;
    result = interp_run(v, slice(m));
    if (result == INTERP_FAULT)
        return deliver(m, EVENT_FAULT, v->fault.vector);
    return end_of(m, result);
}

static enum machine_end
run_once(struct machine *m)
{
    enum machine_end end;

    chipset_run(&m->chipset, machine_now(m));
    end = serve_requests(m);
    if (end == END_NONE)
        end = serve_events(m);
    if (end != END_NONE)
        return end;
    if (m->vcpu.cpu.activity == ACTIVITY_HALTED)
        return sleep_halted(m);
    if (m->vcpu.instructions - m->polled > POLL_INSTRUCTIONS)
        end = poll_terminal(m);
    return end == END_NONE ? run_slice(m) : end;
}

static bool
reset(struct machine *m)
{
    m->stats.resets++;
    m->polled = 0;
    machine_clear_memory(m);
    chipset_reset(&m->chipset);
    machine_set_a20(m, chipset_is_a20_on(&m->chipset));
    return machine_boot(m);
}

enum machine_end
machine_run(struct machine *m)
{
    enum machine_end end = END_NONE;

    m->started_ns = wall_ns();
    while (end == END_NONE) {
        end = run_once(m);
        if (m->executed + m->vcpu.instructions >= m->options->max_instructions)
            end = end == END_NONE ? END_LIMIT : end;
        if (end == END_RESET && !m->options->no_reset && reset(m))
            end = END_NONE;
    }
    tty_poll(&m->tty);
    return end;
}
