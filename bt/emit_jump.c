/*
 * emit_jump.c - the encodings of transfers of control.
 *
 * Near jumps have the long form, so that a batch's layout does not depend on
 * distances; JECXZ, the one conditional jump that looks at no flag, has only
 * the short one.  SDM 2, "Jcc", "JMP", "INT n".
 */
#include "bt/emit_jump.h"

#include "bt/emit_int.h"
#include "kernel/base/assert.h"

enum {
    X86_JCC_NEAR_0F = 0x0f, X86_JCC_NEAR = 0x80, X86_JMP_NEAR = 0xe9,
    X86_JMP_SHORT = 0xeb, X86_JECXZ = 0xe3, X86_INT = 0xcd,
    X86_GROUP5 = 0xff, GROUP5_JMP = 4,
    X86_LEA = 0x8d, X86_MOVZX_0F = 0x0f, X86_MOVZX_WORD = 0xb7,
};

#define JECXZ_SIZE 2

void
emit_rel32(struct emitter *e, uint32_t address)
{
    emit_imm32(e, address - (emit_here(e) + sizeof(uint32_t)));
}

void
emit_jmp_slot(struct emitter *e, uint32_t slot)
{
    emit_slot(e, X86_GROUP5, GROUP5_JMP, slot);
}

void
emit_jmp(struct emitter *e, uint32_t address)
{
    emit_byte(e, X86_JMP_NEAR);
    emit_rel32(e, address);
}

void
emit_jmp_next(struct emitter *e)
{
    emit_byte(e, X86_JMP_SHORT);
    emit_byte(e, 0);
}

void
emit_jcc(struct emitter *e, unsigned cc, uint32_t address)
{
    emit_byte(e, X86_JCC_NEAR_0F);
    emit_byte(e, X86_JCC_NEAR | cc);
    emit_rel32(e, address);
}

void
emit_jmp_table(struct emitter *e, uint32_t table)
{
    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(MOD_INDIRECT, GPR_ECX, RM_SIB));
    emit_byte(e, modrm(SCALE_4, GPR_ECX, SIB_NO_BASE));
    emit_imm32(e, 0);
    emit_byte(e, X86_MOVZX_0F);
    emit_byte(e, X86_MOVZX_WORD);
    emit_byte(e, modrm(MOD_REGISTER, GPR_ECX, GPR_ECX));
    emit_slot_prefix(e);
    emit_byte(e, X86_GROUP5);
    emit_byte(e, modrm(MOD_DISP32, GROUP5_JMP, GPR_ECX));
    emit_imm32(e, table);
}

void
emit_int(struct emitter *e, uint8_t vector)
{
    emit_byte(e, X86_INT);
    emit_byte(e, vector);
}

void
emit_jecxz_over(struct emitter *e, uint8_t size)
{
    emit_byte(e, X86_JECXZ);
    emit_byte(e, size);
}

uint8_t *
emit_jecxz(struct emitter *e)
{
    emit_jecxz_over(e, 0);
    return e->next - 1;
}

void
emit_land(struct emitter *e, uint8_t *jump)
{
    ptrdiff_t distance = e->next - (jump + 1);

    if (e->is_full)
        return;
    ASSERT(distance <= INT8_MAX);
    *jump = (uint8_t)distance;
}

void
emit_jecxz_to(struct emitter *e, uint32_t address)
{
    uint32_t distance = emit_here(e) + JECXZ_SIZE - address;

    ASSERT(distance <= INT8_MAX + 1u);
    emit_jecxz_over(e, (uint8_t)(0 - distance));
}
