/*
 * poison.h - bytes that show what a piece of memory was when a bug is found.
 *
 * Debug builds fill memory that is free, so that what still uses it sees
 * nonsense, and look before the memory is used again whether somebody wrote
 * there.  A pointer made of such bytes lies outside of everything mapped
 * (DEADDEAD...) or in the VMkernel's unmapped top, and faults.
 */
#ifndef MM_POISON_H
#define MM_POISON_H

#include "kernel/base/types.h"

#define POISON_PAGE     0xd9u   /* a free page */
#define POISON_FRESH    0xc5u   /* heap memory nobody has written yet */
#define POISON_DEAD     0xdeu   /* heap memory that was freed */
#define POISON_ZONE     0xfbu   /* behind a heap block: nobody may write */

#ifdef DEBUG
#define POISON_ON       true
#else
#define POISON_ON       false
#endif

static inline bool
poison_intact(const void *ptr, uint8_t byte, size_t size)
{
    const uint8_t *p = ptr;

    while (size > 0 && *p == byte) {
        p++;
        size--;
    }
    return size == 0;
}

#endif
