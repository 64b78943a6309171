/*
 * chain.c - how translated code goes on to other translated code.
 *
 * Within a batch and to what is already there, jumps are direct.  To the rest
 * they lead through a link, a word of data that first points into the jump's
 * own stub and later to the unit: code that runs is never patched for it.
 *
 *      stub:   jmp   *link              -> home, or the unit at eip
 *      home:   exit_arg = link; exit_eip = eip; exit_reason = LINK; leave
 *
 * Indirect branches come by the lookup table to checked entries (bt_int.h):
 *
 *      mov  target, %ecx
 *      lea  -eip(%ecx), %ecx            no flags change
 *      jecxz hit
 *      jmp  *check_link                 -> next of the bucket, or miss
 *  hit: mov ecx, %ecx
 */
#include "bt/bt_int.h"

#include "kernel/base/assert.h"

/* Low bits of an address that choose its bucket: emit_jmp_table(). */
#define LOOKUP_MASK (BT_LOOKUP_COUNT - 1)
STATIC_ASSERT(BT_LOOKUP_COUNT * sizeof(uint32_t) == UINT16_MAX + 1);

static uint32_t
slot(const struct bt *bt, size_t offset)
{
    return bt->env->slots_at + (uint32_t)offset;
}

/* How long emit_jmp_slot() is. */
static uint32_t
jmp_slot_size(const struct bt *bt)
{
    enum { SHORT_SIZE = 6 };

    return SHORT_SIZE + (bt->env->slot_segment != SEG_DS);
}

uint32_t
chain_new_link(struct bt *bt, uint32_t eip, uint32_t home)
{
    uint32_t n = bt->link_count++;

    ASSERT(n < bt->env->link_max);
    bt->links[n] = (struct bt_link){ .home = home, .eip = eip };
    bt->env->tables->links[n] = home;
    bt->stats.links++;
    return n;
}

uint32_t
chain_link_slot(const struct bt *bt, uint32_t link)
{
    return bt->env->tables_at + (uint32_t)offsetof(struct bt_tables, links) +
           link * (uint32_t)sizeof(uint32_t);
}

void
chain_set_link(struct bt *bt, uint32_t link, uint32_t to)
{
    bt->env->tables->links[link] = to;
}

uint32_t
chain_stub_of(const struct bt *bt, uint32_t link)
{
    return bt->links[link].home - jmp_slot_size(bt);
}

/* Put TU's checked entry first in its bucket, unless it is there. */
void
chain_publish(struct bt *bt, struct bt_tu *tu)
{
    uint32_t *head = &bt->env->tables->lookup[tu->eip & LOOKUP_MASK];

    if (tu->is_published)
        return;
    tu->is_published = true;
    chain_set_link(bt, tu->check_link, *head);
    *head = bt->links[tu->check_link].home;
}

void
chain_emit_checked(struct bt *bt, struct emitter *e, struct bt_tu *tu)
{
    uint32_t checked = emit_here(e);

    tu->check_link = chain_new_link(bt, tu->eip, checked);
    tcache_add_point(bt, checked, POINT_TARGET, 0);
    emit_load_slot(e, GPR_ECX, slot(bt, offsetof(struct bt_slots, target)));
    emit_add(e, GPR_ECX, -tu->eip);
    emit_jecxz_over(e, (uint8_t)jmp_slot_size(bt));
    emit_jmp_slot(e, chain_link_slot(bt, tu->check_link));
    emit_load_slot(e, GPR_ECX, slot(bt, offsetof(struct bt_slots, ecx)));
}

void
chain_emit_stub(struct bt *bt, struct emitter *e, uint32_t eip)
{
    const struct bt_env *env = bt->env;
    uint32_t link = chain_new_link(bt, eip, 0), start = emit_here(e);

    tcache_add_point(bt, start, POINT_AT, eip);
    emit_jmp_slot(e, chain_link_slot(bt, link));
    bt->links[link].home = emit_here(e);
    chain_set_link(bt, link, emit_here(e));
    ASSERT(chain_stub_of(bt, link) == start);
    emit_set_slot(e, slot(bt, offsetof(struct bt_slots, exit_arg)), link);
    emit_set_slot(e, slot(bt, offsetof(struct bt_slots, exit_eip)), eip);
    emit_set_slot(e, slot(bt, offsetof(struct bt_slots, exit_reason)),
                  BT_EXIT_LINK);
    if (env->callout == CALLOUT_INT)
        emit_int(e, env->callout_vector);
    else
        emit_jmp_slot(e, env->tables_at + offsetof(struct bt_tables, exit));
}

void
bt_unlink_all(struct bt *bt)
{
    struct bt_tables *tables = bt->env->tables;

    for (uint32_t i = 0; i < bt->link_count; i++)
        tables->links[i] = bt->links[i].home;
    for (uint32_t i = 0; i < bt->tu_count; i++) {
        bt->tus[i].is_published = false;
        tables->links[bt->tus[i].check_link] = bt->miss;
    }
    for (uint32_t i = 0; i < BT_LOOKUP_COUNT; i++)
        tables->lookup[i] = bt->miss;
}
