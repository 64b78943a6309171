/*
 * stack_int.h - pushes and pops.
 *
 * The stack's address size is SS.B, whatever the code's is.  Several pushes
 * are one: either all words are written and eSP moves, or nothing happens.
 */
#ifndef VMM_INTERP_STACK_INT_H
#define VMM_INTERP_STACK_INT_H

#include "vmm/interp/interp_int.h"

#define STACK_WORDS_MAX 40

/* Words of SIZE (2 or 4) bytes in the order in which they are pushed. */
struct stack_words {
    uint32_t size;
    uint32_t count;
    uint32_t word[STACK_WORDS_MAX];
};

static inline void
stack_add(struct stack_words *words, uint32_t word)
{
    words->word[words->count++] = word;
}

/* Which bits of ESP count: 0xffff or all. */
uint32_t stack_mask(const struct guest_segment *ss);

/* ESP with the bits that count from VALUE. */
uint32_t stack_merged(const struct interp *i, uint32_t value);

/* ESP moved by BYTES (mod the mask); the bits above stay. */
uint32_t stack_moved(const struct interp *i, uint32_t bytes);

/* Would COUNT pushes of SIZE bytes succeed? */
MUST_CHECK bool stack_probe(struct interp *i, uint32_t size, uint32_t count);

MUST_CHECK bool stack_push_words(struct interp *i,
                                 const struct stack_words *words);

/* One word of the instruction's operand size. */
MUST_CHECK bool stack_push(struct interp *i, uint32_t value);

/* The word of SIZE bytes that is BYTES above the top; eSP stays. */
MUST_CHECK bool stack_peek(struct interp *i, uint32_t bytes, unsigned size,
                           uint32_t *value);

#endif
