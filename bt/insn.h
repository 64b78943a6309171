/*
 * insn.h - one decoded guest instruction.
 *
 * 32 bytes that hold all an executor needs to know: the row of opcodes.def,
 * the sizes in force, the memory operand in one uniform shape for 16- and
 * 32-bit addressing, the immediates, and where each part lies in the bytes
 * (the translator rewrites displacements and drops prefixes):
 *
 *      | prefixes | opcode | ModRM SIB | disp | imm |
 *      0          ^opcode_offset       ^disp_offset ^imm_offset   length
 *                          ^modrm_offset
 *
 * The address of the memory operand is
 *      segment : (base + (index << scale) + disp)  mod 2^(8 * addr_size)
 * with GPR_NONE for a base or index that is absent: an array of nine registers
 * whose last is 0 makes that free of branches.
 */
#ifndef BT_INSN_H
#define BT_INSN_H

#include "bt/opcode.h"
#include "bt/operand.h"
#include "kernel/base/bits.h"
#include "kernel/base/types.h"

/* SDM 2 table 2-2: numbers as ModRM, SIB and opcodes encode them. */
enum gpr {
    GPR_EAX, GPR_ECX, GPR_EDX, GPR_EBX, GPR_ESP, GPR_EBP, GPR_ESI, GPR_EDI,
    GPR_NONE
};

enum segment {
    SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS,
    SEG_NONE
};

enum insn_prefix {
    PFX_LOCK     = BIT(0),      /* F0 */
    PFX_REP      = BIT(1),      /* F3; the last of F2 and F3 counts */
    PFX_REPNE    = BIT(2),      /* F2 */
    PFX_OPSIZE   = BIT(3),      /* 66 */
    PFX_ADDRSIZE = BIT(4),      /* 67 */
    PFX_SEG      = BIT(5),      /* any segment override; the last counts */
};

#define INSN_LENGTH_MAX 15

struct insn {
    uint16_t row;           /* enum opcode_row_number */
    uint16_t mem_size;      /* bytes at the memory operand; 0: none or varies */
    int32_t  disp;          /* sign-extended */
    uint32_t imm;           /* immediate, branch displacement, far offset */
    uint16_t imm2;          /* ENTER's level, far selector, second byte */
    uint8_t  length;
    uint8_t  prefixes;      /* enum insn_prefix */
    uint8_t  op_size;       /* effective operand size: 2 or 4 */
    uint8_t  addr_size;     /* effective address size: 2 or 4 */
    uint8_t  opcode;        /* the last opcode byte, for registers in it */
    uint8_t  modrm;
    uint8_t  segment;       /* of the memory operand; SEG_NONE: there is none */
    uint8_t  base;          /* enum gpr */
    uint8_t  index;
    uint8_t  scale;         /* 0..3; says nothing without an index */
    uint8_t  opcode_offset; /* = number of prefix bytes */
    uint8_t  modrm_offset;  /* 0: there is none */
    uint8_t  disp_offset;
    uint8_t  disp_size;     /* 0, 1, 2, 4 */
    uint8_t  imm_offset;
    uint8_t  imm_size;      /* of imm: 0, 1, 2, 4 */
    uint8_t  vvvv;          /* VEX's extra register */
    uint8_t  unused;
};
STATIC_ASSERT(sizeof(struct insn) == 32);

#define MODRM_MOD       BITS(7, 6)
#define MODRM_REG       BITS(5, 3)
#define MODRM_RM        BITS(2, 0)
#define MODRM_MOD_REGISTER 3
#define OPCODE_REG      BITS(2, 0)      /* register in the opcode byte */
#define OPCODE_CC       BITS(3, 0)      /* condition of Jcc, SETcc, CMOVcc */

static inline const struct opcode *
insn_opcode(const struct insn *insn)
{
    return &opcode_rows[insn->row];
}

static inline unsigned
insn_reg(const struct insn *insn)
{
    return FIELD_GET(insn->modrm, MODRM_REG);
}

static inline unsigned
insn_rm(const struct insn *insn)
{
    return FIELD_GET(insn->modrm, MODRM_RM);
}

/* Has it a memory operand that an override can move (not ES:eDI, stack)? */
static inline bool
insn_has_memory(const struct insn *insn)
{
    return insn->segment != SEG_NONE;
}

/* Is the operand that ModRM.rm names (of a row that has one) in memory? */
static inline bool
insn_rm_is_memory(const struct insn *insn)
{
    return insn_has_memory(insn) &&
           (insn_opcode(insn)->form & FORM_IMPLIED) == 0;
}

/* The offset that a direct branch at EIP goes to. */
static inline uint32_t
insn_target(const struct insn *insn, uint32_t eip)
{
    uint32_t target = eip + insn->length + insn->imm;

    return insn->op_size == 2 ? (uint16_t)target : target;
}

/* Does it repeat: a string instruction with F2 or F3? */
static inline bool
insn_repeats(const struct insn *insn)
{
    return (insn->prefixes & (PFX_REP | PFX_REPNE)) != 0 &&
           (insn_opcode(insn)->attr & (A_REP | A_REPZ)) != 0;
}

/*
 * Flags whose value before the instruction matters to it or shows through it:
 * a repeated CMPS whose count is 0 leaves all flags alone.
 */
static inline unsigned
insn_flags_read(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    return op->flags_read | (insn_repeats(insn) ? op->flags_written : 0);
}

#endif
