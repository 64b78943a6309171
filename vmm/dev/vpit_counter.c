/*
 * vpit_counter.c - one counter of the 8254 in its six modes, computed from
 * time (vpit_int.h).
 *
 * A count that is written reaches the counting element with the next clock, so
 * `start` is one period after the write; elapsed time is what follows from it:
 *
 *      mode                 OUT                              goes up at
 *      0 terminal count     low until N                      N
 *      1 one-shot           low from the trigger until N     N
 *      2 rate generator     low in the last period of N      k N
 *      3 square wave        high (N+1)/2, low the rest       k N
 *      4, 5 strobes         low in the period after N        N + 1
 *
 * Modes 0 and 4 stand still while GATE is low; 2 and 3 too, with OUT high, and
 * start afresh when it rises; 1 and 5 start when it rises.  In modes 2 and 3 a
 * new count waits for the end of the period, or half period.
 *
 * Called by vpit.c with the VM's devices locked.  8254 data sheet, "Mode
 * definitions" and "Operation common to all modes".
 */
#include "vmm/dev/vpit_int.h"

#define BINARY_RANGE    65536u
#define BCD_RANGE       10000u
#define BCD_DIGITS      4u
#define BCD_DIGIT_BITS  4u
#define BCD_DIGIT       BITS(3, 0)
#define BITS_PER_BYTE   8u

#define STATUS_OUT      BIT(7)
#define STATUS_NULL     BIT(6)
#define STATUS_CONTROL  BITS(5, 0)

static uint32_t
range(const struct vpit_counter *c)
{
    return c->control & CW_BCD ? BCD_RANGE : BINARY_RANGE;
}

/* Digits above 9 count as what they are, as in the chip's own decrement. */
static uint32_t
from_bcd(uint32_t digits)
{
    uint32_t value = 0, weight = 1;

    for (unsigned i = 0; i < BCD_DIGITS; i++) {
        value += (digits >> (i * BCD_DIGIT_BITS) & BCD_DIGIT) * weight;
        weight *= 10;
    }
    return value;
}

static uint16_t
to_bcd(uint32_t value)
{
    uint32_t digits = 0;

    for (unsigned i = 0; i < BCD_DIGITS; i++) {
        digits |= value % 10 << (i * BCD_DIGIT_BITS);
        value /= 10;
    }
    return (uint16_t)digits;
}

static int64_t
elapsed(const struct vpit_counter *c, int64_t now)
{
    if (!pit_is(c, PIT_COUNTING))
        return c->frozen;
    return now > c->start ? now - c->start : 0;
}

/* Of a square wave, the part that is high: the longer one. */
static int64_t
high_part(uint32_t count)
{
    return (count + 1) / 2;
}

/* How often OUT has gone up DONE periods after the start. */
static uint64_t
edges_until(const struct vpit_counter *c, int64_t done)
{
    switch (pit_mode(c)) {
    case PIT_TERMINAL_COUNT:
    case PIT_ONE_SHOT:
        return done >= c->count;
    case PIT_RATE:
    case PIT_SQUARE:
        return (uint64_t)done / c->count;
    case PIT_SOFT_STROBE:
    case PIT_HARD_STROBE:
        return done > c->count;
    }
    return 0;
}

/* Where the square wave's second half begins, there begins the new one's. */
static void
take_reload(struct vpit_counter *c)
{
    bool is_half = pit_mode(c) == PIT_SQUARE &&
                   (c->reload_at - c->start) % c->count != 0;

    c->start = c->reload_at - (is_half ? high_part(c->reload) : 0);
    c->count = c->reload;
    c->edges = 0;
    pit_set(c, PIT_RELOAD, false);
}

uint64_t
vpit_counter_advance(struct vpit_counter *c, int64_t now)
{
    uint64_t news = 0, edges;

    if (!pit_is(c, PIT_COUNTING))
        return 0;
    if (pit_is(c, PIT_RELOAD) && now >= c->reload_at) {
        news = edges_until(c, c->reload_at - c->start) - c->edges;
        take_reload(c);
    }
    edges = edges_until(c, elapsed(c, now));
    news += edges - c->edges;
    c->edges = edges;
    return news;
}

int64_t
vpit_counter_next_edge(const struct vpit_counter *c)
{
    int64_t next;

    if (!pit_is(c, PIT_COUNTING))
        return PIT_NEVER;
    if (pit_is_periodic(c)) {
        next = c->start + (int64_t)(c->edges + 1) * c->count;
        return pit_is(c, PIT_RELOAD) ? MIN(next, c->reload_at) : next;
    }
    if (c->edges > 0)
        return PIT_NEVER;
    next = c->start + c->count;
    return edges_until(c, c->count) != 0 ? next : next + 1;
}

bool
vpit_counter_out(const struct vpit_counter *c, int64_t now)
{
    int64_t done = elapsed(c, now);
    bool is_counting = pit_is(c, PIT_COUNTING);

    switch (pit_mode(c)) {
    case PIT_TERMINAL_COUNT:
        return pit_is(c, PIT_LOADED) && done >= c->count;
    case PIT_ONE_SHOT:
        return !is_counting || done >= c->count;
    case PIT_RATE:
        return !is_counting || done % c->count != c->count - 1;
    case PIT_SQUARE:
        return !is_counting || done % c->count < high_part(c->count);
    case PIT_SOFT_STROBE:
    case PIT_HARD_STROBE:
        return !pit_is(c, PIT_LOADED) || done != c->count;
    }
    return true;
}

/* A square wave counts down by twos, twice in a period, from an even value. */
static uint32_t
square_value(const struct vpit_counter *c, int64_t done)
{
    int64_t phase = done % c->count;

    if (phase >= high_part(c->count))
        phase -= high_part(c->count);
    return (c->count & ~1u) - 2 * (uint32_t)phase;
}

/* What the counting element holds. */
static uint16_t
value(const struct vpit_counter *c, int64_t now)
{
    int64_t done = elapsed(c, now);
    uint32_t left;

    if (pit_mode(c) == PIT_SQUARE)
        left = square_value(c, done);
    else if (pit_mode(c) == PIT_RATE)
        left = c->count - (uint32_t)(done % c->count);
    else
        left = c->count + range(c) - (uint32_t)(done % range(c));
    left %= range(c);
    return c->control & CW_BCD ? to_bcd(left) : (uint16_t)left;
}

static void
start(struct vpit_counter *c, int64_t now)
{
    c->count = c->reload;
    c->start = now + 1;
    c->frozen = 0;
    c->edges = 0;
    pit_set(c, PIT_RELOAD, false);
    pit_set(c, PIT_COUNTING, true);
}

static void
stop(struct vpit_counter *c, int64_t now)
{
    c->frozen = elapsed(c, now);
    pit_set(c, PIT_COUNTING, false);
}

/* The end of the current period of mode 2, or half period of mode 3. */
static int64_t
next_boundary(const struct vpit_counter *c, int64_t now)
{
    int64_t done = elapsed(c, now);
    int64_t period = c->start + done - done % c->count;

    if (pit_mode(c) == PIT_SQUARE && done % c->count < high_part(c->count))
        return period + high_part(c->count);
    return period + c->count;
}

static void
load(struct vpit_counter *c, int64_t now, uint32_t written)
{
    uint32_t count = c->control & CW_BCD ? from_bcd(written) : written;
    bool is_first = !pit_is(c, PIT_LOADED);

    c->reload = count == 0 ? range(c) : count;
    pit_set(c, PIT_LOADED, true);
    if (is_first)
        c->count = c->reload;
    switch (pit_mode(c)) {
    case PIT_ONE_SHOT:
    case PIT_HARD_STROBE:
        break;                  /* the trigger starts it */
    case PIT_RATE:
    case PIT_SQUARE:
        if (pit_is(c, PIT_COUNTING)) {
            c->reload_at = next_boundary(c, now);
            pit_set(c, PIT_RELOAD, true);
            break;
        }
        if (pit_is(c, PIT_GATE))
            start(c, now);
        break;
    case PIT_TERMINAL_COUNT:
    case PIT_SOFT_STROBE:
        start(c, now);
        if (!pit_is(c, PIT_GATE))
            stop(c, now);
        break;
    }
}

void
vpit_counter_program(struct vpit_counter *c, uint8_t control)
{
    uint8_t gate = c->flags & PIT_GATE;

    c->control = control & STATUS_CONTROL;
    c->flags = gate;
    c->frozen = 0;
    c->edges = 0;
    c->count = c->reload = range(c);
}

void
vpit_counter_latch(struct vpit_counter *c, int64_t now)
{
    if (pit_is(c, PIT_LATCHED))
        return;
    c->latch = value(c, now);
    pit_set(c, PIT_LATCHED, true);
}

void
vpit_counter_latch_status(struct vpit_counter *c, int64_t now)
{
    bool is_null = !pit_is(c, PIT_LOADED) || pit_is(c, PIT_RELOAD) ||
                   (pit_is(c, PIT_COUNTING) && now < c->start);

    if (pit_is(c, PIT_STATUS))
        return;
    c->status = (uint8_t)(c->control | (is_null ? STATUS_NULL : 0) |
                          (vpit_counter_out(c, now) ? STATUS_OUT : 0));
    pit_set(c, PIT_STATUS, true);
}

/* A latched value is held until all of its bytes are read. */
uint8_t
vpit_counter_read(struct vpit_counter *c, int64_t now)
{
    unsigned rw = FIELD_GET(c->control, CW_RW);
    bool is_high = rw == RW_HIGH || (rw == RW_BOTH && pit_is(c, PIT_READ_HIGH));
    uint16_t word;

    if (pit_is(c, PIT_STATUS)) {
        pit_set(c, PIT_STATUS, false);
        return c->status;
    }
    word = pit_is(c, PIT_LATCHED) ? c->latch : value(c, now);
    if (rw == RW_BOTH)
        pit_set(c, PIT_READ_HIGH, !is_high);
    if (rw != RW_BOTH || is_high)
        pit_set(c, PIT_LATCHED, false);
    return (uint8_t)(is_high ? word >> BITS_PER_BYTE : word);
}

/* In mode 0 the first byte of two stops the counter, with OUT low. */
static void
write_first(struct vpit_counter *c, uint8_t byte)
{
    c->low = byte;
    pit_set(c, PIT_WRITE_HIGH, true);
    if (pit_mode(c) != PIT_TERMINAL_COUNT)
        return;
    c->frozen = 0;
    pit_set(c, PIT_COUNTING, false);
    pit_set(c, PIT_LOADED, false);
}

void
vpit_counter_write(struct vpit_counter *c, int64_t now, uint8_t byte)
{
    switch (FIELD_GET(c->control, CW_RW)) {
    case RW_LOW:
        load(c, now, byte);
        break;
    case RW_HIGH:
        load(c, now, (uint32_t)byte << BITS_PER_BYTE);
        break;
    case RW_BOTH:
        if (!pit_is(c, PIT_WRITE_HIGH)) {
            write_first(c, byte);
            break;
        }
        pit_set(c, PIT_WRITE_HIGH, false);
        load(c, now, c->low | (uint32_t)byte << BITS_PER_BYTE);
        break;
    }
}

static void
resume(struct vpit_counter *c, int64_t now)
{
    c->start = now - c->frozen;
    pit_set(c, PIT_COUNTING, true);
}

void
vpit_counter_set_gate(struct vpit_counter *c, int64_t now, bool is_high)
{
    bool is_level = pit_mode(c) == PIT_TERMINAL_COUNT ||
                    pit_mode(c) == PIT_SOFT_STROBE;
    bool is_trigger = !is_level && !pit_is_periodic(c);

    if (pit_is(c, PIT_GATE) == is_high)
        return;
    pit_set(c, PIT_GATE, is_high);
    if (!pit_is(c, PIT_LOADED))
        return;
    if (!is_high && !is_trigger)
        stop(c, now);
    else if (is_high && is_level)
        resume(c, now);
    else if (is_high)
        start(c, now);
}
