/*
 * time_scale.h - cycles of a counter to nanoseconds by one multiplication.
 *
 * The factor NSEC_PER_SEC / hz is kept as mult / 2^shift with 64 bits of
 * precision, and the product has 128: the result is right, or 1 ns too small,
 * for at least 36 years of cycles at any rate, and never goes back.
 *
 * The VMkernel and its monitors share this, so that their clocks agree: a timer
 * that the VMkernel set has run out for the monitor, too.  Pure; any context.
 */
#ifndef KERNEL_BASE_TIME_SCALE_H
#define KERNEL_BASE_TIME_SCALE_H

#include "kernel/base/types.h"

struct time_scale {
    uint64_t mult;
    unsigned shift;             /* 34 to 64; a scale of all 0 makes all 0 */
};

/* HZ is not 0 and below 2^63. */
void time_scale_init(struct time_scale *s, uint64_t hz);

uint64_t time_scale_ns(const struct time_scale *s, uint64_t cycles);

#endif
