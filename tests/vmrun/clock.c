/*
 * clock.c - the machine's time.
 *
 * By default an instruction takes NS_PER_INSTRUCTION and nothing else takes
 * time, so that a run is the same on every host and at every load; while the
 * CPU is halted, time jumps to the next deadline, after really waiting for it
 * if a person might type meanwhile.  With --wall it is the host's clock.
 */
#include <time.h>

#include "vmrun/machine.h"

#define NS_PER_INSTRUCTION  10u
/* With --wall: instructions between looks at the clock. */
#define WALL_SLICE          20000u

uint64_t
wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* An event counts as an instruction, so that time never stands still. */
static uint64_t
virtual_ns(const struct machine *m)
{
    return (m->executed + m->vcpu.instructions + m->events) *
               NS_PER_INSTRUCTION + m->skipped_ns;
}

uint64_t
machine_now(const struct machine *m)
{
    return m->options->is_wall ? wall_ns() - m->started_ns : virtual_ns(m);
}

uint64_t
machine_instructions_until(const struct machine *m, uint64_t ns)
{
    uint64_t now = machine_now(m);

    if (m->options->is_wall)
        return WALL_SLICE;
    return ns <= now ? 1 : (ns - now) / NS_PER_INSTRUCTION + 1;
}

void
machine_sleep_until(struct machine *m, uint64_t ns)
{
    uint64_t now = machine_now(m), left = ns > now ? ns - now : 0;
    uint64_t slept = tty_wait(&m->tty, left);

    /* Input ends the sleep early. */
    left = MIN(left, slept);
    m->stats.halted_ns += left;
    if (!m->options->is_wall)
        m->skipped_ns += left;
}
