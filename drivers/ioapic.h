/*
 * ioapic.h - I/O APICs (Intel 82093AA data sheet): from device lines to
 * processors.
 *
 * A machine has one or several; each serves a range of global system
 * interrupts (GSIs) from its base on.  All interrupts go to the processor that
 * set the chip up.
 */
#ifndef DRIVERS_IOAPIC_H
#define DRIVERS_IOAPIC_H

#include "kernel/base/addr.h"
#include "kernel/irq.h"

#define IOAPIC_MAX      8u

/*
 * Take the I/O APIC at BASE into service, all lines masked.  The tables that
 * announce it are not trusted: ERR_NO_DEVICE if nothing is there, ERR_EXISTS if
 * its lines overlap another's, ERR_FULL, ERR_RANGE.  Boot processor.
 */
MUST_CHECK status_t ioapic_add(maddr_t base, unsigned gsi_base);

/* How many are in service, and how many GSIs they serve in all. */
unsigned ioapic_count(void);
unsigned ioapic_line_count(void);

/* For irq_set_chip(); needs lapic_init. */
extern const struct irq_chip ioapic_chip;

#endif
