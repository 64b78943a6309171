/*
 * vps2.h - the keyboard controller 8042 with its keyboard and mouse, ports
 * 60h and 64h.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary
 * device controller"; for what came later, what Linux's i8042 driver expects.
 */
#ifndef VMM_DEV_VPS2_H
#define VMM_DEV_VPS2_H

#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vboard.h"
#include "vmm/dev/vdev.h"
#include "vmm/dev/vkeyboard.h"
#include "vmm/dev/vmouse.h"

#define VPS2_RAM_SIZE   32u

struct vps2_wiring {
    struct irq_wire keyboard_irq, mouse_irq;
    struct vboard *board;       /* A20 and reset */
    struct vkeyboard *keyboard;
    struct vmouse *mouse;
};

struct vps2 {
    struct vps2_wiring wiring;

    uint8_t ram[VPS2_RAM_SIZE]; /* the first is the command byte */
    uint8_t status;             /* port 64h */
    uint8_t output;             /* port 60h; full if status says so */
    uint8_t output_port;        /* P2, without A20 and the interrupts */
    uint8_t command;            /* that waits for its byte, or 0 */
    uint8_t is_break;           /* translation: F0h was there */
};

extern const struct vdev_type vps2_type;

/* Claims the ports 60h and 64h. */
void vps2_init(struct vps2 *c, struct pio_bus *bus,
               const struct vps2_wiring *wiring);

/* Keyboard or mouse may have something to say. */
void vps2_poll(struct vps2 *c);

#endif
