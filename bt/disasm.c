/*
 * disasm.c - struct insn to Intel syntax, by the columns of opcodes.def.
 *
 * Operands that are implied by the name (string instructions, XLAT, XMM0 of
 * BLENDV) are not written; a segment override of theirs is shown as a prefix.
 * Immediates are shown with the width they act with.  It speaks about
 * instructions that decode() accepted, and trusts the struct as it trusts the
 * table.
 *
 * Pure; any context.
 */
#include "bt/disasm.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"

struct text {
    char *buf;
    size_t size;
    size_t length;
};

static const char *const names[OPCODE_ROW_COUNT] = {
#define OP(map, place, name, ...) [ROW_##map##_##place] = #name,
#include "bt/opcodes.def"
};

static const char *const gpr_8[] = {
    "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"
};
static const char *const gpr_16[] = {
    "ax", "cx", "dx", "bx", "sp", "bp", "si", "di"
};
static const char *const gpr_32[] = {
    "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"
};
static const char *const segments[] = { "es", "cs", "ss", "ds", "fs", "gs" };

static void
put(struct text *t, const char *s)
{
    for (; *s != '\0' && t->length + 1 < t->size; s++)
        t->buf[t->length++] = *s;
}

static void
put_lower(struct text *t, const char *s)
{
    char c[2] = "";

    for (; *s != '\0'; s++) {
        c[0] = char_to_lower(*s);
        put(t, c);
    }
}

static void
put_hex(struct text *t, uint32_t value)
{
    char number[16];

    format_buf(number, sizeof(number), "0x%x", value);
    put(t, number);
}

static void
put_numbered(struct text *t, const char *bank, unsigned number)
{
    char name[16];

    format_buf(name, sizeof(name), "%s%u", bank, number);
    put(t, name);
}

static void
put_gpr(struct text *t, const struct insn *insn, unsigned size,
        unsigned number)
{
    if (size == SIZE_B)
        put(t, gpr_8[number]);
    else if (size == SIZE_W || (size == SIZE_V && insn->op_size == 2))
        put(t, gpr_16[number]);
    else
        put(t, gpr_32[number]);
}

static void
put_size(struct text *t, unsigned bytes)
{
    static const struct {
        uint8_t bytes;
        char name[12];
    } sizes[] = {
        { 1, "byte" },  { 2, "word" },   { 4, "dword" },    { 6, "fword" },
        { 8, "qword" }, { 10, "tbyte" }, { 16, "xmmword" },
    };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        if (sizes[i].bytes == bytes) {
            put(t, sizes[i].name);
            put(t, " ptr ");
        }
    }
}

/* Displacement behind registers: signed; alone: an address. */
static void
put_disp(struct text *t, const struct insn *insn, bool is_alone)
{
    uint32_t disp = (uint32_t)insn->disp;

    if (is_alone) {
        put_hex(t, insn->addr_size == 2 ? (uint16_t)disp : disp);
    } else if (insn->disp < 0) {
        put(t, "-");
        put_hex(t, 0 - disp);
    } else if (insn->disp > 0) {
        put(t, "+");
        put_hex(t, disp);
    }
}

static void
put_memory(struct text *t, const struct insn *insn)
{
    static const char *const scales[] = { "", "*2", "*4", "*8" };
    const char *const *gpr = insn->addr_size == 2 ? gpr_16 : gpr_32;
    bool has_base = insn->base != GPR_NONE;
    bool has_index = insn->index != GPR_NONE;

    put_size(t, insn->mem_size);
    if (insn->prefixes & PFX_SEG) {
        put(t, segments[insn->segment]);
        put(t, ":");
    }
    put(t, "[");
    if (has_base)
        put(t, gpr[insn->base]);
    if (has_base && has_index)
        put(t, "+");
    if (has_index) {
        put(t, gpr[insn->index]);
        put(t, scales[insn->scale]);
    }
    put_disp(t, insn, !has_base && !has_index);
    put(t, "]");
}

static void
put_imm(struct text *t, const struct insn *insn, unsigned size)
{
    if (size == SIZE_V && insn->op_size == 2)
        put_hex(t, (uint16_t)insn->imm);
    else
        put_hex(t, insn->imm);
}

/* The operand that ModRM.rm names. */
static void
put_rm(struct text *t, const struct insn *insn,
       const struct operand_info *info)
{
    unsigned rm = insn_rm(insn);

    if (insn_rm_is_memory(insn))
        put_memory(t, insn);
    else if (info->kind == KIND_GPR_RM)
        put_gpr(t, insn, info->reg_size, rm);
    else if (info->kind == KIND_MMX_RM)
        put_numbered(t, "mm", rm);
    else if (info->kind == KIND_XMM_RM)
        put_numbered(t, "xmm", rm);
    else
        put_numbered(t, "st", rm);
}

/* The register that ModRM.reg names. */
static void
put_reg(struct text *t, const struct insn *insn,
        const struct operand_info *info)
{
    unsigned reg = insn_reg(insn);

    switch (info->kind) {
    case KIND_SEG_REG:
        put(t, segments[reg]);
        break;
    case KIND_CR_REG:
        put_numbered(t, "cr", reg);
        break;
    case KIND_DR_REG:
        put_numbered(t, "dr", reg);
        break;
    case KIND_MMX_REG:
        put_numbered(t, "mm", reg);
        break;
    case KIND_XMM_REG:
        put_numbered(t, "xmm", reg);
        break;
    default:
        put_gpr(t, insn, info->reg_size, reg);
    }
}

static void
put_immediate(struct text *t, const struct insn *insn, uint32_t eip,
              const struct operand_info *info)
{
    switch (info->kind) {
    case KIND_ONE:
        put_hex(t, 1);
        break;
    case KIND_REL:
        put_hex(t, insn_target(insn, eip));
        break;
    case KIND_FAR:
        put_hex(t, insn->imm2);
        put(t, ":");
        put_hex(t, insn->imm);
        break;
    case KIND_IMM_PAIR:
        put_hex(t, insn->imm);
        put(t, ", ");
        put_hex(t, insn->imm2);
        break;
    default:
        put_imm(t, insn, info->reg_size);
    }
}

/* A register that the opcode names. */
static void
put_fixed(struct text *t, const struct insn *insn,
          const struct operand_info *info)
{
    unsigned kind = info->kind;

    if (kind == KIND_GPR_OPCODE)
        put_gpr(t, insn, info->reg_size, FIELD_GET(insn->opcode, OPCODE_REG));
    else if (kind == KIND_GPR_VVVV)
        put_gpr(t, insn, info->reg_size, insn->vvvv);
    else if (kind == KIND_ST0)
        put(t, "st0");
    else if (kind >= KIND_ES)
        put(t, segments[kind - KIND_ES]);
    else
        put_gpr(t, insn, info->reg_size, kind - KIND_EAX);
}

static void
put_operand(struct text *t, const struct insn *insn, uint32_t eip,
            const struct operand_info *info)
{
    if (info->kind <= KIND_ST_RM)
        put_rm(t, insn, info);
    else if (info->kind <= KIND_XMM_REG)
        put_reg(t, insn, info);
    else if (info->kind <= KIND_XMM0)
        put_fixed(t, insn, info);
    else if (info->kind <= KIND_FAR)
        put_immediate(t, insn, eip, info);
    else
        put_memory(t, insn);
}

/* ENTER and INSERTQ have a second number; so has a row's third operand. */
static void
put_operands(struct text *t, const struct insn *insn, uint32_t eip)
{
    const struct opcode *op = insn_opcode(insn);
    const char *separator = " ";

    if (op->attr & (A_REP | A_REPZ))
        return;
    for (size_t i = 0; i < ARRAY_LEN(op->operands); i++) {
        const struct operand_info *info = &operand_infos[op->operands[i]];

        if (info->kind == KIND_NONE || info->kind == KIND_XMM0 ||
            info->kind >= KIND_STRING_SRC)
            continue;
        put(t, separator);
        separator = ", ";
        if (i == 1 && op->operands[0] == OPERAND_Iw)
            put_hex(t, insn->imm2);
        else
            put_operand(t, insn, eip, info);
    }
}

static void
put_prefixes(struct text *t, const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    if (insn->prefixes & PFX_LOCK)
        put(t, "lock ");
    if (insn_repeats(insn)) {
        if (insn->prefixes & PFX_REPNE)
            put(t, "repne ");
        else
            put(t, op->attr & A_REP ? "rep " : "repe ");
    }
    if ((op->form & FORM_IMPLIED) && (insn->prefixes & PFX_SEG)) {
        put(t, segments[insn->segment]);
        put(t, " ");
    }
}

size_t
disasm(const struct insn *insn, uint32_t eip, char *text, size_t size)
{
    struct text t = { text, size, 0 };

    put_prefixes(&t, insn);
    put_lower(&t, opcode_name(insn->row));
    put_operands(&t, insn, eip);
    if (size > 0)
        text[t.length] = '\0';
    return t.length;
}

const char *
opcode_name(unsigned row)
{
    if (row >= OPCODE_ROW_COUNT || names[row] == NULL)
        return "undefined";
    return names[row];
}
