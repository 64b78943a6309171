/*
 * time_scale.h - cycles of a counter to nanoseconds by one multiplication.
 *
 * The factor NSEC_PER_SEC / hz is kept as mult / 2^shift with 64 bits of
 * precision, and the product has 128: the result is right, or 1 ns too small,
 * for at least 36 years of cycles at any rate, and never goes back.
 *
 * Pure; any context.
 */
#ifndef VMM_TIME_SCALE_H
#define VMM_TIME_SCALE_H

#include "kernel/base/types.h"

struct time_scale {
    uint64_t mult;
    unsigned shift;             /* 34 to 64 */
};

/* HZ is not 0 and below 2^63. */
void time_scale_init(struct time_scale *s, uint64_t hz);

uint64_t time_scale_ns(const struct time_scale *s, uint64_t cycles);

#endif
