/*
 * bt_stats.h - what the translator counts, since bt_init().
 */
#ifndef BT_BT_STATS_H
#define BT_BT_STATS_H

#include "kernel/base/types.h"

/* Guest instructions in one unit, at most. */
#define BT_UNIT_INSN_MAX 12

/* Why a unit was dropped, but for flushes. */
enum bt_drop {
    BT_DROP_INVALID,        /* bt_invalidate_page() */
    BT_DROP_WRITTEN,        /* its bytes were: bt_page_written() */
    BT_DROP_UNWATCH,        /* its page has become self-checking ... */
    BT_DROP_WATCH,          /* ... or watched again */
    BT_DROP_CHANGED,        /* it found its bytes changed */
    BT_DROP_ADAPTED,        /* an instruction in it is done otherwise now */
    BT_DROP_COUNT
};

struct bt_stats {
    uint64_t instructions, units, batches;      /* translated */
    uint64_t units_of[BT_UNIT_INSN_MAX + 1];    /* by instructions */
    uint64_t guest_bytes;                       /* of those units */
    uint64_t bytes;                             /* of the TC, stubs included */
    uint64_t checking_units, checking_bytes;    /* with a check; of those */
    uint64_t changes;                           /* found by checks */
    uint64_t writes, harmless_writes;           /* bt_page_written() */
    uint64_t pages_unwatched, pages_rewatched;
    uint64_t emulated, acquitted;               /* adapted, and back */
    uint64_t dropped[BT_DROP_COUNT];
    uint64_t flushes, links, misses;
    uint64_t predicted_sites, generic_sites;
};

#endif
