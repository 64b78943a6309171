/*
 * opcode.h - a row of opcodes.def as data, and the words its columns use.
 *
 * The table is constant and shared by all; an instruction that was decoded
 * (insn.h) names its row by number, and opcode_row() gives the columns.
 */
#ifndef BT_OPCODE_H
#define BT_OPCODE_H

#include "kernel/base/bits.h"
#include "kernel/base/types.h"
#include "kernel/x86/regs.h"

/* Numbers of maps (their first row) and of rows: MAP_ONE, ROW_ONE_0x90. */
enum opcode_row_number {
#define MAP(map, selector) MAP_##map, BEFORE_##map = MAP_##map - 1,
#define END(map) END_##map, LAST_##map = END_##map - 1,
#define OP(map, place, ...) ROW_##map##_##place,
#define UD(map, place) ROW_##map##_##place,
#define LINK(map, place, next) ROW_##map##_##place,
#define PREFIX(map, place, bit, segment) ROW_##map##_##place,
#define ESCAPE(map, place, kind) ROW_##map##_##place,
#include "bt/opcodes.def"
    OPCODE_ROW_COUNT
};

/* What the translator does with an instruction. */
enum opcode_class {
    CLASS_UNDEFINED,
    CLASS_IDENT,            /* runs as it is */
    CLASS_X87,              /* so do these; the interpreter lets the CPU ... */
    CLASS_MMX,              /* ... execute them on a copy of their memory */
    CLASS_SSE,
    CLASS_STRING,           /* as it is; memory at eSI, eDI; REP */
    CLASS_JCC,
    CLASS_LOOP,             /* LOOPcc, JCXZ: conditional, short only */
    CLASS_JMP,
    CLASS_CALL,
    CLASS_JMP_IND,
    CLASS_CALL_IND,
    CLASS_RET,
    CLASS_JMP_FAR,
    CLASS_CALL_FAR,
    CLASS_RET_FAR,
    CLASS_IRET,
    CLASS_INT,              /* INT n, INT3, INTO, INT1 */
    CLASS_SYSCALL,          /* SYSENTER, SYSEXIT */
    CLASS_SEG_LOAD,         /* loads a segment register */
    CLASS_SEG_STORE,        /* shows a selector */
    CLASS_FLAGS,            /* CLI, STI, PUSHF, POPF: IF, IOPL and friends */
    CLASS_IO,               /* IN, OUT, INS, OUTS */
    CLASS_SENSITIVE,        /* unprivileged, but shows the machine's state */
    CLASS_PRIV,             /* #GP unless CPL = 0 */
    CLASS_HIDDEN,           /* exists, but not in our machines: #UD */
    OPCODE_CLASS_COUNT
};

enum opcode_attr {
    A_LOCK    = BIT(0),    /* LOCK is legal with a memory operand */
    A_REP     = BIT(1),    /* F2 and F3 repeat eCX times */
    A_REPZ    = BIT(2),    /* ... while ZF is clear (F2), set (F3) */
    A_PROT    = BIT(3),    /* #UD in real and virtual-8086 mode */
    A_NOMOD   = BIT(4),    /* ModRM.rm is a register whatever mod says */
    A_VEX_L0  = BIT(5),    /* VEX.L must be 0 */
    A_VEX_V   = BIT(6),    /* VEX.vvvv must be 1111b */
    /* Only with this mandatory prefix; the order is that of VEX.pp. */
    A_NEED_NP = BIT(8),
    A_NEED_66 = BIT(9),
    A_NEED_F3 = BIT(10),
    A_NEED_F2 = BIT(11),
    A_NEED    = BITS(11, 8),
};

enum access { ACCESS__ = 0, ACCESS_R = 1, ACCESS_W = 2, ACCESS_RW = 3,
              ACCESS_X = 7 };   /* operands 1 and 2 are both read, written */

/* Flags of EFLAGS as the columns write them. */
enum opcode_flags {
    FL__ = 0,
    FL_C = EFLAGS_CF, FL_P = EFLAGS_PF, FL_A = EFLAGS_AF, FL_Z = EFLAGS_ZF,
    FL_S = EFLAGS_SF, FL_T = EFLAGS_TF, FL_I = EFLAGS_IF, FL_D = EFLAGS_DF,
    FL_O = EFLAGS_OF, FL_IOPL = EFLAGS_IOPL, FL_NT = EFLAGS_NT,
    FL_AC = FL_A | FL_C, FL_AP = FL_A | FL_P, FL_OA = FL_O | FL_A,
    FL_OC = FL_O | FL_C, FL_OS = FL_O | FL_S, FL_ZC = FL_Z | FL_C,
    FL_OAC = FL_O | FL_AC, FL_OSZ = FL_OS | FL_Z, FL_OZC = FL_O | FL_ZC,
    FL_OSAP = FL_OS | FL_AP, FL_OSAPC = FL_OSAP | FL_C,
    FL_OSZC = FL_OSZ | FL_C, FL_OSZP = FL_OSZ | FL_P,
    FL_OSZPC = FL_OSZP | FL_C, FL_OSZAP = FL_OSZP | FL_A,
    FL_OSZAPC = FL_OSZAP | FL_C, FL_SZP = FL_S | FL_Z | FL_P,
    FL_SZPC = FL_SZP | FL_C, FL_SZAP = FL_SZP | FL_A,
    FL_SZAPC = FL_SZAP | FL_C, FL_SAP = FL_S | FL_AP,
    FL_SYS = FL_T | FL_I | FL_NT,
    FL_ALL = FL_OSZAPC | FL_SYS | FL_D | FL_IOPL,
};

/* The interpreter's operations: OPERATION_alu_add. */
enum operation {
#define OPERATION(name) OPERATION_##name,
#include "bt/operations.def"
#undef OPERATION
    OPERATION_COUNT
};

/* What a row is: an instruction, or how to choose the next row. */
enum opcode_select {
    SELECT_INSN,
    SELECT_UNDEFINED,
    SELECT_PREFIX_BYTE,
    SELECT_OPCODE,             /* the next opcode byte */
    SELECT_PREFIX,             /* none, 66, F3, F2 */
    SELECT_NP_66,              /* none, 66; #UD with F3 and F2 */
    SELECT_REG,                /* ModRM.reg */
    SELECT_RM,                 /* ModRM.rm */
    SELECT_MOD,                /* ModRM.mod: memory, register */
    SELECT_OPSIZE,             /* 16, 32 bits */
    SELECT_ADDRSIZE,
    SELECT_VEX,                /* an old instruction, or the VEX or EVEX ... */
    SELECT_XOP,                /* ... or XOP prefix that took its place */
    SELECT_SHAPE,              /* by VECTOR() rows only */
    SELECT_VEX2,               /* ESCAPE kinds */
    SELECT_VEX3,
    SELECT_EVEX,
    SELECT_XOP3,
};

struct opcode {
    uint8_t  select;        /* enum opcode_select */
    uint8_t  class;         /* enum opcode_class */
    uint8_t  operation;     /* enum operation */
    uint8_t  access;        /* enum access: of operand 1 */
    uint8_t  mem_size;      /* enum operand_size: of the memory operand */
    uint8_t  mem_access;    /* enum access: R, W, RW of the memory operand */
    uint8_t  operands[3];   /* enum operand */
    uint8_t  segment;       /* PREFIX: the segment it names */
    uint16_t attr;          /* enum opcode_attr */
    union {
        uint16_t form;      /* enum operand_form, all operands together */
        uint16_t next;      /* LINK: the first row of the next map */
        uint16_t prefix;    /* PREFIX: its bit in insn.prefixes */
    };
    uint16_t flags_read;    /* enum opcode_flags */
    uint16_t flags_written;
    uint16_t flags_undefined;
};
STATIC_ASSERT(sizeof(struct opcode) == 20);

extern const struct opcode opcode_rows[OPCODE_ROW_COUNT];

#endif
