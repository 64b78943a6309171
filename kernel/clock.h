/*
 * clock.h - monotonic time since boot, in nanoseconds.
 *
 * Read from the time stamp counter, calibrated once against the PIT (or the
 * ACPI timer), the same on all processors.  Never goes back.  Any context.
 */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include "kernel/base/types.h"

/* Nanoseconds since the loader jumped to us; 0 before clock_calibrate. */
uint64_t clock_now(void);

/* Cycles of the TSC per millisecond. */
uint32_t clock_tsc_khz(void);

/* Differences of the TSC to ns, and back (up to some days). */
uint64_t clock_tsc_to_ns(uint64_t cycles);
uint64_t clock_ns_to_tsc(uint64_t ns);

/* The TSC at the loader's jump, where time begins; before anything else. */
void clock_set_entry(uint64_t tsc);

/* Start the clock: the rate as measured, in kHz, not 0. */
void clock_calibrate(uint32_t tsc_khz);

/* Busy-wait; for hardware that needs a pause, at most a few milliseconds. */
void clock_delay_us(unsigned usec);

#endif
