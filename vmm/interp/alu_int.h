/*
 * alu_int.h - the flags of arithmetic: SDM 1 3.4.3.1.
 *
 * Operands are below 2^(8 * size), as operand_read() leaves them; so is the
 * result that goes in here.
 */
#ifndef VMM_INTERP_ALU_INT_H
#define VMM_INTERP_ALU_INT_H

#include "vmm/interp/interp_int.h"

/* Operands, result and size of an addition or subtraction. */
struct sum {
    uint32_t a, b, result;
    unsigned size;
};

static inline uint32_t
flags_szp(uint32_t result, unsigned size)
{
    uint32_t flags = 0;

    if (result == 0)
        flags |= EFLAGS_ZF;
    if (result & sign_bit(size))
        flags |= EFLAGS_SF;
    if (!__builtin_parity(result & UINT8_MAX))
        flags |= EFLAGS_PF;
    return flags;
}

/* CARRIES: out of each bit; the sign bit's is CF, bit 3's is AF. */
static inline uint32_t
flags_sum(const struct sum *s, uint32_t carries, uint32_t overflows)
{
    uint32_t flags = flags_szp(s->result, s->size);

    if (carries & sign_bit(s->size))
        flags |= EFLAGS_CF;
    if (overflows & sign_bit(s->size))
        flags |= EFLAGS_OF;
    return flags | ((s->a ^ s->b ^ s->result) & EFLAGS_AF);
}

static inline uint32_t
flags_add(const struct sum *s)
{
    return flags_sum(s, (s->a & s->b) | ((s->a | s->b) & ~s->result),
                     (s->a ^ s->result) & (s->b ^ s->result));
}

static inline uint32_t
flags_sub(const struct sum *s)
{
    return flags_sum(s, (~s->a & s->b) | (~(s->a ^ s->b) & s->result),
                     (s->a ^ s->b) & (s->a ^ s->result));
}

#endif
