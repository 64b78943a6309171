/*
 * bitmap.c - searches and runs over sets of bits (bitmap.h).
 *
 * All work goes word by word.  The searches for a set and for a clear bit are
 * one: a clear bit of the map is a set bit of the map with every word flipped.
 *
 * Pure: linked into VMkernel, monitor and tests alike.
 */
#include "kernel/base/bitmap.h"

/* The bits of one word that lie in [FIRST, END), counted from its own bit 0. */
static uint32_t
word_mask(uint32_t first, uint32_t end)
{
    return BITS(end - 1, first);
}

static void
write_run(uint32_t *map, uint32_t first, uint32_t count, bool set)
{
    uint32_t bit, mask, n;

    for (; count > 0; first += n, count -= n) {
        bit = first % BITMAP_WORD_BITS;
        n = MIN(count, BITMAP_WORD_BITS - bit);
        mask = word_mask(bit, bit + n);
        if (set)
            map[first / BITMAP_WORD_BITS] |= mask;
        else
            map[first / BITMAP_WORD_BITS] &= ~mask;
    }
}

void
bitmap_set_run(uint32_t *map, uint32_t first, uint32_t count)
{
    write_run(map, first, count, true);
}

void
bitmap_clear_run(uint32_t *map, uint32_t first, uint32_t count)
{
    write_run(map, first, count, false);
}

/* The lowest bit that is set in the map whose words are XORed with FLIP. */
static uint32_t
find(const uint32_t *map, uint32_t bits, uint32_t from, uint32_t flip)
{
    uint32_t word, found;

    while (from < bits) {
        word = (map[from / BITMAP_WORD_BITS] ^ flip) >>
               from % BITMAP_WORD_BITS;
        if (word != 0) {
            found = from + lowest_bit(word);
            return found < bits ? found : BITMAP_NONE;
        }
        from = ROUND_DOWN(from, BITMAP_WORD_BITS) + BITMAP_WORD_BITS;
    }
    return BITMAP_NONE;
}

uint32_t
bitmap_find_set(const uint32_t *map, uint32_t bits, uint32_t from)
{
    return find(map, bits, from, 0);
}

uint32_t
bitmap_find_clear(const uint32_t *map, uint32_t bits, uint32_t from)
{
    return find(map, bits, from, UINT32_MAX);
}

uint32_t
bitmap_find_clear_run(const uint32_t *map, uint32_t bits, uint32_t from,
                      uint32_t count)
{
    uint32_t end;

    for (;;) {
        from = bitmap_find_clear(map, bits, from);
        if (from == BITMAP_NONE || bits - from < count)
            return BITMAP_NONE;
        /* Only the next COUNT bits matter: do not search a large hole. */
        end = bitmap_find_set(map, from + count, from);
        if (end == BITMAP_NONE)
            return from;
        from = end;
    }
}

uint32_t
bitmap_count(const uint32_t *map, uint32_t bits)
{
    uint32_t n = 0;
    uint32_t whole = bits / BITMAP_WORD_BITS;
    uint32_t rest = bits % BITMAP_WORD_BITS;

    for (uint32_t i = 0; i < whole; i++)
        n += (uint32_t)__builtin_popcount(map[i]);
    if (rest > 0)
        n += (uint32_t)__builtin_popcount(map[whole] & word_mask(0, rest));
    return n;
}
