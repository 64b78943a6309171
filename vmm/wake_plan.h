/*
 * wake_plan.h - when a monitor wants to be interrupted: a part of the shared
 * page (vmm/shared.h).
 *
 * The monitor keeps `at` up to date.  The VMkernel looks whenever it lets the
 * monitor run, sets its timer by wake_plan_next(), and says in `armed` to what.
 * The monitor calls it (VMKCALL_TIMER) only when that comes too late: a call is
 * two world switches, and most guests set their next tick behind each tick.
 *
 * They do so a moment after the tick, when the VMkernel has just been there and
 * set its timer to nothing.  So there is a guess, too: as far behind `at` as
 * that is behind the one before, and a little later.  Too early a guess costs
 * an interrupt in vain, where the timer is set right; too late a one costs the
 * call that it should have saved.
 *
 * Times are ns of the VM's clock, VMK_FOREVER: none.  The monitor changes its
 * fields with interrupts masked, so that the VMkernel never sees half of one.
 * Pure.
 */
#ifndef VMM_WAKE_PLAN_H
#define VMM_WAKE_PLAN_H

#include "kernel/base/types.h"
#include "vmm/vmkcall.h"

/* So much later than asked for is soon enough. */
#define WAKE_SLACK_NS   (100 * NSEC_PER_USEC)
/* Guesses aim at the middle; shorter intervals are not worth one. */
#define WAKE_AIM_NS     (WAKE_SLACK_NS / 2)
#define WAKE_GUESS_MIN_NS NSEC_PER_MSEC

struct wake_plan {
    uint64_t armed;         /* the VMkernel's: what its timer is set to */
    uint64_t at, guess;     /* the monitor's */
    uint64_t last;          /* the `at` before, while none has followed */
    uint64_t interval;      /* from one to the next */
};

static inline void
wake_plan_init(struct wake_plan *p)
{
    *p = (struct wake_plan){ VMK_FOREVER, VMK_FOREVER, VMK_FOREVER,
                             VMK_FOREVER, 0 };
}

/* The monitor's next deadline is AT.  A guess outlives that there is none. */
static inline void
wake_plan_set(struct wake_plan *p, uint64_t at, uint64_t now)
{
    if (at == p->at)
        return;
    if (p->at <= now)
        p->last = p->at;
    p->at = at;
    if (at == VMK_FOREVER)
        return;
    if (p->last < at)
        p->interval = at - p->last;
    p->last = VMK_FOREVER;
    p->guess = p->interval < WAKE_GUESS_MIN_NS ? VMK_FOREVER :
               at + p->interval + WAKE_AIM_NS;
}

/* What the VMkernel's timer is to be set to: what is past is no deadline. */
static inline uint64_t
wake_plan_next(const struct wake_plan *p, uint64_t now)
{
    return p->at > now ? p->at : p->guess > now ? p->guess : VMK_FOREVER;
}

/* Would the VMkernel's timer come too late for `at`? */
static inline bool
wake_plan_is_late(const struct wake_plan *p)
{
    return p->armed > p->at && p->armed - p->at > WAKE_SLACK_NS;
}

#endif
