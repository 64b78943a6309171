/*
 * keyboard.h - the PS/2 keyboard behind an 8042 controller (IBM PS/2 hardware
 * interface technical reference), feeding the console.
 */
#ifndef DRIVERS_KEYBOARD_H
#define DRIVERS_KEYBOARD_H

#include "kernel/base/types.h"

/*
 * Set the controller up and take interrupts of ISA line 1.  Without one, or
 * with one that does not answer, this returns false after at most some tens
 * of milliseconds.  Needs irq.h and clock.h.
 */
bool keyboard_start(void);

/* Pulse the processor's reset line.  Returns if nothing came of it. */
void keyboard_reset_machine(void);

#endif
