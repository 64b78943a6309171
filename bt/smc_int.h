/*
 * smc_int.h - guest code that changes, and instructions that misbehave.
 *
 * What the translator has learned about pages (smc.c) and instructions
 * (adapt.c) is kept in small tables of fixed size: sets of a few entries, of
 * which the least interesting one is replaced.  To forget is always right, it
 * only costs to learn again.  Flushes leave these tables alone.
 */
#ifndef BT_SMC_INT_H
#define BT_SMC_INT_H

#include "bt/bt_stats.h"
#include "bt/insn.h"
#include "kernel/base/types.h"

#define NOTE_SETS   64
#define NOTE_WAYS   4

/* A page that was written to while code from it was translated. */
struct page_note {
    uint32_t id;
    uint16_t score;         /* of writes, while it is watched */
    uint8_t level;          /* how often it has become watched again */
    uint8_t changes;        /* found by checks, while it is checking */
    bool is_used;
    bool is_checking;       /* not watched; all its units check themselves */
};

/* An instruction that faulted or changed. */
struct suspect {
    uint32_t eip;
    uint16_t credit;        /* guilty: emulations that must need no help */
    uint8_t count;          /* not guilty yet: what speaks against it */
    uint8_t level;          /* how often it has been acquitted */
    bool is_used;
    bool is_guilty;         /* it is an EMULATE exit */
};

struct learned {
    struct page_note pages[NOTE_SETS][NOTE_WAYS];
    struct suspect suspects[NOTE_SETS][NOTE_WAYS];
    unsigned checking_count, guilty_count;
};

/* The page that guest code is being taken from. */
struct source {
    const uint8_t *page;    /* NULL: none */
    uint32_t number;        /* of its linear page */
    uint32_t id;
    bool is_checking;
};

/* Most bytes of guest code, and of translated code, that a check is for. */
#define SELF_CHECK_MAX      32
#define SELF_CHECK_CODE_MAX 272

struct bt;
struct bt_tu;
struct point;
struct xlate;

/* --- smc.c ---------------------------------------------------------------- */
/* env->fetch() with FLAGS, and whether the page is checking; false: NULL. */
bool smc_fetch(struct bt *bt, uint32_t eip, unsigned flags,
               struct source *source);
/* TU must not run again.  False: there was no room, and all is flushed. */
bool smc_drop(struct bt *bt, struct bt_tu *tu, enum bt_drop cause);
/* BT_EXIT_CHANGED came from the unit at EIP, or a guest says so. */
void smc_changed(struct bt *bt, uint32_t eip);

/* --- self_check.c --------------------------------------------------------- */
/* In the segments at hand; bt_set_code() flushes when those change. */
bool self_check_is_possible(const struct bt *bt);
/* TU's entry is here; x->unit is what it is made from. */
void self_check_emit(struct xlate *x, struct bt_tu *tu);
/* Offset of the first byte of TU that is not what it was; its length: none. */
uint32_t self_check_compare(const struct bt *bt, const struct bt_tu *tu);
/* Where the instruction begins that the byte at OFFSET was a part of. */
uint32_t self_check_insn_at(const struct bt *bt, const struct bt_tu *tu,
                            uint32_t offset);
/* May it write to memory, which could be code further on? */
bool insn_may_write(const struct insn *insn);

/* --- recover.c ------------------------------------------------------------ */
/* The last point at or before OFFSET of the TC; there is one at 0. */
struct point *recover_find_point(const struct bt *bt, uint32_t offset);

/* --- adapt.c -------------------------------------------------------------- */
bool adapt_is_guilty(struct bt *bt, uint32_t eip);
/* The instruction at EIP changed again, and its unit was dropped. */
void adapt_note_change(struct bt *bt, uint32_t eip);

#endif
