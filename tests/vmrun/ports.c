/*
 * ports.c - what the virtual CPU reaches besides memory: ports, model-specific
 * registers, time; vmm/guest_port.h for this process.
 *
 * Time has passed since the devices were last looked at, so they are told
 * first.  Whatever an access changed at the CPU's wires is served at the next
 * boundary.
 */
#include "vmm/guest_port.h"
#include "vmm/msr.h"
#include "vmrun/machine.h"

static void
look_at_wires(struct machine *m)
{
    if (chipset_is_interrupt_pending(&m->chipset))
        m->vcpu.attention |= ATTENTION_INTERRUPT;
}

uint32_t
guest_port_in(struct vcpu *v, uint16_t port, unsigned size)
{
    struct machine *m = machine_of(v);
    uint32_t value;

    m->stats.io_in++;
    chipset_run(&m->chipset, machine_now(m));
    value = chipset_port_in(&m->chipset, port, size);
    look_at_wires(m);
    return value;
}

void
guest_port_out(struct vcpu *v, uint16_t port, unsigned size, uint32_t value)
{
    struct machine *m = machine_of(v);

    m->stats.io_out++;
    chipset_run(&m->chipset, machine_now(m));
    chipset_port_out(&m->chipset, port, size, value);
    /* Deadlines may be new, and requests: back to the loop. */
    m->vcpu.attention |= ATTENTION_STOP;
}

bool
guest_msr_read(UNUSED struct vcpu *v, uint32_t msr, uint64_t *value)
{
    return msr_read(msr, value);
}

bool
guest_msr_write(UNUSED struct vcpu *v, uint32_t msr, UNUSED uint64_t value)
{
    return msr_write(msr);
}

uint64_t
guest_machine_tsc(struct vcpu *v)
{
    STATIC_ASSERT(TSC_HZ == NSEC_PER_SEC);
    return machine_now(machine_of(v));
}

void
guest_fpu_error(struct vcpu *v)
{
    struct machine *m = machine_of(v);

    chipset_fpu_error(&m->chipset);
    look_at_wires(m);
}
