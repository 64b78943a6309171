/*
 * vm_context.h - what a monitor may ask the processor to be.
 *
 * A world switch loads what the monitor left in the shared page, and the first
 * part of it while the VMkernel's tables are no longer there: a fault then is
 * the end of the machine.  So what a monitor gone wrong may have written there
 * is looked at first.  What it has in its own tables is its own affair: they
 * are in force by the time they can harm.
 *
 * Pure; the VM's world, while the monitor does not run.
 */
#ifndef VMM_VMK_VM_CONTEXT_H
#define VMM_VMK_VM_CONTEXT_H

#include "vmm/shared.h"

#define VM_ROOTS    (VIEW_COUNT + 1u)

/* What the VMkernel has made for a monitor; 0 is no root. */
struct vm_context {
    struct cpu_context first;
    uint32_t root[VM_ROOTS];
};

/* Can the processor go on with NOW? */
MUST_CHECK bool vm_context_is_sound(const struct vm_context *made,
                                    const struct cpu_context *now);

#endif
