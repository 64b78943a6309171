/*
 * fpu.h - whose FPU state is in the registers, and when guest code may use it.
 *
 * A vcpu's x87, MMX and SSE state is in v->cpu.fpu, or in the processor's
 * registers, or in both.  It is loaded late, when guest code first wants it
 * (#NM), and saved early, before each world switch: the VMkernel uses no FPU,
 * but another VM may.
 *
 * CR0.TS is set while guest code must not touch the FPU, because the registers
 * are not its own or because its own CR0 says so; then each use is a #NM.  CR0
 * is written only when that changes.
 *
 * The vcpu's thread.
 */
#ifndef VMM_CORE_FPU_H
#define VMM_CORE_FPU_H

#include "vmm/vcpu.h"

/* Nothing loaded, CR0 and CR4 as guests need them.  Once, by the entry code. */
void fpu_init(void);

/*
 * Before each entry of V's code, interrupts masked: CR0.TS, and the bits of
 * CR4 that are V's own to choose (fpu_int.h).
 */
void fpu_prepare(struct vcpu *v);

/*
 * V's code met a #NM.  False: by its own CR0, interpret the instruction.  True:
 * its state is loaded now, go on.
 */
MUST_CHECK bool fpu_on_nm(struct vcpu *v);

/* Around a world switch, interrupts masked.  IS_KEPT: shared->is_fpu_kept. */
void fpu_leave(void);
void fpu_return(bool is_kept);

/* V's image is to be read: make it true. */
void fpu_sync(struct vcpu *v);

/* V's image, true before, has been changed: the registers do not count. */
void fpu_forget(void);

/*
 * Around an instruction that the monitor lets the processor execute for V,
 * interrupts masked from one to the other: V's state into the registers, and
 * back into its image alone.
 */
void fpu_lend(struct vcpu *v);
void fpu_take_back(struct vcpu *v);

#endif
