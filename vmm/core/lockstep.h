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

#include "kernel/base/addr.h"
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

/*
 * Lockstep that finds nothing proves little unless it does find something where
 * something is wrong: vm.misread is the address of a byte of code that the
 * translator sees with its lowest bit inverted, in lockstep only.  CLC becomes
 * STC, one register another.  Returns what the translator is to read of the
 * code at AT: PAGE, or a copy.
 */
const uint8_t *lockstep_misread(gla_t at, const uint8_t *page);

/* The stay ends where nothing can be compared: in the middle of a fault. */
void lockstep_give_up(void);

#endif
