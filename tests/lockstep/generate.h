/*
 * generate.h - what the files that invent programs share.
 *
 * A *kind* of atom is a function that writes instructions at the cursor.  Jumps
 * lead to later atoms only, or back by a loop that counts, so every program
 * ends.  All memory operands are aimed: the atom sets its registers.
 */
#ifndef TESTS_LOCKSTEP_GENERATE_H
#define TESTS_LOCKSTEP_GENERATE_H

#include "lockstep/program.h"

#define FIXUPS_MAX  512u

enum fixup_kind {
    FIXUP_REL32, FIXUP_REL8,        /* to an atom */
    FIXUP_ABS32,                    /* the address of an atom */
    FIXUP_SITE32, FIXUP_SITE8,      /* an immediate, an opcode to patch */
};

struct fixup_to {
    uint32_t offset;                /* in the code */
    uint8_t kind;
    unsigned atom;
};

struct generator {
    struct program *p;
    const struct config *config;
    struct test_random random;
    uint32_t cursor;                /* offset in the code */
    unsigned main_count;            /* atoms of the main program */
    unsigned last;                  /* atoms there will be */
    bool in_function;
    unsigned fixup_count, site_count[2];
    struct fixup_to fixups[FIXUPS_MAX];
    uint32_t sites[2][SITES_MAX];   /* offsets: immediates, opcodes */
    unsigned jump_count, jumps[JUMPS];      /* atoms */
};

typedef void atom_kind_t(struct generator *g);

/* Whose atoms: user programs that run natively, too; all; kernels only. */
enum atom_whose { WHOSE_ALL, WHOSE_TRANSLATED, WHOSE_KERNEL, WHOSE_USER };

struct atom_choice {
    atom_kind_t *make;
    uint8_t weight;
    uint8_t whose;                  /* enum atom_whose */
    bool moves_stack;               /* not in functions */
};

/* --- generate.c ------------------------------------------------------------*/
uint32_t gen_below(struct generator *g, uint32_t limit);
uint32_t gen_value(struct generator *g);
void gen_bytes(struct generator *g, const void *bytes, size_t size);
#define GEN(g, text) gen_bytes(g, text, sizeof(text) - 1)
void gen_byte(struct generator *g, unsigned byte);
void gen_word(struct generator *g, uint32_t value);
/* A field that gets its value when all atoms have their places. */
void gen_fixup(struct generator *g, enum fixup_kind kind, unsigned atom);
/* mov $value, %reg */
void gen_mov(struct generator *g, enum gpr reg, uint32_t value);
void gen_reset_stack(struct generator *g);
/* The number of this atom, and of a later one. */
unsigned gen_here(const struct generator *g);
unsigned gen_later(struct generator *g);
/* An address of data for an operand of SIZE bytes; sometimes it faults. */
uint32_t gen_address(struct generator *g, uint32_t size);

/* --- their lists -----------------------------------------------------------*/
extern const struct atom_choice atoms_flow[], atoms_system[];
extern const unsigned atoms_flow_count, atoms_system_count;

/* --- atoms_row.c: any row of opcodes.def that needs nobody's help ----------*/
void encodings_find(void);
void atom_row(struct generator *g);
void atom_undefined(struct generator *g);

#endif
