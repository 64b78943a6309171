/*
 * sched_int.h - what the files of sched/ share about a world.
 *
 * One lock guards all scheduling state: worlds, run queues, wait queues.  It
 * is held for short, bounded times, and handed over across a context switch:
 * the world that is switched to releases it.
 */
#ifndef SCHED_SCHED_INT_H
#define SCHED_SCHED_INT_H

#include "kernel/base/list.h"
#include "kernel/lock.h"
#include "kernel/timer.h"
#include "sched/runqueue.h"
#include "sched/wait.h"
#include "sched/world.h"

enum world_state {
    WORLD_READY,                /* on a run queue */
    WORLD_RUNNING,
    WORLD_WAITING,              /* on a wait queue, or asleep on none */
    WORLD_ZOMBIE,               /* ended; waits to be reaped */
    WORLD_STATE_COUNT
};

struct world {
    unsigned id;
    char name[WORLD_NAME_SIZE];
    enum world_state state;
    bool is_idle;               /* a processor's idle world: on no run queue */
    bool is_system;             /* `kill` refuses */
    bool killed;
    bool detached;              /* nobody joins: reaped by the reaper */

    void (*fn)(void *arg);
    void *arg;
    uint8_t *stack;             /* STACK_SIZE bytes, guard pages around */
    uint32_t esp;               /* while it does not run */

    struct sched_client client; /* shares and accounts */
    uint64_t run_start;         /* when it was put on its processor */
    uint64_t run_ns;

    struct list all_link;       /* list of all worlds, ascending id */
    struct list wait_link;      /* wait queue, or the reaper's list */
    const char *wait_name;
    uint64_t wake_time;         /* deadline of the wait */
    status_t wake_status;
    struct timer timer;         /* for the deadline */
    struct wait_queue joiners;
};

#define STACK_PAGES     4u
#define STACK_SIZE      (STACK_PAGES * PAGE_SIZE)

extern struct lock sched_lock;

/* holds sched_lock, for all below */

/*
 * Give the processor away.  The current world's state says why: READY worlds
 * go back to their queue.  Returns when the world runs again, lock held.
 */
void dispatch_switch(void);

/* The current world has ended: leave its stack for ever. */
NORETURN void dispatch_end(void);

/* Make WORLD, which is in no queue, ready, and kick a processor for it. */
void dispatch_ready(struct world *world);

/* Block the current world until woken; the result is its wake_status. */
status_t dispatch_block(const char *reason, uint64_t deadline);

/* End the wait of WORLD, if it waits, with STATUS; or of all on QUEUE. */
void dispatch_wake(struct world *world, status_t status);
void dispatch_wake_all(struct wait_queue *queue);

/* The callback of every world's timer: its deadline has come. */
void dispatch_deadline(struct timer *timer);

/*
 * Make the running code, on the stack whose lowest byte is STACK, this
 * processor's idle world, and have the processor take part in scheduling; W is
 * zeroed memory for it.  Needs percpu; before sched_idle.  No lock.
 */
void sched_adopt_cpu(struct world *w, uint8_t *stack);

/* The first half of that. */
void world_adopt_idle(struct world *w, uint8_t *stack);

/* The world that frees those which nobody joins.  No lock. */
MUST_CHECK status_t world_start_reaper(void);

/* For panic reports; no lock. */
bool world_find_guard(uint32_t addr, char *name, size_t size);
void world_panic_report(void);

/* First code of every new world: releases the lock and calls its function. */
void world_first_run(void);

#endif
