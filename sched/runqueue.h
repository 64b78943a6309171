/*
 * runqueue.h - who runs next, on which processor, and for how long.
 *
 * Each processor has a queue of the clients that wait for it.  A processor
 * takes from its own queue as a rule; it steals from another when it has
 * nothing to run, or when somebody there is owed so much more that leaving it
 * would be unfair.  So clients stay where their caches are warm, and yet the
 * machine's time as a whole is shared as prop_share.h says.
 *
 * A client is part of what it schedules (CONTAINER_OF leads back); nothing is
 * allocated.  No locks in here: one scheduler lock guards all of it and is held
 * around every call.  NOW is the time in ns; a NOW before that of an earlier
 * call counts as that one.
 *
 * Where a function returns a mask of processors, send each of them a
 * reschedule interrupt; the caller's own bit means to call runq_pick soon.
 */
#ifndef SCHED_RUNQUEUE_H
#define SCHED_RUNQUEUE_H

#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "sched/prop_share.h"

#define RUNQ_CPUS_MAX       32u
#define RUNQ_ALL_CPUS       UINT32_MAX
#define RUNQ_NEVER          UINT64_MAX

struct sched_client {
    struct share_client share;
    struct list link;           /* in the queue of `cpu` while it waits */
    unsigned cpu;               /* where it runs, waits, or ran last */
    uint32_t affinity;          /* bit per processor on which it may run */
    uint32_t migrations;        /* how often it changed processors */
};

struct runq_cpu {
    struct list waiting;
    struct sched_client *current;
    bool idle;                  /* halted: the last pick found nobody */
    bool untimed;               /* `current` runs without a timer */
};

struct runqueue {
    struct prop_share share;
    uint32_t online;
    uint32_t kicked;            /* told to reschedule, and did not yet */
    struct runq_cpu cpus[RUNQ_CPUS_MAX];
};

/* What a processor should do. */
struct runq_choice {
    struct sched_client *client;    /* NULL: nobody, so idle */
    uint64_t until;             /* pick again at this time, or RUNQ_NEVER */
    uint32_t kick;              /* mask of processors to interrupt */
};

/* Nobody runs, and no processor is online but processor CPU. */
void runq_init(struct runqueue *rq, unsigned cpu, uint64_t now);
void runq_cpu_online(struct runqueue *rq, unsigned cpu, uint64_t now);

/* A client that sleeps; PARAMS were checked, AFFINITY has a bit online. */
void runq_client_init(struct sched_client *c,
                      const struct share_params *params, uint32_t affinity);

/* C, which sleeps, wants to run. */
uint32_t runq_wake(struct runqueue *rq, struct sched_client *c, uint64_t now);

/* C, which runs or waits, does not want to any more. */
void runq_sleep(struct runqueue *rq, struct sched_client *c, uint64_t now);

/* C, in whatever state, ends: nothing here refers to it any more. */
void runq_remove(struct runqueue *rq, struct sched_client *c, uint64_t now);

/* The client that runs on CPU lets others go first, at the next pick. */
void runq_yield(struct runqueue *rq, unsigned cpu, uint64_t now);

/*
 * Choose for CPU, which calls this itself: when its timer says so, when it was
 * interrupted for it, and when its client went to sleep.
 */
void runq_pick(struct runqueue *rq, unsigned cpu, uint64_t now,
               struct runq_choice *choice);

uint32_t runq_set_params(struct runqueue *rq, struct sched_client *c,
                         const struct share_params *params, uint64_t now);
uint32_t runq_set_affinity(struct runqueue *rq, struct sched_client *c,
                           uint32_t affinity, uint64_t now);

#endif
