/*
 * byte_queue.h - a short queue of bytes inside a device's state: the FIFOs of
 * a serial port, the buffer of a keyboard.
 *
 * Plain numbers, so that it can be a field of a device (vdev.h).  All zero is
 * empty.
 */
#ifndef VMM_DEV_BYTE_QUEUE_H
#define VMM_DEV_BYTE_QUEUE_H

#include "kernel/base/assert.h"
#include "kernel/base/types.h"

#define BYTE_QUEUE_SIZE 16u

struct byte_queue {
    uint8_t first, count;
    uint8_t bytes[BYTE_QUEUE_SIZE];
};

static inline unsigned
byte_queue_room(const struct byte_queue *q)
{
    return BYTE_QUEUE_SIZE - q->count;
}

/* There must be room. */
static inline void
byte_queue_put(struct byte_queue *q, uint8_t byte)
{
    ASSERT(q->count < BYTE_QUEUE_SIZE);
    q->bytes[(q->first + q->count) % BYTE_QUEUE_SIZE] = byte;
    q->count++;
}

/* There must be a byte. */
static inline uint8_t
byte_queue_peek(const struct byte_queue *q)
{
    ASSERT(q->count > 0);
    return q->bytes[q->first % BYTE_QUEUE_SIZE];
}

static inline uint8_t
byte_queue_get(struct byte_queue *q)
{
    uint8_t byte = byte_queue_peek(q);

    q->first = (uint8_t)((q->first + 1) % BYTE_QUEUE_SIZE);
    q->count--;
    return byte;
}

#endif
