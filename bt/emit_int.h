/*
 * emit_int.h - parts of encodings, for the files that emit whole ones.
 */
#ifndef BT_EMIT_INT_H
#define BT_EMIT_INT_H

#include "bt/emit.h"
#include "kernel/base/bits.h"

/* ModRM.rm and SIB values with a meaning of their own: SDM 2A 2.1.5. */
enum { RM_SIB = 4, RM_DISP32 = 5, SIB_NO_INDEX = 4, SIB_NO_BASE = 5 };
enum { MOD_INDIRECT = 0, MOD_DISP8 = 1, MOD_DISP32 = 2, MOD_REGISTER = 3 };
enum { SCALE_1 = 0, SCALE_4 = 2, SCALE_8 = 3 };

static inline uint8_t
modrm(unsigned mod, unsigned reg, unsigned rm)
{
    return (uint8_t)(mod << FIELD_SHIFT(MODRM_MOD) |
                     reg << FIELD_SHIFT(MODRM_REG) | rm);
}

void emit_byte(struct emitter *e, unsigned byte);
void emit_imm32(struct emitter *e, uint32_t value);

/* The override that reaches slots, if one is needed. */
void emit_slot_prefix(struct emitter *e);

/* OPCODE with SLOT as its memory operand and REG in ModRM.reg. */
void emit_slot(struct emitter *e, unsigned opcode, unsigned reg,
               uint32_t slot);

#endif
