/*
 * vrtc.c - registers and interrupts of the real-time clock (vrtc.h).
 *
 * Invariant: after sync() the registers show the second that it is, and
 * register C has a flag for every event since it was read last.  Flags are
 * raised whether their interrupt is enabled or not, so software may poll them;
 * but deadlines are asked for only where a wire would go up.
 *
 * Time stands still while SET of register B or a reset of the divider holds
 * it.  SET keeps the phase of the second; a divider let go makes the next
 * second begin half a second later.  Periodic interrupts missed while nobody
 * ran the clock come at up to twice their rate, one second's worth at most.
 *
 * Called at port accesses and deadlines, with the VM's devices locked.
 */
#include "vmm/dev/vrtc.h"

#include "kernel/base/assert.h"
#include "vmm/dev/vrtc_int.h"

#define RTC_PORT        0x70u
#define PORT_DATA       1u

#define INDEX_NMI_OFF   BIT(7)
#define INDEX_REGISTER  BITS(6, 0)

#define A_UIP           BIT(7)
#define A_DIVIDER       BITS(6, 4)
#define A_RATE          BITS(3, 0)
#define A_DEFAULT       0x26u           /* 32768 Hz; 1024 Hz */
/* Both bits of this set hold the divider in reset: A's table 4. */
#define A_DIVIDER_RESET BITS(6, 5)

#define B_SET           BIT(7)
#define B_UIE           BIT(4)
#define B_SQWE          BIT(3)
#define B_ENABLES       BITS(6, 4)      /* periodic, alarm, update-ended */

#define C_IRQF          BIT(7)
#define C_PF            BIT(6)
#define C_AF            BIT(5)
#define C_UF            BIT(4)
#define D_VRT           BIT(7)          /* the battery is good */

#define CRYSTAL_HZ      32768u
#define RATE_MIN        3u              /* 1 and 2 are as 8 and 9 */
#define RATE_FOLD       7u
#define HALF_SECOND     (NSEC_PER_SEC / 2)
/* UIP is set 244 us before an update, which takes 1984 us: A's table 6. */
#define UIP_NS          (2228 * NSEC_PER_USEC)

static const struct vdev_field fields[] = {
    VDEV_KEPT_FIELD(struct vrtc, cmos, 1),
    VDEV_KEPT_FIELD(struct vrtc, base, 1),
    VDEV_KEPT_FIELD(struct vrtc, base_at, 1),
    VDEV_KEPT_FIELD(struct vrtc, shown, 1),
    VDEV_KEPT_FIELD(struct vrtc, synced_at, 1),
    VDEV_FIELD(struct vrtc, tick_at, 1),
    VDEV_FIELD(struct vrtc, backlog, 1),
    VDEV_FIELD(struct vrtc, index, 1),
};

static bool
is_divider_reset(const struct vrtc *rtc)
{
    return (rtc->cmos[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static bool
is_running(const struct vrtc *rtc)
{
    return !is_divider_reset(rtc) && (rtc->cmos[RTC_B] & B_SET) == 0;
}

static uint64_t
second_at(const struct vrtc *rtc, uint64_t ns)
{
    return rtc->base + (ns - rtc->base_at) / NSEC_PER_SEC;
}

/* Periods of the crystal per periodic interrupt; 0: none. */
static uint32_t
crystal_periods(const struct vrtc *rtc)
{
    unsigned rate = FIELD_GET(rtc->cmos[RTC_A], A_RATE);

    if (rate == 0 || is_divider_reset(rtc))
        return 0;
    return BIT((rate < RATE_MIN ? rate + RATE_FOLD : rate) - 1);
}

static uint64_t
periodic_events(uint64_t ns, uint32_t periods)
{
    return vclock_periods(ns, CRYSTAL_HZ) / periods;
}

static void
update_irq(struct vrtc *rtc)
{
    uint8_t *c = &rtc->cmos[RTC_C];
    bool is_up = (*c & rtc->cmos[RTC_B] & B_ENABLES) != 0;

    *c = (uint8_t)(is_up ? *c | C_IRQF : *c & ~C_IRQF);
    irq_wire_set(&rtc->irq, is_up);
}

/* The periodic interrupts since the last sync. */
static void
sync_periodic(struct vrtc *rtc)
{
    uint32_t periods = crystal_periods(rtc);
    uint64_t now = rtc->clock->now, events, ns;

    if (periods == 0)
        return;
    ns = periods * NSEC_PER_SEC / CRYSTAL_HZ;
    events = periodic_events(now, periods) -
             periodic_events(rtc->synced_at, periods);
    if (events > 0 && (rtc->cmos[RTC_C] & C_PF) == 0) {
        rtc->cmos[RTC_C] |= C_PF;
        rtc->backlog = (uint32_t)MIN(rtc->backlog + events - 1,
                                     CRYSTAL_HZ / periods);
        rtc->tick_at = now + ns / 2;
    } else if (rtc->backlog > 0 && now >= rtc->tick_at &&
               (rtc->cmos[RTC_C] & C_PF) == 0) {
        rtc->cmos[RTC_C] |= C_PF;
        rtc->backlog--;
        rtc->tick_at = now + ns / 2;
    }
}

static void
sync_seconds(struct vrtc *rtc)
{
    uint64_t second;

    if (!is_running(rtc))
        return;
    second = second_at(rtc, rtc->clock->now);
    if (second == rtc->shown)
        return;
    rtc->cmos[RTC_C] |= C_UF;
    if (vrtc_time_next_alarm(rtc->cmos, rtc->shown) <= second)
        rtc->cmos[RTC_C] |= C_AF;
    vrtc_time_encode(rtc->cmos, second);
    rtc->shown = second;
}

static void
sync(struct vrtc *rtc)
{
    sync_periodic(rtc);
    sync_seconds(rtc);
    rtc->synced_at = rtc->clock->now;
    update_irq(rtc);
}

/* The registers were changed, or may count again: go on from what they say. */
static void
rebase(struct vrtc *rtc, uint64_t phase)
{
    rtc->base = vrtc_time_decode(rtc->cmos);
    rtc->base_at = rtc->clock->now - MIN(phase, rtc->clock->now);
    rtc->shown = rtc->base;
}

static uint64_t
phase(const struct vrtc *rtc)
{
    return (rtc->clock->now - rtc->base_at) % NSEC_PER_SEC;
}

static uint8_t
read_a(const struct vrtc *rtc)
{
    bool is_near = is_running(rtc) && phase(rtc) >= NSEC_PER_SEC - UIP_NS;

    return rtc->cmos[RTC_A] | (is_near ? A_UIP : 0);
}

static void
write_a(struct vrtc *rtc, uint8_t value)
{
    bool was_reset = is_divider_reset(rtc);

    rtc->cmos[RTC_A] = value & (A_DIVIDER | A_RATE);
    rtc->backlog = 0;
    if (was_reset && !is_divider_reset(rtc))
        rebase(rtc, HALF_SECOND);
}

/* SET ends a wait for the update; letting it go counts what was written. */
static void
write_b(struct vrtc *rtc, uint8_t value)
{
    if (value & B_SET & ~rtc->cmos[RTC_B])
        value &= (uint8_t)~B_UIE;
    rtc->cmos[RTC_B] = value;
    rtc->backlog = 0;
    rebase(rtc, phase(rtc));
}

static uint8_t
read_c(struct vrtc *rtc)
{
    uint8_t value = rtc->cmos[RTC_C];

    rtc->cmos[RTC_C] = 0;
    update_irq(rtc);
    return value;
}

static uint8_t
read_register(struct vrtc *rtc, unsigned reg)
{
    switch (reg) {
    case RTC_A:
        return read_a(rtc);
    case RTC_C:
        return read_c(rtc);
    case RTC_D:
        return D_VRT;
    default:
        return rtc->cmos[reg];
    }
}

static void
write_register(struct vrtc *rtc, unsigned reg, uint8_t value)
{
    switch (reg) {
    case RTC_A:
        write_a(rtc, value);
        break;
    case RTC_B:
        write_b(rtc, value);
        break;
    case RTC_C:
    case RTC_D:
        break;                          /* read-only */
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_DAY:
    case RTC_MONTH:
    case RTC_YEAR:
    case RTC_CENTURY:
        rtc->cmos[reg] = value;
        if (is_running(rtc))
            rebase(rtc, phase(rtc));
        break;
    default:
        rtc->cmos[reg] = value;
        break;
    }
}

/* The index cannot be read back. */
static uint32_t
in(void *device, unsigned offset, UNUSED unsigned size)
{
    struct vrtc *rtc = device;

    if (offset != PORT_DATA)
        return UINT8_MAX;
    sync(rtc);
    return read_register(rtc, rtc->index & INDEX_REGISTER);
}

static void
out(void *device, unsigned offset, UNUSED unsigned size, uint32_t value)
{
    struct vrtc *rtc = device;

    if (offset != PORT_DATA) {
        rtc->index = (uint8_t)value;
        return;
    }
    sync(rtc);
    write_register(rtc, rtc->index & INDEX_REGISTER, (uint8_t)value);
    update_irq(rtc);
}

static void
run(void *device)
{
    sync(device);
}

static uint64_t
next_periodic(const struct vrtc *rtc)
{
    uint32_t periods = crystal_periods(rtc);
    uint64_t next;

    if (periods == 0)
        return VDEV_NEVER;
    next = periodic_events(rtc->synced_at, periods) + 1;
    next = vclock_time_of(next * periods, CRYSTAL_HZ);
    return rtc->backlog > 0 ? MIN(next, rtc->tick_at) : next;
}

/* When SECOND begins; VDEV_NEVER if that is too far away to say. */
static uint64_t
time_of(const struct vrtc *rtc, uint64_t second)
{
    if (second == VDEV_NEVER ||
        second - rtc->base >= (VDEV_NEVER - rtc->base_at) / NSEC_PER_SEC)
        return VDEV_NEVER;
    return rtc->base_at + (second - rtc->base) * NSEC_PER_SEC;
}

/* For each interrupt that is enabled and not pending already. */
static uint64_t
deadline(const void *device)
{
    const struct vrtc *rtc = device;
    unsigned wanted = rtc->cmos[RTC_B] & B_ENABLES;
    uint64_t next = VDEV_NEVER;

    if (wanted & rtc->cmos[RTC_C])
        return VDEV_NEVER;
    if (wanted & C_PF)
        next = next_periodic(rtc);
    if ((wanted & C_UF) && is_running(rtc))
        next = MIN(next, time_of(rtc, rtc->shown + 1));
    if ((wanted & C_AF) && is_running(rtc))
        next = MIN(next, time_of(rtc, vrtc_time_next_alarm(rtc->cmos,
                                                           rtc->shown)));
    return next;
}

/* The battery is new, and the registers take their time from the owner. */
static void
start(struct vrtc *rtc)
{
    uint64_t wall = rtc->clock->wall_base + rtc->clock->now;

    rtc->cmos[RTC_A] = A_DEFAULT;
    rtc->cmos[RTC_B] = RTC_B_24_HOUR;
    vrtc_time_encode(rtc->cmos, SECONDS_1970 + wall / NSEC_PER_SEC);
    rebase(rtc, wall % NSEC_PER_SEC);
    rtc->synced_at = rtc->clock->now;
}

/* The RESET# pin: no interrupts; time goes on, unless there was none yet. */
static void
reset(void *device)
{
    struct vrtc *rtc = device;

    if (rtc->base == 0)
        start(rtc);
    rtc->cmos[RTC_B] &= (uint8_t)~(B_ENABLES | B_SQWE);
    rtc->cmos[RTC_C] = 0;
    update_irq(rtc);
}

const struct vdev_type vrtc_type = {
    .name = "146818", .version = 1, .size = sizeof(struct vrtc),
    .fields = fields, .field_count = ARRAY_LEN(fields),
    .reset = reset, .run = run, .deadline = deadline,
};

void
vrtc_init(struct vrtc *rtc, struct pio_bus *bus, const struct vclock *clock,
          struct irq_wire irq)
{
    static const struct pio_ops ops = { in, out };

    rtc->clock = clock;
    rtc->irq = irq;
    pio_bus_claim(bus, &(struct pio_range){
        RTC_PORT, 2, PIO_BYTE, &ops, rtc });
}

bool
vrtc_is_nmi_masked(const struct vrtc *rtc)
{
    return (rtc->index & INDEX_NMI_OFF) != 0;
}

void
vrtc_set_memory(struct vrtc *rtc, unsigned reg, uint8_t value)
{
    ASSERT(reg > RTC_D && reg < VRTC_CMOS_SIZE);
    rtc->cmos[reg] = value;
}
