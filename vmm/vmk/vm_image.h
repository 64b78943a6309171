/*
 * vm_image.h - the monitor's program, which is part of the VMkernel's image.
 *
 * What an instance has of it is made by vm_instance_create() (vm_run.h).
 */
#ifndef VMM_VMK_VM_IMAGE_H
#define VMM_VMK_VM_IMAGE_H

#include "kernel/base/status.h"

/*
 * Show the VMkernel the page of the world switch at VMM_SWITCH_AT.  Once, at
 * start-up, with memory and before the first VM.  ERR_CORRUPT: the program is
 * not what it should be, and no VM can run.
 */
MUST_CHECK status_t vm_image_init(void);

#endif
