/*
 * devices.h - the VM's chipset in the monitor: time, ports, interrupts, COM1.
 *
 * Behind vmm/guest_port.h (ports, MSRs, CPUID, time) and in the main loop.  The
 * vcpu's thread, at a safe point.
 */
#ifndef VMM_CORE_DEVICES_H
#define VMM_CORE_DEVICES_H

#include "kernel/base/types.h"
#include "vmm/shared.h"
#include "vmm/vcpu.h"

void devices_init(struct vcpu *v, const struct vmm_params *params);

/* Nanoseconds since the VM was switched on. */
uint64_t devices_now(void);

/* The machine's TSC, but for what the VM is not to notice: CYCLES more. */
uint64_t devices_tsc(void);
void devices_hide_time(uint64_t cycles);

/*
 * Let time pass: devices whose deadline has come act, console input goes in,
 * the VMkernel's timer is set to the next deadline if that changed.  Cheap if
 * there is nothing to do: called before each entry to the guest that follows
 * an interrupt, a port access or a request.
 */
void devices_poll(void);

/* The wire to the CPU, and its acknowledge cycle. */
bool devices_is_interrupt_pending(void);
uint8_t devices_acknowledge(void);

/* Did the guest ask for its end by a port?  VMM_END_COUNT: no. */
enum vmm_end devices_take_end(void);

/*
 * HLT: sleep until an interrupt is pending or a request came.  Ends the VM if
 * nothing can ever wake it (IF is clear and no NMI comes).
 */
void devices_halt(void);

#endif
