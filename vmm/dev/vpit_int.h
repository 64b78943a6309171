/*
 * vpit_int.h - one counter of the 8254, for vpit.c.
 *
 * NOW is in periods of the timer's clock, and vpit_counter_advance() to NOW
 * goes before every other call.
 */
#ifndef VMM_DEV_VPIT_INT_H
#define VMM_DEV_VPIT_INT_H

#include "kernel/base/bits.h"
#include "vmm/dev/vpit.h"

#define CW_BCD          BIT(0)
#define CW_MODE         BITS(3, 1)
#define CW_RW           BITS(5, 4)
#define CW_SELECT       BITS(7, 6)

enum pit_mode {
    PIT_TERMINAL_COUNT = 0,
    PIT_ONE_SHOT = 1,
    PIT_RATE = 2,
    PIT_SQUARE = 3,
    PIT_SOFT_STROBE = 4,
    PIT_HARD_STROBE = 5,
};

enum pit_rw { RW_LATCH = 0, RW_LOW = 1, RW_HIGH = 2, RW_BOTH = 3 };

/* From a mode to the one that is the same. */
#define PIT_MODES_ALIKE 4u

#define PIT_NEVER       INT64_MAX

static inline bool
pit_is(const struct vpit_counter *c, enum vpit_flag flag)
{
    return (c->flags & flag) != 0;
}

static inline void
pit_set(struct vpit_counter *c, enum vpit_flag flag, bool is_on)
{
    c->flags = (uint8_t)(is_on ? c->flags | flag : c->flags & ~flag);
}

/* The control word's modes 6 and 7 are 2 and 3, but read back as they are. */
static inline enum pit_mode
pit_mode(const struct vpit_counter *c)
{
    unsigned mode = FIELD_GET(c->control, CW_MODE);

    return mode > PIT_HARD_STROBE ? mode - PIT_MODES_ALIKE : mode;
}

static inline bool
pit_is_periodic(const struct vpit_counter *c)
{
    return pit_mode(c) == PIT_RATE || pit_mode(c) == PIT_SQUARE;
}

/* Make it NOW; returns how often OUT has gone up since the last time. */
uint64_t vpit_counter_advance(struct vpit_counter *c, int64_t now);

/* When OUT goes up next, or earlier; PIT_NEVER. */
int64_t vpit_counter_next_edge(const struct vpit_counter *c);

bool vpit_counter_out(const struct vpit_counter *c, int64_t now);

/* Bytes of the control port and the counter's own port. */
void vpit_counter_program(struct vpit_counter *c, uint8_t control);
void vpit_counter_latch(struct vpit_counter *c, int64_t now);
void vpit_counter_latch_status(struct vpit_counter *c, int64_t now);
uint8_t vpit_counter_read(struct vpit_counter *c, int64_t now);
void vpit_counter_write(struct vpit_counter *c, int64_t now, uint8_t value);

void vpit_counter_set_gate(struct vpit_counter *c, int64_t now, bool is_high);

#endif
