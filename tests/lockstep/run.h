/*
 * run.h - one program under one configuration, compared all the way.
 */
#ifndef TESTS_LOCKSTEP_RUN_H
#define TESTS_LOCKSTEP_RUN_H

#include "lockstep/program.h"
#include "lockstep/reference.h"

struct run_stats {
    uint64_t programs, open;        /* open: without a verdict */
    uint64_t entries, exits[BT_EXIT_STOP + 1];
    uint64_t faults;                /* given to guests */
    uint64_t interrupts;
    uint64_t stops, steps;          /* machine instructions checked */
    uint64_t limits;                /* accesses beyond truncated segments */
    uint64_t hidden, watched, refetched;
};
extern struct run_stats run_stats;
extern bool run_trace;          /* show each stop of the machine */
extern unsigned run_steps;      /* of the last program, if it was stepped */

/* Once; what is missing on this machine is said to standard output. */
void run_start(uint32_t late_usec);
/* Can CONFIG be had here? */
bool run_has(const struct config *config);
enum verdict run_program(const struct program *p, char why[WHY_SIZE]);

#endif
