/*
 * pio_bus.c - finds the device at a port, and splits what is too wide
 * (pio_bus.h).
 *
 * The search is linear: an access has cost an exit already, and there are few
 * ranges.  Bytes beyond port 65535 belong to nobody.
 */
#include "vmm/dev/pio_bus.h"

#include "kernel/base/assert.h"

#define BITS_PER_BYTE   8u
#define ALL_ONES        0xffu

void
pio_bus_init(struct pio_bus *bus)
{
    bus->count = 0;
}

unsigned
pio_bus_claim(struct pio_bus *bus, const struct pio_range *range)
{
    ASSERT(bus->count < PIO_RANGES_MAX);
    bus->ranges[bus->count] = *range;
    return bus->count++;
}

void
pio_bus_move(struct pio_bus *bus, unsigned number, uint16_t first,
             uint16_t count)
{
    ASSERT(number < bus->count);
    bus->ranges[number].first = first;
    bus->ranges[number].count = count;
}

/* The range that takes the access whole, or NULL. */
static const struct pio_range *
find(const struct pio_bus *bus, uint32_t port, unsigned size)
{
    for (unsigned i = 0; i < bus->count; i++) {
        const struct pio_range *r = &bus->ranges[i];

        if ((r->sizes & size) != 0 && port % size == 0 && port >= r->first &&
            port + size <= (uint32_t)r->first + r->count)
            return r;
    }
    return NULL;
}

/* PORT may have run past 65535.  At most two halvings deep. */
static uint32_t
in(const struct pio_bus *bus, uint32_t port, unsigned size)
{
    const struct pio_range *r = find(bus, port, size);
    unsigned half = size / 2;
    uint32_t low;

    if (r != NULL)
        return r->ops->in(r->device, port - r->first, size);
    if (size == 1)
        return ALL_ONES;
    low = in(bus, port, half);
    return low | in(bus, port + half, half) << half * BITS_PER_BYTE;
}

static void
out(const struct pio_bus *bus, uint32_t port, unsigned size, uint32_t value)
{
    const struct pio_range *r = find(bus, port, size);
    unsigned half = size / 2;

    if (r != NULL) {
        r->ops->out(r->device, port - r->first, size, value);
        return;
    }
    if (size == 1)
        return;
    out(bus, port, half, value & (~0u >> (32 - half * BITS_PER_BYTE)));
    out(bus, port + half, half, value >> half * BITS_PER_BYTE);
}

uint32_t
pio_bus_in(struct pio_bus *bus, uint16_t port, unsigned size)
{
    return in(bus, port, size);
}

void
pio_bus_out(struct pio_bus *bus, uint16_t port, unsigned size, uint32_t value)
{
    out(bus, port, size, value);
}
