/*
 * msr.h - model-specific registers of the virtual CPU that are not in struct
 * guest_cpu: those that kernels read, or write, without asking CPUID.
 *
 * None does anything: what is written is forgotten.  All others are #GP(0),
 * which kernels expect of a register that may not exist.  msr.def lists them.
 *
 * Pure; any context.
 */
#ifndef VMM_MSR_H
#define VMM_MSR_H

#include "kernel/base/types.h"

/* False: there is no such register. */
MUST_CHECK bool msr_read(uint32_t msr, uint64_t *value);

/* False: there is none, or it cannot be written. */
MUST_CHECK bool msr_write(uint32_t msr);

/* What the host's ARCH_CAPABILITIES says that a guest may rely on, too. */
uint64_t msr_arch_capabilities(uint64_t host);

#define MSR_ARCH_CAPABILITIES   0x10au

#endif
