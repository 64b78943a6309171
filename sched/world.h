/*
 * world.h - worlds: what the VMkernel schedules.
 *
 * A world is a thread of the VMkernel with a stack of its own (guard page
 * below); later also the virtual CPU of a VM.  Worlds are preemptive, have
 * shares, a minimum and a maximum of processor time (sched/prop_share.h), and
 * may be bound to processors.  They end by returning from their function or by
 * being killed; a killed world ends at the next place where it blocks or is
 * about to return to its loop (world_should_stop()).
 *
 * Everything here takes the scheduler's locks itself and may be called from
 * any world; world_wake also from interrupts.
 */
#ifndef SCHED_WORLD_H
#define SCHED_WORLD_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct world;

#define WORLD_NAME_SIZE     24
#define WORLD_SHARES_NORMAL 1000u

struct world_params {
    const char *name;
    void (*fn)(void *arg);
    void *arg;
    unsigned shares;            /* 1 .. 100000; 0 means WORLD_SHARES_NORMAL */
    unsigned min_permille;      /* of one processor, guaranteed */
    unsigned max_permille;      /* limit; 0 means none */
    uint32_t affinity;          /* bit per processor; 0 means all */
    bool is_system;             /* not to be killed from the console */
};

/* Create and start.  *WORLD may be NULL if nobody will join it. */
MUST_CHECK status_t world_create(const struct world_params *params,
                                 struct world **world);

struct world *world_current(void);

void world_sleep(uint64_t ns);
void world_yield(void);
NORETURN void world_exit(void);

/* Ask WORLD to end; one that sleeps or waits is woken with ERR_KILLED. */
void world_kill(struct world *world);
bool world_should_stop(void);

/* Wait until WORLD has ended, and free it. */
void world_join(struct world *world);

/* A description of a world, for the console. */
struct world_info {
    unsigned id;
    char name[WORLD_NAME_SIZE];
    const char *state;          /* "run", "ready", "wait", "sleep", "zombie" */
    const char *wait_reason;    /* what it waits for, or "" */
    unsigned cpu;
    unsigned shares, min_permille, max_permille;
    uint32_t affinity;
    uint64_t run_ns;
    unsigned stack_used;        /* bytes, the most so far */
};

/*
 * The world with the smallest id >= *ID; *ID becomes its id.  Returns false
 * when there is none.  Start with 0 and add 1 to walk over all.
 */
bool world_get_info(unsigned *id, struct world_info *info);

/* Kill by number: ERR_NOT_FOUND, or ERR_INVALID for the system's own. */
MUST_CHECK status_t world_kill_id(unsigned id);

/* Percent of processor CPU's time that was not idle lately, times 10. */
unsigned sched_cpu_load_permille(unsigned cpu);

#endif
