/*
 * vm_params.h - what a configuration means for scheduler and monitor.
 *
 * Pure.
 */
#ifndef VMM_VMK_VM_PARAMS_H
#define VMM_VMK_VM_PARAMS_H

#include "sched/world.h"
#include "vmm/config/vmx.h"
#include "vmm/vmk/vm_run.h"

/*
 * The processor time of a VM's world, keys sched.cpu.*.  False: the affinity is
 * no list of processor numbers.
 */
MUST_CHECK bool vm_world_params(const struct vmx *vmx,
                                struct world_params *params);

/* Memory sizes and engine of an instance. */
void vm_instance_params(const struct vmx *vmx,
                        struct vm_instance_params *params);

#endif
