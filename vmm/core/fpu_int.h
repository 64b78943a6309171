/*
 * fpu_int.h - the arithmetic of fpu.c: what may go into MXCSR and CR4.
 */
#ifndef VMM_CORE_FPU_INT_H
#define VMM_CORE_FPU_INT_H

#include "kernel/base/string.h"
#include "kernel/base/types.h"
#include "kernel/x86/regs.h"

/* FXSAVE's image: MXCSR, and which bits of it exist (SDM 1 11.6.6). */
#define FXSAVE_MXCSR        24
#define FXSAVE_MXCSR_MASK   28
#define MXCSR_MASK_DEFAULT  0x0000ffbfu     /* where that reads as 0 */

/*
 * The guest has these bits of the machine's CR4 as it sets them: they change
 * what its own instructions do, and nothing of the monitor's.
 */
#define CR4_GUEST   (CR4_TSD | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT)

/* The bits of MXCSR that this processor has, told by an image it saved. */
static inline uint32_t
fx_mxcsr_mask(const uint8_t *image)
{
    uint32_t mask;

    memcpy(&mask, &image[FXSAVE_MXCSR_MASK], sizeof(mask));
    return mask != 0 ? mask : MXCSR_MASK_DEFAULT;
}

/* Clear bits of IMAGE's MXCSR with which FXRSTOR would be #GP. */
static inline void
fx_make_loadable(uint8_t *image, uint32_t mxcsr_mask)
{
    uint32_t mxcsr;

    memcpy(&mxcsr, &image[FXSAVE_MXCSR], sizeof(mxcsr));
    mxcsr &= mxcsr_mask;
    memcpy(&image[FXSAVE_MXCSR], &mxcsr, sizeof(mxcsr));
}

/*
 * The machine's CR4 while guest code runs that sees CR4 = GUEST: the monitor's
 * own, and of CR4_GUEST what the guest has set and the processor has.  A bit
 * that it has not must never reach MOV CR4.
 */
static inline uint32_t
cr4_for_guest(uint32_t own, uint32_t guest, uint32_t available)
{
    return (own & ~(uint32_t)CR4_GUEST) | (guest & CR4_GUEST & available);
}

#endif
