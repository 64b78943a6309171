/*
 * decode_tables.c - opcodes.def and operands.def as constant arrays.
 *
 * What the decoder would have to work out from a row's three operand letters
 * each time is worked out here at compile time: the sum of their form bits,
 * and size and direction of the memory operand.  The assertions at the end
 * are why a row can be trusted to stand at its opcode: every map has as many
 * rows as its selector has values, and each row is at its place.
 *
 * Pure: constants only.
 */
#include "bt/decode_int.h"
#include "bt/insn.h"

/* Per operand letter: form bits, size of memory, bytes there at all? */
enum {
#define OPERAND(name, kind, reg_size, mem_size, form)                     \
    FORM_OF_##name = (form), MEM_SIZE_OF_##name = SIZE_##mem_size,        \
    IS_MEM_##name = SIZE_##mem_size != SIZE_NONE,
#include "bt/operands.def"
#undef OPERAND
};

/* How each map chooses. */
enum {
#define MAP(map, selector) SELECT_OF_##map = SELECT_##selector,
#include "bt/opcodes.def"
};

/* A group 1 prefix replaces the other of F2 and F3. */
enum {
    CLEARS_SEG = 0, CLEARS_OPSIZE = 0, CLEARS_ADDRSIZE = 0, CLEARS_LOCK = 0,
    CLEARS_REP = PFX_REPNE, CLEARS_REPNE = PFX_REP,
};

/* Operand 1 as the access column says, the others are read (X: or both). */
#define MEM_ACCESS(access, o1, o2, o3)                                    \
    ((IS_MEM_##o1 ? (access) & ACCESS_RW : 0) |                           \
     (IS_MEM_##o2 || IS_MEM_##o3 ?                                        \
      (access) == ACCESS_X ? ACCESS_RW : ACCESS_R : 0))

const struct opcode opcode_rows[OPCODE_ROW_COUNT] = {
#define OP(map, place, name, o1, o2, o3, acc, r, w, u, cls, attrs, oper)  \
    [ROW_##map##_##place] = {                                             \
        .select = SELECT_INSN, .class = CLASS_##cls,                      \
        .operation = OPERATION_##oper, .access = ACCESS_##acc,            \
        .mem_size = MEM_SIZE_OF_##o1 | MEM_SIZE_OF_##o2 |                 \
                    MEM_SIZE_OF_##o3,                                     \
        .mem_access = MEM_ACCESS(ACCESS_##acc, o1, o2, o3),               \
        .operands = { OPERAND_##o1, OPERAND_##o2, OPERAND_##o3 },         \
        .attr = (attrs),                                                  \
        .form = FORM_OF_##o1 | FORM_OF_##o2 | FORM_OF_##o3,               \
        .flags_read = FL_##r, .flags_written = FL_##w,                    \
        .flags_undefined = FL_##u,                                        \
    },
#define UD(map, place)                                                    \
    [ROW_##map##_##place] = { .select = SELECT_UNDEFINED,                 \
                              .operation = OPERATION_undefined },
#define LINK(map, place, to)                                              \
    [ROW_##map##_##place] = { .select = SELECT_OF_##to, .next = MAP_##to },
#define PREFIX(map, place, bit, seg)                                      \
    [ROW_##map##_##place] = { .select = SELECT_PREFIX_BYTE,               \
                              .prefix = PFX_##bit, .attr = CLEARS_##bit,  \
                              .segment = SEG_##seg },
#define ESCAPE(map, place, kind)                                          \
    [ROW_##map##_##place] = { .select = SELECT_##kind },
#include "bt/opcodes.def"
};

const uint8_t vector_places[VECTOR_TABLE_COUNT][256] = {
#define VECTOR(table, first, last, place)                                 \
    [TABLE_##table][first ... last] = place,
#include "bt/opcodes.def"
};

const struct operand_info operand_infos[OPERAND_COUNT] = {
#define OPERAND(name, where, size, memory, form)                          \
    [OPERAND_##name] = { .kind = KIND_##where, .reg_size = SIZE_##size,   \
                         .mem_size = SIZE_##memory },
#include "bt/operands.def"
#undef OPERAND
};

const uint16_t operand_bytes[OPERAND_SIZE_COUNT][2] = {
    [SIZE_NONE] = { 0, 0 },     [SIZE_B]  = { 1, 1 },
    [SIZE_W]    = { 2, 2 },     [SIZE_D]  = { 4, 4 },
    [SIZE_Q]    = { 8, 8 },     [SIZE_DQ] = { 16, 16 },
    [SIZE_T]    = { 10, 10 },   [SIZE_S]  = { 6, 6 },
    [SIZE_V]    = { 2, 4 },     [SIZE_P]  = { 4, 6 },
    [SIZE_A]    = { 4, 8 },     [SIZE_E]  = { 14, 28 },
    [SIZE_FS]   = { 94, 108 },  [SIZE_FX] = { 512, 512 },
    [SIZE_XS]   = { 0, 0 },
};

/* How many rows a map of each selector has. */
enum {
    ROWS_OPCODE = 256, ROWS_PREFIX = 4, ROWS_NP_66 = 2, ROWS_REG = 8,
    ROWS_RM = 8, ROWS_MOD = 2, ROWS_OPSIZE = 2, ROWS_ADDRSIZE = 2,
    ROWS_VEX = 2, ROWS_XOP = 2, ROWS_SHAPE = 10,
};

enum {
#define MAP(map, selector) ROWS_IN_##map = ROWS_##selector,
#include "bt/opcodes.def"
};

#define END(map) STATIC_ASSERT(END_##map - MAP_##map == ROWS_IN_##map);
#include "bt/opcodes.def"

#define AT_PLACE(map, place) \
    STATIC_ASSERT(ROW_##map##_##place == MAP_##map + (place));
#define OP(map, place, ...) AT_PLACE(map, place)
#define UD(map, place) AT_PLACE(map, place)
#define LINK(map, place, next) AT_PLACE(map, place)
#define PREFIX(map, place, bit, segment) AT_PLACE(map, place)
#define ESCAPE(map, place, kind) AT_PLACE(map, place)
#include "bt/opcodes.def"

STATIC_ASSERT(MAP_ONE == 0);
STATIC_ASSERT(OPERATION_COUNT <= 256);
STATIC_ASSERT(OPERAND_COUNT <= 256);
