/*
 * trapframe.h - what trap_entry.S leaves on the stack for C.
 *
 *      high   ss, esp          only when the CPU changed ring
 *             eflags, cs, eip  pushed by the CPU
 *             error            by the CPU, or 0 by the stub
 *             vector           by the stub
 *             eax .. edi       pushal
 *      low    gs, fs, es, ds
 */
#ifndef KERNEL_X86_TRAPFRAME_H
#define KERNEL_X86_TRAPFRAME_H

#include "kernel/base/types.h"

struct trapframe {
    uint32_t ds, es, fs, gs;
    uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax;
    uint32_t vector;
    uint32_t error;
    uint32_t eip, cs, eflags;
    uint32_t esp, ss;           /* valid only if (cs & 3) != 0 */
};
STATIC_ASSERT(sizeof(struct trapframe) == 76);

#endif
