/*
 * console_int.h - between console.c and the devices that feed it.
 *
 * Called from the interrupt handlers of serial_16550.c and keyboard.c, with no
 * lock held: console.c takes locks that rank below the devices' own.
 */
#ifndef DRIVERS_CONSOLE_INT_H
#define DRIVERS_CONSOLE_INT_H

#include "kernel/base/types.h"

/*
 * Bytes that the serial line may deliver now.  Some room is never offered to
 * it, so that the keyboard gets through while a paste fills the ring.
 */
size_t console_input_room_irq(void);

/* Bytes were typed.  What finds no room in the ring is lost and counted. */
void console_input_irq(const char *bytes, size_t size);

/* The serial line has taken so much that worlds may write again. */
void console_output_ready_irq(void);

#endif
