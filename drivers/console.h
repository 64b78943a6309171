/*
 * console.h - the person's side: every console device shows the same text and
 * any of them may be typed on.
 *
 * Output goes to a ring that the devices drain by interrupt; it never waits
 * for a slow line except in console_write when the ring is full and the caller
 * is a world.  Input of all devices is merged into one stream of bytes; a
 * VGA keyboard's special keys arrive as the escape sequences of a VT100.
 */
#ifndef DRIVERS_CONSOLE_H
#define DRIVERS_CONSOLE_H

#include "kernel/base/status.h"

/* Write SIZE bytes; '\n' becomes CR LF.  Any context. */
void console_write(const char *text, size_t size);

PRINTF_LIKE(1, 2)
void console_print(const char *format, ...);

/*
 * The next byte typed, waiting until DEADLINE (clock_now() scale, or
 * WAIT_FOREVER).  ERR_TIMEOUT or ERR_KILLED otherwise.  Worlds only.
 */
MUST_CHECK status_t console_read(char *c, uint64_t deadline);

/* Whether Ctrl-C arrived since the last call; also clears it.  Any world. */
bool console_interrupted(void);

/* Wait until all output has left the machine, at most about a second. */
void console_flush(void);

/*
 * From now on write by polling, without locks or interrupts: for panic, when
 * nothing else can be relied on.
 */
void console_enter_panic(void);

#endif
