/*
 * xlate_operand.c - an instruction's operand for another instruction.
 *
 * ModRM, SIB and displacement are copied; prefixes are made anew, since those
 * of the guest's instruction may mean something else before another opcode.
 *
 * SDM 2A 2.1.
 */
#include "bt/xlate_operand.h"

/* SDM 2A 2.1.1 */
enum { PREFIX_ADDRESS_SIZE = 0x67 };

static const uint8_t overrides[SEG_NONE] = {
    [SEG_ES] = 0x26, [SEG_CS] = 0x2e, [SEG_SS] = 0x36, [SEG_DS] = 0x3e,
    [SEG_FS] = 0x64, [SEG_GS] = 0x65,
};

enum bt_segment_rule
xlate_segment_rule(const struct xlate *x, const struct insn *insn)
{
    const struct bt_env *env = x->bt->env;

    /* Through CS nobody may write, where DS would let them. */
    if (insn->segment == SEG_CS && env->cs_rule == SEGMENT_AS_DS &&
        (insn_opcode(insn)->mem_access & ACCESS_W) != 0)
        return SEGMENT_EMULATE;
    if (insn->segment == SEG_CS)
        return (enum bt_segment_rule)env->cs_rule;
    if (insn->segment == SEG_GS)
        return env->gs_rule == SEGMENT_BY_SLOT
               ? SEGMENT_EMULATE : (enum bt_segment_rule)env->gs_rule;
    return SEGMENT_AS_IS;
}

uint8_t
xlate_override(const struct xlate *x, const struct insn *insn)
{
    bool is_ds = xlate_segment_rule(x, insn) == SEGMENT_AS_DS;

    return overrides[is_ds ? SEG_DS : insn->segment];
}

static void
emit_prefixes(struct xlate *x, const struct insn *insn)
{
    static const uint8_t address_size = PREFIX_ADDRESS_SIZE;
    uint8_t override;

    if (!insn_rm_is_memory(insn))
        return;
    override = xlate_override(x, insn);
    if (insn->prefixes & PFX_SEG)
        emit_bytes(&x->e, &override, 1);
    if (insn->addr_size == sizeof(uint16_t))
        emit_bytes(&x->e, &address_size, 1);
}

void
emit_operand(struct xlate *x, const struct insn *insn,
             enum operand_opcode opcode, enum gpr reg)
{
    uint8_t head[] = { (uint8_t)(opcode >> 8), (uint8_t)opcode,
                       (uint8_t)FIELD_SET(insn->modrm, MODRM_REG, reg) };
    unsigned skip = head[0] == 0;
    unsigned rest = insn->modrm_offset + 1u;

    emit_prefixes(x, insn);
    emit_bytes(&x->e, head + skip, sizeof(head) - skip);
    emit_bytes(&x->e, x->bytes + rest, insn->length - rest);
}
