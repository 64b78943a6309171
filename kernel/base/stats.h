/*
 * stats.h - named event counters: hot paths count instead of logging.
 *
 *      STAT(mm, page_allocs);          at file scope, once
 *      STAT_INC(mm, page_allocs);      anywhere in that file
 *
 * Counters are gathered in a linker section; the console's `stats` walks it.
 * An increment takes no lock.
 */
#ifndef KERNEL_BASE_STATS_H
#define KERNEL_BASE_STATS_H

#include "kernel/base/types.h"

struct stat_counter {
    const char *module;
    const char *name;
    uint32_t low, high;         /* 64-bit count; see stat_read() */
};

#define STAT(mod, stat_name)                                              \
    static struct stat_counter stat_##mod##_##stat_name                   \
    USED SECTION("stats") = { #mod, #stat_name, 0, 0 }

/* Not atomic between processors: counts may be lost, never garbled. */
#define STAT_ADD(mod, stat_name, n)                                       \
    do {                                                                  \
        uint32_t stat_old_ = stat_##mod##_##stat_name.low;                \
        stat_##mod##_##stat_name.low = stat_old_ + (uint32_t)(n);         \
        if (stat_old_ + (uint32_t)(n) < stat_old_)                        \
            stat_##mod##_##stat_name.high++;                              \
    } while (0)
#define STAT_INC(mod, stat_name) STAT_ADD(mod, stat_name, 1)

static inline uint64_t
stat_read(const struct stat_counter *c)
{
    return (uint64_t)c->high << 32 | c->low;
}

#endif
