/*
 * emit_word.c - encodings with 16-bit operands.
 *
 * In 32-bit code they have an operand size prefix.  How far PUSH and POP move
 * the stack pointer follows from that; which bits of it they use, from SS.
 */
#include "bt/emit_word.h"

#include "bt/emit_int.h"

enum {
    X86_OPERAND_SIZE = 0x66, X86_MOV_FROM_RM = 0x8b, X86_PUSH_IMM = 0x68,
    X86_POP = 0x58, X86_MOV_IMM = 0xb8, X86_LEA = 0x8d, BYTE_BITS = 8,
};

void
emit_load_slot_word(struct emitter *e, enum gpr reg, uint32_t slot)
{
    emit_byte(e, X86_OPERAND_SIZE);
    emit_slot(e, X86_MOV_FROM_RM, reg, slot);
}

void
emit_push_imm_word(struct emitter *e, uint16_t value)
{
    emit_byte(e, X86_OPERAND_SIZE);
    emit_byte(e, X86_PUSH_IMM);
    emit_byte(e, value & UINT8_MAX);
    emit_byte(e, value >> BYTE_BITS);
}

void
emit_zero(struct emitter *e, enum gpr reg)
{
    emit_byte(e, X86_MOV_IMM | reg);
    emit_imm32(e, 0);
}

void
emit_pop_word(struct emitter *e, enum gpr reg)
{
    emit_byte(e, X86_OPERAND_SIZE);
    emit_byte(e, X86_POP | reg);
}

void
emit_add_sp(struct emitter *e, uint32_t disp)
{
    emit_byte(e, X86_OPERAND_SIZE);
    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(MOD_DISP32, GPR_ESP, RM_SIB));
    emit_byte(e, modrm(0, SIB_NO_INDEX, GPR_ESP));
    emit_imm32(e, disp);
}
