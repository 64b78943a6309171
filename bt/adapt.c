/*
 * adapt.c - instructions that are not what they seemed: innocent until proven
 * guilty.
 *
 * A load or store is copied, in the belief that it finds plain memory.  One
 * that faults often (page tables, devices) is cheaper to leave to its owner at
 * once, and so is one whose bytes change all the time: after some evidence it
 * becomes an EMULATE exit.  The owner tells after each emulation whether it
 * would have been needed.  When it was not for long, the instruction is copied
 * again; each time for twice as long, so that the cost of going back and forth
 * vanishes in that of the emulations.
 *
 * What is an EMULATE exit for this reason is guilty in the table: an entry that
 * is replaced is acquitted.
 */
#include "bt/bt_int.h"

#define GUILTY_COUNT    8u
#define FAULT_WEIGHT    1u
#define CHANGE_WEIGHT   2u
#define CREDIT_FIRST    64u
#define LEVEL_MAX       6u

/* Most bytes that a unit can have. */
#define UNIT_BYTES_MAX  (UNIT_INSN_MAX * INSN_LENGTH_MAX)

STATIC_ASSERT(CREDIT_FIRST << LEVEL_MAX <= UINT16_MAX);

static struct suspect *
set_of(struct bt *bt, uint32_t eip)
{
    /* Neighbours are far apart in code, and close in the table. */
    return bt->learned.suspects[(eip ^ eip >> 8) % NOTE_SETS];
}

static struct suspect *
find(struct bt *bt, uint32_t eip)
{
    struct suspect *set = set_of(bt, eip);

    for (unsigned i = 0; i < NOTE_WAYS; i++)
        if (set[i].is_used && set[i].eip == eip)
            return &set[i];
    return NULL;
}

static unsigned
worth(const struct suspect *s)
{
    if (!s->is_used)
        return 0;
    return s->is_guilty ? 1u + GUILTY_COUNT + s->credit : 1u + s->count;
}

/* Units with the instruction at EIP, or that end in an exit there. */
static void
drop_units(struct bt *bt, uint32_t eip)
{
    for (uint32_t back = 0; back < UNIT_BYTES_MAX; back++) {
        struct bt_tu *tu = tc_find(bt, eip - back);

        if (tu != NULL && back <= tu->length &&
            !smc_drop(bt, tu, BT_DROP_ADAPTED))
            return;
    }
}

static void
convict(struct bt *bt, struct suspect *s)
{
    s->is_guilty = true;
    s->credit = (uint16_t)(CREDIT_FIRST << s->level);
    bt->learned.guilty_count++;
    bt->stats.emulated++;
    drop_units(bt, s->eip);
}

static void
acquit(struct bt *bt, struct suspect *s)
{
    s->is_guilty = false;
    s->count = 0;
    s->level = (uint8_t)MIN(s->level + 1u, LEVEL_MAX);
    bt->learned.guilty_count--;
    bt->stats.acquitted++;
    drop_units(bt, s->eip);
}

static struct suspect *
get(struct bt *bt, uint32_t eip)
{
    struct suspect *s = find(bt, eip), *set = set_of(bt, eip);

    if (s != NULL)
        return s;
    s = &set[0];
    for (unsigned i = 1; i < NOTE_WAYS; i++)
        if (worth(&set[i]) < worth(s))
            s = &set[i];
    if (s->is_guilty)
        acquit(bt, s);
    *s = (struct suspect){ .eip = eip, .is_used = true };
    return s;
}

static void
add_evidence(struct bt *bt, uint32_t eip, unsigned weight)
{
    struct suspect *s = get(bt, eip);

    if (s->is_guilty)
        return;
    s->count = (uint8_t)(s->count + weight);
    if (s->count >= GUILTY_COUNT)
        convict(bt, s);
}

bool
adapt_is_guilty(struct bt *bt, uint32_t eip)
{
    const struct suspect *s;

    if (bt->learned.guilty_count == 0)
        return false;
    s = find(bt, eip);
    return s != NULL && s->is_guilty;
}

void
adapt_note_change(struct bt *bt, uint32_t eip)
{
    add_evidence(bt, eip, CHANGE_WEIGHT);
}

void
bt_note_fault(struct bt *bt, uint32_t eip)
{
    add_evidence(bt, eip, FAULT_WEIGHT);
}

void
bt_note_emulated(struct bt *bt, uint32_t eip, bool was_needed)
{
    struct suspect *s = find(bt, eip);

    if (s == NULL || !s->is_guilty)
        return;
    if (was_needed)
        s->credit = (uint16_t)(CREDIT_FIRST << s->level);
    else if (--s->credit == 0)
        acquit(bt, s);
}
