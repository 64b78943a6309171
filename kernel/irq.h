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

/*
 * Vectors: exceptions 0-31, devices 32-223, inter-processor and APIC above.
 * Guests' INT instructions have two of their own in between: a monitor could
 * not tell a device's interrupt from them.
 */
enum irq_vector {
    VEC_DEVICE_FIRST = 0x20,
    VEC_GUEST_FIRST  = 0x80,
    VEC_GUEST_LAST   = 0x81,
    VEC_DEVICE_LAST  = 0xdf,
    VEC_TIMER        = 0xe0,
    VEC_IPI_RESCHED  = 0xf0,
    VEC_IPI_CALL     = 0xf1,
    VEC_LOG          = 0xf3,    /* to ourselves: show log lines (console) */
    VEC_APIC_ERROR   = 0xfe,
    VEC_SPURIOUS     = 0xff
};

/* Whether the device had asked for attention. */
typedef bool (*irq_handler_t)(void *arg);

/*
 * One registration, owned by the caller and linked in for ever.  Fill in
 * handler, arg and name; next is irq.c's.
 */
struct irq_action {
    irq_handler_t handler;
    void *arg;
    const char *name;
    struct irq_action *next;
};

/* How a line asks for attention. */
struct irq_mode {
    bool level;                 /* else edge */
    bool active_low;            /* else high */
};

/* Register ACTION for ISA line 0..15 and unmask the line. */
MUST_CHECK status_t irq_register_isa(unsigned line, struct irq_action *action);

/* The same for a global system interrupt, level-triggered low as PCI's are. */
MUST_CHECK status_t irq_register_gsi(unsigned gsi, struct irq_action *action);

/* A vector of its own, for MSI: *VECTOR is the message's low byte. */
MUST_CHECK status_t irq_register_msi(struct irq_action *action,
                                     uint8_t *vector);

/* Interrupts taken on VECTOR since boot, and who registered for it or NULL. */
uint64_t irq_count(unsigned vector);
const struct irq_action *irq_actions(unsigned vector);

/*
 * The interrupt controller that drives the machine.  Lines are numbered as
 * global system interrupts (for the 8259 pair: 0..15).  GSI n arrives at
 * vector VEC_DEVICE_FIRST + n, so there are IRQ_GSI_COUNT of them.
 */
#define IRQ_GSI_COUNT   96u

struct irq_chip {
    const char *name;
    /* ERR_NOT_FOUND if there is no such line; the line stays masked. */
    status_t (*route)(unsigned gsi, uint8_t vector, struct irq_mode mode);
    void (*mask)(unsigned gsi);
    void (*unmask)(unsigned gsi);
    void (*eoi)(unsigned gsi);
    bool (*is_spurious)(unsigned gsi);  /* may be NULL */
    void (*eoi_msi)(void);              /* NULL: no MSI */
};

void irq_set_chip(const struct irq_chip *chip);

/* ISA LINE is wired to GSI in MODE (ACPI's overrides); default: edge, high. */
void irq_set_isa_route(unsigned line, unsigned gsi, struct irq_mode mode);

#endif
