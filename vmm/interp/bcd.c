/*
 * bcd.c - decimal adjustments: DAA, DAS, AAA, AAS, AAM, AAD.
 *
 * Flags that the manual leaves undefined are set as Intel's CPUs do where that
 * costs nothing, for the sake of lockstep with them.
 *
 * Called through the table of operations; no locks.  SDM 2, each instruction.
 */
#include "vmm/interp/alu_int.h"
#include "vmm/interp/operand_int.h"

#define DIGIT           0x0fu
#define DIGIT_MAX       9u
#define BCD_MAX         0x99u
#define ADJUST_LOW      0x06u
#define ADJUST_HIGH     0x60u

static const struct place place_al = { PLACE_REG, 1, GPR_EAX, 0 };
static const struct place place_ax = { PLACE_REG, 2, GPR_EAX, 0 };

/* DAA and DAS: add or subtract 6 where a digit overflowed. */
static bool
adjust_packed(struct interp *i, bool is_add)
{
    uint32_t old = register_read(i, place_al), al = old, flags = 0;
    bool is_carry = has_flag(i, EFLAGS_CF);

    if ((old & DIGIT) > DIGIT_MAX || has_flag(i, EFLAGS_AF)) {
        flags |= EFLAGS_AF;
        if (!is_add && old < ADJUST_LOW)
            flags |= EFLAGS_CF;
        al = is_add ? al + ADJUST_LOW : al - ADJUST_LOW;
    }
    if (old > BCD_MAX || is_carry) {
        flags |= EFLAGS_CF;
        al = is_add ? al + ADJUST_HIGH : al - ADJUST_HIGH;
    }
    al = low_bytes(al, 1);
    register_write(i, place_al, al);
    set_flags(i, FLAGS_ARITH, flags | flags_szp(al, 1));
    return true;
}

bool
interp_daa(struct interp *i)
{
    return adjust_packed(i, true);
}

bool
interp_das(struct interp *i)
{
    return adjust_packed(i, false);
}

/* AAA and AAS: one digit in AL, the carry goes to AH. */
static bool
adjust_unpacked(struct interp *i, bool is_add)
{
    uint32_t ax = register_read(i, place_ax), flags = 0;

    if ((ax & DIGIT) > DIGIT_MAX || has_flag(i, EFLAGS_AF)) {
        flags = EFLAGS_AF | EFLAGS_CF;
        ax += is_add ? BIT(8) + ADJUST_LOW : 0 - BIT(8) - ADJUST_LOW;
    }
    ax &= BITS(15, 8) | DIGIT;
    register_write(i, place_ax, ax);
    set_flags(i, FLAGS_ARITH, flags | flags_szp(ax & UINT8_MAX, 1));
    return true;
}

bool
interp_aaa(struct interp *i)
{
    return adjust_unpacked(i, true);
}

bool
interp_aas(struct interp *i)
{
    return adjust_unpacked(i, false);
}

bool
interp_aam(struct interp *i)
{
    uint32_t base = insn_of(i)->imm, al = register_read(i, place_al);

    if (base == 0)
        return raise(i, VEC_DE);
    register_write(i, place_ax, al / base << 8 | al % base);
    set_flags(i, FLAGS_ARITH, flags_szp(al % base, 1));
    return true;
}

bool
interp_aad(struct interp *i)
{
    uint32_t ax = register_read(i, place_ax);
    uint32_t al = low_bytes((ax >> 8) * insn_of(i)->imm + ax, 1);

    register_write(i, place_ax, al);
    set_flags(i, FLAGS_ARITH, flags_szp(al, 1));
    return true;
}
