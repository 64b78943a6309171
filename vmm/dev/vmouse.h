/*
 * vmouse.h - a PS/2 mouse with three buttons and, once its driver has asked
 * for it, a wheel (IntelliMouse).
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Mouse"; Microsoft's
 * IntelliMouse protocol: the sample rates 200, 100, 80 one after the other
 * make it device 3, whose packets have a fourth byte.
 */
#ifndef VMM_DEV_VMOUSE_H
#define VMM_DEV_VMOUSE_H

#include "vmm/dev/byte_queue.h"
#include "vmm/dev/vdev.h"

/* What happened since the last one; y and the wheel count downwards. */
struct mouse_motion {
    int16_t x, y, wheel;
    uint8_t buttons;            /* as they are now: enum mouse_button */
};

enum mouse_button { MOUSE_LEFT = 1, MOUSE_RIGHT = 2, MOUSE_MIDDLE = 4 };

struct vmouse {
    struct byte_queue answers;  /* to commands: they go before packets */
    struct byte_queue packet;
    int16_t  x, y, wheel;       /* not yet reported */
    uint8_t  buttons, reported; /* now, and in the last packet */
    uint8_t  command;           /* that waits for its argument, or 0 */
    uint8_t  mode;              /* enum vmouse_mode */
    uint8_t  resolution, rate;
    uint8_t  rates[2];          /* the two before */
    uint8_t  id;                /* 0, or 3 with a wheel */
    uint8_t  last;              /* byte sent, for a resend */
};

enum vmouse_mode {
    MOUSE_REPORTING = 1,        /* in stream mode, packets come by themselves */
    MOUSE_REMOTE = 2,
    MOUSE_WRAP = 4,             /* bytes are sent back */
    MOUSE_SCALING = 8,          /* 2:1 */
};

extern const struct vdev_type vmouse_type;

/* A byte from the controller. */
void vmouse_write(struct vmouse *m, uint8_t byte);

/* The next byte for the controller, or false. */
bool vmouse_read(struct vmouse *m, uint8_t *byte);

void vmouse_move(struct vmouse *m, const struct mouse_motion *motion);

#endif
