/*
 * xlate_int.h - a batch in the making.
 *
 * translate.c takes a unit (unit.c) at a time and calls, for each instruction,
 * the handler of its class (handlers_int.h).  A handler emits code into x->e,
 * notes a point wherever the way back to the guest's state changes, and says by
 * is_ended and xlate_fall() how the unit goes on.  Where the emitted sequence
 * may fault or be interrupted, the guest's state must be recoverable: a handler
 * stores to guest memory, if at all, before it has destroyed anything.
 */
#ifndef BT_XLATE_INT_H
#define BT_XLATE_INT_H

#include "bt/bt_int.h"
#include "bt/decode.h"

#define QUEUE_MAX       (FIXUP_MAX + BATCH_UNIT_MAX)

/* A jump of the batch whose target gets its address at the end. */
struct fixup {
    uint32_t offset;        /* of the rel32 in the scratch buffer */
    uint32_t eip;
};

#define REGION_INSN_MAX     128
#define REGION_TARGET_MAX   64

/* Jump targets of the code at START .. END - 1: region.c. */
struct region {
    uint32_t start, end;
    unsigned count;
    uint32_t targets[REGION_TARGET_MAX];
    bool is_loop[REGION_TARGET_MAX];    /* by a jump backwards */
};
void region_scan(struct region *r, struct bt *bt, uint32_t eip);
bool region_is_target(const struct region *r, uint32_t eip);
bool region_is_loop(const struct region *r, uint32_t eip);

/* Guest instructions, in order, with their bytes. */
struct unit {
    uint32_t eip;
    unsigned count;
    struct insn insns[UNIT_INSN_MAX];
    uint8_t bytes[UNIT_INSN_MAX][INSN_LENGTH_MAX];
    unsigned length;                    /* of the bytes it depends on */
    enum decode_result result;          /* of the last, if not DECODE_OK */
    bool is_emulated;                   /* the last one is not to be copied */
    bool is_checked;                    /* it must check itself */
    uint32_t page[2];
    bool is_fetched;                    /* false: not even the first byte */
};

struct xlate {
    struct bt *bt;
    struct emitter e;
    uint32_t eip;           /* of the instruction at hand */
    const uint8_t *bytes;   /* its bytes */
    bool is_last;           /* of the unit's instructions */
    bool has_shadow;        /* in line was an STI: what is at shadow_eip ... */
    uint32_t shadow_eip;    /* ... runs before any interrupt */
    bool is_ended;          /* the unit ends here */
    bool has_fall;          /* and goes on at `fall`, best without a jump */
    bool is_step;
    bool is_complete;       /* the batch: take no more units */
    bool want_checked;      /* the next unit is come to indirectly */
    uint32_t fall;
    uint32_t end;           /* behind the last guest instruction */
    struct region region;
    unsigned fixup_count, queue_count, unit_count;
    struct fixup fixups[FIXUP_MAX];
    uint32_t queue[QUEUE_MAX];      /* targets to translate, too */
    bool queue_checked[QUEUE_MAX];
    struct source source;
    struct unit unit;
};

/* Choose the unit at EIP; UNIT->result and is_fetched say how it ends. */
void unit_choose(struct xlate *x, uint32_t eip, unsigned max);

/* Does an instruction of this class end a unit? */
bool xlate_ends_unit(const struct bt *bt, const struct insn *insn);

/* --- translate.c: for handlers -------------------------------------------- */
void xlate_point(struct xlate *x, enum point_kind kind, uint32_t eip);
void xlate_jmp_to(struct xlate *x, uint32_t eip);
void xlate_jcc_to(struct xlate *x, unsigned cc, uint32_t eip);
/* Translate EIP in this batch, too, if there is room. */
void xlate_expect(struct xlate *x, uint32_t eip, bool is_return);
void xlate_fall(struct xlate *x, uint32_t eip);
/* Leave with REASON; the guest's registers are in place, its eip is EIP. */
void xlate_exit(struct xlate *x, enum bt_exit reason, uint32_t eip);
/* The same for EMULATE and x->eip, when ECX is in its slot. */
void xlate_leave(struct xlate *x);

static inline uint32_t
xlate_next_eip(const struct xlate *x, const struct insn *insn)
{
    return x->eip + insn->length;
}

/* The address of a member of struct bt_slots, as translated code sees it. */
#define SLOT(x, member) \
    ((x)->bt->env->slots_at + (uint32_t)offsetof(struct bt_slots, member))

#endif
