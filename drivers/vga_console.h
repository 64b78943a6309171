/*
 * vga_console.h - the VGA in its 80 x 25 text mode as a console screen.
 *
 * Video memory is slow, on real buses and more so in emulators.  So nothing is
 * ever read from it, rows are written only where screen.h says they changed,
 * and scrolling moves the CRT controller's start address instead of text: a
 * line of the log costs one row.
 */
#ifndef DRIVERS_VGA_CONSOLE_H
#define DRIVERS_VGA_CONSOLE_H

#include "kernel/base/types.h"

/*
 * Look for a VGA in text mode; clear it.  False where there is none or where
 * it shows graphics; then writes do nothing.  Needs the first megabyte mapped.
 */
bool vga_init(void);

/* Show SIZE bytes of text and control sequences.  Any context. */
void vga_write(const char *text, size_t size);

/* The same without the lock: before other processors run, and in panic. */
void vga_write_unlocked(const char *text, size_t size);

#endif
