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

/* Put TU's checked entry first in its bucket, unless it is there. */
void
chain_publish(struct bt *bt, struct bt_tu *tu)
{
    uint32_t *head = &bt->env->tables->lookup[tu->eip & LOOKUP_MASK];

    if (tu->check_epoch == bt->epoch)
        return;
    tu->check_epoch = bt->epoch;
    chain_set_link(bt, tu->check_link, *head);
    *head = tu->checked;
}

void
chain_emit_checked(struct bt *bt, struct emitter *e, struct bt_tu *tu)
{
    bool is_long = e->slot_segment != SEG_DS;
    enum { JMP_SLOT_SIZE = 6 };

    tu->checked = emit_here(e);
    tu->check_link = chain_new_link(bt, tu->eip, bt->miss);
    tcache_add_point(bt, tu->checked, POINT_TARGET, 0);
    emit_load_slot(e, GPR_ECX, slot(bt, offsetof(struct bt_slots, target)));
    emit_add(e, GPR_ECX, -tu->eip);
    emit_jecxz_over(e, (uint8_t)(JMP_SLOT_SIZE + is_long));
    emit_jmp_slot(e, chain_link_slot(bt, tu->check_link));
    emit_load_slot(e, GPR_ECX, slot(bt, offsetof(struct bt_slots, ecx)));
}

void
chain_emit_stub(struct bt *bt, struct emitter *e, uint32_t eip)
{
    const struct bt_env *env = bt->env;
    uint32_t link = chain_new_link(bt, eip, 0);

    tcache_add_point(bt, emit_here(e), POINT_AT, eip);
    emit_jmp_slot(e, chain_link_slot(bt, link));
    bt->links[link].home = emit_here(e);
    chain_set_link(bt, link, emit_here(e));
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

    bt->epoch++;
    for (uint32_t i = 0; i < bt->link_count; i++)
        tables->links[i] = bt->links[i].home;
    for (uint32_t i = 0; i < BT_LOOKUP_COUNT; i++)
        tables->lookup[i] = bt->miss;
}
