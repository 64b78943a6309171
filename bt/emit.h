/*
 * emit.h - machine code into a buffer, one tiny verb for each instruction.
 *
 * A cursor that never writes behind the end: what does not fit is dropped and
 * `is_full` is set, which the caller looks at once, at the end.  Addresses are
 * those at which the code will execute, wherever the buffer is.  None of the
 * verbs' instructions changes flags; encodings are those of SDM 2A and 2B.
 */
#ifndef BT_EMIT_H
#define BT_EMIT_H

#include "bt/insn.h"
#include "kernel/base/types.h"

struct emitter {
    uint8_t *start, *next, *end;
    uint32_t address;       /* where *start will execute */
    uint8_t slot_segment;   /* enum segment, for emit_..._slot */
    bool is_full;
};

void emit_bytes(struct emitter *e, const uint8_t *bytes, size_t size);

/* mov %reg, slot; mov slot, %reg; movl $value, slot; jmp *slot */
void emit_save_slot(struct emitter *e, enum gpr reg, uint32_t slot);
void emit_load_slot(struct emitter *e, enum gpr reg, uint32_t slot);
void emit_set_slot(struct emitter *e, uint32_t slot, uint32_t value);
void emit_jmp_slot(struct emitter *e, uint32_t slot);

/* jmp, jCC to ADDRESS (CC as in the opcode): always the long form. */
void emit_jmp(struct emitter *e, uint32_t address);
void emit_jcc(struct emitter *e, unsigned cc, uint32_t address);

void emit_push_imm(struct emitter *e, uint32_t value);
void emit_pop(struct emitter *e, enum gpr reg);
void emit_int(struct emitter *e, uint8_t vector);

/* lea disp(%reg), %reg */
void emit_add(struct emitter *e, enum gpr reg, uint32_t disp);

/* ECX = (uint16_t)(ECX * 4); jmp *table(%ecx) */
void emit_jmp_table(struct emitter *e, uint32_t table);

/* Write ADDRESS into the rel32 field at e->next. */
void emit_rel32(struct emitter *e, uint32_t address);

/* jecxz over the next SIZE bytes */
void emit_jecxz_over(struct emitter *e, uint8_t size);

static inline uint32_t
emit_here(const struct emitter *e)
{
    return e->address + (uint32_t)(e->next - e->start);
}

#endif
