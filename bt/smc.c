/*
 * smc.c - guest code that changed: its translation must not run again.
 *
 * The surroundings watch every page that was fetched from (write protection,
 * traces) and tell of each write.  Others may jump directly to the units that
 * are dropped then, so each one's first bytes are replaced by a jump to a stub,
 * which asks for the unit's eip like any untranslated successor.  A unit keeps
 * its stub for life, also when it has been translated anew.
 *
 * A page where data and code mix would fault again and again.  After some
 * writes it becomes *checking*: its units compare their bytes themselves each
 * time they run (self_check.c), and it need not be watched.  An instruction in
 * it that changes again and again is emulated (adapt.c); if all of the page
 * does, its new code may be there to stay, and it is watched again, for twice
 * as many writes.  So there is a bound on faults for each retranslation, and on
 * retranslations for each fault.
 *
 * Nobody is inside a unit at that time: the surroundings have recovered the
 * guest's state, and come back by bt_entry() or bt_step().
 */
#include "bt/bt_int.h"

#include "kernel/base/string.h"

/* A write that hit no code weighs more: watching was in vain. */
#define HARMLESS_WEIGHT 4u
#define SCORE_LIMIT     64u
#define LEVEL_MAX       5u
/* Changes that checks find before the page is watched again. */
#define CHANGES_MAX     64u

STATIC_ASSERT((SCORE_LIMIT << LEVEL_MAX) + HARMLESS_WEIGHT <= UINT16_MAX);
STATIC_ASSERT(CHANGES_MAX <= UINT8_MAX);

/* --- What is known about pages -------------------------------------------- */

static struct page_note *
set_of(struct bt *bt, uint32_t id)
{
    return bt->learned.pages[id % NOTE_SETS];
}

static struct page_note *
find_note(struct bt *bt, uint32_t id)
{
    struct page_note *set = set_of(bt, id);

    for (unsigned i = 0; i < NOTE_WAYS; i++)
        if (set[i].is_used && set[i].id == id)
            return &set[i];
    return NULL;
}

/* How much would be lost with it? */
static unsigned
worth(const struct page_note *note)
{
    if (!note->is_used)
        return 0;
    return 1u + note->score + (note->is_checking ? UINT16_MAX : 0);
}

static void
set_checking(struct bt *bt, struct page_note *note, bool is_checking)
{
    bt->learned.checking_count -= note->is_checking;
    bt->learned.checking_count += is_checking;
    note->is_checking = is_checking;
    note->score = 0;
    note->changes = 0;
}

/*
 * A checking page that is forgotten keeps its units, which need no watch; the
 * next fetch from it makes it a watched one.
 */
static struct page_note *
get_note(struct bt *bt, uint32_t id)
{
    struct page_note *note = find_note(bt, id), *set = set_of(bt, id);

    if (note != NULL)
        return note;
    note = &set[0];
    for (unsigned i = 1; i < NOTE_WAYS; i++)
        if (worth(&set[i]) < worth(note))
            note = &set[i];
    set_checking(bt, note, false);
    *note = (struct page_note){ .id = id, .is_used = true };
    return note;
}

static bool
is_checking(struct bt *bt, uint32_t id)
{
    const struct page_note *note = find_note(bt, id);

    return note != NULL && note->is_checking && self_check_is_possible(bt);
}

bool
smc_fetch(struct bt *bt, uint32_t eip, unsigned flags, struct source *source)
{
    const struct bt_env *env = bt->env;

    source->is_checking = false;
    if (bt->learned.checking_count > 0 && !(flags & BT_FETCH_UNWATCHED)) {
        source->page = env->fetch(env->context, eip,
                                  flags | BT_FETCH_UNWATCHED, &source->id);
        if (source->page == NULL)
            return false;
        source->is_checking = is_checking(bt, source->id);
        if (source->is_checking)
            return true;
    }
    source->page = env->fetch(env->context, eip, flags, &source->id);
    return source->page != NULL;
}

/* --- Dropping units ------------------------------------------------------- */

/* A stub at the end of the TC for all who jump to TU once it is dropped. */
static void
add_stub(struct bt *bt, struct bt_tu *tu)
{
    struct emitter e = tcache_emitter(bt);

    tu->stub_link = bt->link_count;     /* it has one link, a new one */
    chain_emit_stub(bt, &e, tu->eip);
    tcache_commit(bt, &e);
}

/*
 * Make TU's first bytes a jump to its stub.  A jump that is the whole unit has
 * been done where it begins; this one has not, and the point must say so.
 */
static void
divert(struct bt *bt, const struct bt_tu *tu)
{
    uint32_t offset = tu->entry - bt->env->code_at;
    struct point *point = recover_find_point(bt, offset);
    uint8_t *entry = bt->env->code + offset;
    struct emitter e = {
        .start = entry, .next = entry, .end = entry + UNIT_CODE_MIN,
        .address = tu->entry, .slot_segment = bt->env->slot_segment,
    };

    chain_set_link(bt, tu->stub_link, bt->links[tu->stub_link].home);
    emit_jmp(&e, chain_stub_of(bt, tu->stub_link));
    if (FIELD_GET(point->at, POINT_AT_OFFSET) == offset &&
        point->eip != tu->eip)
        *point = (struct point){
            .at = FIELD_SET((uint32_t)POINT_AT, POINT_AT_OFFSET, offset),
            .eip = tu->eip,
        };
}

bool
smc_drop(struct bt *bt, struct bt_tu *tu, enum bt_drop cause)
{
    bt->stats.dropped[cause]++;
    if (tu->stub_link == NO_LINK) {
        if (!tcache_has_room(bt)) {
            bt_flush(bt);
            return false;
        }
        add_stub(bt, tu);
    }
    divert(bt, tu);
    tc_remove(bt, tu);
    return true;
}

/* Do bytes [a, a + size) and [b, b + length) have one in common? */
static bool
have_common(uint32_t a, uint32_t size, uint32_t b, uint32_t length)
{
    return size > 0 && length > 0 && a < b + length && b < a + size;
}

struct drop {
    uint32_t offset, size;  /* bytes of the page */
    enum bt_drop cause;
    unsigned dropped, left; /* out: units of the page */
};

static void
drop_units(struct bt *bt, uint32_t id, struct drop *drop)
{
    uint32_t ref = tc_page_first(bt, id), next;

    for (; ref != NO_TU; ref = next) {
        struct tc_part part = tc_part_of(bt, ref);

        next = part.next;
        if (part.tu == NULL || part.page != id || part.size == 0)
            continue;
        if (!have_common(drop->offset, drop->size, part.offset, part.size)) {
            drop->left++;
            continue;
        }
        drop->dropped++;
        if (!smc_drop(bt, part.tu, drop->cause)) {
            drop->left = 0;
            return;
        }
    }
}

static struct drop
drop_page(struct bt *bt, uint32_t id, enum bt_drop cause)
{
    struct drop drop = { .size = PAGE_SIZE, .cause = cause };

    drop_units(bt, id, &drop);
    return drop;
}

/* --- What happens to pages ------------------------------------------------ */

void
bt_invalidate_page(struct bt *bt, uint32_t id)
{
    struct page_note *note = find_note(bt, id);

    if (note != NULL) {
        set_checking(bt, note, false);
        note->is_used = false;
    }
    drop_page(bt, id, BT_DROP_INVALID);
}

enum bt_written
bt_page_written(struct bt *bt, uint32_t id, uint32_t offset, uint32_t size)
{
    struct drop drop = { .offset = MIN(offset, PAGE_SIZE),
                         .cause = BT_DROP_WRITTEN };
    struct page_note *note;

    drop.size = MIN(size, PAGE_SIZE - drop.offset);
    bt->stats.writes++;
    if (is_checking(bt, id))
        return BT_WRITTEN_UNWATCH;
    drop_units(bt, id, &drop);
    bt->stats.harmless_writes += drop.dropped == 0;
    if (drop.left == 0 && drop.dropped == 0)
        return BT_WRITTEN_UNWATCH;
    note = get_note(bt, id);
    if (note->score < SCORE_LIMIT << note->level)
        note->score += drop.dropped == 0 ? HARMLESS_WEIGHT : 1;
    if (note->score >= SCORE_LIMIT << note->level &&
        self_check_is_possible(bt)) {
        set_checking(bt, note, true);
        bt->stats.pages_unwatched++;
        drop_page(bt, id, BT_DROP_UNWATCH);
        return BT_WRITTEN_UNWATCH;
    }
    if (drop.left == 0)
        return BT_WRITTEN_UNWATCH;
    return drop.dropped > 0 ? BT_WRITTEN_DROPPED : BT_WRITTEN_NOTHING;
}

static void
count_change(struct bt *bt, uint32_t id)
{
    struct page_note *note = find_note(bt, id);

    if (note == NULL || !note->is_checking || ++note->changes < CHANGES_MAX)
        return;
    set_checking(bt, note, false);
    note->level = (uint8_t)MIN(note->level + 1u, LEVEL_MAX);
    bt->stats.pages_rewatched++;
    drop_page(bt, id, BT_DROP_WATCH);
}

/*
 * TU's bytes are what they were: its check reads others, or a guest that can
 * write to the slots lies.  Let its page be watched before long.
 */
static void
distrust(struct bt *bt, struct bt_tu *tu)
{
    uint32_t first = tc_page_at(bt, tu, 0);
    uint32_t last = tc_page_at(bt, tu, tu->length - 1u);

    if (is_checking(bt, first))
        count_change(bt, first);
    else if (is_checking(bt, last))
        count_change(bt, last);
    else
        smc_drop(bt, tu, BT_DROP_WATCH);
}

static void
learn_change(struct bt *bt, struct bt_tu *tu, uint32_t at)
{
    uint32_t insn = self_check_insn_at(bt, tu, at);
    uint32_t id = tc_page_at(bt, tu, at);

    bt->stats.changes++;
    smc_drop(bt, tu, BT_DROP_CHANGED);
    count_change(bt, id);
    adapt_note_change(bt, insn);
}

void
smc_changed(struct bt *bt, uint32_t eip)
{
    struct bt_tu *tu = tc_find(bt, eip);
    uint32_t at;

    if (tu == NULL || tu->source == 0)
        return;
    at = self_check_compare(bt, tu);
    if (at == tu->length)
        distrust(bt, tu);
    else
        learn_change(bt, tu, at);
}
