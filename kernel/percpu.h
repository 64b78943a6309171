/*
 * percpu.h - what each processor has of its own, reached through %gs.
 *
 * The base of %gs is the processor's `struct percpu`; PERCPU(field) reads or
 * writes a field of the running processor's with one instruction, which is
 * safe at any time.  Anything longer needs interrupts masked (or preemption
 * disabled), since a world may move between two accesses.
 */
#ifndef KERNEL_PERCPU_H
#define KERNEL_PERCPU_H

#include "kernel/base/types.h"
#include "kernel/x86/descriptor.h"

#define CPU_MAX         32u

struct world;
struct lock;

struct percpu {
    struct percpu *self;        /* first: %gs:0 */
    unsigned cpu;               /* our number, 0 .. cpu_count() - 1 */
    unsigned apic_id;
    bool online;
    bool may_run;               /* while it starts: sched/ap_start.c */
    bool in_panic;

    struct world *current;      /* the world that runs here */
    struct world *idle;
    unsigned preempt_off;       /* > 0: no switching away (kernel/preempt.h) */
    unsigned irq_depth;         /* > 0: in an interrupt handler */
    bool resched;               /* switch at the next chance */
    struct lock *held;          /* debug builds: locks held, newest first */

    struct segdesc *gdt;
    struct tss *tss;
    struct tss *df_tss;         /* double fault: its own stack */
    uint64_t idle_ns;           /* time spent halted */
    uint64_t tsc_offset;        /* added to the TSC: kernel/clock.c */
};

#define PERCPU(field) (((struct percpu __seg_gs *)0)->field)

static inline struct percpu *
this_cpu(void)
{
    return PERCPU(self);
}

/* The structure of processor CPU < cpu_count(). */
struct percpu *percpu_get(unsigned cpu);

/* %gs and the descriptor tables of the boot processor.  First of all. */
void percpu_init_boot(void);

/* Called on processor CPU itself, in the order of their numbers. */
void percpu_set_online(struct percpu *cpu);

/* Processors that are online; they are numbered without gaps. */
unsigned cpu_count(void);

#endif
