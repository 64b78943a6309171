/*
 * prop_share.h - proportional-share arithmetic: who is owed processor time.
 *
 * A client has shares (its weight against others), a minimum that it gets
 * however many others want to run, and a maximum that it never exceeds; both
 * in permille of one processor.  From these follows its entitled rate at any
 * moment.  What it was entitled to, less what it used, is its lag; a client
 * with lag >= 0 is eligible, and of those the one whose deadline is earliest
 * should run.  Choosing is the run queue's business (sched/runqueue.h); this is
 * arithmetic only.  The theory is in prop_share.c.
 *
 * All times are nanoseconds of one clock that never goes back.  Integers only;
 * nothing is allocated; no locks: the scheduler's lock guards it all.
 */
#ifndef SCHED_PROP_SHARE_H
#define SCHED_PROP_SHARE_H

#include "kernel/base/bits.h"
#include "kernel/base/list.h"
#include "kernel/base/status.h"
#include "kernel/base/types.h"

#define SHARE_COUNT_MIN     1u
#define SHARE_COUNT_MAX     100000u
#define SHARE_PERMILLE_ONE  1000u       /* one processor */

/* How long a client asks to run at a time; and after waking, to be quick. */
#define SHARE_SLICE         (4 * NSEC_PER_MSEC)
#define SHARE_WAKE_SLICE    (1 * NSEC_PER_MSEC)

/* Rates are in fixed point; this is one processor. */
#define SHARE_RATE_SHIFT    20
#define SHARE_RATE_ONE      BIT(SHARE_RATE_SHIFT)

struct share_params {
    unsigned shares;            /* SHARE_COUNT_MIN .. SHARE_COUNT_MAX */
    unsigned min_permille;      /* 0 .. 1000 */
    unsigned max_permille;      /* 1 .. 1000, >= min; 0 means none */
};

enum share_state {
    SHARE_OUT,                  /* asleep, and owes nothing */
    SHARE_FREE,                 /* its rate is its share of what there is */
    SHARE_LOW,                  /* that would be less than its minimum */
    SHARE_HIGH,                 /* that would be its maximum, or more */
};

struct share_client {
    struct share_params params;
    enum share_state state;
    bool awake;                 /* wants to run */
    uint64_t used;              /* ns that it ran, ever */

    /* prop_share.c's and water_fill.c's own */
    uint32_t min, max;          /* the limits as rates, max <= one processor */
    uint64_t level_min;         /* FREE from this water level up ... */
    uint64_t level_max;         /* ... to just below this one */
    uint32_t rate;              /* when not FREE */
    enum share_state next_state;
    uint32_t next_rate;
    uint64_t paid;              /* where its use has brought it on its clock */
    uint64_t deadline;          /* where `request` more will bring it */
    int64_t request;            /* ns */
    uint64_t max_paid;          /* likewise, in real time, for its maximum */
    uint64_t limited_until;     /* until then its maximum forbids it to run */
    struct list runnable;
    struct list active;         /* running, or a debtor */
};

struct prop_share {
    unsigned cpus;
    uint64_t now;
    struct list runnable;       /* all but those that are out */
    struct list running;
    struct list debtors;        /* asleep, but ran ahead */

    uint64_t virtual_now;       /* the clock of the FREE clients */
    int64_t pending;            /* times free_shares: not in it yet */
    uint64_t free_shares;       /* the sum over the FREE clients */
    uint64_t fixed_rate;        /* the sum over the LOW and HIGH ones */
    uint64_t min_sum;           /* of all runnable clients */
    uint64_t level;             /* water level: rate per share */
    uint64_t level_low;         /* no client's state changes while the ... */
    uint64_t level_high;        /* ... level is >= low and < high */
};

/* ERR_RANGE unless the numbers are as struct share_params says. */
MUST_CHECK status_t share_params_check(const struct share_params *params);

void share_init(struct prop_share *ps, unsigned cpus, uint64_t now);

/* The number of processors to share, at least 1. */
void share_set_cpus(struct prop_share *ps, unsigned cpus);

/* A client that sleeps; PARAMS have been checked. */
void share_client_init(struct share_client *c,
                       const struct share_params *params);

/* New PARAMS, which have been checked; the client keeps its lag. */
void share_set_params(struct prop_share *ps, struct share_client *c,
                      const struct share_params *params);

/*
 * Bring all accounts up to NOW.  Everything below speaks about the time of the
 * last call: who changes or asks something advances first.
 */
void share_advance(struct prop_share *ps, uint64_t now);

/* C wants to run, or no longer does (then it is not running any more). */
void share_wake(struct prop_share *ps, struct share_client *c);
void share_sleep(struct prop_share *ps, struct share_client *c);

/* C is gone for good: forget it, whatever it owes. */
void share_remove(struct prop_share *ps, struct share_client *c);

/* C, which is runnable, gets a processor, or loses it. */
void share_set_running(struct prop_share *ps, struct share_client *c,
                       bool running);

/* Give up what is left of the present request: others go first. */
void share_yield(struct share_client *c);

/* What a runnable client is owed, in ns; negative if it ran ahead. */
int64_t share_lag(const struct prop_share *ps, const struct share_client *c);

/* Orders runnable clients: the smaller, the earlier its deadline. */
int64_t share_urgency(const struct prop_share *ps,
                      const struct share_client *c);

/*
 * How far C is behind on its clock, and moving it ahead by so much.  Clients of
 * one clock (all FREE ones, or all others) that are moved by the same amount
 * keep their order.
 */
int64_t share_behind(const struct prop_share *ps,
                     const struct share_client *c);
void share_shift(struct share_client *c, int64_t by);

#endif
