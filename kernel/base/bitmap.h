/*
 * bitmap.h - a set of small numbers, one bit each, in 32-bit words.
 *
 *      uint32_t used[BITMAP_WORDS(VECTOR_COUNT)];
 *
 * The caller knows how many bits there are and passes that number where it
 * matters; bits beyond it in the last word are never looked at.  Indexes are
 * not checked.  Nothing here is atomic: the caller holds what guards the map.
 */
#ifndef KERNEL_BASE_BITMAP_H
#define KERNEL_BASE_BITMAP_H

#include "kernel/base/bits.h"
#include "kernel/base/types.h"

#define BITMAP_WORD_BITS    32u
#define BITMAP_WORDS(bits)  DIV_ROUND_UP(bits, BITMAP_WORD_BITS)

/* What a search returns when it finds nothing. */
#define BITMAP_NONE         UINT32_MAX

static inline void
bitmap_set(uint32_t *map, uint32_t bit)
{
    map[bit / BITMAP_WORD_BITS] |= BIT(bit % BITMAP_WORD_BITS);
}

static inline void
bitmap_clear(uint32_t *map, uint32_t bit)
{
    map[bit / BITMAP_WORD_BITS] &= ~BIT(bit % BITMAP_WORD_BITS);
}

static inline bool
bitmap_test(const uint32_t *map, uint32_t bit)
{
    return (map[bit / BITMAP_WORD_BITS] >> bit % BITMAP_WORD_BITS & 1) != 0;
}

/* Set or clear the COUNT bits from FIRST up. */
void bitmap_set_run(uint32_t *map, uint32_t first, uint32_t count);
void bitmap_clear_run(uint32_t *map, uint32_t first, uint32_t count);

/* The lowest bit >= FROM and < BITS that is set (clear), or BITMAP_NONE. */
uint32_t bitmap_find_set(const uint32_t *map, uint32_t bits, uint32_t from);
uint32_t bitmap_find_clear(const uint32_t *map, uint32_t bits, uint32_t from);

/*
 * The first of COUNT (> 0) neighbouring clear bits, all >= FROM and < BITS: the
 * lowest such place, or BITMAP_NONE.
 */
uint32_t bitmap_find_clear_run(const uint32_t *map, uint32_t bits,
                               uint32_t from, uint32_t count);

/* How many of the first BITS bits are set. */
uint32_t bitmap_count(const uint32_t *map, uint32_t bits);

#endif
