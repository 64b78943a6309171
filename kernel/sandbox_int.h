/*
 * sandbox_int.h - between sandbox.c and sandbox_probe.S, where the contracts
 * of these stand.
 */
#ifndef KERNEL_SANDBOX_INT_H
#define KERNEL_SANDBOX_INT_H

#include "kernel/base/types.h"

uint32_t sandbox_visit(uint32_t *saved_esp, void *stack, uint32_t offset);
NORETURN void sandbox_return(uint32_t saved_esp, uint32_t result);

/* The read beyond the segment's end, and what follows if that passes. */
extern const char sandbox_outside[], sandbox_end[];

#endif
