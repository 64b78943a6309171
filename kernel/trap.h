/*
 * trap.h - exceptions and interrupts arrive here.
 *
 * trap_entry.S builds a struct trapframe and calls trap_dispatch(), which runs
 * the handler of the vector.  A vector without one is a bug of ours: panic
 * with a report.  Handlers run with interrupts masked on the stack of whatever
 * was interrupted.
 */
#ifndef KERNEL_TRAP_H
#define KERNEL_TRAP_H

#include "kernel/base/types.h"
#include "kernel/x86/trapframe.h"

#define VECTOR_COUNT 256u

typedef void (*trap_handler_t)(struct trapframe *frame);

/* At most one handler a vector; NULL takes it away. */
void trap_set_handler(unsigned vector, trap_handler_t handler);

/* Fill the IDT (once), and load it on this processor (each). */
void trap_init(void);
void trap_load_idt(void);

/* Called by trap_entry.S. */
void trap_dispatch(struct trapframe *frame);

/* trap_entry.S: 256 entry points, 16 bytes apart. */
extern const char trap_stubs[];
#define TRAP_STUB_SIZE 16u

/* trap_entry.S: entry of the double fault's task. */
void double_fault_entry(void);
NORETURN void double_fault(void);

/* HOOK is called at preemption points, interrupts masked: may switch worlds. */
void trap_set_preempt_hook(void (*hook)(void));

/*
 * Run that hook if a switch is due and nothing forbids it.  Interrupts are
 * masked (kernel/preempt.h).
 */
void trap_preempt_point(void);

#endif
