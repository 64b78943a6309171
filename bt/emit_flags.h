/*
 * emit_flags.h - the machine's flags, by the rules of emit.h.
 */
#ifndef BT_EMIT_FLAGS_H
#define BT_EMIT_FLAGS_H

#include "bt/emit.h"

void emit_pushf(struct emitter *e);

/* EAX *= 16, without a change of flags. */
void emit_eax_times_16(struct emitter *e);

/*
 * The arithmetic flags, and DF = 0, from the flags in SLOT; EAX holds 16 times
 * these and is destroyed.  The one verb that changes flags.
 */
void emit_restore_flags(struct emitter *e, uint32_t slot);

#endif
