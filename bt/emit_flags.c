/*
 * emit_flags.c - the encodings of what reads and makes the machine's flags.
 *
 * SAHF makes all arithmetic flags but OF.  That is bit 11; in AH of 16 times
 * the flags it is the sign, and adding the least negative number to AH
 * overflows if and only if the sign is set.  Together they take a tenth of the
 * time of POPF.  SDM 2 "SAHF", "ADD".
 */
#include "bt/emit_flags.h"

#include "bt/emit_int.h"

enum {
    X86_PUSHF = 0x9c, X86_SAHF = 0x9e, X86_CLD = 0xfc, X86_LEA = 0x8d,
    X86_MOV_BYTE_FROM_RM = 0x8a, X86_ADD_BYTE_IMM = 0x80, REG_AH = 4,
};

void
emit_pushf(struct emitter *e)
{
    emit_byte(e, X86_PUSHF);
}

void
emit_eax_times_16(struct emitter *e)
{
    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(MOD_INDIRECT, GPR_EAX, RM_SIB));
    emit_byte(e, modrm(SCALE_8, GPR_EAX, SIB_NO_BASE));
    emit_imm32(e, 0);
    emit_sum(e, GPR_EAX, GPR_EAX, 0);
}

void
emit_restore_flags(struct emitter *e, uint32_t slot)
{
    emit_byte(e, X86_ADD_BYTE_IMM);
    emit_byte(e, modrm(MOD_REGISTER, 0, REG_AH));
    emit_byte(e, (uint8_t)INT8_MIN);
    emit_slot(e, X86_MOV_BYTE_FROM_RM, REG_AH, slot);
    emit_byte(e, X86_SAHF);
    emit_byte(e, X86_CLD);
}
