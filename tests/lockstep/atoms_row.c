/*
 * atoms_row.c - atoms around one instruction of any row of opcodes.def that
 * translated code may execute as it is.
 *
 * Encodings come from decoding all opcodes with all ModRM bytes, so no row can
 * be forgotten.  The instruction's memory operand, whatever its form, is aimed
 * at an address of our choice by loading the registers it uses.
 */
#include "lockstep/generate.h"

#include <string.h>

#include "bt/decode.h"
#include "bt/disasm.h"

#define MODE            (DECODE_32 | DECODE_PROTECTED)
#define SEEDS           8u              /* encodings kept for each row */
#define TRIES           200u
#define INDEX_MAX       64u
#define CMP_EAX         0x3d

struct seed {
    uint8_t bytes[INSN_LENGTH_MAX];
};

static struct seed seeds[OPCODE_ROW_COUNT][SEEDS];
static unsigned seed_count[OPCODE_ROW_COUNT];
static uint16_t rows[OPCODE_ROW_COUNT], undefined_rows[OPCODE_ROW_COUNT];
static unsigned row_count, undefined_count;

/* --- Encodings -------------------------------------------------------------*/

static void
keep(struct test_random *r, const uint8_t *bytes)
{
    struct insn insn;
    unsigned place;

    if (decode(bytes, INSN_LENGTH_MAX, MODE, &insn) != DECODE_OK)
        return;
    place = seed_count[insn.row]++;
    if (place >= SEEDS)
        place = test_random_below(r, seed_count[insn.row]);
    if (place < SEEDS)
        memcpy(seeds[insn.row][place].bytes, bytes, INSN_LENGTH_MAX);
}

static void
keep_map(struct test_random *r, const char *prefix, const char *lead)
{
    uint8_t bytes[INSN_LENGTH_MAX] = { 0 };
    size_t n = strlen(prefix) + strlen(lead);

    memcpy(bytes, prefix, strlen(prefix));
    memcpy(bytes + strlen(prefix), lead, strlen(lead));
    for (unsigned k = 0; k < BIT(16); k++) {
        bytes[n] = (uint8_t)k;
        bytes[n + 1] = (uint8_t)(k >> 8);
        for (size_t b = n + 2; b < sizeof(bytes); b++)
            bytes[b] = (uint8_t)test_random_next(r);
        keep(r, bytes);
    }
}

static bool
is_plain(unsigned row)
{
    const struct opcode *op = &opcode_rows[row];
    const char *name = opcode_name(row);

    if (op->select != SELECT_INSN || seed_count[row] == 0 ||
        op->operation == OPERATION_undefined ||
        op->class < CLASS_IDENT || op->class > CLASS_STRING)
        return false;
    /* These show where the last x87 instruction was, or the CPU's state. */
    if (op->mem_size == SIZE_E || op->mem_size == SIZE_FS ||
        op->mem_size == SIZE_FX || op->mem_size == SIZE_XS)
        return false;
    return strncmp(name, "RDRAND", 6) != 0 && strncmp(name, "RDSEED", 6) != 0;
}

void
encodings_find(void)
{
    static const char *const prefixes[] = { "", "\x66", "\xf3", "\xf2",
                                            "\xf0", "\x67" };
    static const char *const leads[] = { "", "\x0f", "\x0f\x38",
                                         "\x0f\x3a" };
    struct test_random r = { 1 };

    for (size_t p = 0; p < ARRAY_LEN(prefixes); p++)
        for (size_t l = 0; l < ARRAY_LEN(leads); l++)
            keep_map(&r, prefixes[p], leads[l]);
    for (unsigned row = 0; row < OPCODE_ROW_COUNT; row++) {
        if (is_plain(row))
            rows[row_count++] = (uint16_t)row;
        if (opcode_rows[row].class == CLASS_HIDDEN && seed_count[row] != 0)
            undefined_rows[undefined_count++] = (uint16_t)row;
    }
}

/* --- Aiming ----------------------------------------------------------------*/

/* Load registers, or change the displacement, so that it meets ADDRESS. */
static bool
aim(struct generator *g, uint8_t *bytes, const struct insn *insn,
    uint32_t address)
{
    uint32_t index = gen_below(g, INDEX_MAX), disp = (uint32_t)insn->disp;
    bool has_index = insn->index != GPR_NONE;

    if (insn->addr_size == 2)
        return gen_below(g, 16) == 0;
    if (has_index && insn->index == insn->base) {
        gen_mov(g, insn->base, (address - disp) / ((1u << insn->scale) + 1));
        return true;
    }
    if (has_index) {
        gen_mov(g, insn->index, index);
        address -= index << insn->scale;
    }
    if (insn->base != GPR_NONE) {
        gen_mov(g, insn->base, address - disp);
        return true;
    }
    if (insn->disp_size != sizeof(address))
        return false;
    memcpy(bytes + insn->disp_offset, &address, sizeof(address));
    return true;
}

static bool
is_bit_string(const struct opcode *op)
{
    return op->operation >= OPERATION_bt && op->operation <= OPERATION_bts &&
           (op->form & FORM_IMMEDIATE) == 0;
}

static bool
aim_implied(struct generator *g, const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);
    uint32_t address = gen_address(g, 64);

    if (op->form & FORM_AT_EBX)
        gen_mov(g, GPR_EBX, address);
    if (op->class == CLASS_STRING || (op->form & FORM_AT_ESI))
        gen_mov(g, GPR_ESI, address);
    if (op->class == CLASS_STRING || (op->form & FORM_AT_EDI))
        gen_mov(g, GPR_EDI, gen_address(g, 64));
    if (insn_repeats(insn))
        gen_mov(g, GPR_ECX, gen_below(g, 48));
    return insn->addr_size == 4 || gen_below(g, 16) == 0;
}

/* Everything its operands need, or false. */
static bool
prepare(struct generator *g, uint8_t *bytes, const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    /* One that faults half-way has loaded some registers, or none. */
    if (op->operation == OPERATION_popa)
        gen_reset_stack(g);
    if (op->operation == OPERATION_enter || op->operation == OPERATION_leave)
        gen_mov(g, GPR_EBP, STACK_TOP - 64 - gen_below(g, 512));
    if (op->class == CLASS_STRING || (op->form & FORM_IMPLIED))
        return aim_implied(g, insn);
    if (!insn_has_memory(insn) || op->operation == OPERATION_lea)
        return true;
    if (is_bit_string(op)) {
        if (insn_reg(insn) == insn->base || insn_reg(insn) == insn->index ||
            insn_reg(insn) == GPR_ESP)
            return false;
        gen_mov(g, insn_reg(insn), gen_below(g, 512) - 256);
    }
    return aim(g, bytes, insn, gen_address(g, MAX(insn->mem_size, 1)));
}

/* May ESP be something else afterwards, or have been lent as a base? */
static bool
spoils_stack(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    if (op->operation == OPERATION_popa)
        return true;
    if (op->operation == OPERATION_leave || op->operation == OPERATION_enter)
        return true;
    if (insn->base == GPR_ESP)
        return true;
    return (insn->modrm_offset != 0 &&
            (insn_reg(insn) == GPR_ESP ||
             (!insn_rm_is_memory(insn) && insn_rm(insn) == GPR_ESP))) ||
           (insn->modrm_offset == 0 && (insn->opcode & OPCODE_REG) == GPR_ESP);
}

/* --- The atoms -------------------------------------------------------------*/

static unsigned
add_override(struct generator *g, uint8_t *bytes)
{
    static const uint8_t overrides[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

    if (gen_below(g, 5) != 0)
        return 0;
    bytes[0] = overrides[gen_below(g, ARRAY_LEN(overrides))];
    return 1;
}

/* One encoding, decoded, with random immediates; false: try another. */
static bool
choose_insn(struct generator *g, uint8_t *bytes, struct insn *insn)
{
    unsigned row = rows[gen_below(g, row_count)], kept, n;

    if (gen_below(g, 4) != 0 && (opcode_rows[row].class == CLASS_SSE ||
                                 opcode_rows[row].class == CLASS_MMX))
        return false;
    kept = MIN(seed_count[row], SEEDS);
    n = add_override(g, bytes);
    memcpy(bytes + n, seeds[row][gen_below(g, kept)].bytes,
           INSN_LENGTH_MAX - n);
    if (decode(bytes, INSN_LENGTH_MAX, MODE, insn) != DECODE_OK ||
        insn->row != row || insn_opcode(insn)->class == CLASS_HIDDEN)
        return false;
    for (n = insn->imm_offset; insn->imm_size > 0 && n < insn->length; n++)
        if (insn_opcode(insn)->class == CLASS_IDENT)
            bytes[n] = (uint8_t)gen_value(g);
    if (insn_opcode(insn)->operation == OPERATION_enter)
        bytes[insn->imm_offset + 1] = 0, bytes[insn->imm_offset + 2] &= 3;
    return decode(bytes, INSN_LENGTH_MAX, MODE, insn) == DECODE_OK;
}

void
atom_row(struct generator *g)
{
    uint8_t bytes[INSN_LENGTH_MAX + 1];
    struct insn insn;

    for (unsigned n = 0; n < TRIES; n++) {
        uint32_t start = g->cursor;

        if (!choose_insn(g, bytes, &insn) ||
            (g->in_function && spoils_stack(&insn)))
            continue;
        if (gen_below(g, 3) == 0)
            gen_mov(g, gen_below(g, 4), gen_value(g));
        if (!prepare(g, bytes, &insn)) {
            g->cursor = start;
            continue;
        }
        gen_bytes(g, bytes, insn.length);
        if (spoils_stack(&insn))
            gen_reset_stack(g);
        if (insn_opcode(&insn)->flags_undefined != 0) {
            gen_byte(g, CMP_EAX);
            gen_word(g, gen_value(g));
        }
        return;
    }
}

/* What exists, but not in our machines; and what does not exist. */
void
atom_undefined(struct generator *g)
{
    unsigned row = undefined_rows[gen_below(g, undefined_count)];
    struct insn insn;
    const uint8_t *bytes =
        seeds[row][gen_below(g, MIN(seed_count[row], SEEDS))].bytes;

    if (gen_below(g, 3) == 0) {
        GEN(g, "\x0f\x0b");
        return;
    }
    if (decode(bytes, INSN_LENGTH_MAX, MODE, &insn) == DECODE_OK)
        gen_bytes(g, bytes, insn.length);
}
