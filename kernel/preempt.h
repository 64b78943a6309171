/*
 * preempt.h - keeping the running world on its processor for a while.
 *
 * Between preempt_disable and preempt_enable, which nest, no interrupt takes
 * the processor away from the running world; it must not block either.  Unlike
 * masked interrupts this delays nobody but other worlds.
 */
#ifndef KERNEL_PREEMPT_H
#define KERNEL_PREEMPT_H

#include "kernel/percpu.h"
#include "kernel/trap.h"
#include "kernel/x86/cpu.h"

/* If a switch is due and nothing forbids it: now. */
static inline void
preempt_check(void)
{
    if (PERCPU(resched) && (read_eflags() & EFLAGS_IF) != 0) {
        cli();
        trap_preempt_point();
        sti();
    }
}

static inline void
preempt_disable(void)
{
    PERCPU(preempt_off)++;
    compiler_barrier();
}

/* A switch that was due in the meantime happens now, if interrupts are on. */
static inline void
preempt_enable(void)
{
    compiler_barrier();
    PERCPU(preempt_off)--;
    preempt_check();
}

#endif
