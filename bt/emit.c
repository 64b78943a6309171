/*
 * emit.c - the encodings of what the translator inserts.
 *
 * All of it is 32-bit code: the TC always executes with CS.D = 1, whatever the
 * guest's code is.  Slots are reached by a plain 32-bit displacement, with a
 * segment override where the surroundings want one.
 */
#include "bt/emit.h"

#include "kernel/base/bits.h"

enum {
    X86_JCC_NEAR_0F = 0x0f, X86_JCC_NEAR = 0x80, X86_JMP_NEAR = 0xe9,
    X86_JECXZ = 0xe3,
    X86_MOV_TO_RM = 0x89, X86_MOV_FROM_RM = 0x8b, X86_MOV_IMM_TO_RM = 0xc7,
    X86_LEA = 0x8d, X86_MOVZX_0F = 0x0f, X86_MOVZX_WORD = 0xb7,
    X86_PUSH_IMM = 0x68, X86_POP = 0x58, X86_INT = 0xcd,
    X86_GROUP5 = 0xff, GROUP5_JMP = 4,
};

/* ModRM.rm and SIB values with a meaning of their own: SDM 2A 2.1.5. */
enum { RM_SIB = 4, RM_DISP32 = 5, SIB_NO_INDEX = 4, SIB_NO_BASE = 5 };
enum { MOD_INDIRECT = 0, MOD_DISP32 = 2, MOD_REGISTER = 3 };

static const uint8_t override_prefix[SEG_NONE] = {
    [SEG_ES] = 0x26, [SEG_CS] = 0x2e, [SEG_SS] = 0x36,
    [SEG_FS] = 0x64, [SEG_GS] = 0x65,       /* DS: none needed */
};

static uint8_t
modrm(unsigned mod, unsigned reg, unsigned rm)
{
    return (uint8_t)(mod << FIELD_SHIFT(MODRM_MOD) |
                     reg << FIELD_SHIFT(MODRM_REG) | rm);
}

void
emit_bytes(struct emitter *e, const uint8_t *bytes, size_t size)
{
    if ((size_t)(e->end - e->next) < size) {
        e->is_full = true;
        return;
    }
    for (size_t i = 0; i < size; i++)
        e->next[i] = bytes[i];
    e->next += size;
}

static void
emit_byte(struct emitter *e, unsigned byte)
{
    uint8_t b = (uint8_t)byte;

    emit_bytes(e, &b, sizeof(b));
}

static void
emit_imm32(struct emitter *e, uint32_t value)
{
    uint8_t bytes[] = { (uint8_t)value, (uint8_t)(value >> 8),
                        (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

    emit_bytes(e, bytes, sizeof(bytes));
}

void
emit_rel32(struct emitter *e, uint32_t address)
{
    emit_imm32(e, address - (emit_here(e) + sizeof(uint32_t)));
}

static void
emit_slot(struct emitter *e, unsigned opcode, unsigned reg, uint32_t slot)
{
    if (override_prefix[e->slot_segment] != 0)
        emit_byte(e, override_prefix[e->slot_segment]);
    emit_byte(e, opcode);
    emit_byte(e, modrm(MOD_INDIRECT, reg, RM_DISP32));
    emit_imm32(e, slot);
}

void
emit_save_slot(struct emitter *e, enum gpr reg, uint32_t slot)
{
    emit_slot(e, X86_MOV_TO_RM, reg, slot);
}

void
emit_load_slot(struct emitter *e, enum gpr reg, uint32_t slot)
{
    emit_slot(e, X86_MOV_FROM_RM, reg, slot);
}

void
emit_set_slot(struct emitter *e, uint32_t slot, uint32_t value)
{
    emit_slot(e, X86_MOV_IMM_TO_RM, 0, slot);
    emit_imm32(e, value);
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
emit_jcc(struct emitter *e, unsigned cc, uint32_t address)
{
    emit_byte(e, X86_JCC_NEAR_0F);
    emit_byte(e, X86_JCC_NEAR | cc);
    emit_rel32(e, address);
}

void
emit_push_imm(struct emitter *e, uint32_t value)
{
    emit_byte(e, X86_PUSH_IMM);
    emit_imm32(e, value);
}

void
emit_pop(struct emitter *e, enum gpr reg)
{
    emit_byte(e, X86_POP | reg);
}

void
emit_int(struct emitter *e, uint8_t vector)
{
    emit_byte(e, X86_INT);
    emit_byte(e, vector);
}

void
emit_add(struct emitter *e, enum gpr reg, uint32_t disp)
{
    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(MOD_DISP32, reg, reg == GPR_ESP ? RM_SIB : reg));
    if (reg == GPR_ESP)
        emit_byte(e, modrm(0, SIB_NO_INDEX, GPR_ESP));
    emit_imm32(e, disp);
}

void
emit_jmp_table(struct emitter *e, uint32_t table)
{
    enum { SCALE_4 = 2 };

    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(MOD_INDIRECT, GPR_ECX, RM_SIB));
    emit_byte(e, modrm(SCALE_4, GPR_ECX, SIB_NO_BASE));
    emit_imm32(e, 0);
    emit_byte(e, X86_MOVZX_0F);
    emit_byte(e, X86_MOVZX_WORD);
    emit_byte(e, modrm(MOD_REGISTER, GPR_ECX, GPR_ECX));
    if (override_prefix[e->slot_segment] != 0)
        emit_byte(e, override_prefix[e->slot_segment]);
    emit_byte(e, X86_GROUP5);
    emit_byte(e, modrm(MOD_DISP32, GROUP5_JMP, GPR_ECX));
    emit_imm32(e, table);
}

void
emit_jecxz_over(struct emitter *e, uint8_t size)
{
    emit_byte(e, X86_JECXZ);
    emit_byte(e, size);
}
