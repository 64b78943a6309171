/*
 * irq_lines.h - the wires between devices and the interrupt controller.
 *
 * A line may have several sources, each of which holds it up or not: it is up
 * while one of them does, which is how level-triggered lines are shared.
 * Whether an edge or the level counts is the controller's business (ELCR).
 * PCI's INTA# to INTD# are sources that the ISA bridge connects to a line.
 *
 * The devices see wires only, so that another controller can take their ends.
 */
#ifndef VMM_DEV_IRQ_LINES_H
#define VMM_DEV_IRQ_LINES_H

#include "vmm/dev/vdev.h"

#define IRQ_LINES       16u

/* Lines as a PC has them. */
enum irq_line {
    IRQ_TIMER = 0,
    IRQ_KEYBOARD = 1,
    IRQ_CASCADE = 2,            /* the slave's; no device */
    IRQ_SERIAL_2 = 3,
    IRQ_SERIAL_1 = 4,
    IRQ_RTC = 8,
    IRQ_POWER = 9,              /* ACPI's system control interrupt */
    IRQ_MOUSE = 12,
    IRQ_FPU = 13,
};

/* Who may hold a line up: bits of irq_lines.held. */
enum irq_source {
    IRQ_SOURCE_ISA,             /* the line's ISA device */
    IRQ_SOURCE_PIRQ_A,          /* PCI interrupts A to D */
    IRQ_SOURCE_PIRQ_D = IRQ_SOURCE_PIRQ_A + 3,
};

struct vpic;

struct irq_lines {
    struct vpic *pic;                   /* wiring */
    uint32_t held[IRQ_LINES];           /* by which sources; a bit each */
};

/* A device's end of a wire. */
struct irq_wire {
    struct irq_lines *lines;
    uint8_t line;               /* enum irq_line */
    uint8_t source;             /* enum irq_source */
};

extern const struct vdev_type irq_lines_type;

void irq_lines_init(struct irq_lines *lines, struct vpic *pic);

/* Hold the line up, or let it go. */
void irq_wire_set(const struct irq_wire *wire, bool is_up);

/* Down and up again: an edge whatever it was before. */
void irq_wire_pulse(const struct irq_wire *wire);

/* Has the controller not yet passed on what it latched of this line? */
bool irq_wire_is_waiting(const struct irq_wire *wire);

#endif
