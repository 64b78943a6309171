/*
 * irq_lines.c - wired OR (irq_lines.h).
 *
 * The controller hears of a line only when the OR changes: a second source of
 * a line that is up makes no edge, on a real board neither.
 */
#include "vmm/dev/irq_lines.h"

#include "kernel/base/bits.h"
#include "vmm/dev/vpic.h"

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct irq_lines, held, 1),
};

const struct vdev_type irq_lines_type = {
    .name = "irq_lines", .version = 1, .size = sizeof(struct irq_lines),
    .fields = fields, .field_count = ARRAY_LEN(fields),
};

void
irq_lines_init(struct irq_lines *lines, struct vpic *pic)
{
    lines->pic = pic;
}

void
irq_wire_set(const struct irq_wire *wire, bool is_up)
{
    uint32_t *held = &wire->lines->held[wire->line];
    uint32_t before = *held;

    if (is_up)
        *held |= BIT(wire->source);
    else
        *held &= ~BIT(wire->source);
    if ((before != 0) != (*held != 0))
        vpic_set_line(wire->lines->pic, wire->line, *held != 0);
}

void
irq_wire_pulse(const struct irq_wire *wire)
{
    irq_wire_set(wire, false);
    irq_wire_set(wire, true);
}

bool
irq_wire_is_waiting(const struct irq_wire *wire)
{
    return vpic_is_requested(wire->lines->pic, wire->line);
}
