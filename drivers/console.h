/*
 * console.h - the person's side: every console device shows the same text and
 * any of them may be typed on.
 *
 * Output goes to a ring that the devices drain by interrupt; it never waits
 * for a slow line except in console_write when the ring is full and the caller
 * is a world.  Input of all devices is merged into one stream of bytes; a
 * VGA keyboard's special keys arrive as the escape sequences of a VT100.
 *
 * console_init() comes first of all and needs nothing but the CPU and the
 * mapping of the first megabyte: text is written by polling, by one processor.
 * console_start() comes when interrupts, clock, heap and per-CPU data work.
 */
#ifndef DRIVERS_CONSOLE_H
#define DRIVERS_CONSOLE_H

#include "kernel/base/status.h"

struct console_options {
    uint16_t serial_port;       /* I/O port of a 16550, or 0 for none */
    uint8_t serial_irq;
    uint32_t serial_baud;
    bool vga;                   /* VGA text screen and PS/2 keyboard */
};

/* COM1 at 115200, and the screen. */
extern const struct console_options console_defaults;

/* Choose the devices.  Again with other options, as often as one likes. */
void console_init(const struct console_options *options);

/* From now on by interrupts, with input; KEYBOARD: the PC may have one. */
void console_start(bool keyboard);

/* Write SIZE bytes; '\n' becomes CR LF.  Any context. */
void console_write(const char *text, size_t size);

PRINTF_LIKE(1, 2)
void console_print(const char *format, ...);

/*
 * The next byte typed, waiting until DEADLINE (clock_now() scale, or
 * WAIT_FOREVER).  ERR_TIMEOUT or ERR_KILLED otherwise.  Worlds only.
 */
MUST_CHECK status_t console_read(char *c, uint64_t deadline);

/*
 * Whether Ctrl-C arrived that nobody has read yet.  Known the moment it is
 * typed, ahead of what was typed before; that and the Ctrl-C itself are then
 * dropped, as a terminal's own line discipline does.  A byte 3 that
 * console_read delivers is its reader's business and not reported here.  Any
 * world.
 */
bool console_interrupted(void);

/*
 * Whether all that show the console understand escape sequences, as far as is
 * known: the screen does, a serial terminal since it has sent one.
 */
bool console_escapes_known(void);

/* Wait until all output has left the machine, at most about a second. */
void console_flush(void);

/*
 * From now on write by polling, without locks or interrupts: for panic, when
 * nothing else can be relied on.
 */
void console_enter_panic(void);

#endif
