/*
 * serial_16550.h - the serial line that carries the console: a 16550A UART
 * (National Semiconductor PC16550D data sheet), 8N1.
 *
 * Two lives.  From the first C instruction it is written by polling, with
 * interrupts off and one processor.  After serial_start() it works by
 * interrupts in both directions: output from a ring, 16 bytes at a time, and
 * input straight into the console's ring.  When that is full the line is held:
 * RTS drops and bytes stay in the UART, where the other side sees them.
 *
 * A port that is not there, or whose transmitter hangs, costs a bounded time
 * and loses output; nothing waits for ever.
 */
#ifndef DRIVERS_SERIAL_16550_H
#define DRIVERS_SERIAL_16550_H

#include "kernel/base/status.h"

#define SERIAL_COM1_PORT    0x3f8u
#define SERIAL_COM1_IRQ     4u
#define SERIAL_COM2_PORT    0x2f8u
#define SERIAL_COM2_IRQ     3u
#define SERIAL_BAUD_MAX     115200u

/*
 * Look for a UART at I/O port PORT and set it up, without interrupts.  BAUD
 * is rounded to what the divisor can do.  False if there is none.  Needs
 * nothing but the CPU; may be called again with other values before start.
 */
bool serial_init(uint16_t port, uint32_t baud);

bool serial_is_present(void);

/* Whether an escape character ever came in. */
bool serial_saw_escape(void);

/* Send by polling, without lock: before serial_start() and in panic. */
void serial_write_polled(const char *text, size_t size);

/* From now on by interrupts of ISA line IRQ.  Polls on if that fails. */
MUST_CHECK status_t serial_start(unsigned irq);

/* Put into the ring what fits of SIZE bytes; how many did.  Any context. */
size_t serial_write(const char *text, size_t size);

/* How many bytes could be written now. */
size_t serial_write_room(void);

/*
 * Whether serial_service() must be called now and then: output is under way,
 * or no interrupt ever came, as on a wrong line.
 */
bool serial_needs_service(void);

/*
 * Move what can be moved now: makes up for interrupts that never come.
 * Returns whether everything written has left the machine.  Any context
 * without locks.
 */
bool serial_service(void);

/* The console's ring has room again: let the line go on. */
void serial_resume_input(void);

/*
 * Send what is still in the ring by polling, without lock, until the last bit
 * has left, within bounds: before serial_start() and in panic.
 */
void serial_drain_polled(void);

#endif
