/*
 * move.c - moves, exchanges, conversions, and what does nothing.
 *
 * Called through the table of operations; no locks.  SDM 2, each instruction.
 */
#include "vmm/interp/interp_int.h"
#include "vmm/interp/operand_int.h"

bool
interp_mov(struct interp *i)
{
    uint32_t value;

    return operand_read(i, 1, &value) && operand_write(i, 0, value);
}

/* A selector goes to memory as a word, to a register zero-extended. */
bool
interp_mov_from_seg(struct interp *i)
{
    return interp_mov(i);
}

bool
interp_movzx(struct interp *i)
{
    return interp_mov(i);
}

bool
interp_movsx(struct interp *i)
{
    uint32_t value;

    if (!operand_read(i, 1, &value))
        return false;
    value = (uint32_t)sign_extend(value, i->now->place[1].size);
    register_write(i, i->now->place[0], value);
    return true;
}

bool
interp_movbe(struct interp *i)
{
    uint32_t value;

    if (!operand_read(i, 1, &value))
        return false;
    value = i->now->place[1].size == 2 ? __builtin_bswap16((uint16_t)value)
                                       : __builtin_bswap32(value);
    return operand_write(i, 0, value);
}

/* The source is read, and may fault, whatever the condition. */
bool
interp_cmovcc(struct interp *i)
{
    unsigned cc = FIELD_GET(insn_of(i)->opcode, OPCODE_CC);
    uint32_t value;

    if (!operand_read(i, 1, &value))
        return false;
    if (condition_holds(cpu_of(i)->eflags, cc))
        register_write(i, i->now->place[0], value);
    return true;
}

bool
interp_setcc(struct interp *i)
{
    unsigned cc = FIELD_GET(insn_of(i)->opcode, OPCODE_CC);

    return operand_write(i, 0, condition_holds(cpu_of(i)->eflags, cc));
}

bool
interp_lea(struct interp *i)
{
    register_write(i, i->now->place[0], effective_address(i));
    return true;
}

bool
interp_xchg(struct interp *i)
{
    uint32_t a, b;

    if (!operand_read(i, 1, &b) || !operand_read_rw(i, 0, &a) ||
        !operand_write(i, 0, b))
        return false;
    register_write(i, i->now->place[1], a);
    return true;
}

bool
interp_xlat(struct interp *i)
{
    struct mem m = operand_mem(i, 0);
    uint32_t value = 0;

    m.offset += (uint8_t)cpu_of(i)->gpr[GPR_EAX];
    if (insn_of(i)->addr_size == 2)
        m.offset = (uint16_t)m.offset;
    if (!mem_read(i, &m, &value))
        return false;
    register_write(i, (struct place){ PLACE_REG, 1, GPR_EAX, 0 }, value);
    return true;
}

/* CBW, CWDE: the lower half of eAX to all of it. */
bool
interp_cbw(struct interp *i)
{
    unsigned size = insn_of(i)->op_size;
    uint32_t value = cpu_of(i)->gpr[GPR_EAX];

    register_write(i, (struct place){ PLACE_REG, (uint8_t)size, GPR_EAX, 0 },
                   (uint32_t)sign_extend(value, size / 2));
    return true;
}

/* CWD, CDQ: eDX becomes the sign of eAX. */
bool
interp_cwd(struct interp *i)
{
    unsigned size = insn_of(i)->op_size;
    uint32_t sign = cpu_of(i)->gpr[GPR_EAX] & sign_bit(size);

    register_write(i, (struct place){ PLACE_REG, (uint8_t)size, GPR_EDX, 0 },
                   sign ? UINT32_MAX : 0);
    return true;
}

bool
interp_nop(UNUSED struct interp *i)
{
    return true;
}

bool
interp_fence(UNUSED struct interp *i)
{
    return true;
}

/* CLFLUSH and its kin are reads of a byte, as far as faults go. */
bool
interp_cache_hint(struct interp *i)
{
    uint32_t value;

    return operand_read(i, 0, &value);
}

/* The upper bound, behind the lower one in memory, is looked at second. */
static bool
check_bound(struct interp *i, struct mem *m, bool is_upper)
{
    int32_t index = sign_extend(register_read(i, i->now->place[0]), m->size);
    uint32_t bound = 0;

    if (!mem_read(i, m, &bound))
        return false;
    if (is_upper ? index > sign_extend(bound, m->size)
                 : index < sign_extend(bound, m->size))
        return raise(i, VEC_BR);
    m->offset += m->size;
    if (insn_of(i)->addr_size == 2)
        m->offset = (uint16_t)m->offset;
    return true;
}

bool
interp_bound(struct interp *i)
{
    struct mem m = operand_mem(i, 1);

    m.size = i->now->place[0].size;
    return check_bound(i, &m, false) && check_bound(i, &m, true);
}
