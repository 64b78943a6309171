/*
 * monitor.h - the virtual CPU of this monitor, and what its engines share.
 *
 * One thread runs all of it, in ring 0 of the monitor's address space.
 */
#ifndef VMM_CORE_MONITOR_H
#define VMM_CORE_MONITOR_H

#include "kernel/base/types.h"
#include "kernel/x86/trapframe.h"
#include "vmm/interp/interp.h"
#include "vmm/vcpu.h"

/* The entry point of vmm.elf: entered once. */
NORETURN void monitor_main(void);

/*
 * Interpret the instruction at V's eip, and deliver the fault that it may
 * meet; a refusal or a triple fault ends the VM.
 */
enum interp_result monitor_interpret(struct vcpu *v);

/* Deliver v->fault, or another event. */
void monitor_deliver(struct vcpu *v, enum event_kind kind, unsigned vector);

/*
 * Must the main loop look at something before guest code goes on?  Asked with
 * physical interrupts masked, right before the guest is entered, so that
 * nothing that an interrupt brought can be overlooked.
 */
bool monitor_has_attention(const struct vcpu *v);

/*
 * A physical interrupt has ended guest_enter(), and is masked still: it is the
 * VMkernel's.  If it was for this VM, there is a request then.
 */
void monitor_interrupted(unsigned vector);

/* The general registers, esp included; eip and eflags are the engines'. */
void monitor_load_gprs(const struct vcpu *v, struct trapframe *frame);
void monitor_store_gprs(struct vcpu *v, const struct trapframe *frame);

/* Is VECTOR, which ended guest_enter(), one of the hardware's interrupts? */
bool monitor_is_interrupt(unsigned vector);

#endif
