/*
 * panic.h - the end of the machine, with a report that a developer can use.
 *
 * Whatever the reason, the report has the same parts: what happened, on which
 * CPU in which world, the registers, and a backtrace with symbols.  Each
 * address can be turned into a line of source on the build machine with
 *
 *      addr2line -fe build/vmkernel.elf ADDRESS
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "kernel/base/types.h"
#include "kernel/x86/descriptor.h"
#include "kernel/x86/trapframe.h"

PRINTF_LIKE(1, 2)
NORETURN void panic(const char *format, ...);

/* An exception that nobody expected. */
NORETURN void panic_trap(const struct trapframe *frame);

/*
 * More lines for the report, from those who know: called in the order of
 * registration, must not allocate, lock or fault.
 */
void panic_add_reporter(void (*report)(void));

/*
 * Is ADDR in the guard page of some stack?  If so, whose (into NAME)?  Set by
 * the scheduler, which knows the stacks.
 */
void panic_set_guard_finder(bool (*find)(uint32_t addr, char *name,
                                         size_t size));

/*
 * Where the report goes: enter() switches to output that needs no lock and no
 * interrupt, write() prints.  Until it is set a report is silent.
 */
struct panic_output {
    void (*enter)(void);
    void (*write)(const char *text, size_t size);
};
void panic_set_output(const struct panic_output *output);

/* Print one line of the report. */
PRINTF_LIKE(1, 2)
void panic_print(const char *format, ...);

#endif
