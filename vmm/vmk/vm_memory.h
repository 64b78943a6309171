/*
 * vm_memory.h - a VM's guest-physical memory: machine pages on first touch.
 *
 * RAM lies as in a PC (boot_memory_of_pc): from 0 to the video hole at 640 KB,
 * and from 1 MB up; the ROM area below 1 MB has pages, too, which the monitor
 * keeps the guest from writing.  Which machine page is behind a guest page the
 * monitor reads in the pmap (vmm/shared.h), whose pages both sides see and only
 * the VMkernel writes.
 *
 * Called by the VM's world, or by its creator before it runs: no locks.
 */
#ifndef VMM_VMK_VM_MEMORY_H
#define VMM_VMK_VM_MEMORY_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"
#include "vmm/vmk/vm_run.h"

/*
 * Copy to guest RAM, of which what is new is backed.  False: not all of it is
 * RAM, and nothing was done; or memory ran out on the way.  As `write` of
 * vmm/boot/direct_boot.h, with a struct vm_instance as CONTEXT.
 */
MUST_CHECK bool vm_memory_write(void *context, gpa_t at, const void *from,
                                size_t size);

/* Pages that the guest has touched so far. */
uint32_t vm_memory_used(const struct vm_instance *instance);

/*
 * Back PPN by a zeroed page unless it is.  ERR_RANGE: nothing of this VM is
 * there; ERR_NO_MEMORY.
 */
MUST_CHECK status_t vm_memory_back(struct vm_instance *instance, ppn_t ppn);

#endif
