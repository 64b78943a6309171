/*
 * fake_tables.h - random descriptors, page table entries, stacks, code.
 */
#ifndef TESTS_UNIT_FAKE_TABLES_H
#define TESTS_UNIT_FAKE_TABLES_H

#include "unit/fake_environment.h"
#include "unit/test.h"

/* Of the GDT or LDT of an environment, or somewhat beyond them. */
uint32_t random_selector(struct test_random *rnd);

/*
 * Fill what is free in the descriptor tables, the entries of the data's pages,
 * and what lies around the stack pointer.
 */
void random_tables(const struct environment *env, uint8_t *memory,
                   struct test_random *rnd);

/*
 * INSN_LENGTH_MAX bytes: prefixes, an opcode, one in four of those that are
 * about segments, and more.  They may be no instruction.
 */
void random_instruction(uint8_t *code, struct test_random *rnd);

#endif
