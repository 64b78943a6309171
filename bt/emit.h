/*
 * emit.h - machine code into a buffer, one tiny verb for each instruction.
 *
 * A cursor that never writes behind the end: what does not fit is dropped and
 * `is_full` is set, which the caller looks at once, at the end.  Addresses are
 * those at which the code will execute, wherever the buffer is.  None of these
 * instructions changes flags; encodings are those of SDM 2A and 2B.
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

/* mov %reg, slot; mov slot, %reg; movl $value, slot */
void emit_save_slot(struct emitter *e, enum gpr reg, uint32_t slot);
void emit_load_slot(struct emitter *e, enum gpr reg, uint32_t slot);
void emit_set_slot(struct emitter *e, uint32_t slot, uint32_t value);

/* mov table(,%reg,4), %reg: a table in the segment of slots */
void emit_load_table(struct emitter *e, enum gpr reg, uint32_t table);

void emit_push_imm(struct emitter *e, uint32_t value);
void emit_pop(struct emitter *e, enum gpr reg);

/*
 * REG = the SIZE (1, 2, 4) bytes at DISP(%esp), zero-extended; and the SIZE
 * (2, 4) low bytes of REG to there.
 */
void emit_load_stack(struct emitter *e, enum gpr reg, unsigned size,
                     int8_t disp);
void emit_save_stack(struct emitter *e, enum gpr reg, unsigned size,
                     int8_t disp);

/* lea disp(%reg), %reg; lea disp(%dst, %other), %dst: OTHER is not ESP */
void emit_add(struct emitter *e, enum gpr reg, uint32_t disp);
void emit_sum(struct emitter *e, enum gpr dst, enum gpr other, uint32_t disp);

/* SIZE bytes that do nothing, in few instructions. */
void emit_nops(struct emitter *e, size_t size);

static inline uint32_t
emit_here(const struct emitter *e)
{
    return e->address + (uint32_t)(e->next - e->start);
}

#endif
