/*
 * vmm_ring.h - bytes in and out of a ring that two address spaces share
 * (struct vmm_ring in vmm/shared.h).
 *
 * One side only puts, the other only gets, perhaps on another processor.  The
 * counts are what the other side wrote: a reader that does not trust it must
 * bound how many bytes it takes at a time.
 */
#ifndef VMM_VMM_RING_H
#define VMM_VMM_RING_H

#include "kernel/x86/atomic.h"
#include "vmm/shared.h"

static inline uint32_t
vmm_ring_used(const struct vmm_ring *r)
{
    return atomic_load(&r->head) - atomic_load(&r->tail);
}

/* The writer: false if it is full. */
static inline bool
vmm_ring_put(struct vmm_ring *r, uint8_t byte)
{
    uint32_t head = r->head;

    if (head - atomic_load(&r->tail) >= VMM_RING_SIZE)
        return false;
    r->bytes[head % VMM_RING_SIZE] = byte;
    atomic_store(&r->head, head + 1);
    return true;
}

/* The reader: false if it is empty. */
static inline bool
vmm_ring_get(struct vmm_ring *r, uint8_t *byte)
{
    uint32_t tail = r->tail;

    if (atomic_load(&r->head) == tail)
        return false;
    *byte = r->bytes[tail % VMM_RING_SIZE];
    atomic_store(&r->tail, tail + 1);
    return true;
}

#endif
