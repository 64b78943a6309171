/*
 * bt_stats.h - what the translator counts, since bt_init().
 */
#ifndef BT_BT_STATS_H
#define BT_BT_STATS_H

#include "kernel/base/types.h"

struct bt_stats {
    uint64_t instructions, units, batches;      /* translated */
    uint64_t bytes;                             /* of the TC, stubs included */
    uint64_t flushes, invalidated_units, links, misses;
};

#endif
