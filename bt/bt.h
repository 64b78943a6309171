/*
 * bt.h - the translator's public face: guest code to code that may run.
 *
 * The translator keeps a translation cache (TC) of code that its surroundings
 * execute: the monitor in ring 1 or 3, or an ordinary process.  What differs
 * between them is a constant structure, struct bt_env.  The translator itself
 * never runs translated code and never touches guest state:
 *
 *      at = bt_entry(bt, eip)          where to go on; translates on demand
 *      ...the surroundings load the guest's registers and go there...
 *      an exit:  all registers are the guest's again, slots.exit_* say why
 *      a trap:   bt_recover() makes the guest's state of the machine's
 *
 * Between an exit (or a recovered trap) and the next entry no address of the TC
 * is kept by anybody, which is why the cache can be flushed at any bt_entry().
 * Memory is given by the caller; nothing here fails for want of space.  Called
 * by the one thread that owns the virtual CPU.
 */
#ifndef BT_BT_H
#define BT_BT_H

#include "bt/bt_code.h"
#include "bt/bt_notify.h"
#include "bt/bt_slots.h"
#include "bt/bt_stats.h"
#include "kernel/base/types.h"

#define BT_LOOKUP_COUNT 16384           /* 16 bits of (eip * 4): bt_int.h */

/* Why translated code stopped; exit_eip is the next guest instruction. */
enum bt_exit {
    BT_EXIT_LINK,           /* a direct successor is not yet translated */
    BT_EXIT_MISS,           /* an indirect one; bt_entry() is all it takes */
    BT_EXIT_SITE,           /* the same, of a branch that still learns */
    BT_EXIT_EMULATE,        /* the instruction at exit_eip needs its owner */
    BT_EXIT_INT,            /* INT n, INT3, INTO there; exit_arg: the row */
    BT_EXIT_UNDEFINED,      /* #UD there */
    BT_EXIT_TOO_LONG,       /* #GP(0) there: more than 15 bytes */
    BT_EXIT_STEP,           /* bt_step()'s instruction is done */
    BT_EXIT_CHANGED,        /* the code there has; bt_entry() sees to it */
    BT_EXIT_STOP,           /* the surroundings' own: asked to stop */
};

/* Read by translated code and written by the translator only. */
struct bt_tables {
    uint32_t exit;                      /* CALLOUT_JUMP: where to leave to */
    uint32_t lookup[BT_LOOKUP_COUNT];   /* checked entries, by target */
    uint32_t links[];                   /* env->link_max direct successors */
};

enum bt_callout { CALLOUT_JUMP, CALLOUT_INT };

/* What becomes of an access through CS (or GS, below). */
enum bt_segment_rule {
    SEGMENT_AS_IS,          /* the hardware's segment is the guest's */
    SEGMENT_AS_DS,          /* same bytes through DS: both are flat */
    SEGMENT_EMULATE,        /* its owner does it */
    SEGMENT_BY_SLOT,        /* GS only: through DS, by slots.gs_base */
};

/* Bits for fetch. */
enum bt_fetch {
    BT_FETCH_GUESS = BIT(0),        /* nobody asked for it yet */
    BT_FETCH_UNWATCHED = BIT(1),    /* need not be watched */
};

struct bt_env {
    bool is_user;           /* CPL 3 outside and inside, IOPL 0: privileged
                               instructions fault by nature.  Or a kernel. */
    bool has_native_tsc;    /* RDTSC may run as it is */
    bool jumps_to_cmpxchg8b;    /* as quirks.h wants it */
    uint8_t callout;        /* enum bt_callout */
    uint8_t callout_vector;
    uint8_t slot_segment;   /* enum segment that reaches slots and tables */
    uint8_t cs_rule, gs_rule;   /* enum bt_segment_rule */
    unsigned mode;          /* enum decode_mode, at first: bt_set_code() */
    /* Addresses, in slot_segment, as translated code sees them. */
    uint32_t slots_at, tables_at;
    uint32_t code_at;       /* and in CS: where the TC executes */
    uint8_t *code;          /* the same bytes, for writing */
    struct bt_slots *slots;
    struct bt_tables *tables;
    /* Capacities; at least the BT_..._MIN below. */
    uint32_t code_size, tu_max, point_max, link_max;
    /*
     * The PAGE_SIZE bytes of the guest's code page at EIP (any offset in it),
     * from now on watched for writes; *ID names the page to
     * bt_invalidate_page().  Valid until bt_entry() or bt_step() returns.
     * NULL: not present or not to be had.
     */
    const uint8_t *(*fetch)(void *context, uint32_t eip, unsigned flags,
                            uint32_t *id);
    void *context;
};

/* Least capacities: one batch of translation units must fit when empty. */
#define BT_CODE_MIN     KB(64)
#define BT_TU_MIN       128u
#define BT_POINT_MIN    2048u
#define BT_LINK_MIN     512u

struct bt;
/* Bytes of memory that bt_init() wants, aligned to 16. */
size_t bt_memory_size(const struct bt_env *env);

/* ENV must live as long; its areas are initialized here. */
struct bt *bt_init(const struct bt_env *env, void *memory);

/*
 * The address in the TC where the guest's code at EIP goes on; 0 if it cannot
 * be fetched.  After BT_EXIT_LINK, BT_EXIT_MISS and BT_EXIT_SITE it also makes
 * the way shorter for next time.
 */
uint32_t bt_entry(struct bt *bt, uint32_t eip);

/*
 * Code for the one instruction at EIP, which ends by BT_EXIT_STEP or, if it is
 * an indirect branch, BT_EXIT_MISS: for instructions that write to the page
 * they are on.  Its page is not watched.
 */
uint32_t bt_step(struct bt *bt, uint32_t eip);

/* The machine's registers of a trap in the TC, to be made the guest's. */
struct bt_state {
    uint32_t eip;
    uint32_t eflags;        /* the machine's: arithmetic flags and DF count */
    uint32_t eax, ecx, esp;
    bool is_shadow;         /* out: right behind an STI that set IF */
};

/*
 * STATE->eip is an address of the TC at which the machine stopped, before that
 * instruction or in one that is repeated.  Makes it the guest's state at an
 * instruction boundary: the one before the guest instruction, or, when that
 * had done all it does, the one after.  False: EIP is not in translated code.
 */
MUST_CHECK bool bt_recover(const struct bt *bt, struct bt_state *state);

/* Forget everything. */
void bt_flush(struct bt *bt);
/* Drop lookup entries and links only: all ways are long ones again. */
void bt_unlink_all(struct bt *bt);

const struct bt_stats *bt_get_stats(const struct bt *bt);

#endif
