/*
 * alu.c - addition, subtraction and logic, from ADD to XADD and CMPXCHG.
 *
 * An operation is a function from two values to a result and flags; update()
 * and compare() around it know where values come from and go to.  The compiler
 * makes one straight function of each pair.  Flags are set after the result
 * has been written, so that a fault leaves them as they were.
 *
 * Called through the table of operations; no locks.  SDM 2, each instruction.
 */
#include "vmm/interp/alu_int.h"
#include "vmm/interp/operand_int.h"

/* Set s->result; return all arithmetic flags. */
typedef uint32_t compute_t(struct interp *i, struct sum *s);

static inline uint32_t
compute_add(UNUSED struct interp *i, struct sum *s)
{
    s->result = low_bytes(s->a + s->b, s->size);
    return flags_add(s);
}

static inline uint32_t
compute_adc(struct interp *i, struct sum *s)
{
    s->result = low_bytes(s->a + s->b + has_flag(i, EFLAGS_CF), s->size);
    return flags_add(s);
}

static inline uint32_t
compute_sub(UNUSED struct interp *i, struct sum *s)
{
    s->result = low_bytes(s->a - s->b, s->size);
    return flags_sub(s);
}

static inline uint32_t
compute_sbb(struct interp *i, struct sum *s)
{
    s->result = low_bytes(s->a - s->b - has_flag(i, EFLAGS_CF), s->size);
    return flags_sub(s);
}

/* Logic clears CF and OF; AF is undefined, and 0 on all CPUs we know. */
static inline uint32_t
compute_and(UNUSED struct interp *i, struct sum *s)
{
    s->result = s->a & s->b;
    return flags_szp(s->result, s->size);
}

static inline uint32_t
compute_or(UNUSED struct interp *i, struct sum *s)
{
    s->result = s->a | s->b;
    return flags_szp(s->result, s->size);
}

static inline uint32_t
compute_xor(UNUSED struct interp *i, struct sum *s)
{
    s->result = s->a ^ s->b;
    return flags_szp(s->result, s->size);
}

static inline uint32_t
compute_neg(UNUSED struct interp *i, struct sum *s)
{
    s->b = s->a;
    s->a = 0;
    s->result = low_bytes(0 - s->b, s->size);
    return flags_sub(s);
}

static inline bool
update(struct interp *i, compute_t *compute)
{
    struct sum s = { .size = i->now->place[0].size };
    uint32_t flags;

    if (!operand_read(i, 1, &s.b) || !operand_read_rw(i, 0, &s.a))
        return false;
    flags = compute(i, &s);
    if (!operand_write(i, 0, s.result))
        return false;
    set_flags(i, FLAGS_ARITH, flags);
    return true;
}

static inline bool
compare(struct interp *i, compute_t *compute)
{
    struct sum s = { .size = i->now->place[0].size };

    if (!operand_read(i, 0, &s.a) || !operand_read(i, 1, &s.b))
        return false;
    set_flags(i, FLAGS_ARITH, compute(i, &s));
    return true;
}

/* One operand, the other is B; the flags in MASK change. */
static inline bool
update_one(struct interp *i, compute_t *compute, uint32_t b, uint32_t mask)
{
    struct sum s = { .b = b, .size = i->now->place[0].size };
    uint32_t flags;

    if (!operand_read_rw(i, 0, &s.a))
        return false;
    flags = compute(i, &s);
    if (!operand_write(i, 0, s.result))
        return false;
    set_flags(i, mask, flags);
    return true;
}

bool
interp_alu_add(struct interp *i)
{
    return update(i, compute_add);
}

bool
interp_alu_adc(struct interp *i)
{
    return update(i, compute_adc);
}

bool
interp_alu_sub(struct interp *i)
{
    return update(i, compute_sub);
}

bool
interp_alu_sbb(struct interp *i)
{
    return update(i, compute_sbb);
}

bool
interp_alu_and(struct interp *i)
{
    return update(i, compute_and);
}

bool
interp_alu_or(struct interp *i)
{
    return update(i, compute_or);
}

bool
interp_alu_xor(struct interp *i)
{
    return update(i, compute_xor);
}

bool
interp_alu_cmp(struct interp *i)
{
    return compare(i, compute_sub);
}

bool
interp_alu_test(struct interp *i)
{
    return compare(i, compute_and);
}

bool
interp_alu_inc(struct interp *i)
{
    return update_one(i, compute_add, 1, FLAGS_ARITH & ~EFLAGS_CF);
}

bool
interp_alu_dec(struct interp *i)
{
    return update_one(i, compute_sub, 1, FLAGS_ARITH & ~EFLAGS_CF);
}

bool
interp_alu_neg(struct interp *i)
{
    return update_one(i, compute_neg, 0, FLAGS_ARITH);
}

bool
interp_alu_not(struct interp *i)
{
    return update_one(i, compute_xor, UINT32_MAX >>
                      (32 - 8 * i->now->place[0].size), 0);
}

/* The register gets the old value before the sum is stored there, if both
 * operands are the same register. */
bool
interp_xadd(struct interp *i)
{
    struct sum s = { .size = i->now->place[0].size };
    uint32_t flags;

    if (!operand_read(i, 1, &s.b) || !operand_read_rw(i, 0, &s.a))
        return false;
    flags = compute_add(i, &s);
    if (i->now->place[0].kind == PLACE_MEM &&
        !operand_write(i, 0, s.result))
        return false;
    register_write(i, i->now->place[1], s.a);
    if (i->now->place[0].kind == PLACE_REG)
        register_write(i, i->now->place[0], s.result);
    set_flags(i, FLAGS_ARITH, flags);
    return true;
}

/* Memory is written in either case, so a read-only page faults in either. */
bool
interp_cmpxchg(struct interp *i)
{
    struct place accumulator = { PLACE_REG, i->now->place[0].size,
                                 GPR_EAX, 0 };
    struct sum s = { .a = register_read(i, accumulator),
                     .size = accumulator.size };
    uint32_t flags, source, found;

    if (!operand_read(i, 1, &source) || !operand_read_rw(i, 0, &found))
        return false;
    s.b = found;
    flags = compute_sub(i, &s);
    if (!operand_write(i, 0, s.result == 0 ? source : found))
        return false;
    if (s.result != 0)
        register_write(i, accumulator, found);
    set_flags(i, FLAGS_ARITH, flags);
    return true;
}

bool
interp_cmpxchg8b(struct interp *i)
{
    uint32_t *gpr = cpu_of(i)->gpr;
    struct mem m = operand_mem(i, 0);
    uint64_t old = gpr[GPR_EAX] | (uint64_t)gpr[GPR_EDX] << 32;
    uint64_t new = gpr[GPR_EBX] | (uint64_t)gpr[GPR_ECX] << 32;
    uint64_t found = old;
    gla_t at;

    if (!mem_locate(i, &m, GUEST_WRITE, &at) ||
        !guest_compare_exchange(i->vcpu, at, m.size, &found, new))
        return false;
    if (found != old) {
        gpr[GPR_EAX] = (uint32_t)found;
        gpr[GPR_EDX] = (uint32_t)(found >> 32);
    }
    set_flags(i, EFLAGS_ZF, found == old ? EFLAGS_ZF : 0);
    return true;
}
