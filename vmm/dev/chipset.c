/*
 * chipset.c - puts the devices of a VM together (chipset.h).
 *
 * The list of devices is in the order in which they are made, reset and run;
 * nothing depends on it but that wires are reset before who holds them up.
 */
#include "vmm/dev/chipset.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"

#define COM1_PORT       0x3f8u
#define COM2_PORT       0x2f8u

static void
add_device(struct chipset *c, const struct vdev_type *type, void *device)
{
    ASSERT(c->device_count < CHIPSET_DEVICES_MAX);
    c->devices[c->device_count++] = (struct vdev){ type, device };
}

static void
add_interrupts(struct chipset *c)
{
    vpic_init(&c->pic, &c->ports);
    irq_lines_init(&c->lines, &c->pic);
    add_device(c, &vpic_type, &c->pic);
    add_device(c, &irq_lines_type, &c->lines);
}

/* A device's own line. */
static struct irq_wire
isa_wire(struct chipset *c, enum irq_line line)
{
    return (struct irq_wire){ &c->lines, (uint8_t)line, IRQ_SOURCE_ISA };
}

static void
add_serials(struct chipset *c)
{
    static const struct { uint16_t port; enum irq_line line; } places[] = {
        { COM1_PORT, IRQ_SERIAL_1 }, { COM2_PORT, IRQ_SERIAL_2 },
    };

    for (unsigned i = 0; i < CHIPSET_SERIALS; i++) {
        const struct vuart_wiring wiring = {
            &c->clock, isa_wire(c, places[i].line), c->config.serial[i] };

        vuart_init(&c->serial[i], &c->ports, places[i].port, &wiring);
        add_device(c, &vuart_type, &c->serial[i]);
    }
}

static void
add_timers(struct chipset *c)
{
    vpit_init(&c->pit, &c->ports, &c->clock, isa_wire(c, IRQ_TIMER));
    vrtc_init(&c->rtc, &c->ports, &c->clock, isa_wire(c, IRQ_RTC));
    add_device(c, &vpit_type, &c->pit);
    add_device(c, &vrtc_type, &c->rtc);
}

void
chipset_init(struct chipset *c, const struct chipset_config *config,
             uint64_t now)
{
    memset(c, 0, sizeof(*c));
    c->config = *config;
    c->clock.now = now;
    c->clock.wall_base = config->wall_base;
    pio_bus_init(&c->ports);
    add_interrupts(c);
    vboard_init(&c->board, &c->ports);
    add_device(c, &vboard_type, &c->board);
    add_timers(c);
    add_serials(c);
    for (unsigned i = 0; i < c->device_count; i++)
        vdev_power_on(&c->devices[i]);
}

void
chipset_reset(struct chipset *c)
{
    for (unsigned i = 0; i < c->device_count; i++)
        vdev_reset(&c->devices[i]);
}

void
chipset_run(struct chipset *c, uint64_t now)
{
    c->clock.now = MAX(c->clock.now, now);
    for (unsigned i = 0; i < c->device_count; i++)
        if (c->devices[i].type->run != NULL)
            c->devices[i].type->run(c->devices[i].device);
}

uint64_t
chipset_next_deadline(const struct chipset *c)
{
    uint64_t next = VDEV_NEVER;

    for (unsigned i = 0; i < c->device_count; i++) {
        const struct vdev *d = &c->devices[i];

        if (d->type->deadline != NULL)
            next = MIN(next, d->type->deadline(d->device));
    }
    return MAX(next, c->clock.now + 1);
}

uint32_t
chipset_port_in(struct chipset *c, uint16_t port, unsigned size)
{
    return pio_bus_in(&c->ports, port, size);
}

void
chipset_port_out(struct chipset *c, uint16_t port, unsigned size,
                 uint32_t value)
{
    pio_bus_out(&c->ports, port, size, value);
}

bool
chipset_is_interrupt_pending(const struct chipset *c)
{
    return vpic_is_pending(&c->pic);
}

uint8_t
chipset_acknowledge(struct chipset *c)
{
    return vpic_acknowledge(&c->pic);
}

uint32_t
chipset_take_requests(struct chipset *c)
{
    uint32_t requests = c->board.requests;

    c->board.requests = 0;
    return requests;
}

bool
chipset_is_a20_on(const struct chipset *c)
{
    return !c->board.is_a20_off;
}

void
chipset_serial_ready(struct chipset *c, unsigned serial)
{
    ASSERT(serial < CHIPSET_SERIALS);
    vuart_ready(&c->serial[serial]);
}
