/*
 * lockstep.h - translated code, compared with the interpreter: vm.engine.
 *
 * A stay in translated code begins and ends with the guest's state in the vcpu.
 * With `vm.engine = lockstep` its end takes everything back, the interpreter
 * does the same once more, instruction by instruction, and registers and memory
 * must come out alike.  If they do not, the VM ends as crashed and says what
 * differs first.  Slow; for whoever changes the translator.
 *
 * The vcpu's thread.
 */
#ifndef VMM_CORE_LOCKSTEP_H
#define VMM_CORE_LOCKSTEP_H

#include "kernel/base/types.h"
#include "vmm/shared.h"
#include "vmm/vcpu.h"

void lockstep_init(const struct vmm_params *params);

/* V's state is about to be taken into translated code. */
void lockstep_enter(struct vcpu *v);

/*
 * V has it back, at a boundary: compare, and leave V as it is.  Nothing if no
 * stay has begun, so it may be called at every way out.
 */
void lockstep_leave(struct vcpu *v);

/* The stay ends where nothing can be compared: in the middle of a fault. */
void lockstep_give_up(void);

#endif
