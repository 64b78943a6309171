/*
 * vmm_stats.h - what a monitor counts, in pages that the VMkernel reads.
 *
 * Written by the monitor without locks, read while it runs: a 64-bit count may
 * be seen torn, which a person looking at it does not mind.  Not trusted.
 */
#ifndef VMM_VMM_STATS_H
#define VMM_VMM_STATS_H

#include "kernel/base/types.h"
#include "vmm/vmkcall.h"

enum vmm_exit {
#define EXIT(name, text) EXIT_##name,
#include "vmm/exits.def"
#undef EXIT
    EXIT_COUNT
};

/* Who has the processor. */
enum vmm_time {
    TIME_DIRECT,            /* the guest's user code, directly */
    TIME_BT,                /* translated code */
    TIME_INTERP,            /* the interpreter, in runs or single */
    TIME_MONITOR,           /* everything else in the monitor */
    TIME_TRANSLATE,         /* the translator */
    TIME_VMK,               /* the VMkernel, on this VM's behalf */
    TIME_IDLE,              /* halted */
    TIME_COUNT
};

/* Stays in translated code, in lockstep. */
enum vmm_comparison {
#define COMPARISON(name, text) COMPARISON_##name,
#include "vmm/vmm_comparisons.def"
#undef COMPARISON
    COMPARISON_COUNT
};

#define EXIT_BUCKETS    24      /* of log2(cycles) */

struct vmm_exit_stats {
    uint64_t count, cycles;
    uint32_t bucket[EXIT_BUCKETS];
};

struct vmm_stats {
    uint64_t time[TIME_COUNT];          /* TSC cycles */
    struct vmm_exit_stats exits[EXIT_COUNT];
    uint64_t vmkcalls[VMKCALL_COUNT];
    uint64_t interpreted;               /* instructions */
    uint64_t interrupts, faults;        /* delivered to the guest */
    /* In lockstep: stays, their cycles, and what the interpreter did again. */
    struct {
        uint64_t stays, cycles, instructions;
    } comparisons[COMPARISON_COUNT];
    uint32_t tc_used, tc_size;          /* bytes */
    uint32_t tc_units, tc_flushes;
    uint32_t shadow_used, shadow_pages;
    uint32_t shadow_reclaimed, audits;
};
STATIC_ASSERT(sizeof(struct vmm_stats) <= 2 * 4096);

#endif
