/*
 * devices_int.h - what the files of the VM's devices share.
 */
#ifndef VMM_CORE_DEVICES_INT_H
#define VMM_CORE_DEVICES_INT_H

#include "vmm/shared.h"
#include "vmm/vcpu.h"

/* CPUID, as long as the VM exists. */
void devices_cpu_init(const struct vmm_params *params);

#endif
