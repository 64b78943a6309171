/*
 * guest_port.h - what a virtual CPU reaches besides memory: ports, registers of
 * the machine around it, time.
 *
 * Called by the interpreter when a guest instruction has passed all checks of
 * privilege.  Each image brings its own implementation, like guest_mem.h's: the
 * monitor its port bus, tests a model.  Nothing here faults, except that a
 * model-specific register may not exist.
 *
 * Called by the vcpu's own thread, at an instruction that commits.
 */
#ifndef VMM_GUEST_PORT_H
#define VMM_GUEST_PORT_H

#include "kernel/base/types.h"
#include "vmm/vcpu.h"

/* SIZE is 1, 2 or 4; a port that nothing answers reads as all ones. */
uint32_t guest_port_in(struct vcpu *v, uint16_t port, unsigned size);
void guest_port_out(struct vcpu *v, uint16_t port, unsigned size,
                    uint32_t value);

/*
 * Model-specific registers that are not in struct guest_cpu.  False: there is
 * none of that number, or VALUE is none it takes: #GP(0).
 */
MUST_CHECK bool guest_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
MUST_CHECK bool guest_msr_write(struct vcpu *v, uint32_t msr, uint64_t value);

/* EAX, EBX, ECX, EDX of CPUID. */
struct cpuid_leaf {
    uint32_t eax, ebx, ecx, edx;
};
void guest_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf,
                 struct cpuid_leaf *out);

/* The machine's time stamp; the guest's is tsc_offset later. */
uint64_t guest_machine_tsc(struct vcpu *v);

/*
 * FERR#: an x87 error while CR0.NE = 0, which PCs report as IRQ 13.  Called
 * each time the instruction that waits for the interrupt is tried.
 */
void guest_fpu_error(struct vcpu *v);

#endif
