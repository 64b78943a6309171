/*
 * decode.c - prefixes and opcode maps: from bytes to a row of the table.
 *
 * The opcode maps are data (opcodes.def).  Decoding walks them from map ONE:
 * each row is an instruction, or says by which field the next row is chosen.
 * No opcode is known to this file; what it knows is how prefixes combine, by
 * what the maps select, and how VEX, EVEX and XOP lead to maps of their own.
 * The operands are taken by decode_operands.c.
 *
 * Pure and re-entrant; no locks.  SDM 2 chapter 2; VEX and EVEX in 2.3, 2.7;
 * XOP in APM 3, 1.11.
 */
#include "bt/decode.h"

#include "bt/decode_int.h"

/* Fields of the bytes behind C4, C5, 62 and 8F. */
#define VEX_MAP         BITS(4, 0)
#define EVEX_MAP        BITS(2, 0)
#define EVEX_P0_ZERO    BIT(3)
#define EVEX_P1_ONE     BIT(2)
#define XOP_MAP_FIRST   8
/* The first payload byte of VEX and EVEX looks like ModRM with mod = 3. */
#define VEX_PAYLOAD     BITS(7, 6)

/*
 * Take prefixes up to the first byte that is none, and that byte's row.  They
 * come in any order and any number.  Of segment overrides the last counts, and
 * of F2 and F3; 66 and 67 do not toggle.  Where an opcode has a mandatory
 * prefix, F2 and F3 outrank 66, which then is an operand size again (CRC32).
 */
static bool
take_prefixes(struct decoder *d)
{
    struct insn *insn = d->insn;
    bool is_32 = (d->mode & DECODE_32) != 0;

    for (;;) {
        if (!take_byte(d, &insn->opcode))
            return false;
        d->row = &opcode_rows[MAP_ONE + insn->opcode];
        if (LIKELY(d->row->select != SELECT_PREFIX_BYTE))
            break;
        insn->prefixes = (uint8_t)((insn->prefixes & ~d->row->attr) |
                                   d->row->prefix);
        if (d->row->segment != SEG_NONE)
            d->override = d->row->segment;
    }
    insn->opcode_offset = (uint8_t)(offset_here(d) - 1);
    insn->op_size = is_32 == !(insn->prefixes & PFX_OPSIZE) ? 4 : 2;
    insn->addr_size = is_32 == !(insn->prefixes & PFX_ADDRSIZE) ? 4 : 2;
    if (insn->prefixes & PFX_REPNE)
        d->mandatory = MANDATORY_F2;
    else if (insn->prefixes & PFX_REP)
        d->mandatory = MANDATORY_F3;
    else if (insn->prefixes & PFX_OPSIZE)
        d->mandatory = MANDATORY_66;
    return true;
}

/*
 * The opcode behind a vector prefix: its row by TABLE, and the fields of LAST,
 * the payload byte that holds pp, L and vvvv (inverted).  pp takes the place of
 * the mandatory prefix, so a legacy one (or LOCK) before VEX is #UD: SDM 2
 * 2.3.2 to 2.3.4.
 */
static enum decode_result
enter_vector_map(struct decoder *d, enum vector_table table, uint8_t last)
{
    struct insn *insn = d->insn;
    const uint8_t forbidden =
        PFX_LOCK | PFX_REP | PFX_REPNE | PFX_OPSIZE;

    if (table == TABLE_NONE || (insn->prefixes & forbidden) != 0)
        return DECODE_UNDEFINED;
    if (!take_byte(d, &insn->opcode))
        return out_of_bytes(d);
    d->mandatory = FIELD_GET(last, VEX_PP);
    d->vex = last;
    insn->vvvv = FIELD_GET(~last, VEX_VVVV);
    d->row = &opcode_rows[MAP_VECTOR + vector_places[table][insn->opcode]];
    return DECODE_OK;
}

static enum decode_result
take_vex2(struct decoder *d)
{
    uint8_t p0;

    if (!take_byte(d, &p0))
        return out_of_bytes(d);
    return enter_vector_map(d, TABLE_VEX_0F, p0);
}

/* The three-byte form of VEX, and XOP, which has the same fields. */
static enum decode_result
take_vex3(struct decoder *d, unsigned first_map, enum vector_table first)
{
    enum vector_table table = TABLE_NONE;
    uint8_t p0, p1;
    unsigned map;

    if (!take_byte(d, &p0) || !take_byte(d, &p1))
        return out_of_bytes(d);
    map = FIELD_GET(p0, VEX_MAP);
    if (map >= first_map && map < first_map + 3)
        table = first + (map - first_map);
    return enter_vector_map(d, table, p1);
}

/* Map 4 and 7 are not assigned in 32-bit modes; nor is map 0. */
static enum decode_result
take_evex(struct decoder *d)
{
    static const uint8_t tables[] = {
        [1] = TABLE_EVEX_0F,   [2] = TABLE_EVEX_0F38, [3] = TABLE_EVEX_0F3A,
        [5] = TABLE_EVEX_MAP5, [6] = TABLE_EVEX_MAP6, [7] = TABLE_NONE,
    };
    uint8_t p0, p1, p2;

    if (!take_byte(d, &p0) || !take_byte(d, &p1) || !take_byte(d, &p2))
        return out_of_bytes(d);
    if ((p0 & EVEX_P0_ZERO) != 0 || (p1 & EVEX_P1_ONE) == 0)
        return DECODE_UNDEFINED;
    return enter_vector_map(d, tables[FIELD_GET(p0, EVEX_MAP)], p1);
}

/*
 * Does the byte at `next` make the opcode a vector prefix?  VEX and EVEX hide
 * in LES, LDS and BOUND of a register, which never existed; XOP in POP with a
 * reg field that is not 0.  Real and virtual-8086 mode have none of them: there
 * the old instruction is meant and, with a register, is #UD.  The byte is only
 * looked at; who needs it takes it, as ModRM or as payload.
 */
static enum decode_result
is_vector_prefix(struct decoder *d, unsigned *is_vector)
{
    if ((d->mode & DECODE_PROTECTED) == 0) {
        *is_vector = 0;
        return DECODE_OK;
    }
    if (d->next == d->end)
        return out_of_bytes(d);
    if (d->row->select == SELECT_VEX)
        *is_vector = (*d->next & VEX_PAYLOAD) == VEX_PAYLOAD;
    else
        *is_vector = FIELD_GET(*d->next, VEX_MAP) >= XOP_MAP_FIRST;
    return DECODE_OK;
}

/* Replace the row by the one that ModRM chooses from the next map. */
static enum decode_result
select_by_modrm(struct decoder *d)
{
    unsigned place;

    if (!take_modrm(d))
        return out_of_bytes(d);
    if (d->row->select == SELECT_REG)
        place = insn_reg(d->insn);
    else if (d->row->select == SELECT_RM)
        place = insn_rm(d->insn);
    else
        place = modrm_mod(d) == MODRM_MOD_REGISTER;
    d->row = &opcode_rows[d->row->next + place];
    return DECODE_OK;
}

/* Follow one link towards the instruction's row. */
static enum decode_result
select_next(struct decoder *d)
{
    struct insn *insn = d->insn;
    unsigned place = 0;
    enum decode_result result;

    switch (d->row->select) {
    case SELECT_REG:
    case SELECT_RM:
    case SELECT_MOD:
        return select_by_modrm(d);
    case SELECT_OPCODE:
        if (!take_byte(d, &insn->opcode))
            return out_of_bytes(d);
        place = insn->opcode;
        break;
    case SELECT_NP_66:
        if (d->mandatory > MANDATORY_66)
            return DECODE_UNDEFINED;
        place = d->mandatory;
        break;
    case SELECT_PREFIX:
        place = d->mandatory;
        break;
    case SELECT_OPSIZE:
        place = insn->op_size == 4;
        break;
    case SELECT_ADDRSIZE:
        place = insn->addr_size == 4;
        break;
    case SELECT_VEX:
    case SELECT_XOP:
        result = is_vector_prefix(d, &place);
        if (result != DECODE_OK)
            return result;
        break;
    case SELECT_VEX2:
        return take_vex2(d);
    case SELECT_VEX3:
        return take_vex3(d, 1, TABLE_VEX_0F);
    case SELECT_XOP3:
        return take_vex3(d, XOP_MAP_FIRST, TABLE_XOP_8);
    case SELECT_EVEX:
        return take_evex(d);
    default:
        return DECODE_UNDEFINED;
    }
    d->row = &opcode_rows[d->row->next + place];
    return DECODE_OK;
}

/* The map links have no cycle, so this ends. */
static enum decode_result
decode_parts(struct decoder *d)
{
    enum decode_result result;

    if (!take_prefixes(d))
        return out_of_bytes(d);
    while (d->row->select != SELECT_INSN) {
        result = select_next(d);
        if (result != DECODE_OK)
            return result;
    }
    return decode_operands(d);
}

enum decode_result
decode(const uint8_t *bytes, size_t available, unsigned mode,
       struct insn *insn)
{
    struct decoder d = {
        .start = bytes,
        .next = bytes,
        .end = bytes + MIN(available, (size_t)INSN_LENGTH_MAX),
        .insn = insn,
        .mode = mode,
        .override = SEG_NONE,
    };
    enum decode_result result;

    *insn = (struct insn){ .segment = SEG_NONE, .base = GPR_NONE,
                           .index = GPR_NONE };
    result = decode_parts(&d);
    insn->length = offset_here(&d);
    if (d.row != NULL)
        insn->row = (uint16_t)(d.row - opcode_rows);
    return result;
}
