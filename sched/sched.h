/*
 * sched.h - starting the scheduler: for kernel start-up only.
 *
 * Order: sched_init on the boot processor, whose running code becomes its idle
 * world; worlds may be created from then on and run once sched_idle is called.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

MUST_CHECK status_t sched_init(void);

/* Run worlds for ever, halting when there is none to run. */
NORETURN void sched_idle(void);

/*
 * Start the processors with these COUNT local APIC numbers, one by one (the
 * running one's is skipped).  Those that do not answer are left out with a line
 * in the log.  From a world that runs on the boot processor.
 */
void sched_start_processors(const uint8_t *apic_ids, unsigned count);

#endif
