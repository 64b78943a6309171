/*
 * bits.h - single bits, fields of bits, and the searches over them.
 *
 * Register layouts are written with these and never with bare shifts:
 *
 *      #define ICW4_UPM   BIT(0)
 *      #define CSR_STYLE  BITS(7, 0)
 *      style = FIELD_GET(reg, CSR_STYLE);
 *      reg   = FIELD_SET(reg, CSR_STYLE, 2);
 */
#ifndef KERNEL_BASE_BITS_H
#define KERNEL_BASE_BITS_H

#include "kernel/base/types.h"

#define BIT(n)          (1u << (n))
#define BIT64(n)        (1ull << (n))
/* The bits from HI down to LO, both included: BITS(7, 4) is 0xf0. */
#define BITS(hi, lo)    ((~0u >> (31 - (hi))) & (~0u << (lo)))
#define BITS64(hi, lo)  ((~0ull >> (63 - (hi))) & (~0ull << (lo)))

#define FIELD_SHIFT(mask) ((unsigned)__builtin_ctzll(mask))
#define FIELD_GET(reg, mask) (((reg) & (mask)) >> FIELD_SHIFT(mask))
#define FIELD_SET(reg, mask, value)                                       \
    (((reg) & ~(mask)) |                                                  \
     (((__typeof__(mask))(value) << FIELD_SHIFT(mask)) & (mask)))

/* Index of the lowest or highest bit that is set; X must not be 0. */
static inline unsigned
lowest_bit(uint32_t x)
{
    return (unsigned)__builtin_ctz(x);
}

static inline unsigned
highest_bit(uint32_t x)
{
    return 31u - (unsigned)__builtin_clz(x);
}

/* The smallest n with (1 << n) >= x; 0 for x = 0. */
static inline unsigned
log2_round_up(uint32_t x)
{
    return x <= 1 ? 0 : highest_bit(x - 1) + 1;
}

#endif
