/*
 * leave.h - how translated code leaves to its surroundings.
 */
#ifndef BT_LEAVE_H
#define BT_LEAVE_H

#include "bt/bt_int.h"

/* To the surroundings; exit_eip, exit_reason and exit_arg are set. */
void leave_emit(const struct bt *bt, struct emitter *e);

/* The shared ends, bt->emulate: exit_eip is set and ECX in its slot. */
void leave_emit_shared(struct bt *bt, struct emitter *e);

#endif
