/*
 * clock.h - monotonic time since boot, in nanoseconds.
 *
 * Read from the time stamp counter, calibrated once against the PIT (or the
 * ACPI timer), the same on all processors.  Never goes back.  Any context.
 */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include "kernel/base/types.h"

/* Nanoseconds since the loader jumped to us. */
uint64_t clock_now(void);

/* Cycles of the TSC per millisecond. */
uint32_t clock_tsc_khz(void);

uint64_t clock_tsc_to_ns(uint64_t cycles);

/* Busy-wait; for hardware that needs a pause, at most a few milliseconds. */
void clock_delay_us(unsigned usec);

#endif
