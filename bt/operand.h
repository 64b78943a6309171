/*
 * operand.h - operand letters of opcodes.def (operands.def) as numbers.
 *
 * A row names up to three operands.  operand_infos says for each letter where
 * the operand is and how large; the sum of the form bits of a row's operands
 * is all that the decoder needs to know about them.
 */
#ifndef BT_OPERAND_H
#define BT_OPERAND_H

#include "kernel/base/bits.h"
#include "kernel/base/types.h"

/* OPERAND_Ev and so on; OPERAND__ is none. */
enum operand {
#define OPERAND(name, kind, reg_size, mem_size, form) OPERAND_##name,
#include "bt/operands.def"
#undef OPERAND
    OPERAND_COUNT
};

/* Where an operand is. */
enum operand_kind {
    KIND_NONE,
    KIND_GPR_RM, KIND_MMX_RM, KIND_XMM_RM, KIND_ST_RM,  /* ModRM.rm */
    KIND_GPR_REG, KIND_SEG_REG, KIND_CR_REG, KIND_DR_REG,
    KIND_MMX_REG, KIND_XMM_REG,                         /* ModRM.reg */
    KIND_GPR_VVVV,                                      /* VEX.vvvv */
    KIND_GPR_OPCODE,                        /* low bits of the opcode */
    KIND_EAX, KIND_ECX, KIND_EDX,
    KIND_ES, KIND_CS, KIND_SS, KIND_DS, KIND_FS, KIND_GS,
    KIND_ST0, KIND_XMM0,
    KIND_ONE, KIND_IMM, KIND_IMM_PAIR, KIND_REL, KIND_FAR,
    KIND_MOFFS, KIND_STRING_SRC, KIND_STRING_DST, KIND_IMPLIED,
};

/* How large it is; V, A, P, E and FS depend on the operand size. */
enum operand_size {
    SIZE_NONE, SIZE_B, SIZE_W, SIZE_D, SIZE_Q, SIZE_DQ, SIZE_T,
    SIZE_S,                 /* a descriptor table's limit and base: 6 */
    SIZE_V,                 /* 2 or 4 */
    SIZE_P,                 /* far pointer: 4 or 6 */
    SIZE_A,                 /* BOUND's pair: 4 or 8 */
    SIZE_E,                 /* x87 environment: 14 or 28 */
    SIZE_FS,                /* FSAVE's image: 94 or 108 */
    SIZE_FX,                /* FXSAVE's image: 512 */
    SIZE_XS,                /* XSAVE's image: the CPU decides */
    OPERAND_SIZE_COUNT
};

/* What the decoder must fetch and check. */
enum operand_form {
    FORM_MODRM      = BIT(0),
    FORM_MEM_ONLY   = BIT(1),   /* #UD if ModRM names a register */
    FORM_REG_ONLY   = BIT(2),   /* #UD if ModRM names memory */
    FORM_SREG       = BIT(3),   /* ModRM.reg is a segment register */
    FORM_CR         = BIT(4),   /* ModRM.reg is a control register */
    FORM_IMM8       = BIT(5),
    FORM_IMM8_MORE  = BIT(6),   /* and a second one */
    FORM_IMM16      = BIT(7),
    FORM_IMM32      = BIT(8),
    FORM_IMMZ       = BIT(9),   /* 16 or 32 bits by operand size */
    FORM_SIGNED     = BIT(10),  /* sign-extend the immediate */
    FORM_SELECTOR   = BIT(11),  /* 16 bits after the immediate */
    FORM_MOFFS      = BIT(12),  /* an address of the address size */
    FORM_AT_ESI     = BIT(13),  /* memory at DS:eSI; an override counts */
    FORM_AT_EDI     = BIT(14),
    FORM_AT_EBX     = BIT(15),  /* and AL is to be added */
    FORM_IMPLIED    = FORM_AT_ESI | FORM_AT_EDI | FORM_AT_EBX,
    FORM_IMMEDIATE  = FORM_IMM8 | FORM_IMM16 | FORM_IMM32 | FORM_IMMZ,
};

struct operand_info {
    uint8_t kind;           /* enum operand_kind */
    uint8_t reg_size;       /* enum operand_size: as a register */
    uint8_t mem_size;       /* enum operand_size: as memory */
};

extern const struct operand_info operand_infos[OPERAND_COUNT];

/* Bytes of each enum operand_size with 16- and 32-bit operands. */
extern const uint16_t operand_bytes[OPERAND_SIZE_COUNT][2];

#endif
