/*
 * irq.c - from a device's line to its driver's handler.
 *
 * Vectors are fixed by number: GSI n at VEC_DEVICE_FIRST + n, messages (MSI)
 * from VEC_MSI_FIRST up.  A line may have several handlers; all are asked.
 * Registrations are never taken back, so an interrupt walks the chain without a
 * lock.
 *
 * A line that keeps asking while no handler feels responsible would stop the
 * machine; after IRQ_STORM_LIMIT in a row it is masked, with an error logged.
 */
#include "kernel/irq.h"

#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/base/stats.h"
#include "kernel/lock.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"

#define ISA_LINES       16u
#define VEC_MSI_FIRST   (VEC_GUEST_LAST + 1u)
#define IRQ_STORM_LIMIT 10000u

STAT(irq, taken);
STAT(irq, spurious);
STAT(irq, unhandled);

struct irq_line {
    struct irq_action *actions;
    uint64_t count;
    unsigned unhandled;         /* in a row */
};

struct isa_route {
    unsigned gsi;
    struct irq_mode mode;
    bool overridden;
};

static struct lock irq_lock = LOCK_INIT("irq", RANK_IRQ);
static struct irq_line lines[VEC_DEVICE_LAST + 1];  /* by vector; irq_lock */
static struct isa_route isa_routes[ISA_LINES];
static unsigned next_msi = VEC_MSI_FIRST;           /* irq_lock */
static const struct irq_chip *chip;

STATIC_ASSERT(VEC_DEVICE_FIRST + IRQ_GSI_COUNT <= VEC_GUEST_FIRST);
STATIC_ASSERT(VEC_MSI_FIRST < VEC_DEVICE_LAST);

void
irq_set_chip(const struct irq_chip *irq_chip)
{
    chip = irq_chip;
}

void
irq_set_isa_route(unsigned line, unsigned gsi, struct irq_mode mode)
{
    ASSERT(line < ISA_LINES);
    isa_routes[line] = (struct isa_route){ gsi, mode, true };
}

/* Ask all drivers of the line; whether one felt responsible. */
static bool
run_actions(struct irq_line *line)
{
    bool handled = false;

    for (struct irq_action *a = atomic_load(&line->actions); a != NULL;
         a = atomic_load(&a->next))
        if (a->handler(a->arg))
            handled = true;
    return handled;
}

static void
note_unhandled(struct irq_line *line, unsigned gsi)
{
    STAT_INC(irq, unhandled);
    if (++line->unhandled < IRQ_STORM_LIMIT)
        return;
    chip->mask(gsi);
    log_error(MOD_IRQ, "gsi %u masked: %u interrupts that nobody handled",
              gsi, line->unhandled);
    line->unhandled = 0;
}

static void
on_line(struct trapframe *frame)
{
    struct irq_line *line = &lines[frame->vector];
    unsigned gsi = frame->vector - VEC_DEVICE_FIRST;

    if (chip->is_spurious != NULL && chip->is_spurious(gsi)) {
        STAT_INC(irq, spurious);
        return;
    }
    STAT_INC(irq, taken);
    line->count++;
    if (run_actions(line))
        line->unhandled = 0;
    else
        note_unhandled(line, gsi);
    chip->eoi(gsi);
}

static void
on_message(struct trapframe *frame)
{
    STAT_INC(irq, taken);
    lines[frame->vector].count++;
    run_actions(&lines[frame->vector]);
    chip->eoi_msi();
}

/* holds irq_lock */
static void
append_action(struct irq_line *line, struct irq_action *action)
{
    struct irq_action **end = &line->actions;

    action->next = NULL;
    while (*end != NULL)
        end = &(*end)->next;
    atomic_store(end, action);
}

static status_t
register_line(unsigned gsi, struct irq_mode mode, struct irq_action *action)
{
    unsigned vector = VEC_DEVICE_FIRST + gsi;
    status_t status = OK;

    if (chip == NULL || gsi >= IRQ_GSI_COUNT)
        return TRACE_ERR(ERR_UNSUPPORTED);
    lock_acquire(&irq_lock);
    if (lines[vector].actions == NULL) {
        status = chip->route(gsi, (uint8_t)vector, mode);
        if (status == OK)
            trap_set_handler(vector, on_line);
    }
    if (status == OK)
        append_action(&lines[vector], action);
    lock_release(&irq_lock);
    if (status == OK)
        chip->unmask(gsi);
    return status;
}

status_t
irq_register_isa(unsigned line, struct irq_action *action)
{
    const struct isa_route *route;

    if (line >= ISA_LINES)
        return TRACE_ERR(ERR_RANGE);
    route = &isa_routes[line];
    return register_line(route->overridden ? route->gsi : line, route->mode,
                         action);
}

status_t
irq_register_gsi(unsigned gsi, struct irq_action *action)
{
    return register_line(gsi, (struct irq_mode){ true, true }, action);
}

status_t
irq_register_msi(struct irq_action *action, uint8_t *vector)
{
    status_t status = ERR_FULL;

    if (chip == NULL || chip->eoi_msi == NULL)
        return TRACE_ERR(ERR_UNSUPPORTED);
    lock_acquire(&irq_lock);
    if (next_msi <= VEC_DEVICE_LAST) {
        *vector = (uint8_t)next_msi++;
        append_action(&lines[*vector], action);
        trap_set_handler(*vector, on_message);
        status = OK;
    }
    lock_release(&irq_lock);
    return status;
}

uint64_t
irq_count(unsigned vector)
{
    return vector <= VEC_DEVICE_LAST ? lines[vector].count : 0;
}

const struct irq_action *
irq_actions(unsigned vector)
{
    return vector <= VEC_DEVICE_LAST ? lines[vector].actions : NULL;
}
