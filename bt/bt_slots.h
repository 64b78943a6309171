/*
 * bt_slots.h - what translated code and its surroundings tell each other.
 *
 * While translated code of a guest kernel runs, the machine's EFLAGS hold what
 * instructions compute with (BT_FLAGS_MACHINE); IF is 1 there, and IOPL, NT, AC
 * and ID are 0, whatever the guest's are.  These, its selectors and its control
 * registers are mirrored here, where `cli`, `pushf`, `mov %ds` find them.  The
 * surroundings set all of it from the guest's state before they enter, by the
 * functions below, and take eflags back when they have left.
 *
 * A guest kernel may be able to overwrite the slots.  Nothing here is used as
 * an address or index by trusted code, and what is taken back is masked: with
 * any values at all the guest does harm to itself only.
 */
#ifndef BT_BT_SLOTS_H
#define BT_BT_SLOTS_H

#include "bt/insn.h"
#include "kernel/base/types.h"

#define BT_CR_COUNT     5
#define BT_POPF_COUNT   256             /* by bits 15..8 of the flags */

/* In exit_reason: the instruction at exit_eip is right behind an STI. */
#define BT_EXIT_SHADOW  BIT(8)

struct bt_slots {
    uint32_t ecx, eax;      /* the guest's, while they are scratch */
    uint32_t target;        /* where an indirect branch goes */
    uint32_t exit_eip;
    uint32_t exit_reason;   /* enum bt_exit, BT_EXIT_SHADOW */
    uint32_t exit_arg;
    /* The rest is for guest kernels. */
    uint32_t iflag;         /* the guest's IF + BT_IF_BIAS: never 0 */
    uint32_t old_iflag;     /* what it was before the last STI */
    uint32_t sysflags;      /* the guest's BT_FLAGS_SYSTEM */
    uint32_t pending;       /* not 0: an interrupt waits for IF */
    uint32_t flags;         /* what is being popped */
    uint32_t selector[SEG_NONE];
    /* Minus the selector whose load would do nothing, or BT_SAME_NONE. */
    uint32_t same[SEG_NONE];
    uint32_t cr[BT_CR_COUNT];       /* CR0, CR2, CR3, CR4 */
    uint32_t gs_base;               /* the guest's: SEGMENT_BY_SLOT */
    uint32_t gs_blocked;            /* not 0: leave */
    uint32_t gs_blocked_low;        /* the same for offsets below BT_GS_LOW */
    uint32_t is_filled;     /* popf is; by the setters */
    uint32_t popf[BT_POPF_COUNT];   /* iflag behind such a POPF; 0: leave */
};

#define BT_IF_BIAS      0x1000u
#define BT_GS_LOW       64u
#define BT_SAME_NONE    1u              /* minus 1 is no selector */

/* Live in the machine's EFLAGS, and kept in `sysflags`. */
#define BT_FLAGS_ARITH   (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                          EFLAGS_SF | EFLAGS_OF)
#define BT_FLAGS_MACHINE (BT_FLAGS_ARITH | EFLAGS_DF)
#define BT_FLAGS_SYSTEM  (EFLAGS_IOPL | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID)

/* EFLAGS of the guest (TF and VM clear) into SLOTS; see set_pending, too. */
void bt_slots_set_eflags(struct bt_slots *slots, uint32_t eflags);

/* ... and back, with what the machine's EFLAGS are. */
uint32_t bt_slots_eflags(const struct bt_slots *slots, uint32_t machine);

/* Why translated code left: enum bt_exit. */
static inline uint32_t
bt_slots_reason(const struct bt_slots *slots)
{
    return slots->exit_reason & ~BT_EXIT_SHADOW;
}

/* ... and is the instruction at exit_eip in the shadow of an STI? */
static inline bool
bt_slots_in_shadow(const struct bt_slots *slots)
{
    return (slots->exit_reason & BT_EXIT_SHADOW) != 0 &&
           (slots->old_iflag & EFLAGS_IF) == 0;
}

/* What the machine's EFLAGS must be for a guest with EFLAGS. */
uint32_t bt_machine_eflags(uint32_t eflags);

/*
 * Is there an interrupt that the guest will take once IF is set?  Between
 * entries only, or before an asynchronous stop that the guest's state is
 * recovered from: code that has looked already does not look again.
 */
void bt_slots_set_pending(struct bt_slots *slots, bool is_pending);

/*
 * SELECTOR is in segment register S.  With IS_SAME, its descriptor in memory is
 * what the register holds: loading it once more would do nothing.
 */
void bt_slots_set_selector(struct bt_slots *slots, enum segment s,
                           uint32_t selector, bool is_same);

/*
 * The guest's GS is a data segment at BASE, of which the offsets up to LIMIT
 * may be read and written at the linear addresses that a flat DS gives.  With
 * IS_USABLE false it is anything else, or DS is not flat.
 */
void bt_slots_set_gs(struct bt_slots *slots, uint32_t base, uint32_t limit,
                     bool is_usable);

static inline void
bt_slots_set_cr(struct bt_slots *slots, unsigned number, uint32_t value)
{
    slots->cr[number] = value;
}

#endif
