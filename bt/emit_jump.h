/*
 * emit_jump.h - transfers of control, by the rules of emit.h.
 */
#ifndef BT_EMIT_JUMP_H
#define BT_EMIT_JUMP_H

#include "bt/emit.h"

/* jmp, jCC to ADDRESS (CC as in the opcode): always the long form. */
void emit_jmp(struct emitter *e, uint32_t address);
void emit_jcc(struct emitter *e, unsigned cc, uint32_t address);

/* To the next instruction. */
void emit_jmp_next(struct emitter *e);

/* Write ADDRESS into the rel32 field at e->next. */
void emit_rel32(struct emitter *e, uint32_t address);

/* jmp *slot */
void emit_jmp_slot(struct emitter *e, uint32_t slot);

/* ECX = (uint16_t)(ECX * 4); jmp *table(%ecx) */
void emit_jmp_table(struct emitter *e, uint32_t table);

void emit_int(struct emitter *e, uint8_t vector);

/* jecxz over the next SIZE bytes */
void emit_jecxz_over(struct emitter *e, uint8_t size);

/*
 * jecxz to a place that emit_land() makes the current one, or to ADDRESS;
 * either within 127 bytes.
 */
uint8_t *emit_jecxz(struct emitter *e);
void emit_land(struct emitter *e, uint8_t *jump);
void emit_jecxz_to(struct emitter *e, uint32_t address);

#endif
