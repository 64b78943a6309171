/*
 * stress.h - many worlds that do the same things at the same time: the engine
 * behind `test smp`, and the jobs that it runs.
 *
 * Each job (stress_jobs.def) is a function that some worlds run, on all
 * processors at once.  It repeats, as long as stress_next_round says so,
 * something whose outcome it can check, and leaves nothing behind.  How much
 * is done is counted in rounds, never in time: the same on a slow emulator.
 */
#ifndef CONSOLE_STRESS_H
#define CONSOLE_STRESS_H

#include "kernel/base/types.h"

struct stress_world;

struct stress_job {
    const char *name;
    unsigned worlds;            /* so many ... */
    unsigned per_cpu;           /* ... and so many for each processor */
    void (*run)(struct stress_world *self);
};

struct stress_world {
    const struct stress_job *job;
    unsigned index;             /* among the job's worlds, from 0 */
    uint32_t seed;
    uint32_t rounds;            /* begun so far */
    bool ended;
    struct world *world;
};

/*
 * To be asked before each round: false after the last one, after a failure
 * anywhere, and when a person interrupted the test.
 */
bool stress_next_round(struct stress_world *self);

/* A number from 0 to LIMIT - 1, in the same order whenever the test runs. */
uint32_t stress_random(struct stress_world *self, uint32_t limit);

/* Something is not as it must be: tell, and end the test. */
PRINTF_LIKE(2, 3)
void stress_fail(const struct stress_world *self, const char *format, ...);

#define STRESS_JOB(name, worlds, per_cpu, summary) \
    void stress_##name(struct stress_world *self);
#include "console/stress_jobs.def"
#undef STRESS_JOB

#endif
