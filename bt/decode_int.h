/*
 * decode_int.h - what the files of the decoder share.
 *
 * decode.c follows prefixes and opcode maps to an instruction's row;
 * decode_operands.c takes what the row asks for.  Both take bytes through
 * take_byte() or take_number() alone, which know where the bytes at hand end
 * and what an instruction may have: no input makes the decoder read further.
 */
#ifndef BT_DECODE_INT_H
#define BT_DECODE_INT_H

#include "bt/decode.h"
#include "kernel/base/types.h"

/* Opcode spaces behind VEX, EVEX and XOP prefixes, as VECTOR() names them. */
enum vector_table {
    TABLE_NONE,
    TABLE_VEX_0F, TABLE_VEX_0F38, TABLE_VEX_0F3A,
    TABLE_EVEX_0F, TABLE_EVEX_0F38, TABLE_EVEX_0F3A,
    TABLE_EVEX_MAP5, TABLE_EVEX_MAP6,
    TABLE_XOP_8, TABLE_XOP_9, TABLE_XOP_A,
    VECTOR_TABLE_COUNT
};

/* Which row of map VECTOR an opcode of a table goes on with. */
extern const uint8_t vector_places[VECTOR_TABLE_COUNT][256];

/* Fields of VEX's last byte, which 2- and 3-byte VEX, EVEX and XOP share. */
#define VEX_PP          BITS(1, 0)
#define VEX_L           BIT(2)
#define VEX_VVVV        BITS(5, 3)      /* bit 6 has no meaning: 8 registers */

/* In the order of VEX.pp, of SELECT_PREFIX maps and of A_NEED bits. */
enum mandatory_prefix {
    MANDATORY_NONE, MANDATORY_66, MANDATORY_F3, MANDATORY_F2
};

struct decoder {
    const uint8_t *start;
    const uint8_t *next;
    const uint8_t *end;         /* of what may be read */
    struct insn *insn;
    const struct opcode *row;
    unsigned mode;
    uint8_t mandatory;          /* enum mandatory_prefix */
    uint8_t override;           /* enum segment */
    uint8_t vex;                /* last payload byte of VEX; 0 for others */
};

static inline enum decode_result
out_of_bytes(const struct decoder *d)
{
    return d->end - d->start < INSN_LENGTH_MAX ? DECODE_NEED_MORE
                                               : DECODE_TOO_LONG;
}

static inline bool
take_byte(struct decoder *d, uint8_t *byte)
{
    if (UNLIKELY(d->next == d->end))
        return false;
    *byte = *d->next++;
    return true;
}

static inline uint8_t
offset_here(const struct decoder *d)
{
    return (uint8_t)(d->next - d->start);
}

static inline bool
take_modrm(struct decoder *d)
{
    struct insn *insn = d->insn;

    if (insn->modrm_offset != 0)
        return true;
    insn->modrm_offset = offset_here(d);
    return take_byte(d, &insn->modrm);
}

static inline unsigned
modrm_mod(const struct decoder *d)
{
    return FIELD_GET(d->insn->modrm, MODRM_MOD);
}

/* Everything behind the opcode, once d->row is an instruction. */
enum decode_result decode_operands(struct decoder *d);

#endif
