/*
 * irq.h - interrupts of devices: vectors, sharing, routing.
 *
 * A driver asks for an ISA line (0..15), a PCI function's pin (drivers/pci.h
 * resolves it to a line or GSI) or an MSI vector, and gives a handler.  The
 * handler runs with interrupts masked on whichever CPU took it, must be short,
 * and returns true if its device was the one that asked (lines are shared).
 * Behind this are the I/O APICs or the 8259 pair, whichever drives the machine.
 */
#ifndef KERNEL_IRQ_H
#define KERNEL_IRQ_H

#include "kernel/base/status.h"

/* Vectors: exceptions 0-31, devices 32-223, inter-processor and APIC above. */
enum irq_vector {
    VEC_DEVICE_FIRST = 0x20,
    VEC_DEVICE_LAST  = 0xdf,
    VEC_TIMER        = 0xe0,
    VEC_IPI_RESCHED  = 0xf0,
    VEC_IPI_CALL     = 0xf1,
    VEC_IPI_HALT     = 0xf2,
    VEC_APIC_ERROR   = 0xfe,
    VEC_SPURIOUS     = 0xff
};

/* Whether the device had asked for attention. */
typedef bool (*irq_handler_t)(void *arg);

/*
 * One registration, owned by the caller and linked in while it is registered.
 * Fill in handler, arg and name; the rest is irq.c's.
 */
struct irq_action {
    irq_handler_t handler;
    void *arg;
    const char *name;
    struct irq_action *next;
};

/* Register ACTION for ISA line 0..15 and unmask the line. */
MUST_CHECK status_t irq_register_isa(unsigned line, struct irq_action *action);

/* The same for a global system interrupt, level-triggered low as PCI's are. */
MUST_CHECK status_t irq_register_gsi(unsigned gsi, struct irq_action *action);

/* A vector of its own, for MSI: *VECTOR is the data, CPU the destination. */
MUST_CHECK status_t irq_register_msi(struct irq_action *action,
                                     uint8_t *vector);

/* Count of interrupts taken on VECTOR since boot, over all processors. */
uint64_t irq_count(unsigned vector);
const char *irq_name(unsigned vector);

#endif
