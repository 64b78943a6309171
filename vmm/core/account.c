/*
 * account.c - time and exits, counted in cycles (account.h).
 *
 * One reading of the TSC at each change of who runs.  A counter that seems to
 * go back, on another processor, counts as no time.
 *
 * The monitor's one thread; but an interrupt of it is a call to the VMkernel,
 * which accounts for itself, so interrupts are masked while time is charged.
 */
#include "vmm/core/account.h"

#include "kernel/base/bits.h"
#include "kernel/x86/cpu.h"

static enum vmm_time running = TIME_MONITOR;
static uint64_t since;              /* TSC; 0: nothing accounted yet */

static enum vmm_exit exit_cause;
static bool is_exit_open;
static uint64_t exit_at;            /* TSC, later by what was slept since */

/* Cycles since the last call go to who ran.  Interrupts are masked. */
static void
charge(void)
{
    uint64_t now = rdtsc();
    uint64_t spent = since != 0 && now > since ? now - since : 0;

    vmm_stats->time[running] += spent;
    if (running == TIME_IDLE)
        exit_at += spent;
    since = now;
}

enum vmm_time
account_switch(enum vmm_time to)
{
    uint32_t flags = irq_save();
    enum vmm_time from = running;

    charge();
    running = to;
    irq_restore(flags);
    return from;
}

void
account_exit(enum vmm_exit cause)
{
    exit_cause = cause;
    if (is_exit_open)
        return;
    account_switch(TIME_MONITOR);
    exit_at = since;
    is_exit_open = true;
}

/* Cycles of up to 2^32 have a bucket; the last takes all that is longer. */
static unsigned
bucket_of(uint64_t cycles)
{
    unsigned n = cycles > UINT32_MAX ? EXIT_BUCKETS
                 : cycles == 0       ? 0
                                     : highest_bit((uint32_t)cycles);

    return MIN(n, EXIT_BUCKETS - 1);
}

/* Interrupts may come, but only the vcpu's thread opens and closes exits. */
static void
close_exit(void)
{
    struct vmm_exit_stats *e = &vmm_stats->exits[exit_cause];
    uint64_t cycles = since > exit_at ? since - exit_at : 0;

    if (!is_exit_open)
        return;
    is_exit_open = false;
    e->count++;
    e->cycles += cycles;
    e->bucket[bucket_of(cycles)]++;
}

void
account_exit_behind(enum vmm_exit cause)
{
    if (is_exit_open && exit_cause != cause) {
        account_switch(TIME_MONITOR);
        close_exit();
    }
    account_exit(cause);
}

void
account_enter(enum vmm_time to)
{
    account_switch(to);
    close_exit();
}
