/*
 * vuart.h - a 16550A serial port as a PC has it, in front of a character back
 * end.
 *
 * Data sheet: National PC16550D (TL/C/8652).  What a PC adds: OUT2 switches
 * the interrupt through to its line, and a modem is always ready.
 *
 * Bytes go to the back end at once, whatever the divisor says; bytes for the
 * guest are fetched from it when there is room, so none is overrun.  Only the
 * receiver's timeout takes its time, four characters of the line's speed.
 */
#ifndef VMM_DEV_VUART_H
#define VMM_DEV_VUART_H

#include "vmm/dev/backend.h"
#include "vmm/dev/byte_queue.h"
#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vdev.h"

struct vuart_wiring {
    const struct vclock *clock;
    struct irq_wire irq;
    struct char_backend backend;
};

struct vuart {
    struct vuart_wiring wiring;

    struct byte_queue receiver, transmitter;
    uint64_t timeout_at;        /* receiver's; from the last byte in or out */
    uint16_t divisor;
    uint8_t  ier, fcr, lcr, mcr, scratch;
    uint8_t  errors;            /* of LSR */
    uint8_t  modem;             /* MSR, deltas included */
    uint8_t  is_thre_pending;   /* transmitter empty, and not yet told */
};

extern const struct vdev_type vuart_type;

/* At PORT and the seven behind it. */
void vuart_init(struct vuart *u, struct pio_bus *bus, uint16_t port,
                const struct vuart_wiring *wiring);

/* The back end has bytes, or room, again. */
void vuart_ready(struct vuart *u);

#endif
