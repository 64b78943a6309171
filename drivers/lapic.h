/*
 * lapic.h - the local APIC of each processor (Intel SDM 3A chapter 10): end of
 * interrupt, interrupts between processors, and the one-shot timer.
 *
 * Registers are reached in memory, or by MSRs where the firmware left x2APIC
 * mode on.  Unless said otherwise a function concerns the processor that calls
 * it and may be called in any context.
 */
#ifndef DRIVERS_LAPIC_H
#define DRIVERS_LAPIC_H

#include "kernel/base/status.h"
#include "kernel/smp.h"
#include "kernel/timer.h"

/*
 * Find and enable the boot processor's.  VIRTUAL_WIRE: the 8259 pair drives
 * the machine and reaches the processor through LINT0.  ERR_NO_DEVICE if the
 * CPU has none.  Needs mmio_map and trap_init.
 */
MUST_CHECK status_t lapic_init(bool virtual_wire);

/* Enable the one of another processor, on it; after lapic_init. */
void lapic_enable(void);

/* The number by which others reach this processor. */
uint32_t lapic_id(void);

void lapic_eoi(void);

/*
 * Measure the timer's rate against the TSC; once, after the clock works and
 * before lapic_timer is used.  ERR_NO_DEVICE if it does not count.
 */
MUST_CHECK status_t lapic_timer_calibrate(void);

extern const struct timer_source lapic_timer;
extern const struct ipi_ops lapic_ipi;

#endif
