/*
 * vkeyboard.h - a PC keyboard: scan codes in set 1 or 2, and the commands of
 * the IBM Personal System/2 keyboard.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and
 * 102-key)"; Microsoft's Keyboard Scan Code Specification for the codes.
 */
#ifndef VMM_DEV_VKEYBOARD_H
#define VMM_DEV_VKEYBOARD_H

#include "vmm/dev/byte_queue.h"
#include "vmm/dev/vdev.h"

/*
 * A key is known by its code in set 1: 01h (Esc) to 58h (F12), and with this
 * bit where E0h comes before it.
 */
#define VKEY_EXTENDED   0x80u
/* The key that sends E1h 1Dh 45h and more, and nothing when released. */
#define VKEY_PAUSE      0xffu

struct vkeyboard {
    const struct vclock *clock;

    struct byte_queue answers;  /* to commands: they go before keys */
    struct byte_queue keys;
    uint64_t repeat_at;         /* of `held` */
    uint8_t  held;              /* the last key pressed; 0: none */
    uint8_t  command;           /* that waits for its argument, or 0 */
    uint8_t  set;               /* of scan codes: 1 or 2 */
    uint8_t  typematic;         /* delay and rate, as in F3h's argument */
    uint8_t  leds;
    uint8_t  is_off;            /* scanning is disabled */
    uint8_t  last;              /* byte sent, for a resend */
};

extern const struct vdev_type vkeyboard_type;

void vkeyboard_init(struct vkeyboard *k, const struct vclock *clock);

/* A byte from the controller. */
void vkeyboard_write(struct vkeyboard *k, uint8_t byte);

/* The next byte for the controller, or false. */
bool vkeyboard_read(struct vkeyboard *k, uint8_t *byte);

/* A key goes down or up. */
void vkeyboard_key(struct vkeyboard *k, uint8_t key, bool is_down);

/* Set 2's code in set 1, which is what an 8042 translates to. */
uint8_t vkeyboard_translate(uint8_t code);

#endif
