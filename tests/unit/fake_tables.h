/*
 * fake_tables.h - random descriptors, page table entries and stacks.
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

#endif
