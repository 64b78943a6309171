/*
 * string_int.h - what string instructions share with INS and OUTS.
 */
#ifndef VMM_INTERP_STRING_INT_H
#define VMM_INTERP_STRING_INT_H

#include "vmm/interp/operand_int.h"

/*
 * Do at least one and at most COUNT iterations, registers but eCX included;
 * how many, or 0 for a fault at the first.
 */
typedef uint32_t string_iteration_t(struct interp *i, uint32_t count);

/* Once, or eCX times in batches. */
MUST_CHECK bool string_repeat(struct interp *i, string_iteration_t *iterate);

/* An element of SIZE bytes at seg:eSI, at ES:eDI. */
struct mem string_source(const struct interp *i, unsigned size);
struct mem string_target(const struct interp *i, unsigned size);

/* Move eSI or eDI by SIZE bytes, in the direction of DF. */
void string_advance(struct interp *i, unsigned gpr, uint32_t size);

#endif
