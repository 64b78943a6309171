/*
 * quirks.h - what a processor may get wrong, and how to find out.
 *
 * QEMU's TCG (7.2 at least) computes EFLAGS when somebody asks.  Its CMPXCHG8B
 * asks with what the current block of code has kept back so far: behind an ADD
 * in the same block that a POPF or an IRET began, all of EFLAGS may become one
 * of ADD's operands, DF, NT and VM included.  A jump ends the block, so that
 * a CMPXCHG8B that is jumped to is right.  Otherwise a trap pushes that EFLAGS,
 * and its IRET loads it.  SDM 2 "CMPXCHG8B": only ZF changes.
 */
#ifndef KERNEL_X86_QUIRKS_H
#define KERNEL_X86_QUIRKS_H

#include "kernel/base/types.h"
#include "kernel/x86/regs.h"

/* With interrupts masked or not: the flag it looks for harms no handler. */
static inline bool
cmpxchg8b_spoils_flags(void)
{
    uint64_t number = 0;
    uint32_t flags = EFLAGS_DF, low = 0, high = 0;

    __asm__ volatile("pushfl; popfl; jmp 1f; 1: addl %0, %1; movl %3, %1; "
                     "cmpxchg8b %3; pushfl; popl %0; cld"
                     : "+r"(flags), "+a"(low), "+d"(high), "+m"(number)
                     : "b"(0), "c"(0) : "cc");
    return (flags & EFLAGS_DF) != 0;
}

#endif
