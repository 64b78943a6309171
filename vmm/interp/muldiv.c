/*
 * muldiv.c - multiplication and division.
 *
 * Products and dividends are twice as wide as the operand: AX for bytes, DX:AX
 * or EDX:EAX otherwise.  CF and OF of a product say that its upper half is
 * needed; the other flags are undefined and left as they were.  A quotient that
 * does not fit is #DE, and nothing has changed then.
 *
 * Called through the table of operations; no locks.  SDM 2 "MUL", "IMUL",
 * "DIV", "IDIV".
 */
#include "vmm/interp/interp_int.h"
#include "vmm/interp/operand_int.h"

static struct place
part(unsigned gpr, unsigned size, unsigned shift)
{
    return (struct place){ PLACE_REG, (uint8_t)size, (uint8_t)gpr,
                           (uint8_t)shift };
}

/* Write HIGH:LOW to AH:AL, DX:AX, EDX:EAX. */
static void
write_pair(struct interp *i, unsigned size, uint32_t low, uint32_t high)
{
    register_write(i, part(GPR_EAX, size, 0), low);
    if (size == 1)
        register_write(i, part(GPR_EAX, 1, 8), high);
    else
        register_write(i, part(GPR_EDX, size, 0), high);
}

static uint64_t
read_pair(const struct interp *i, unsigned size)
{
    const uint32_t *gpr = i->vcpu->cpu.gpr;

    if (size == 1)
        return (uint16_t)gpr[GPR_EAX];
    if (size == 2)
        return (uint16_t)gpr[GPR_EAX] | (uint32_t)gpr[GPR_EDX] << 16;
    return gpr[GPR_EAX] | (uint64_t)gpr[GPR_EDX] << 32;
}

static void
set_product_flags(struct interp *i, bool is_wide)
{
    set_flags(i, EFLAGS_CF | EFLAGS_OF, is_wide ? EFLAGS_CF | EFLAGS_OF : 0);
}

bool
interp_mul(struct interp *i)
{
    unsigned size = i->now->place[0].size;
    uint64_t product;
    uint32_t value;

    if (!operand_read(i, 0, &value))
        return false;
    product = (uint64_t)value *
              register_read(i, part(GPR_EAX, size, 0));
    write_pair(i, size, (uint32_t)product,
               (uint32_t)(product >> (8 * size)));
    set_product_flags(i, product >> (8 * size) != 0);
    return true;
}

bool
interp_imul_acc(struct interp *i)
{
    unsigned size = i->now->place[0].size;
    int64_t product;
    uint32_t value;

    if (!operand_read(i, 0, &value))
        return false;
    product = (int64_t)sign_extend(value, size) *
              sign_extend(register_read(i, part(GPR_EAX, size, 0)), size);
    write_pair(i, size, (uint32_t)product,
               (uint32_t)((uint64_t)product >> (8 * size)));
    set_product_flags(i, product != sign_extend((uint32_t)product, size));
    return true;
}

/* Two operands, or three of which the second and third are multiplied. */
bool
interp_imul(struct interp *i)
{
    bool is_three = i->now->place[2].kind != PLACE_NONE;
    unsigned size = i->now->place[0].size;
    int64_t product;
    uint32_t a, b;

    if (!operand_read(i, 1, &a) || !operand_read(i, is_three ? 2 : 0, &b))
        return false;
    product = (int64_t)sign_extend(a, size) * sign_extend(b, size);
    register_write(i, i->now->place[0], (uint32_t)product);
    set_product_flags(i, product != sign_extend((uint32_t)product, size));
    return true;
}

bool
interp_div(struct interp *i)
{
    unsigned size = i->now->place[0].size;
    uint64_t dividend = read_pair(i, size), quotient;
    uint32_t divisor;

    if (!operand_read(i, 0, &divisor))
        return false;
    /* The quotient fits if the dividend's upper half is below the divisor. */
    if (dividend >> (8 * size) >= divisor)
        return raise(i, VEC_DE);
    quotient = dividend / divisor;
    write_pair(i, size, (uint32_t)quotient,
               (uint32_t)(dividend - quotient * divisor));
    return true;
}

/* By magnitudes: the smallest number has none among the signed ones. */
bool
interp_idiv(struct interp *i)
{
    unsigned size = i->now->place[0].size;
    uint64_t pair = read_pair(i, size);
    int64_t dividend = size == 4 ? (int64_t)pair
                                 : sign_extend((uint32_t)pair, 2 * size);
    uint64_t magnitude = dividend < 0 ? 0 - (uint64_t)dividend
                                      : (uint64_t)dividend;
    uint32_t value, divisor, rest;
    uint64_t quotient;
    bool is_negative;

    if (!operand_read(i, 0, &value))
        return false;
    is_negative = (dividend < 0) != (sign_extend(value, size) < 0);
    divisor = sign_extend(value, size) < 0
              ? 0 - (uint32_t)sign_extend(value, size) : value;
    if (magnitude >> (8 * size) >= divisor)
        return raise(i, VEC_DE);
    quotient = magnitude / divisor;
    rest = (uint32_t)(magnitude - quotient * divisor);
    if (quotient > sign_bit(size) - !is_negative)
        return raise(i, VEC_DE);
    write_pair(i, size, (uint32_t)(is_negative ? 0 - quotient : quotient),
               dividend < 0 ? 0 - rest : rest);
    return true;
}
