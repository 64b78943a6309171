/*
 * unit.c - choose a translation unit: which guest instructions go together.
 *
 * A run of up to UNIT_INSN_MAX instructions that ends behind the first one that
 * transfers control or leaves translated code, before one that is a unit
 * already, or where the guest's code cannot be fetched or decoded; and not
 * behind an STI.  A unit that checks itself (self_check.c) also ends behind the
 * first instruction that may write to memory, and is small.  Fetching ahead
 * never faults: only when the very first byte is missing does the caller learn
 * of it.
 *
 * Each byte is read once: what is decoded, translated and checked is the copy
 * in the unit, whoever writes to guest memory meanwhile.
 */
#include "bt/xlate_int.h"

#include "bt/near_int.h"
#include "kernel/base/string.h"

static bool
turn_to_page(struct xlate *x, uint32_t eip)
{
    struct source *s = &x->source;
    unsigned flags = x->is_step ? BT_FETCH_UNWATCHED : 0;

    if (s->page != NULL && s->number == eip / PAGE_SIZE)
        return true;
    if (x->unit_count > 0 || x->unit.count > 0)
        flags |= BT_FETCH_GUESS;
    s->number = eip / PAGE_SIZE;
    return smc_fetch(x->bt, eip, flags, s);
}

/* The instruction at EIP goes on in the next page: join the two parts. */
static enum decode_result
decode_split(struct xlate *x, uint32_t eip, struct insn *insn)
{
    size_t here = PAGE_SIZE - (eip & PAGE_MASK);
    uint8_t *bytes = x->unit.bytes[x->unit.count];

    if (!turn_to_page(x, eip + (uint32_t)here))
        return DECODE_NEED_MORE;
    memcpy(bytes + here, x->source.page, INSN_LENGTH_MAX - here);
    return decode(bytes, INSN_LENGTH_MAX, x->bt->code.mode, insn);
}

static enum decode_result
decode_at(struct xlate *x, uint32_t eip, struct insn *insn)
{
    size_t offset = eip & PAGE_MASK;
    size_t here = MIN(PAGE_SIZE - offset, (size_t)INSN_LENGTH_MAX);
    uint8_t *bytes = x->unit.bytes[x->unit.count];
    enum decode_result result;

    if (!turn_to_page(x, eip))
        return DECODE_NEED_MORE;
    if (x->unit.count == 0) {
        x->unit.page[0] = x->source.id;
        x->unit.is_checked = x->source.is_checking;
    }
    memcpy(bytes, x->source.page + offset, here);
    result = decode(bytes, here, x->bt->code.mode, insn);
    if (result == DECODE_NEED_MORE)
        result = decode_split(x, eip, insn);
    return result;
}

/* May INSN, just decoded, be in the unit with those before it? */
static bool
belongs(const struct xlate *x, const struct insn *insn)
{
    const struct unit *unit = &x->unit;
    uint32_t end = unit->eip + unit->length + insn->length;

    if (unit->count == 0 || !(unit->is_checked || x->source.is_checking))
        return true;
    return unit->is_checked && unit->length + insn->length <= SELF_CHECK_MAX &&
           (unit->eip ^ (end - 1)) / PAGE_SIZE == 0 &&
           !insn_may_write(&unit->insns[unit->count - 1]);
}

/* Decode the next instruction into the unit; false: it does not belong. */
static bool
take(struct xlate *x, uint32_t eip)
{
    struct unit *unit = &x->unit;
    struct insn *insn = &unit->insns[unit->count];
    enum decode_result result = decode_at(x, eip, insn);

    if (result == DECODE_NEED_MORE ||
        !code_permits(x->bt, eip, insn->length) || !belongs(x, insn))
        return false;
    unit->is_checked |= unit->count == 0 && x->source.is_checking;
    unit->count++;
    unit->page[1] = x->source.id;
    unit->result = result;
    unit->is_emulated = !x->is_step && result == DECODE_OK &&
                        adapt_is_guilty(x->bt, eip);
    /* Nothing depends on the bytes of what is emulated. */
    if (!unit->is_emulated)
        unit->length += insn->length;
    return true;
}

/* An in-line STI needs the next instruction behind it: xlate_flags.c. */
static bool
ends_in_sti(const struct xlate *x)
{
    const struct unit *unit = &x->unit;

    return !x->bt->env->is_user && unit->count > 0 &&
           insn_opcode(&unit->insns[unit->count - 1])->operation ==
               OPERATION_sti;
}

static bool
is_complete(const struct xlate *x, const struct insn *last)
{
    return x->unit.result != DECODE_OK || x->unit.is_emulated ||
           xlate_ends_unit(x->bt, last);
}

void
unit_choose(struct xlate *x, uint32_t eip, unsigned max)
{
    struct unit *unit = &x->unit;

    if (x->unit_count == 0)
        x->source.page = NULL;
    unit->eip = eip;
    unit->count = 0;
    unit->length = 0;
    unit->result = DECODE_OK;
    unit->is_checked = unit->is_emulated = false;
    while (unit->count < max) {
        const struct insn *insn = &unit->insns[unit->count];

        if (unit->count > 0 && !ends_in_sti(x) &&
            (region_is_target(&x->region, eip) || tc_find(x->bt, eip) != NULL))
            break;
        if (!take(x, eip) || is_complete(x, insn))
            break;
        eip += insn->length;
    }
    unit->is_fetched = unit->count > 0;
    if (unit->count > 1 && !unit->is_emulated && ends_in_sti(x))
        unit->length -= unit->insns[--unit->count].length;
}
