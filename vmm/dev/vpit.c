/*
 * vpit.c - the 8254's ports, port 61h, and the timer interrupt (vpit.h).
 *
 * The interrupt wire goes up with OUT of counter 0.  It goes down when a mode
 * is programmed whose OUT is low, but not in the low half of a square wave:
 * the time in which a guest can take the interrupt would then depend on when
 * its vcpu happens to run.
 *
 * Ticks that a periodic counter made while nobody ran it are delivered late,
 * at twice its rate, and only when the one before was taken; what is more than
 * BACKLOG_NS old is dropped.  A counter faster than VDEV_PACE_NS ticks at that
 * pace, and far slower while nobody takes its ticks.
 *
 * Called at port accesses and at deadlines, with the VM's devices locked.
 */
#include "vmm/dev/vpit.h"

#include "kernel/base/bits.h"
#include "vmm/dev/vpit_int.h"

#define PIT_PORT        0x40u
#define PIT_PORTS       4u
#define CONTROL_OFFSET  3u
#define NSC_PORT        0x61u

/* The control word that selects counter 3 reads back (8254 figure 13). */
#define SELECT_READ_BACK 3u
#define READ_BACK_NO_COUNT BIT(5)
#define READ_BACK_NO_STATUS BIT(4)
#define READ_BACK_FIRST BIT(1)          /* counter 0; the others follow */

#define SPEAKER         2u              /* its counter */
#define NSC_GATE        BIT(0)
#define NSC_STORED      BITS(3, 0)
#define NSC_REFRESH     BIT(4)          /* toggles with each memory refresh */
#define NSC_SPEAKER_OUT BIT(5)
#define REFRESH_PERIODS 18u             /* 15.09 us */

#define BACKLOG_NS      NSEC_PER_SEC
#define IDLE_PACE_NS    (10 * VDEV_PACE_NS)

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vpit, counter, 1),
    VDEV_FIELD(struct vpit, tick_at, 1),
    VDEV_FIELD(struct vpit, backlog, 1),
    VDEV_FIELD(struct vpit, port_61, 1),
};

static int64_t
now_of(const struct vpit *pit)
{
    return (int64_t)vclock_periods(pit->clock->now, VPIT_HZ);
}

static uint64_t
period_ns(const struct vpit_counter *c)
{
    return c->count * NSEC_PER_SEC / VPIT_HZ;
}

/*
 * EDGES ticks are due.  If there are several, nobody ran us, so all but one are
 * late; with them one that the guest had no time to take.
 */
static void
note_ticks(struct vpit *pit, uint64_t edges)
{
    const struct vpit_counter *c = &pit->counter[0];
    uint64_t period = period_ns(c);
    uint64_t late = edges - 1;
    bool is_waiting = irq_wire_is_waiting(&pit->irq);

    if (late > 0 && is_waiting)
        late++;
    irq_wire_pulse(&pit->irq);
    pit->tick_at = pit->clock->now + MAX(period / 2, VDEV_PACE_NS);
    if (period < VDEV_PACE_NS) {
        if (is_waiting)
            pit->tick_at = pit->clock->now + IDLE_PACE_NS;
        return;
    }
    pit->backlog = MIN(pit->backlog + late, BACKLOG_NS / period);
}

static void
catch_up(struct vpit *pit)
{
    if (pit->backlog == 0 || pit->clock->now < pit->tick_at)
        return;
    pit->tick_at = pit->clock->now +
                   MAX(period_ns(&pit->counter[0]) / 2, VDEV_PACE_NS);
    if (irq_wire_is_waiting(&pit->irq))
        return;
    irq_wire_pulse(&pit->irq);
    pit->backlog--;
}

/* All counters are as of now. */
static void
run(void *device)
{
    struct vpit *pit = device;
    int64_t now = now_of(pit);
    uint64_t edges = vpit_counter_advance(&pit->counter[0], now);

    for (unsigned i = 1; i < VPIT_COUNTERS; i++)
        (void)vpit_counter_advance(&pit->counter[i], now);
    if (edges > 0)
        note_ticks(pit, edges);
    else
        catch_up(pit);
}

static uint64_t
deadline(const void *device)
{
    const struct vpit *pit = device;
    const struct vpit_counter *c = &pit->counter[0];
    int64_t edge = vpit_counter_next_edge(c);
    uint64_t at;

    if (edge == PIT_NEVER)
        return VDEV_NEVER;
    at = vclock_time_of((uint64_t)edge, VPIT_HZ);
    if (pit_is_periodic(c) && period_ns(c) < VDEV_PACE_NS)
        at = MAX(at, pit->tick_at);
    return pit->backlog > 0 ? MIN(at, pit->tick_at) : at;
}

/* Programming sets OUT at once, and ticks of before count no longer. */
static void
follow_programming(struct vpit *pit, unsigned number)
{
    if (number != 0)
        return;
    pit->backlog = 0;
    irq_wire_set(&pit->irq, vpit_counter_out(&pit->counter[0], now_of(pit)));
}

static void
read_back(struct vpit *pit, unsigned value)
{
    int64_t now = now_of(pit);

    for (unsigned i = 0; i < VPIT_COUNTERS; i++) {
        if ((value & READ_BACK_FIRST << i) == 0)
            continue;
        if ((value & READ_BACK_NO_COUNT) == 0)
            vpit_counter_latch(&pit->counter[i], now);
        if ((value & READ_BACK_NO_STATUS) == 0)
            vpit_counter_latch_status(&pit->counter[i], now);
    }
}

static void
write_control(struct vpit *pit, uint8_t value)
{
    unsigned number = FIELD_GET(value, CW_SELECT);

    if (number == SELECT_READ_BACK) {
        read_back(pit, value);
    } else if (FIELD_GET(value, CW_RW) == RW_LATCH) {
        vpit_counter_latch(&pit->counter[number], now_of(pit));
    } else {
        vpit_counter_program(&pit->counter[number], value);
        follow_programming(pit, number);
    }
}

/* The control port cannot be read. */
static uint32_t
in(void *device, unsigned offset, UNUSED unsigned size)
{
    struct vpit *pit = device;

    run(pit);
    if (offset == CONTROL_OFFSET)
        return 0;
    return vpit_counter_read(&pit->counter[offset], now_of(pit));
}

/* In mode 0 a count makes OUT low, as the control word did. */
static void
out(void *device, unsigned offset, UNUSED unsigned size, uint32_t value)
{
    struct vpit *pit = device;
    struct vpit_counter *c = &pit->counter[offset % CONTROL_OFFSET];

    run(pit);
    if (offset == CONTROL_OFFSET) {
        write_control(pit, (uint8_t)value);
        return;
    }
    vpit_counter_write(c, now_of(pit), (uint8_t)value);
    if (pit_mode(c) == PIT_TERMINAL_COUNT)
        follow_programming(pit, offset);
}

static uint32_t
nsc_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    struct vpit *pit = device;
    int64_t now = now_of(pit);
    uint32_t value = pit->port_61;

    run(pit);
    if (now / REFRESH_PERIODS % 2 != 0)
        value |= NSC_REFRESH;
    if (vpit_counter_out(&pit->counter[SPEAKER], now))
        value |= NSC_SPEAKER_OUT;
    return value;
}

static void
nsc_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
        uint32_t value)
{
    struct vpit *pit = device;

    run(pit);
    pit->port_61 = value & NSC_STORED;
    vpit_counter_set_gate(&pit->counter[SPEAKER], now_of(pit),
                          (value & NSC_GATE) != 0);
}

/* No mode was programmed: nothing counts.  Counters 0 and 1 have no gate. */
static void
reset(void *device)
{
    struct vpit *pit = device;

    for (unsigned i = 0; i < VPIT_COUNTERS; i++) {
        pit_set(&pit->counter[i], PIT_GATE, i != SPEAKER);
        vpit_counter_program(&pit->counter[i],
                             FIELD_SET(0, CW_RW, RW_BOTH));
    }
}

const struct vdev_type vpit_type = {
    .name = "8254", .version = 1, .size = sizeof(struct vpit),
    .fields = fields, .field_count = ARRAY_LEN(fields),
    .reset = reset, .run = run, .deadline = deadline,
};

void
vpit_init(struct vpit *pit, struct pio_bus *bus, const struct vclock *clock,
          struct irq_wire irq)
{
    static const struct pio_ops counters = { in, out };
    static const struct pio_ops nsc = { nsc_in, nsc_out };

    pit->clock = clock;
    pit->irq = irq;
    pio_bus_claim(bus, &(struct pio_range){
        PIT_PORT, PIT_PORTS, PIO_BYTE, &counters, pit });
    pio_bus_claim(bus, &(struct pio_range){
        NSC_PORT, 1, PIO_BYTE, &nsc, pit });
}
