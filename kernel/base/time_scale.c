/*
 * time_scale.c - cycles to nanoseconds (time_scale.h).
 *
 * The factor comes from a division by hand, a bit of the quotient a step, as
 * its dividend has more than 64 bits; that happens once.
 */
#include "kernel/base/time_scale.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"

#define SHIFT_MAX   64u

void
time_scale_init(struct time_scale *s, uint64_t hz)
{
    uint64_t rest = NSEC_PER_SEC % hz;

    ASSERT(hz < BIT64(63));
    s->mult = NSEC_PER_SEC / hz;
    for (s->shift = 0; s->shift < SHIFT_MAX; s->shift++) {
        if (s->mult & BIT64(63))
            return;
        rest *= 2;
        s->mult = s->mult * 2 + (rest >= hz);
        if (rest >= hz)
            rest -= hz;
    }
}

/* (cycles * mult) >> shift; the product in halves of 32 bits, as in school. */
uint64_t
time_scale_ns(const struct time_scale *s, uint64_t cycles)
{
    uint32_t a = (uint32_t)cycles, m = (uint32_t)s->mult;
    uint64_t a_high = cycles >> 32, m_high = s->mult >> 32;
    uint64_t lowest = (uint64_t)a * m;
    uint64_t middle = a_high * m + (lowest >> 32);
    uint64_t other = a * m_high + (uint32_t)middle;
    uint64_t high = a_high * m_high + (middle >> 32) + (other >> 32);
    uint64_t low = (other << 32) | (uint32_t)lowest;

    if (s->shift % SHIFT_MAX == 0)
        return high;
    return (high << (SHIFT_MAX - s->shift)) | (low >> s->shift);
}
