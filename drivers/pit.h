/*
 * pit.h - the 8254 programmable interval timer of the PC (Intel 8254 data
 * sheet): a clock of known rate to measure others with, and a one-shot
 * interrupt where there is no local APIC.
 */
#ifndef DRIVERS_PIT_H
#define DRIVERS_PIT_H

#include "kernel/base/status.h"
#include "kernel/timer.h"

#define PIT_HZ          1193182u
#define PIT_USEC_MAX    50000u

/*
 * Measure the TSC over about USEC (100 .. PIT_USEC_MAX) microseconds: its rate
 * in kHz.  ERR_NO_DEVICE if the counter does not count.  Boot processor, with
 * interrupts masked.
 */
MUST_CHECK status_t pit_measure_tsc(unsigned usec, uint32_t *tsc_khz);

/* Register for ISA line 0.  Before pit_timer is used; needs irq.h. */
MUST_CHECK status_t pit_timer_init(void);

/* Counter 0, one-shot; for timer_start() on a machine with one processor. */
extern const struct timer_source pit_timer;

#endif
