/*
 * timerq.h - a queue of timers, the earliest deadline first.
 *
 * Only the order is kept here: who owns a queue locks it, programs the hardware
 * for timerq_next() and calls the functions of what is due.  A timer is part of
 * the structure it serves; nothing is allocated.  It is on at most one queue
 * and starts zeroed, but for `fn`:
 *
 *      struct timer timer = { .fn = expired };
 *
 * Adding takes constant time; cancelling and popping take O(log n) amortised,
 * n being the timers in the queue.  Timers with equal deadlines come out in
 * the order in which they were added.
 */
#ifndef KERNEL_TIMERQ_H
#define KERNEL_TIMERQ_H

#include "kernel/base/types.h"

struct timer {
    uint64_t deadline;          /* in ns, on the scale of clock_now() */
    void (*fn)(struct timer *timer);
    unsigned cpu;               /* for the queue's owner; not looked at here */

    /* timerq.c's own */
    bool queued;
    uint64_t order;             /* tells equal deadlines apart */
    struct timer *child;        /* the first of those that are not earlier */
    struct timer *next;         /* sibling */
    struct timer *prev;         /* sibling; the parent for a first child */
};

struct timerq {
    struct timer *root;         /* the earliest, or NULL */
    uint64_t next_order;
};

void timerq_init(struct timerq *q);

/* Queue TIMER, which is on no queue, for DEADLINE. */
void timerq_add(struct timerq *q, struct timer *timer, uint64_t deadline);

/* Take TIMER, which is on no queue but Q, off it.  Was it queued? */
bool timerq_cancel(struct timerq *q, struct timer *timer);

/* The earliest deadline, or UINT64_MAX if there is none. */
uint64_t timerq_next(const struct timerq *q);

/* Remove and return the first timer with a deadline <= NOW, or NULL. */
struct timer *timerq_pop_due(struct timerq *q, uint64_t now);

#endif
