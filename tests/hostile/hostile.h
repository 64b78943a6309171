/*
 * hostile.h - what the guests that attack their monitor share.
 *
 * They are programs of tests/guest, whose runtime they use, but not all of
 * them come to an end: what they do may be their own undoing.  Nobody else may
 * notice, and the monitor must not fall over it.
 */
#ifndef TESTS_HOSTILE_HOSTILE_H
#define TESTS_HOSTILE_HOSTILE_H

#include "guest/guest.h"

/* Where a monitor may be: the last 4 MB. */
#define TOP             0xffc00000u
#define TOP_PAGES       1024u
#define PAGE            4096u

/* Another number each time, and with each start of the VM. */
static inline uint32_t
hostile_random(void)
{
    static uint32_t state;

    if (state == 0)
        state = (uint32_t)rdtsc() | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

#endif
