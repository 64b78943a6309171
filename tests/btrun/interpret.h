/*
 * interpret.h - the guest under the interpreter instead of the translator.
 */
#ifndef TESTS_BTRUN_INTERPRET_H
#define TESTS_BTRUN_INTERPRET_H

#include "kernel/base/bits.h"

/* From `guest` on. */
NORETURN void interpret_run(void);
void interpret_report(void);

/* set_thread_area() has filled entry NUMBER of the GDT. */
void interpret_set_segment(uint32_t number, uint32_t base);

#endif
