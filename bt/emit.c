/*
 * emit.c - the encodings of what the translator inserts.
 *
 * All of it is 32-bit code: the TC always executes with CS.D = 1, whatever the
 * guest's code is.  Slots are reached by a plain 32-bit displacement, with a
 * segment override where the surroundings want one.
 */
#include "bt/emit_int.h"

enum {
    X86_MOV_TO_RM = 0x89, X86_MOV_FROM_RM = 0x8b, X86_MOV_IMM_TO_RM = 0xc7,
    X86_MOVZX_0F = 0x0f, X86_MOVZX_BYTE = 0xb6, X86_MOVZX_WORD = 0xb7,
    X86_LEA = 0x8d, X86_PUSH_IMM = 0x68, X86_POP = 0x58,
    X86_OPERAND_SIZE = 0x66,
};

static const uint8_t override_prefix[SEG_NONE] = {
    [SEG_ES] = 0x26, [SEG_CS] = 0x2e, [SEG_SS] = 0x36,
    [SEG_FS] = 0x64, [SEG_GS] = 0x65,       /* DS: none needed */
};

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

void
emit_byte(struct emitter *e, unsigned byte)
{
    uint8_t b = (uint8_t)byte;

    emit_bytes(e, &b, sizeof(b));
}

void
emit_imm32(struct emitter *e, uint32_t value)
{
    uint8_t bytes[] = { (uint8_t)value, (uint8_t)(value >> 8),
                        (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

    emit_bytes(e, bytes, sizeof(bytes));
}

void
emit_slot_prefix(struct emitter *e)
{
    if (override_prefix[e->slot_segment] != 0)
        emit_byte(e, override_prefix[e->slot_segment]);
}

void
emit_slot(struct emitter *e, unsigned opcode, unsigned reg, uint32_t slot)
{
    emit_slot_prefix(e);
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
emit_add(struct emitter *e, enum gpr reg, uint32_t disp)
{
    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(MOD_DISP32, reg, reg == GPR_ESP ? RM_SIB : reg));
    if (reg == GPR_ESP)
        emit_byte(e, modrm(0, SIB_NO_INDEX, GPR_ESP));
    emit_imm32(e, disp);
}

void
emit_sum(struct emitter *e, enum gpr dst, enum gpr other, uint32_t disp)
{
    emit_byte(e, X86_LEA);
    emit_byte(e, modrm(disp == 0 ? MOD_INDIRECT : MOD_DISP32, dst, RM_SIB));
    emit_byte(e, modrm(SCALE_1, other, dst));
    if (disp != 0)
        emit_imm32(e, disp);
}

/* disp8(%esp) */
static void
emit_stack_operand(struct emitter *e, enum gpr reg, int8_t disp)
{
    emit_byte(e, modrm(MOD_DISP8, reg, RM_SIB));
    emit_byte(e, modrm(0, SIB_NO_INDEX, GPR_ESP));
    emit_byte(e, (uint8_t)disp);
}

void
emit_load_stack(struct emitter *e, enum gpr reg, unsigned size, int8_t disp)
{
    if (size == sizeof(uint32_t)) {
        emit_byte(e, X86_MOV_FROM_RM);
    } else {
        emit_byte(e, X86_MOVZX_0F);
        emit_byte(e, size == 1 ? X86_MOVZX_BYTE : X86_MOVZX_WORD);
    }
    emit_stack_operand(e, reg, disp);
}

void
emit_save_stack(struct emitter *e, enum gpr reg, unsigned size, int8_t disp)
{
    if (size == sizeof(uint16_t))
        emit_byte(e, X86_OPERAND_SIZE);
    emit_byte(e, X86_MOV_TO_RM);
    emit_stack_operand(e, reg, disp);
}

void
emit_load_table(struct emitter *e, enum gpr reg, uint32_t table)
{
    emit_slot_prefix(e);
    emit_byte(e, X86_MOV_FROM_RM);
    emit_byte(e, modrm(MOD_INDIRECT, reg, RM_SIB));
    emit_byte(e, modrm(SCALE_4, reg, SIB_NO_BASE));
    emit_imm32(e, table);
}

/* SDM 2B, NOP: the recommended forms by length; every P6 has them. */
void
emit_nops(struct emitter *e, size_t size)
{
    static const uint8_t nops[][8] = {
        { 0x90 },
        { 0x66, 0x90 },
        { 0x0f, 0x1f, 0x00 },
        { 0x0f, 0x1f, 0x40, 0x00 },
        { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
        { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
        { 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
        { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
    };

    while (size > 0) {
        size_t part = MIN(size, ARRAY_LEN(nops));

        emit_bytes(e, nops[part - 1], part);
        size -= part;
    }
}
