/*
 * bt_int.h - what the files of the translator share.
 *
 * Words: a *unit* is a run of guest instructions with one way in; a *batch* is
 * what one bt_entry() translates, several units that jump to each other; a
 * *stub* is out-of-line code behind a batch; a *link* is a word of data through
 * which a stub jumps; a *checked entry* compares slots.target with the unit's
 * eip, and on a mismatch goes on to the next one of the same lookup bucket:
 *
 *      lookup[eip & 0x3fff] -> checked -> checked -> miss routine -> exit
 *
 * The TC is filled in ascending order and emptied only as a whole, so points
 * and units are sorted by address without further work.
 */
#ifndef BT_BT_INT_H
#define BT_BT_INT_H

#include "bt/bt.h"
#include "bt/emit_jump.h"
#include "bt/smc_int.h"
#include "bt/tc_int.h"
#include "kernel/base/addr.h"

#define UNIT_INSN_MAX   BT_UNIT_INSN_MAX
#define BATCH_UNIT_MAX  64
#define BATCH_UNIT_GOAL 24

/* Most that one instruction, and one unit with its stubs, can take. */
#define INSN_CODE_MAX   132
#define STUB_CODE_MAX   56
#define UNIT_CODE_MAX   2480
#define UNIT_FIXUP_MAX  3
#define UNIT_POINT_MAX  96
#define SCRATCH_SIZE    KB(32)
#define FIXUP_MAX       (BATCH_UNIT_MAX * UNIT_FIXUP_MAX)
/* A unit that was dropped begins with a jump this long to its successor. */
#define UNIT_CODE_MIN   5

STATIC_ASSERT(UNIT_INSN_MAX * INSN_CODE_MAX +
              UNIT_FIXUP_MAX * STUB_CODE_MAX + 3 * INSN_CODE_MAX +
              SELF_CHECK_CODE_MAX <= UNIT_CODE_MAX);
STATIC_ASSERT(UNIT_INSN_MAX * 7 + UNIT_FIXUP_MAX + 8 <= UNIT_POINT_MAX);
STATIC_ASSERT(SCRATCH_SIZE * 2 <= BT_CODE_MIN);
STATIC_ASSERT(BATCH_UNIT_MAX < BT_TU_MIN);
STATIC_ASSERT(FIXUP_MAX + BATCH_UNIT_MAX + 1 <= BT_LINK_MIN);

/*
 * How the guest's state follows from the machine's at a TC address; recover.c
 * has the table.
 */
enum point_kind {
    POINT_RUN,      /* copied code: eip advances as the TC address does */
    POINT_AT,       /* eip as noted, registers as they are */
    POINT_ECX,      /* the same, and ECX is in its slot */
    POINT_EAX,      /* the same for EAX */
    POINT_ECX_EAX,
    POINT_ECX_POP,  /* as POINT_ECX, and four bytes have been popped */
    POINT_ECX_POP_WORD,
    POINT_ECX_EAX_POP,
    POINT_PUSHED,   /* as POINT_AT, and four bytes have been pushed */
    POINT_ECX_EAX_PUSHED,
    POINT_TARGET,   /* ECX in its slot, eip in slots.target */
    POINT_EXIT,     /* ECX in its slot, eip in slots.exit_eip */
    POINT_SITE,     /* the tail of an indirect branch; eip is its number */
    POINT_ECX_PLUS, /* ECX in its slot, eip is what ECX is plus eip */
    POINT_FLAGS,    /* ECX, EAX and arithmetic flags in slots */
    POINT_KIND_COUNT,
    POINT_SHADOW = BIT(5),  /* added: right behind an STI */
};

struct point {
    uint32_t at;            /* offset in the TC, POINT_SHADOW, the kind */
    uint32_t eip;
};
#define POINT_KIND BITS(4, 0)
#define POINT_AT_OFFSET BITS(31, 6)
#define POINT_OFFSET_LIMIT BIT(26)
STATIC_ASSERT(POINT_KIND_COUNT <= POINT_KIND + 1);

#define NO_LINK 0           /* the first link is nobody's */

struct bt_link {
    uint32_t home;          /* of a stub: value while the target is not
                               translated; of a check_link: checked entry */
    uint32_t eip;           /* the target */
};

struct bt_site;

struct bt {
    const struct bt_env *env;
    struct bt_code code;
    struct bt_tu *tus;
    struct bt_span *spans;
    struct bt_link *links;
    struct bt_site *sites;
    struct point *points;
    uint32_t *hash, *page_hash;     /* numbers of units; refs */
    uint32_t hash_mask, page_mask;
    uint32_t tu_count, span_count, link_count, site_count, point_count;
    uint32_t code_used;
    uint32_t shared_code, shared_points;    /* what a flush leaves */
    uint32_t miss, learn;           /* addresses of the shared routines */
    uint32_t emulate[2];            /* leave.c: without and with shadow */
    struct bt_tu step;              /* what bt_step() translates */
    struct learned learned;
    struct bt_stats stats;
    uint8_t scratch[SCRATCH_SIZE];
};

/* --- tcache.c ------------------------------------------------------------- */
bool tcache_has_room(const struct bt *bt);
uint32_t tcache_next(const struct bt *bt);      /* address of the next batch */
/* For code that tcache_commit() is to put there. */
struct emitter tcache_emitter(struct bt *bt);
void tcache_commit(struct bt *bt, const struct emitter *e);
void tcache_add_point(struct bt *bt, uint32_t address, enum point_kind kind,
                      uint32_t eip);

/* --- chain.c -------------------------------------------------------------- */
uint32_t chain_new_link(struct bt *bt, uint32_t eip, uint32_t home);
uint32_t chain_link_slot(const struct bt *bt, uint32_t link);
void chain_set_link(struct bt *bt, uint32_t link, uint32_t to);
/* Where the stub begins that goes through LINK. */
uint32_t chain_stub_of(const struct bt *bt, uint32_t link);
void chain_publish(struct bt *bt, struct bt_tu *tu);
void chain_emit_checked(struct bt *bt, struct emitter *e, struct bt_tu *tu);
void chain_emit_stub(struct bt *bt, struct emitter *e, uint32_t eip);

#endif
