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

/*
 * Arm TIMER for DEADLINE (clock_now() scale); rearms if it was armed.  Calls
 * for one timer must not run at the same time on two processors.
 */
void timer_set(struct timer *timer, uint64_t deadline);

/*
 * Disarm.  Returns whether it was armed.  The callback may still be running on
 * another processor when this returns.
 */
bool timer_cancel(struct timer *timer);

/*
 * The same, and wait until the callback is not running on any processor: then
 * TIMER may go.  The callback must not set it again by then.
 */
void timer_cancel_wait(struct timer *timer);

/*
 * The hardware: one-shot, per processor, interrupting at VEC_TIMER (or, for
 * the PIT, by calling timer_interrupt itself).  Always called on the processor
 * concerned with interrupts masked.
 */
struct timer_source {
    const char *name;
    void (*start)(uint64_t ns);     /* 0: as soon as possible; may be early */
    void (*stop)(void);
    void (*eoi)(void);              /* NULL if VEC_TIMER is not used */
};

/* Boot processor: set up the queues and choose the hardware. */
void timer_start(const struct timer_source *source);

/* The hardware's time is up: run what is due, program the next. */
void timer_interrupt(void);

#endif
