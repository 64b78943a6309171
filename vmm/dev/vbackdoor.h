/*
 * vbackdoor.h - the port by which guests recognize VMware's hypervisors and
 * ask them things.
 *
 * Facts from Linux (arch/x86/kernel/cpu/vmware.c) and open-vm-tools
 * (backdoor_def.h): EAX holds a magic number, ECX a command, DX the port; a
 * 32-bit IN or OUT is the call, and the answer is in the registers.
 */
#ifndef VMM_DEV_VBACKDOOR_H
#define VMM_DEV_VBACKDOOR_H

#include "vmm/dev/pio_bus.h"
#include "vmm/vcpu.h"

/* No state: all wiring. */
struct vbackdoor {
    struct vcpu *const *vcpu;   /* who calls */
    uint64_t tsc_hz;
};

void vbackdoor_init(struct vbackdoor *b, struct pio_bus *bus,
                    struct vcpu *const *vcpu, uint64_t tsc_hz);

#endif
