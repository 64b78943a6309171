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
add_board(struct chipset *c)
{
    vboard_init(&c->board, &c->ports, isa_wire(c, IRQ_FPU));
    vbackdoor_init(&c->backdoor, &c->ports, &c->vcpu, c->config.tsc_hz);
    add_device(c, &vboard_type, &c->board);
}

/* Devices before their controller: it takes their bytes when it runs. */
static void
add_input(struct chipset *c)
{
    const struct vps2_wiring wiring = {
        .keyboard_irq = isa_wire(c, IRQ_KEYBOARD),
        .mouse_irq = isa_wire(c, IRQ_MOUSE),
        .board = &c->board, .keyboard = &c->keyboard, .mouse = &c->mouse,
    };

    vkeyboard_init(&c->keyboard, &c->clock);
    vps2_init(&c->ps2, &c->ports, &wiring);
    add_device(c, &vkeyboard_type, &c->keyboard);
    add_device(c, &vmouse_type, &c->mouse);
    add_device(c, &vps2_type, &c->ps2);
}

static void
add_pci(struct chipset *c)
{
    const struct vpiix4_pm_wiring wiring = {
        .clock = &c->clock, .sci = isa_wire(c, IRQ_POWER),
        .board = &c->board, .bus = &c->ports,
    };

    vpci_init(&c->pci, &c->ports);
    vi440bx_init(&c->host_bridge, &c->pci);
    vpiix4_init(&c->isa_bridge, &c->pci, &c->lines);
    vpiix4_pm_init(&c->power, &c->pci, &wiring);
    add_device(c, &vpci_type, &c->pci);
    add_device(c, &vi440bx_type, &c->host_bridge);
    add_device(c, &vpiix4_type, &c->isa_bridge);
    add_device(c, &vpiix4_pm_type, &c->power);
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
    add_board(c);
    add_timers(c);
    add_serials(c);
    add_input(c);
    add_pci(c);
    for (unsigned i = 0; i < c->device_count; i++)
        vdev_power_on(&c->devices[i]);
    c->is_touched = true;
}

void
chipset_reset(struct chipset *c)
{
    for (unsigned i = 0; i < c->device_count; i++)
        vdev_reset(&c->devices[i]);
    c->is_touched = true;
}

static uint64_t
earliest(const struct chipset *c)
{
    uint64_t next = VDEV_NEVER;

    for (unsigned i = 0; i < c->device_count; i++) {
        const struct vdev *d = &c->devices[i];

        if (d->type->deadline != NULL)
            next = MIN(next, d->type->deadline(d->device));
    }
    return next;
}

uint64_t
chipset_next_deadline(struct chipset *c)
{
    if (c->is_touched)
        c->deadline = earliest(c);
    c->is_touched = false;
    return MAX(c->deadline, c->clock.now + 1);
}

/* Before the deadline time alone changes nothing: most calls are short. */
void
chipset_run(struct chipset *c, uint64_t now)
{
    uint64_t deadline = chipset_next_deadline(c);

    c->clock.now = MAX(c->clock.now, now);
    if (c->clock.now < deadline)
        return;
    for (unsigned i = 0; i < c->device_count; i++)
        if (c->devices[i].type->run != NULL)
            c->devices[i].type->run(c->devices[i].device);
    c->is_touched = true;
}

uint32_t
chipset_port_in(struct chipset *c, uint16_t port, unsigned size)
{
    c->is_touched = true;
    return pio_bus_in(&c->ports, port, size);
}

void
chipset_port_out(struct chipset *c, uint16_t port, unsigned size,
                 uint32_t value)
{
    c->is_touched = true;
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
    c->is_touched = true;
}

void
chipset_key(struct chipset *c, uint8_t key, bool is_down)
{
    vkeyboard_key(&c->keyboard, key, is_down);
    vps2_poll(&c->ps2);
    c->is_touched = true;
}

void
chipset_move_mouse(struct chipset *c, const struct mouse_motion *motion)
{
    vmouse_move(&c->mouse, motion);
    vps2_poll(&c->ps2);
    c->is_touched = true;
}

void
chipset_fpu_error(struct chipset *c)
{
    irq_wire_set(&c->board.fpu_irq, true);
}
