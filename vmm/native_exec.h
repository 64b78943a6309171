/*
 * native_exec.h - let the CPU below execute one instruction of the guest's.
 *
 * x87, MMX and SSE instructions, and a few newer ones on general registers, are
 * not worth a second implementation: the interpreter checks them, moves their
 * memory operand to a buffer of ours, and has the CPU do the arithmetic.  The
 * monitor and the test programs bring a stub each that loads the guest's
 * general registers, arithmetic flags and FPU, executes the bytes, and takes
 * everything back.
 *
 * Called by the vcpu's own thread.  The FPU belongs to someone else meanwhile:
 * the implementation saves and restores it.  It may also keep the guest's state
 * in the FPU's registers, so that v->cpu.fpu is old; both functions here leave
 * it true.
 */
#ifndef VMM_NATIVE_EXEC_H
#define VMM_NATIVE_EXEC_H

#include "kernel/base/types.h"
#include "vmm/vcpu.h"

#define NATIVE_CODE_MAX 16

/*
 * One instruction that neither branches nor is privileged.  A memory operand
 * is given as an absolute address of ours.
 */
struct native_code {
    uint8_t bytes[NATIVE_CODE_MAX];
    uint32_t size;
};

/*
 * Execute CODE on the GPRs, arithmetic flags and FPU of v->cpu.  False: it met
 * an exception, which is in v->fault, or cannot be run here (VEC_UD); then
 * nothing but the FPU has changed.  *ADDRESS is where the bytes were when they
 * ran, which is what the x87 remembers as its instruction pointer.
 */
MUST_CHECK bool native_exec(struct vcpu *v, const struct native_code *code,
                            uint32_t *address);

/* v->cpu.fpu is to be read before anything is executed. */
void native_sync(struct vcpu *v);

#endif
