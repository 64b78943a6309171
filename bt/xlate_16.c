/*
 * xlate_16.c - instructions of 16-bit code, to be executed as 32-bit code.
 *
 * The same opcode means 16-bit operands and addresses there and 32-bit ones in
 * the TC, so the two size prefixes are turned round, and all prefixes are made
 * anew.  But to MMX and SSE instructions 66 is no operand size: it chooses
 * another instruction.  The decoder knows: what it makes of the new bytes must
 * be the same row of opcodes.def with the same sizes.  If it is another row,
 * the prefix stays as it was, and the operands must not depend on it.
 *
 * SDM 2A 2.1.1; SDM 3A 22.1 on mixing code sizes.
 */
#include "bt/near_int.h"

#include "bt/xlate_operand.h"

enum {
    PREFIX_OPERAND_SIZE = 0x66, PREFIX_ADDRESS_SIZE = 0x67,
    PREFIX_LOCK = 0xf0, PREFIX_REPNE = 0xf2, PREFIX_REP = 0xf3,
};
#define PREFIX_MAX 5

struct encoding {
    unsigned length;
    uint8_t bytes[PREFIX_MAX + INSN_LENGTH_MAX];
};

static void
add(struct encoding *to, uint8_t byte)
{
    to->bytes[to->length++] = byte;
}

/* INSN as 32-bit code; HAS_66: with that prefix. */
static struct encoding
encode(const struct xlate *x, const struct insn *insn, bool has_66)
{
    struct encoding to = { .length = 0 };

    if (insn->prefixes & PFX_LOCK)
        add(&to, PREFIX_LOCK);
    if (insn->prefixes & PFX_REP)
        add(&to, PREFIX_REP);
    if (insn->prefixes & PFX_REPNE)
        add(&to, PREFIX_REPNE);
    if ((insn->prefixes & PFX_SEG) && insn_has_memory(insn))
        add(&to, xlate_override(x, insn));
    if (insn->addr_size == sizeof(uint16_t))
        add(&to, PREFIX_ADDRESS_SIZE);
    if (has_66)
        add(&to, PREFIX_OPERAND_SIZE);
    for (unsigned i = insn->opcode_offset; i < insn->length; i++)
        add(&to, x->bytes[i]);
    return to;
}

/* Does the size of any operand follow from the operand size? */
static bool
depends_on_size(const struct insn *insn)
{
    const struct opcode *opcode = insn_opcode(insn);

    for (unsigned i = 0; i < ARRAY_LEN(opcode->operands); i++) {
        const struct operand_info *info = &operand_infos[opcode->operands[i]];
        const uint16_t *reg = operand_bytes[info->reg_size];
        const uint16_t *mem = operand_bytes[info->mem_size];

        if (reg[0] != reg[1] || mem[0] != mem[1])
            return true;
    }
    return false;
}

/* Is TO, as 32-bit code, the same instruction? */
static bool
is_same(const struct xlate *x, const struct insn *insn,
        const struct encoding *to)
{
    unsigned mode = x->bt->code.mode | DECODE_32;
    struct insn again;

    return decode(to->bytes, to->length, mode, &again) == DECODE_OK &&
           again.row == insn->row && again.length == to->length &&
           again.addr_size == insn->addr_size &&
           (again.op_size == insn->op_size || !depends_on_size(insn));
}

void
xlate_ident_16(struct xlate *x, const struct insn *insn)
{
    bool is_word = insn->op_size == sizeof(uint16_t);
    struct encoding to = encode(x, insn, is_word);

    if (!is_same(x, insn, &to))
        to = encode(x, insn, !is_word);
    if (xlate_segment_rule(x, insn) == SEGMENT_EMULATE ||
        !is_same(x, insn, &to))
        xlate_emulate(x, insn);
    else
        emit_bytes(&x->e, to.bytes, to.length);
}
