/*
 * keymap.h - PC keyboard scan codes (set 1, which the 8042 translates to) into
 * what a terminal with a US keyboard would send.
 *
 * Characters are ASCII; Ctrl gives control characters, Alt puts an ESC before.
 * Cursor and editing keys give the VT220's sequences (ESC [ A and so on); the
 * digits of the keypad are those same keys, as without Num Lock.  Pure.
 */
#ifndef DRIVERS_KEYMAP_H
#define DRIVERS_KEYMAP_H

#include "kernel/base/types.h"

/* The most bytes that one key gives. */
#define KEYMAP_OUT_MAX  6u

struct keymap {
    uint8_t held;               /* modifier keys that are down */
    bool caps;
    bool extended;              /* the last byte was 0xe0 */
    unsigned skip;              /* bytes of the Pause key still to come */
};

/* Feed one byte from the keyboard; how many bytes it puts into OUT. */
size_t keymap_feed(struct keymap *map, uint8_t code,
                   char out[static KEYMAP_OUT_MAX]);

#endif
