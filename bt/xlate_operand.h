/*
 * xlate_operand.h - an instruction's operand for another instruction.
 *
 * In-line sequences read or write what ModRM names with an opcode of their own
 * and a register of their own.  The address is computed by the machine, from
 * the guest's registers: they must still be in place.
 */
#ifndef BT_XLATE_OPERAND_H
#define BT_XLATE_OPERAND_H

#include "bt/xlate_int.h"

/*
 * How accesses through the instruction's segment must be treated; never
 * SEGMENT_BY_SLOT, which is xlate_gs()'s own.
 */
enum bt_segment_rule xlate_segment_rule(const struct xlate *x,
                                        const struct insn *insn);

/* The prefix for INSN's memory operand, which had an override. */
uint8_t xlate_override(const struct xlate *x, const struct insn *insn);

/*
 * The opcodes that exist for emit_operand(): their bytes, the first of them
 * highest.
 */
enum operand_opcode {
    MOV_WORD_TO_RM = 0x6689,        /* mov %reg16, r/m */
    MOVZX_WORD_FROM_RM = 0x0fb7,    /* movzwl r/m, %reg */
    MOV_FROM_RM = 0x8b,             /* movl r/m, %reg */
};

/*
 * OPCODE with INSN's ModRM operand and REG.  INSN has no immediate, and its
 * segment can be reached.
 */
void emit_operand(struct xlate *x, const struct insn *insn,
                  enum operand_opcode opcode, enum gpr reg);

/* Does the address of INSN's operand depend on REG? */
static inline bool
operand_uses(const struct insn *insn, enum gpr reg)
{
    return insn_rm_is_memory(insn) &&
           (insn->base == reg || insn->index == reg);
}

#endif
