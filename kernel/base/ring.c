/*
 * ring.c - bytes from one producer to one consumer, without a lock (ring.h).
 *
 * Who owns an index reads it plainly and publishes it with a release store;
 * the other side reads it with an acquire load.  So a byte is in memory before
 * the tail that covers it is seen, and has been copied out before the head
 * that frees its place is seen.  (C11 5.1.2.4; on x86 both are plain moves,
 * and only the compiler is held back.)
 *
 * Pure: linked into VMkernel, monitor and tests alike.
 */
#include "kernel/base/ring.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"

static uint32_t
load(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void
publish(uint32_t *index, uint32_t value)
{
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void
ring_init(struct ring *r, void *bytes, uint32_t size)
{
    ASSERT(IS_POWER_OF_2(size) && size <= RING_SIZE_MAX);
    *r = (struct ring){ .bytes = bytes, .size = size };
}

uint32_t
ring_write(struct ring *r, const void *data, uint32_t size)
{
    const uint8_t *from = data;
    uint32_t room = ring_room(r);
    uint32_t n = MIN(size, room);
    uint32_t at = r->tail & (r->size - 1);
    uint32_t first = MIN(n, r->size - at);

    if (n == 0)
        return 0;
    memcpy(r->bytes + at, from, first);
    memcpy(r->bytes, from + first, n - first);
    publish(&r->tail, r->tail + n);
    return n;
}

uint32_t
ring_read(struct ring *r, void *data, uint32_t size)
{
    uint8_t *to = data;
    uint32_t used = ring_used(r);
    uint32_t n = MIN(size, used);
    uint32_t at = r->head & (r->size - 1);
    uint32_t first = MIN(n, r->size - at);

    if (n == 0)
        return 0;
    memcpy(to, r->bytes + at, first);
    memcpy(to + first, r->bytes, n - first);
    publish(&r->head, r->head + n);
    return n;
}

bool
ring_put(struct ring *r, uint8_t byte)
{
    return ring_write(r, &byte, 1) == 1;
}

bool
ring_get(struct ring *r, uint8_t *byte)
{
    return ring_read(r, byte, 1) == 1;
}

/*
 * Somebody who is neither producer nor consumer may load the two indexes at
 * different moments; the head is loaded first, so that the difference is never
 * negative, and the result is cut to what a ring can hold.
 */
uint32_t
ring_used(const struct ring *r)
{
    uint32_t head = load(&r->head);
    uint32_t used = load(&r->tail) - head;

    return MIN(used, r->size);
}

uint32_t
ring_room(const struct ring *r)
{
    return r->size - ring_used(r);
}
