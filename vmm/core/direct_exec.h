/*
 * direct_exec.h - the guest's user code on the machine itself.
 */
#ifndef VMM_CORE_DIRECT_EXEC_H
#define VMM_CORE_DIRECT_EXEC_H

#include "vmm/vcpu.h"

/*
 * Run V, which is at CPL 3 with IF set and IOPL 0, until something needs the
 * main loop.
 */
void direct_exec(struct vcpu *v);

#endif
