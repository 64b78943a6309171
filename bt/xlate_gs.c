/*
 * xlate_gs.c - a guest kernel's accesses through GS, when GS reaches the slots.
 *
 * The guest's GS is a base address in a slot then, and the access goes through
 * DS with that base added:
 *
 *      op %gs:disp(base, index), reg
 *
 *      mov  %ecx, slots.ecx
 *      mov  slots.gs_blocked, %ecx         must be 0, or leave
 *      mov  slots.gs_base, %ecx
 *      lea  (%ecx, base), %ecx
 *      op   disp(%ecx, index), reg
 *      mov  slots.ecx, %ecx
 *
 * The surroundings say whether that is the same: DS is flat, and GS permits any
 * offset - or any below BT_GS_LOW, which is enough for a small segment with a
 * kernel's own data, as compilers' stack protectors use it.  This is for common
 * instructions whose registers are all in ModRM; the rest leave.
 */
#include "bt/near_int.h"

#include "bt/emit_int.h"
#include "bt/kernel_int.h"
#include "bt/leave.h"

enum {
    PREFIX_LOCK = 0xf0, PREFIX_OPERAND_SIZE = 0x66,
    X86_MOV_BYTE_TO_RM = 0x88, X86_MOV_BYTE_FROM_RM = 0x8a,
    /* Bits of the opcodes with an address instead of ModRM. */
    MOFFS_IS_STORE = 2, MOFFS_IS_WIDE = 1,
    HIGH_BYTE_REG = 4,      /* AH, CH, DH, BH: 4 to 7 */
};

static const bool is_simple[OPERATION_COUNT] = {
    [OPERATION_mov] = true, [OPERATION_movzx] = true,
    [OPERATION_movsx] = true, [OPERATION_alu_add] = true,
    [OPERATION_alu_or] = true, [OPERATION_alu_adc] = true,
    [OPERATION_alu_sbb] = true, [OPERATION_alu_and] = true,
    [OPERATION_alu_sub] = true, [OPERATION_alu_xor] = true,
    [OPERATION_alu_cmp] = true, [OPERATION_alu_test] = true,
    [OPERATION_alu_inc] = true, [OPERATION_alu_dec] = true,
    [OPERATION_alu_neg] = true, [OPERATION_alu_not] = true,
    [OPERATION_imul] = true, [OPERATION_push] = true,
    [OPERATION_xadd] = true, [OPERATION_xchg] = true,
    [OPERATION_setcc] = true, [OPERATION_cmovcc] = true,
};

/* The register that is not in memory: EAX if there is no ModRM. */
static unsigned
other_register(const struct insn *insn)
{
    const struct opcode *opcode = insn_opcode(insn);

    for (unsigned i = 0; i < ARRAY_LEN(opcode->operands); i++) {
        const struct operand_info *info = &operand_infos[opcode->operands[i]];

        if (info->kind != KIND_GPR_REG)
            continue;
        return info->reg_size == SIZE_B ? insn_reg(insn) % HIGH_BYTE_REG
                                        : insn_reg(insn);
    }
    return insn->modrm_offset == 0 ? GPR_EAX : GPR_NONE;
}

static bool
is_free(const struct insn *insn, enum gpr reg)
{
    return insn->base != reg && insn->index != reg &&
           other_register(insn) != reg;
}

static bool
can_do(const struct insn *insn)
{
    return is_simple[insn_opcode(insn)->operation] &&
           insn->addr_size == sizeof(uint32_t) && insn->base != GPR_ESP &&
           (insn->prefixes & (PFX_REP | PFX_REPNE)) == 0 &&
           (is_free(insn, GPR_ECX) || is_free(insn, GPR_EAX));
}

/* Leave, unless GS is known to permit it. */
static void
check(struct xlate *x, const struct insn *insn)
{
    bool is_low = insn->base == GPR_NONE && insn->index == GPR_NONE &&
                  (uint32_t)insn->disp <= BT_GS_LOW - insn->mem_size;
    uint8_t *go_on;

    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_load_slot(&x->e, GPR_ECX, is_low ? SLOT(x, gs_blocked_low)
                                          : SLOT(x, gs_blocked));
    go_on = emit_jecxz(&x->e);
    xlate_leave(x);
    emit_land(&x->e, go_on);
}

static void
emit_opcode(struct xlate *x, const struct insn *insn)
{
    unsigned size = insn->modrm_offset - insn->opcode_offset;
    bool is_store = (insn->opcode & MOFFS_IS_STORE) != 0;

    if (insn->prefixes & PFX_LOCK)
        emit_byte(&x->e, PREFIX_LOCK);
    if (insn->prefixes & PFX_OPSIZE)
        emit_byte(&x->e, PREFIX_OPERAND_SIZE);
    if (insn->modrm_offset != 0)
        emit_bytes(&x->e, x->bytes + insn->opcode_offset, size);
    else
        emit_byte(&x->e, (is_store ? X86_MOV_BYTE_TO_RM
                                   : X86_MOV_BYTE_FROM_RM) |
                         (insn->opcode & MOFFS_IS_WIDE));
}

/* The instruction with BASE for its GS and base register. */
static void
emit_by_base(struct xlate *x, const struct insn *insn, enum gpr base)
{
    bool has_index = insn->index != GPR_NONE;
    unsigned reg = insn->modrm_offset != 0 ? insn_reg(insn) : GPR_EAX;

    emit_opcode(x, insn);
    emit_byte(&x->e, modrm(MOD_DISP32, reg, has_index ? RM_SIB : base));
    if (has_index)
        emit_byte(&x->e, modrm(insn->scale, insn->index, base));
    emit_imm32(&x->e, (uint32_t)insn->disp);
    if (insn->imm_size != 0)
        emit_bytes(&x->e, x->bytes + insn->imm_offset, insn->imm_size);
}

void
xlate_gs(struct xlate *x, const struct insn *insn)
{
    bool by_ecx = is_free(insn, GPR_ECX);
    enum gpr base = by_ecx ? GPR_ECX : GPR_EAX;
    uint32_t slot = by_ecx ? SLOT(x, ecx) : SLOT(x, eax);
    enum point_kind kind = by_ecx ? POINT_ECX : POINT_EAX;

    if (!can_do(insn)) {
        xlate_emulate(x, insn);
        return;
    }
    check(x, insn);
    if (!by_ecx) {
        emit_load_slot(&x->e, GPR_ECX, SLOT(x, ecx));
        xlate_point(x, POINT_AT, x->eip);
        emit_save_slot(&x->e, base, slot);
        xlate_point(x, kind, x->eip);
    }
    emit_load_slot(&x->e, base, SLOT(x, gs_base));
    if (insn->base != GPR_NONE)
        emit_sum(&x->e, base, insn->base, 0);
    emit_by_base(x, insn, base);
    xlate_point(x, kind, xlate_next_eip(x, insn));
    emit_load_slot(&x->e, base, slot);
}
