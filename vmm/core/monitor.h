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
#include "vmm/vmm_stats.h"

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
 * Let the guest run, as guest_frame and the views say, until it traps: physical
 * interrupts go to the VMkernel meanwhile.  TIME is TIME_DIRECT or TIME_BT.
 * WAITS: the guest's state is untouched, and the main loop must look at
 * something first.  LOST: only the vector of guest_frame is good (is_lost).
 */
enum monitor_stop { MONITOR_TRAP, MONITOR_WAITS, MONITOR_LOST };
enum monitor_stop monitor_enter(struct vcpu *v, enum vmm_time time);

/* The general registers, esp included; eip and eflags are the engines'. */
void monitor_load_gprs(const struct vcpu *v, struct trapframe *frame);
void monitor_store_gprs(struct vcpu *v, const struct trapframe *frame);

#endif
