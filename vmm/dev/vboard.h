/*
 * vboard.h - what is on the board beside the chips: the A20 gate, ports 80h
 * and 92h, the reset register CF9h, and the wires to whoever owns the VM.
 *
 * 82371AB 4.2.6 (port 92h), 4.2.7 (CF9h, RC), 4.2.8 (F0h).
 *
 * Port 92h and the keyboard controller drive one A20 gate: who wrote last has
 * decided, and both read what it is.  An error of the FPU that the processor
 * reports by its FERR# pin holds IRQ 13 until something is written to F0h.
 */
#ifndef VMM_DEV_VBOARD_H
#define VMM_DEV_VBOARD_H

#include "kernel/base/bits.h"
#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vdev.h"

/* What a device asks of the VM's owner: bits. */
enum vboard_request {
    REQUEST_INIT = BIT(0),      /* INIT#: keyboard controller, port 92h, CF9h */
    REQUEST_RESET = BIT(1),     /* RST#: the whole board, by CF9h */
    REQUEST_POWER_OFF = BIT(2), /* soft off, by the power management */
    REQUEST_A20 = BIT(3),       /* is_a20_off has changed */
};

struct vboard {
    struct irq_wire fpu_irq;

    uint32_t requests;          /* enum vboard_request */
    uint8_t  is_a20_off;
    uint8_t  post_code;         /* port 80h */
    uint8_t  port_92;           /* without A20 */
    uint8_t  reset_control;     /* CF9h */
};

extern const struct vdev_type vboard_type;

/* Claims the ports 80h, 92h, F0h and CF9h. */
void vboard_init(struct vboard *board, struct pio_bus *bus,
                 struct irq_wire fpu_irq);

void vboard_request(struct vboard *board, enum vboard_request request);

void vboard_set_a20(struct vboard *board, bool is_on);

#endif
