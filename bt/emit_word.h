/*
 * emit_word.h - instructions with 16-bit operands, by the rules of emit.h.
 */
#ifndef BT_EMIT_WORD_H
#define BT_EMIT_WORD_H

#include "bt/emit.h"

/* movw slot, %reg: the upper half stays */
void emit_load_slot_word(struct emitter *e, enum gpr reg, uint32_t slot);

void emit_push_imm_word(struct emitter *e, uint16_t value);

/* movl $0, %reg; and popw %reg */
void emit_zero(struct emitter *e, enum gpr reg);
void emit_pop_word(struct emitter *e, enum gpr reg);

/* lea disp(%esp), %sp: as a 16-bit stack's pointer moves */
void emit_add_sp(struct emitter *e, uint32_t disp);

#endif
