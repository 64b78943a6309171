/*
 * trap.c - the IDT, and from vector to handler.
 *
 * All processors share one IDT.  Every vector is an interrupt gate (interrupts
 * stay masked until the handler is done) but the double fault's, which is a
 * task gate: see gdt.c.  An exception that nobody handles is our own bug and
 * ends the machine with a report.
 */
#include "kernel/trap.h"

#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/base/stats.h"
#include "kernel/gdt.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"

STAT(trap, exceptions);
STAT(trap, unexpected_interrupts);

static struct gate idt[VECTOR_COUNT] ALIGNED(16);
static trap_handler_t handlers[VECTOR_COUNT];
static void (*preempt_hook)(void);

void
trap_set_handler(unsigned vector, trap_handler_t handler)
{
    ASSERT(vector < VECTOR_COUNT);
    ASSERT(handler == NULL || handlers[vector] == NULL);
    handlers[vector] = handler;
}

void
trap_set_preempt_hook(void (*hook)(void))
{
    preempt_hook = hook;
}

static struct gate
interrupt_gate(const void *entry)
{
    uint32_t offset = (uint32_t)entry;

    return (struct gate){
        .offset_low = offset & 0xffff, .selector = SEL_CODE,
        .type = SYS_INT32, .dpl = 0, .p = 1, .offset_high = offset >> 16
    };
}

void
trap_init(void)
{
    for (unsigned i = 0; i < VECTOR_COUNT; i++)
        idt[i] = interrupt_gate(trap_stubs + i * TRAP_STUB_SIZE);
    idt[VEC_DF] = (struct gate){
        .selector = SEL_DF_TSS, .type = SYS_TASK_GATE, .dpl = 0, .p = 1
    };
    trap_load_idt();
}

void
trap_load_idt(void)
{
    struct table_register idtr = {
        .limit = sizeof(idt) - 1, .base = (uint32_t)idt
    };

    lidt(&idtr);
}

void
trap_preempt_point(void)
{
    if (preempt_hook != NULL && PERCPU(resched) && PERCPU(irq_depth) == 0 &&
        PERCPU(preempt_off) == 0)
        preempt_hook();
}

void
trap_dispatch(struct trapframe *frame)
{
    trap_handler_t handler = handlers[frame->vector];

    if (frame->vector < EXCEPTION_COUNT) {
        STAT_INC(trap, exceptions);
        if (handler == NULL)
            panic_trap(frame);
        handler(frame);
        return;
    }
    if (handler == NULL) {
        STAT_INC(trap, unexpected_interrupts);
        return;
    }
    PERCPU(irq_depth)++;
    handler(frame);
    PERCPU(irq_depth)--;
    trap_preempt_point();
}
