/*
 * pic.h - the pair of 8259A interrupt controllers of the PC (Intel 8259A data
 * sheet; ELCR: Intel 82371FB data sheet).
 *
 * Lines 0 to 7 are the master's, 8 to 15 the slave's, which hangs on line 2.
 * Line n arrives at vector VEC_DEVICE_FIRST + n.  On machines that use their
 * I/O APIC the pair is set up all the same, and stays masked: a spurious
 * interrupt must not look like an exception.
 */
#ifndef DRIVERS_PIC_H
#define DRIVERS_PIC_H

#include "kernel/irq.h"

#define PIC_LINES       16u

/* Initialize both with all lines masked.  Once, with interrupts masked. */
void pic_init(void);

/*
 * On machines with an IMCR (MultiProcessor Specification 3.6.2.1) disconnect
 * the pair from the processor, so that interrupts go through the APICs.
 */
void pic_disconnect(void);

/* For irq_set_chip() where the pair drives the machine. */
extern const struct irq_chip pic_chip;

#endif
