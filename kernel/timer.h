/*
 * timer.h - call me at a time: one-shot timers.
 *
 *      static void expired(struct timer *t);
 *      timer_init(&dev->timer, expired);
 *      timer_set(&dev->timer, clock_now() + 5 * NSEC_PER_MSEC);
 *
 * Callbacks run in interrupt context on the processor that set the timer, with
 * no lock held; they may set timers, also their own.  There is no periodic
 * tick: the hardware is programmed for the earliest deadline only.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include "kernel/timerq.h"

void timer_init(struct timer *timer, void (*fn)(struct timer *timer));

/* Arm TIMER for DEADLINE (clock_now() scale); rearms if it was armed. */
void timer_set(struct timer *timer, uint64_t deadline);

/*
 * Disarm.  Returns whether it was armed.  The callback may still be running on
 * another processor when this returns.
 */
bool timer_cancel(struct timer *timer);

#endif
