/*
 * unit.c - choose a translation unit: which guest instructions go together.
 *
 * A run of up to UNIT_INSN_MAX instructions that ends behind the first one that
 * transfers control or leaves translated code, before one that is a unit
 * already, or where the guest's code cannot be fetched or decoded; and not
 * behind an STI.  Fetching ahead never faults: only when the very first byte is
 * missing does the caller learn of it.
 */
#include "bt/xlate_int.h"

#include "kernel/base/string.h"

/* Where the bytes come from: the page at hand. */
struct source {
    const struct bt_env *env;
    const uint8_t *page;
    uint32_t number;        /* of that page */
    unsigned flags;         /* for env->fetch */
};

static bool
turn_to_page(struct source *s, struct unit *unit, uint32_t eip, unsigned which)
{
    if (s->page != NULL && s->number == eip / PAGE_SIZE)
        return true;
    s->page = s->env->fetch(s->env->context, eip, s->flags,
                            &unit->page[which]);
    s->number = eip / PAGE_SIZE;
    s->flags |= BT_FETCH_GUESS;
    return s->page != NULL;
}

/* The instruction at EIP goes on in the next page: join the two parts. */
static enum decode_result
decode_split(struct source *s, struct unit *unit, uint32_t eip,
             struct insn *insn)
{
    size_t here = PAGE_SIZE - (eip & PAGE_MASK);
    uint32_t first = unit->page[0];

    memcpy(unit->split, s->page + (eip & PAGE_MASK), here);
    unit->bytes[unit->count] = unit->split;
    s->flags &= ~(unsigned)(unit->count == 0 ? BT_FETCH_GUESS : 0);
    if (!turn_to_page(s, unit, eip + (uint32_t)here, 1)) {
        unit->page[1] = first;
        unit->is_fetched = unit->count > 0;
        return DECODE_NEED_MORE;
    }
    memcpy(unit->split + here, s->page, INSN_LENGTH_MAX - here);
    return decode(unit->split, INSN_LENGTH_MAX, s->env->mode, insn);
}

static enum decode_result
decode_at(struct source *s, struct unit *unit, uint32_t eip, struct insn *insn)
{
    size_t here = PAGE_SIZE - (eip & PAGE_MASK);
    unsigned which = unit->count > 0 && s->number != eip / PAGE_SIZE;
    enum decode_result result;

    if (!turn_to_page(s, unit, eip, which)) {
        if (which == 1)
            unit->page[1] = unit->page[0];
        return DECODE_NEED_MORE;
    }
    if (unit->count == 0)
        unit->page[1] = unit->page[0];
    unit->is_fetched = true;
    unit->bytes[unit->count] = s->page + (eip & PAGE_MASK);
    result = decode(unit->bytes[unit->count], MIN(here, INSN_LENGTH_MAX),
                    s->env->mode, insn);
    if (result == DECODE_NEED_MORE)
        result = decode_split(s, unit, eip, insn);
    return result;
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

void
unit_choose(struct xlate *x, uint32_t eip, unsigned max)
{
    struct unit *unit = &x->unit;
    struct source s = { .env = x->bt->env,
                        .flags = x->unit_count > 0 ? BT_FETCH_GUESS : 0 };

    if (x->is_step)
        s.flags |= BT_FETCH_UNWATCHED;
    unit->eip = eip;
    unit->count = 0;
    unit->is_fetched = false;
    unit->result = DECODE_OK;
    while (unit->count < max) {
        struct insn *insn = &unit->insns[unit->count];

        if (unit->count > 0 && !ends_in_sti(x) &&
            tc_find(x->bt, eip) != NULL)
            break;
        unit->result = decode_at(&s, unit, eip, insn);
        if (unit->result == DECODE_NEED_MORE)
            break;
        unit->count++;
        eip += insn->length;
        if (unit->result != DECODE_OK ||
            xlate_ends_unit(s.env, insn))
            break;
    }
    if (unit->count > 1 && ends_in_sti(x))
        unit->count--;
}
