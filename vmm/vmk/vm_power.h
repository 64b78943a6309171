/*
 * vm_power.h - VMs on and off.
 *
 * Called as vm.h says.  A VM's end is told in the log, whoever brought it
 * about.
 */
#ifndef VMM_VMK_VM_POWER_H
#define VMM_VMK_VM_POWER_H

#include "vmm/vmk/vm.h"

/*
 * Switch it on.  What can be checked at once is; the rest the VM's world does,
 * and vm_wait_running() tells how that went.
 */
MUST_CHECK status_t vm_start(struct vm *vm, struct vm_why *why);

/* Switch it off, as by a PC's switch: the guest is not asked. */
MUST_CHECK status_t vm_stop(struct vm *vm, struct vm_why *why);

/* The same without the monitor, which may hang. */
MUST_CHECK status_t vm_kill(struct vm *vm, struct vm_why *why);

/* Off, and on again. */
MUST_CHECK status_t vm_reset(struct vm *vm, struct vm_why *why);

/*
 * Wait until it runs after a start or reset, or until DEADLINE.  One that runs
 * a moment only has run as well.
 */
MUST_CHECK status_t vm_wait_running(struct vm *vm, uint64_t deadline,
                                    struct vm_why *why);

/* Wait until it is off, or until DEADLINE (clock_now() scale): ERR_TIMEOUT. */
status_t vm_wait_off(struct vm *vm, uint64_t deadline);

/* Start the VMs whose NAMES stand there, with commas; tells by the log. */
void vm_autostart(const char *names);

#endif
