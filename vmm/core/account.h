/*
 * account.h - where the VM's time goes, and why the guest was left.
 *
 * The monitor says whenever somebody else gets the processor (vmm_stats.h):
 * account_switch() charges the time since the last call to whoever had it.  An
 * exit is charged from account_exit() to the next account_enter().
 */
#ifndef VMM_CORE_ACCOUNT_H
#define VMM_CORE_ACCOUNT_H

#include "vmm/layout.h"
#include "vmm/vmm_stats.h"

static struct vmm_stats *const vmm_stats = (void *)VMM_STATS_AT;

/* From now on TO runs; returns who did, to be switched back to. */
enum vmm_time account_switch(enum vmm_time to);

/* The guest was left because of CAUSE; a later call refines it. */
void account_exit(enum vmm_exit cause);

/*
 * The exit that is open, if any, was done with: what comes now, before the
 * guest goes on, is because of CAUSE.
 */
void account_exit_behind(enum vmm_exit cause);

/* The guest goes on, by TO: TIME_DIRECT or TIME_BT. */
void account_enter(enum vmm_time to);

#endif
