/*
 * shift.c - shifts and rotates, single and double.
 *
 * The count is taken mod 32 whatever the operand's size.  A count of 0 changes
 * no flag, but the operand is still written, as far as faults are concerned.
 * Values are worked on in 64 bits, so that no count needs a case of its own.
 * OF is defined for a count of 1 only, and otherwise set as if each count's
 * last step were that one, which is what CPUs do for most.
 *
 * Called through the table of operations; no locks.  SDM 2 "SAL/SAR/SHL/SHR",
 * "RCL/RCR/ROL/ROR", "SHLD", "SHRD".
 */
#include "vmm/interp/alu_int.h"
#include "vmm/interp/operand_int.h"

#define COUNT_MASK  31u

struct shift {
    uint32_t value;         /* in and out */
    uint32_t carry;         /* 0 or 1: in for RCL and RCR, out */
    uint32_t overflow;      /* a bit beside the sign bit, to be XORed with it */
    unsigned count;         /* not 0 */
    unsigned bits;          /* of the operand */
};

typedef void shift_t(struct shift *s);

static uint32_t
top_bit(const struct shift *s)
{
    return s->value >> (s->bits - 1) & 1;
}

static void
shift_shl(struct shift *s)
{
    uint64_t wide = (uint64_t)s->value << s->count;

    s->carry = wide >> s->bits & 1;
    s->value = low_bytes((uint32_t)wide, s->bits / 8);
    s->overflow = top_bit(s) ^ s->carry;
}

static void
shift_shr(struct shift *s)
{
    s->overflow = top_bit(s);
    s->carry = s->value >> (s->count - 1) & 1;
    s->value = (uint32_t)((uint64_t)s->value >> s->count);
}

static void
shift_sar(struct shift *s)
{
    int64_t wide = sign_extend(s->value, s->bits / 8);

    s->carry = (uint32_t)(wide >> (s->count - 1)) & 1;
    s->value = low_bytes((uint32_t)(wide >> s->count), s->bits / 8);
    s->overflow = 0;
}

static void
shift_rol(struct shift *s)
{
    unsigned count = s->count % s->bits;
    uint64_t wide = (uint64_t)s->value << count;

    s->value = low_bytes((uint32_t)(wide | wide >> s->bits), s->bits / 8);
    s->carry = s->value & 1;
    s->overflow = top_bit(s) ^ s->carry;
}

static void
shift_ror(struct shift *s)
{
    unsigned count = s->count % s->bits;
    uint64_t wide = s->value | (uint64_t)s->value << s->bits;

    s->value = low_bytes((uint32_t)(wide >> count), s->bits / 8);
    s->carry = top_bit(s);
    s->overflow = top_bit(s) ^ (s->value >> (s->bits - 2) & 1);
}

/* Through the carry: a rotation of one bit more. */
static void
shift_rcl(struct shift *s)
{
    unsigned width = s->bits + 1, count = s->count % width;
    uint64_t ring = s->value | (uint64_t)s->carry << s->bits;

    ring = (ring << count | ring >> (width - count)) & BITS64(s->bits, 0);
    s->value = (uint32_t)(ring & BITS64(s->bits - 1, 0));
    s->carry = (uint32_t)(ring >> s->bits);
    s->overflow = top_bit(s) ^ s->carry;
}

static void
shift_rcr(struct shift *s)
{
    unsigned width = s->bits + 1;

    s->count = width - s->count % width;
    shift_rcl(s);
    s->overflow = top_bit(s) ^ (s->value >> (s->bits - 2) & 1);
}

/* Shift operand 0 by operand N; MASK: the flags that a shift changes. */
static bool
run_shift(struct interp *i, shift_t *shift, unsigned n, uint32_t mask)
{
    struct shift s = { .bits = 8u * i->now->place[0].size };
    uint32_t count, flags;

    if (!operand_read(i, n, &count) || !operand_read_rw(i, 0, &s.value))
        return false;
    s.count = count & COUNT_MASK;
    s.carry = has_flag(i, EFLAGS_CF);
    if (s.count == 0)
        return operand_write(i, 0, s.value);
    shift(&s);
    flags = flags_szp(s.value, s.bits / 8);
    if (s.carry)
        flags |= EFLAGS_CF;
    if (s.overflow)
        flags |= EFLAGS_OF;
    if (!operand_write(i, 0, s.value))
        return false;
    set_flags(i, mask, flags);
    return true;
}

bool
interp_shift_shl(struct interp *i)
{
    return run_shift(i, shift_shl, 1, FLAGS_ARITH);
}

bool
interp_shift_shr(struct interp *i)
{
    return run_shift(i, shift_shr, 1, FLAGS_ARITH);
}

bool
interp_shift_sar(struct interp *i)
{
    return run_shift(i, shift_sar, 1, FLAGS_ARITH);
}

bool
interp_shift_rol(struct interp *i)
{
    return run_shift(i, shift_rol, 1, EFLAGS_CF | EFLAGS_OF);
}

bool
interp_shift_ror(struct interp *i)
{
    return run_shift(i, shift_ror, 1, EFLAGS_CF | EFLAGS_OF);
}

bool
interp_shift_rcl(struct interp *i)
{
    return run_shift(i, shift_rcl, 1, EFLAGS_CF | EFLAGS_OF);
}

bool
interp_shift_rcr(struct interp *i)
{
    return run_shift(i, shift_rcr, 1, EFLAGS_CF | EFLAGS_OF);
}

/*
 * Double shifts: WIDE holds the operand at one end and the bits that move in
 * at the other.  With 16 bits and a count above 16, what results is undefined;
 * as on Intel's CPUs, the operand's own bits come in behind the others.
 */
struct double_shift {
    uint32_t value, in;
    unsigned count, bits;
};

static bool
read_double(struct interp *i, struct double_shift *s)
{
    uint32_t count;

    s->bits = 8u * i->now->place[0].size;
    if (!operand_read(i, 1, &s->in) || !operand_read(i, 2, &count) ||
        !operand_read_rw(i, 0, &s->value))
        return false;
    s->count = count & COUNT_MASK;
    return true;
}

static bool
write_double(struct interp *i, const struct double_shift *s, uint64_t result,
             uint32_t carry)
{
    uint32_t value = low_bytes((uint32_t)result, s->bits / 8);
    uint32_t flags = flags_szp(value, s->bits / 8);

    if (s->count == 0)
        return operand_write(i, 0, s->value);
    if (carry)
        flags |= EFLAGS_CF;
    if ((value ^ s->value) & sign_bit(s->bits / 8))
        flags |= EFLAGS_OF;
    if (!operand_write(i, 0, value))
        return false;
    set_flags(i, FLAGS_ARITH, flags);
    return true;
}

bool
interp_shld(struct interp *i)
{
    struct double_shift s;
    uint64_t wide;

    if (!read_double(i, &s))
        return false;
    if (s.bits == 16)
        wide = ((uint64_t)s.value << 32 | s.in << 16 | s.value) << s.count;
    else
        wide = ((uint64_t)s.value << 32 | s.in) << s.count;
    return write_double(i, &s, wide >> 32,
                        s.bits == 16
                        ? wide >> 48 & 1
                        : s.value >> (32 - MAX(s.count, 1u)) & 1);
}

bool
interp_shrd(struct interp *i)
{
    struct double_shift s;
    uint64_t wide;

    if (!read_double(i, &s))
        return false;
    wide = s.value | (uint64_t)s.in << s.bits;
    if (s.bits == 16)
        wide |= (uint64_t)s.value << 32;
    return write_double(i, &s, wide >> s.count,
                        wide >> (MAX(s.count, 1u) - 1) & 1);
}
