/*
 * translate.c - batches of units: what is laid out where.
 *
 * bt_entry() finds the unit at a guest address or translates it together with
 * its successors: what falls through is laid out next so that it needs no jump,
 * what else is likely to run waits in a queue: where jumps, calls and branches
 * backwards go, and what calls return to.  Branches ahead are mostly passed by;
 * their targets are translated when one is taken.  Jumps get their addresses at
 * the end, when it is known who has become part of the batch; the rest go
 * through stubs.
 */
#include "bt/handlers_int.h"
#include "bt/site.h"

#include "bt/leave.h"
#include "kernel/base/assert.h"

#define ENTRY_ALIGNMENT 16u

bool
xlate_ends_unit(const struct bt *bt, const struct insn *insn)
{
    return handler_of(bt, insn)->ends_unit;
}

void
xlate_point(struct xlate *x, enum point_kind kind, uint32_t eip)
{
    unsigned shadow = x->has_shadow && x->shadow_eip == eip ? POINT_SHADOW : 0;

    tcache_add_point(x->bt, emit_here(&x->e), kind | shadow, eip);
}

void
xlate_expect(struct xlate *x, uint32_t eip, bool is_return)
{
    if (x->queue_count == QUEUE_MAX)
        return;
    x->queue[x->queue_count] = eip;
    x->queue_checked[x->queue_count++] = is_return;
}

static void
add_fixup(struct xlate *x, uint32_t eip)
{
    ASSERT(x->fixup_count < FIXUP_MAX);
    x->fixups[x->fixup_count++] = (struct fixup){
        .offset = (uint32_t)(x->e.next - x->e.start) - sizeof(uint32_t),
        .eip = eip,
    };
}

void
xlate_jmp_to(struct xlate *x, uint32_t eip)
{
    xlate_point(x, POINT_AT, eip);
    emit_jmp(&x->e, 0);
    add_fixup(x, eip);
    xlate_expect(x, eip, false);
}

void
xlate_jcc_to(struct xlate *x, unsigned cc, uint32_t eip)
{
    emit_jcc(&x->e, cc, 0);
    add_fixup(x, eip);
    /* Ahead is what compilers moved out of the way: it waits to be come to. */
    if (eip <= x->eip)
        xlate_expect(x, eip, false);
}

void
xlate_fall(struct xlate *x, uint32_t eip)
{
    x->has_fall = true;
    x->fall = eip;
}

void
xlate_exit(struct xlate *x, enum bt_exit reason, uint32_t eip)
{
    bool is_shadow = x->has_shadow && x->shadow_eip == eip;

    xlate_point(x, POINT_AT, eip);
    emit_set_slot(&x->e, SLOT(x, exit_eip), eip);
    emit_set_slot(&x->e, SLOT(x, exit_reason),
                  reason | (is_shadow ? BT_EXIT_SHADOW : 0));
    leave_emit(x->bt, &x->e);
}

void
xlate_leave(struct xlate *x)
{
    bool is_shadow = x->has_shadow && x->shadow_eip == x->eip;

    emit_set_slot(&x->e, SLOT(x, exit_eip), x->eip);
    emit_jmp(&x->e, x->bt->emulate[is_shadow]);
}

/* The unit's instructions, one handler after the other. */
static void
translate_insns(struct xlate *x)
{
    const struct unit *unit = &x->unit;

    x->eip = unit->eip;
    x->has_fall = false;
    x->is_ended = false;
    for (unsigned i = 0; i < unit->count; i++) {
        const struct insn *insn = &unit->insns[i];

        x->bytes = unit->bytes[i];
        x->is_last = i + 1 == unit->count;
        if (x->is_last && unit->result == DECODE_UNDEFINED) {
            xlate_exit(x, BT_EXIT_UNDEFINED, x->eip);
            return;
        }
        if (x->is_last && unit->result == DECODE_TOO_LONG) {
            xlate_exit(x, BT_EXIT_TOO_LONG, x->eip);
            return;
        }
        if (x->is_last && unit->is_emulated) {
            xlate_emulate(x, insn);
            return;
        }
        xlate_point(x, POINT_RUN, x->eip);
        handler_of(x->bt, insn)->handle(x, insn);
        if (x->is_ended) {
            x->eip = xlate_next_eip(x, insn);
            return;
        }
        x->eip = xlate_next_eip(x, insn);
    }
    xlate_fall(x, x->eip);
}

static void
add_checked_here(struct xlate *x, struct bt_tu *tu)
{
    chain_emit_checked(x->bt, &x->e, tu);
    chain_publish(x->bt, tu);
}

/* The next unit begins where the CPU fetches best. */
static void
align(struct xlate *x)
{
    uint32_t here = emit_here(&x->e);

    emit_nops(&x->e, ROUND_UP(here, ENTRY_ALIGNMENT) - here);
}

static bool
in_region(const struct xlate *x, uint32_t eip)
{
    return eip - x->region.start < x->region.end - x->region.start;
}

/* Get ready for the unit at EIP, into which the last one may fall. */
static void
begin_unit(struct xlate *x, uint32_t eip)
{
    if (!in_region(x, eip))
        region_scan(&x->region, x->bt, eip);
    /* Where the guest's compiler saw to it, too. */
    if (eip % ENTRY_ALIGNMENT == 0 && region_is_loop(&x->region, eip)) {
        xlate_point(x, POINT_AT, eip);
        align(x);
    }
}

/* Translate the unit at EIP to the end of the batch; false: cannot fetch. */
static bool
translate_unit(struct xlate *x, uint32_t eip)
{
    struct bt_tu *tu;
    size_t size;

    if (!x->is_step)
        begin_unit(x, eip);
    unit_choose(x, eip, x->is_step ? 1 : UNIT_INSN_MAX);
    if (!x->unit.is_fetched)
        return false;
    tu = x->is_step ? &x->bt->step
                    : tc_add(x->bt, eip, x->unit.length, x->unit.page);
    if (x->want_checked && tu->check_link == NO_LINK)
        add_checked_here(x, tu);
    x->want_checked = false;
    tu->entry = emit_here(&x->e);
    if (x->unit.is_checked)
        self_check_emit(x, tu);
    translate_insns(x);
    x->has_shadow = false;
    size = emit_here(&x->e) - tu->entry;
    /* Where a unit begins, the guest is at its eip: it may be diverted. */
    if (size == 0) {
        xlate_point(x, POINT_AT, eip);
        emit_nops(&x->e, ++size);
    }
    if (size < UNIT_CODE_MIN) {
        xlate_point(x, POINT_AT, x->fall);
        emit_nops(&x->e, UNIT_CODE_MIN - size);
    }
    x->end = x->eip;
    x->unit_count++;
    x->bt->stats.units++;
    x->bt->stats.units_of[x->unit.count]++;
    x->bt->stats.instructions += x->unit.count;
    x->bt->stats.guest_bytes += x->unit.length;
    return true;
}

static bool
has_room(const struct xlate *x)
{
    size_t left = (size_t)(x->e.end - x->e.next);

    return x->unit_count < BATCH_UNIT_MAX && !x->is_complete &&
           left >= x->fixup_count * STUB_CODE_MAX + UNIT_CODE_MAX &&
           x->bt->env->point_max - x->bt->point_count >=
               UNIT_POINT_MAX + x->fixup_count;
}

/*
 * Shall the unit at EIP be part of the batch?  It grows large only to complete
 * a region: what else there is may never run.
 */
static bool
is_wanted(const struct xlate *x, uint32_t eip)
{
    return has_room(x) &&
           (x->unit_count < BATCH_UNIT_GOAL || in_region(x, eip));
}

/*
 * Go on where the last unit falls through, until that is translated already or
 * cannot be: then there must be a jump.
 */
static void
translate_falls(struct xlate *x)
{
    while (x->has_fall) {
        uint32_t eip = x->fall;

        x->has_fall = false;
        if (!is_wanted(x, eip) || tc_find(x->bt, eip) != NULL ||
            !translate_unit(x, eip))
            xlate_jmp_to(x, eip);
    }
}

/* Which target to take next: the nearest behind the last unit, or the first. */
static unsigned
nearest(const struct xlate *x, unsigned first)
{
    unsigned best = first;
    uint32_t distance = x->region.end - x->end;

    for (unsigned i = first; i < x->queue_count; i++)
        if (x->queue[i] - x->end < distance) {
            distance = x->queue[i] - x->end;
            best = i;
        }
    return best;
}

/* Another target to translate; false when the batch is complete. */
static bool
choose_next(struct xlate *x, unsigned *queued, uint32_t *eip)
{
    while (*queued < x->queue_count) {
        unsigned i = nearest(x, *queued);

        *eip = x->queue[i];
        if (!is_wanted(x, *eip))
            break;
        x->want_checked = x->queue_checked[i];
        x->queue[i] = x->queue[*queued];
        x->queue_checked[i] = x->queue_checked[(*queued)++];
        if (tc_find(x->bt, *eip) == NULL)
            return true;
    }
    x->want_checked = false;
    return false;
}

/* Give the batch's jumps their targets, with stubs for those not there. */
static void
resolve_fixups(struct xlate *x)
{
    for (unsigned i = 0; i < x->fixup_count; i++) {
        struct fixup *f = &x->fixups[i];
        const struct bt_tu *tu = tc_find(x->bt, f->eip);
        struct emitter field = x->e;
        uint32_t target = tu != NULL ? tu->entry : emit_here(&x->e);

        if (x->is_step) {
            target = emit_here(&x->e);
            xlate_exit(x, BT_EXIT_STEP, f->eip);
        } else if (tu == NULL) {
            chain_emit_stub(x->bt, &x->e, f->eip);
        }
        field.next = field.start + f->offset;
        emit_rel32(&field, target);
    }
}

static void
translate_rest(struct xlate *x)
{
    unsigned queued = 0;
    uint32_t eip;

    translate_falls(x);
    while (choose_next(x, &queued, &eip)) {
        align(x);
        x->is_complete = !translate_unit(x, eip);
        translate_falls(x);
    }
    resolve_fixups(x);
    tcache_commit(x->bt, &x->e);
    x->bt->stats.batches++;
}

static void
start(struct xlate *x, struct bt *bt)
{
    if (!tcache_has_room(bt))
        bt_flush(bt);
    x->bt = bt;
    x->e = tcache_emitter(bt);
    x->has_shadow = false;
    x->fixup_count = x->queue_count = x->unit_count = 0;
    x->is_step = x->is_complete = x->want_checked = x->has_fall = false;
}

/* Translate what is at EIP; NULL if that cannot be fetched. */
static struct bt_tu *
translate(struct bt *bt, uint32_t eip, bool want_checked)
{
    struct xlate x;

    start(&x, bt);
    x.region = (struct region){ 0 };
    x.want_checked = want_checked;
    if (!translate_unit(&x, eip))
        return NULL;
    translate_rest(&x);
    return tc_find(bt, eip);
}

/* A checked entry for a unit that was translated without. */
static void
add_checked(struct bt *bt, struct bt_tu *tu)
{
    struct xlate x;

    start(&x, bt);
    chain_emit_checked(bt, &x.e, tu);
    tcache_add_point(bt, emit_here(&x.e), POINT_AT, tu->eip);
    emit_jmp(&x.e, tu->entry);
    tcache_commit(bt, &x.e);
}

/* The way that led here by an exit, made shorter for next time. */
static void
shorten(struct bt *bt, struct bt_tu *tu)
{
    const struct bt_slots *slots = bt->env->slots;
    uint32_t n = slots->exit_arg;

    switch ((enum bt_exit)slots->exit_reason) {
    case BT_EXIT_MISS:
        if (tu->check_link == NO_LINK)
            add_checked(bt, tu);
        chain_publish(bt, tu);
        bt->stats.misses++;
        break;
    case BT_EXIT_SITE:
        site_learn(bt, n, tu->eip);
        break;
    case BT_EXIT_LINK:
        if (n < bt->link_count && bt->links[n].eip == tu->eip &&
            n != tu->check_link)
            chain_set_link(bt, n, tu->entry);
        break;
    default:
        break;
    }
}

uint32_t
bt_entry(struct bt *bt, uint32_t eip)
{
    const struct bt_slots *slots = bt->env->slots;
    bool is_miss = slots->exit_reason == BT_EXIT_MISS &&
                   slots->exit_eip == eip;
    struct bt_tu *tu;

    if (slots->exit_reason == BT_EXIT_CHANGED && slots->exit_eip == eip)
        smc_changed(bt, eip);
    tu = tc_find(bt, eip);
    /* A flush ends the lives of links and units: start anew after one. */
    if (tu == NULL || (is_miss && tu->check_link == NO_LINK &&
                       !tcache_has_room(bt)))
        tu = translate(bt, eip, is_miss);
    if (tu == NULL)
        return 0;
    if (slots->exit_eip == eip)
        shorten(bt, tu);
    return tu->entry;
}

uint32_t
bt_step(struct bt *bt, uint32_t eip)
{
    struct xlate x;

    start(&x, bt);
    x.region = (struct region){ 0 };
    x.is_step = true;
    if (!translate_unit(&x, eip))
        return 0;
    if (x.has_fall)
        xlate_jmp_to(&x, x.fall);
    resolve_fixups(&x);
    tcache_commit(bt, &x.e);
    return bt->step.entry;
}
