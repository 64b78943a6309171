/*
 * smc.c - guest code that changed: its translation must not run again.
 *
 * The surroundings watch every page that was fetched from (write protection,
 * traces) and call bt_invalidate_page() when one changes.  Others may jump
 * directly to the units of that page, so each one's first bytes are replaced by
 * a jump to a new stub, which asks for the unit's eip like any untranslated
 * successor; once that is translated anew, old jumps lead there by its link.
 *
 * Nobody is inside a unit at that time: the surroundings have recovered the
 * guest's state, and come back by bt_entry() or bt_step().
 */
#include "bt/bt_int.h"

#include "kernel/base/string.h"

/* Lead all who jump to TU to a stub that E appends to the TC. */
static void
divert(struct bt *bt, struct bt_tu *tu)
{
    const struct bt_env *env = bt->env;
    struct emitter stub = {
        .start = bt->scratch, .next = bt->scratch,
        .end = bt->scratch + SCRATCH_SIZE, .address = tcache_next(bt),
        .slot_segment = env->slot_segment,
    };
    struct emitter patch = {
        .start = env->code + (tu->entry - env->code_at),
        .next = env->code + (tu->entry - env->code_at),
        .end = env->code + (tu->entry - env->code_at) + UNIT_CODE_MIN,
        .address = tu->entry, .slot_segment = env->slot_segment,
    };

    chain_emit_stub(bt, &stub, tu->eip);
    tcache_commit(bt, &stub);
    emit_jmp(&patch, stub.address);
    tc_remove(bt, tu);
    bt->stats.invalidated_units++;
}

void
bt_invalidate_page(struct bt *bt, uint32_t id)
{
    uint32_t ref = tc_page_first(bt, id), next;

    for (; ref != NO_TU; ref = next) {
        struct bt_tu *tu = &bt->tus[ref / 2];

        next = tu->next_page[ref % 2];
        if (tu->page[ref % 2] != id || tc_find(bt, tu->eip) != tu)
            continue;
        if (!tcache_has_room(bt)) {
            bt_flush(bt);
            return;
        }
        divert(bt, tu);
    }
}
