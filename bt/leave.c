/*
 * leave.c - how translated code leaves to its surroundings.
 *
 * By a jump through a slot or by an interrupt, as the surroundings wish, with
 * all registers the guest's and slots.exit_... set.  Sequences that find out
 * half-way that an instruction is not theirs to do share the end of it:
 *
 *      exit_eip = eip;  jmp emulate    ->  exit_reason = EMULATE; load %ecx
 *
 * one routine behind the lookup's miss, and a second one for instructions in
 * the shadow of an STI.
 */
#include "bt/leave.h"

void
leave_emit(const struct bt *bt, struct emitter *e)
{
    const struct bt_env *env = bt->env;

    if (env->callout == CALLOUT_INT)
        emit_int(e, env->callout_vector);
    else
        emit_jmp_slot(e, env->tables_at +
                      (uint32_t)offsetof(struct bt_tables, exit));
}

void
leave_emit_shared(struct bt *bt, struct emitter *e)
{
    uint32_t slots = bt->env->slots_at;

    for (unsigned shadow = 0; shadow < 2; shadow++) {
        bt->emulate[shadow] = emit_here(e);
        tcache_add_point(bt, emit_here(e),
                         POINT_EXIT | (shadow ? POINT_SHADOW : 0), 0);
        emit_set_slot(e, slots + offsetof(struct bt_slots, exit_reason),
                      BT_EXIT_EMULATE | (shadow ? BT_EXIT_SHADOW : 0));
        emit_load_slot(e, GPR_ECX, slots + offsetof(struct bt_slots, ecx));
        leave_emit(bt, e);
    }
}
