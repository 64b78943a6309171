/*
 * fake_machine.h - processors and worlds that exist in simulated time only.
 *
 * A discrete-event machine around sched/runqueue.c: worlds run, sleep and wake,
 * processors pick when their timer or an interrupt says so, and interrupts take
 * a few microseconds to arrive.  The clock jumps from event to event, so ten
 * seconds of eight processors pass in some tens of milliseconds.
 */
#ifndef TESTS_UNIT_FAKE_MACHINE_H
#define TESTS_UNIT_FAKE_MACHINE_H

#include "unit/test.h"

#include "kernel/timerq.h"
#include "sched/runqueue.h"

#define FAKE_WORLDS_MAX     64u
#define FAKE_FOREVER        UINT64_MAX

struct fake_machine;

struct fake_world {
    struct sched_client client;
    struct fake_machine *machine;
    struct timer wake;
    uint64_t run_ns, sleep_ns;  /* on average; a hog runs FAKE_FOREVER */
    uint64_t left;              /* to run before it sleeps */

    /* measured since fake_machine_measure() */
    uint64_t used_before;
    double entitled;            /* the integral of its rate, in ns */
    uint64_t woken_at;          /* FAKE_FOREVER: it has run since */
    uint64_t longest_wait;      /* from waking to running */
};

struct fake_cpu {
    struct fake_world *current;
    uint64_t since;             /* `left` is brought up to here */
    uint64_t pick_at;
};

struct fake_machine {
    struct runqueue rq;
    struct timerq sleepers;
    struct test_random random;
    uint64_t now;
    uint64_t picks;
    unsigned cpu_count, count;
    struct fake_cpu cpus[RUNQ_CPUS_MAX];
    struct fake_world worlds[FAKE_WORLDS_MAX];
};

void fake_machine_build(struct fake_machine *m, unsigned cpus, uint64_t seed);

/* A world that runs and sleeps so long, give or take a half; wakes soon. */
struct fake_world *fake_machine_add(struct fake_machine *m,
                                    const struct share_params *params,
                                    uint64_t run_ns, uint64_t sleep_ns);

/* A world that always wants to run. */
struct fake_world *fake_machine_add_hog(struct fake_machine *m,
                                        unsigned shares, unsigned min,
                                        unsigned max);

void fake_machine_run(struct fake_machine *m, uint64_t ns);

/* Interrupt the processors in the mask, as the run queue asked for. */
void fake_machine_kick(struct fake_machine *m, uint32_t mask);

/* Forget what was measured; begin anew. */
void fake_machine_measure(struct fake_machine *m);

/* What W has used since, in ns. */
double fake_world_used(const struct fake_world *w);

#endif
