/*
 * ring.h - bytes from one producer to one consumer, without a lock.
 *
 * The two may run on different CPUs, and either may be an interrupt handler.
 * Several producers (or several consumers) must agree on a lock among
 * themselves; the other side need not take it.
 *
 * `head` counts the bytes taken out and is written by the consumer only,
 * `tail` those put in, by the producer only.  Both run freely and wrap at
 * 2^32, so tail - head is the number of bytes inside even across the wrap, and
 * a ring can be filled to its last byte.
 */
#ifndef KERNEL_BASE_RING_H
#define KERNEL_BASE_RING_H

#include "kernel/base/types.h"

/* The largest size whose fill level an index difference can tell. */
#define RING_SIZE_MAX   0x80000000u

struct ring {
    uint8_t *bytes;
    uint32_t size;          /* a power of two */
    uint32_t head;
    uint32_t tail;
};

/* An empty ring over SIZE bytes at BYTES; SIZE is a power of two. */
void ring_init(struct ring *r, void *bytes, uint32_t size);

/* Producer: put as many of the SIZE bytes in as fit; returns how many. */
uint32_t ring_write(struct ring *r, const void *data, uint32_t size);

/* Consumer: take up to SIZE bytes out; returns how many. */
uint32_t ring_read(struct ring *r, void *data, uint32_t size);

/* One byte: false if the ring is full (put) or empty (get). */
bool ring_put(struct ring *r, uint8_t byte);
bool ring_get(struct ring *r, uint8_t *byte);

/*
 * Bytes inside.  For the consumer at least so many can be read; anybody else
 * gets a number that may be old by the time it is looked at.
 */
uint32_t ring_used(const struct ring *r);

/* Room left.  For the producer at least so many can be written. */
uint32_t ring_room(const struct ring *r);

#endif
