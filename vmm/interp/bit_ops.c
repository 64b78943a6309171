/*
 * bit_ops.c - single bits and counts of bits: BT, BTS, BTR, BTC, BSF, BSR,
 * LZCNT, TZCNT, POPCNT, BSWAP.
 *
 * A bit number in a register reaches beyond the operand in memory: it is a
 * signed index into a string of bits, and moves the address by whole operands.
 * An immediate number, and any number with a register operand, is taken mod
 * the operand's width.
 *
 * Called through the table of operations; no locks.  SDM 2 "BT" and following;
 * SDM 1 3.1.1.9 for bit strings.
 */
#include "kernel/base/string.h"
#include "vmm/interp/alu_int.h"
#include "vmm/interp/operand_int.h"

enum bit_change { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static uint32_t
changed(uint32_t value, uint32_t bit, enum bit_change change)
{
    switch (change) {
    case BIT_SET:
        return value | bit;
    case BIT_RESET:
        return value & ~bit;
    case BIT_COMPLEMENT:
        return value ^ bit;
    default:
        return value;
    }
}

/* Memory and a bit number in a register: the operand that holds the bit. */
static struct mem
bit_string_mem(struct interp *i, uint32_t number)
{
    struct mem m = operand_mem(i, 0);
    int32_t index = sign_extend(number, m.size);
    int32_t unit = index >> (m.size == 2 ? 4 : 5);

    m.offset += (uint32_t)unit * m.size;
    if (insn_of(i)->addr_size == 2)
        m.offset = (uint16_t)m.offset;
    return m;
}

static bool
bit_in_memory(struct interp *i, uint32_t number, enum bit_change change)
{
    struct mem m = i->now->place[1].kind == PLACE_IMM
                   ? operand_mem(i, 0) : bit_string_mem(i, number);
    uint32_t bit = BIT(number & (8 * m.size - 1));
    uint32_t value = 0;

    if ((change != BIT_TEST && !mem_probe(i, &m)) || !mem_read(i, &m, &value))
        return false;
    if (change != BIT_TEST &&
        !mem_replace(i, &m, value, changed(value, bit, change)))
        return false;
    set_flags(i, EFLAGS_CF, value & bit ? EFLAGS_CF : 0);
    return true;
}

static bool
run_bit(struct interp *i, enum bit_change change)
{
    struct place place = i->now->place[0];
    uint32_t number, value, bit;

    if (!operand_read(i, 1, &number))
        return false;
    if (place.kind == PLACE_MEM)
        return bit_in_memory(i, number, change);
    bit = BIT(number & (8u * place.size - 1));
    value = register_read(i, place);
    register_write(i, place, changed(value, bit, change));
    set_flags(i, EFLAGS_CF, value & bit ? EFLAGS_CF : 0);
    return true;
}

bool
interp_bt(struct interp *i)
{
    return run_bit(i, BIT_TEST);
}

bool
interp_bts(struct interp *i)
{
    return run_bit(i, BIT_SET);
}

bool
interp_btr(struct interp *i)
{
    return run_bit(i, BIT_RESET);
}

bool
interp_btc(struct interp *i)
{
    return run_bit(i, BIT_COMPLEMENT);
}

/* BSF and BSR leave the destination alone when there is no bit. */
static bool
scan(struct interp *i, unsigned (*find)(uint32_t))
{
    uint32_t value;

    if (!operand_read(i, 1, &value))
        return false;
    if (value != 0)
        register_write(i, i->now->place[0], find(value));
    set_flags(i, EFLAGS_ZF, value == 0 ? EFLAGS_ZF : 0);
    return true;
}

bool
interp_bsf(struct interp *i)
{
    return scan(i, lowest_bit);
}

bool
interp_bsr(struct interp *i)
{
    return scan(i, highest_bit);
}

/* CF: there was no bit to find; ZF: the count is 0. */
static bool
write_count(struct interp *i, uint32_t value, uint32_t count)
{
    register_write(i, i->now->place[0], count);
    set_flags(i, EFLAGS_CF | EFLAGS_ZF,
              (value == 0 ? EFLAGS_CF : 0) | (count == 0 ? EFLAGS_ZF : 0));
    return true;
}

bool
interp_tzcnt(struct interp *i)
{
    uint32_t value;

    return operand_read(i, 1, &value) &&
           write_count(i, value, value != 0 ? lowest_bit(value)
                                            : 8u * i->now->place[1].size);
}

bool
interp_lzcnt(struct interp *i)
{
    uint32_t bits = 8u * i->now->place[1].size;
    uint32_t value;

    return operand_read(i, 1, &value) &&
           write_count(i, value, value != 0 ? bits - 1 - highest_bit(value)
                                            : bits);
}

bool
interp_popcnt(struct interp *i)
{
    uint32_t value;

    if (!operand_read(i, 1, &value))
        return false;
    register_write(i, i->now->place[0],
                   (uint32_t)__builtin_popcount(value));
    set_flags(i, FLAGS_ARITH, value == 0 ? EFLAGS_ZF : 0);
    return true;
}

/* Undefined for 16-bit registers, which become 0 on Intel's CPUs. */
bool
interp_bswap(struct interp *i)
{
    struct place place = i->now->place[0];
    uint32_t value = register_read(i, place);

    register_write(i, place, place.size == 2 ? 0 : __builtin_bswap32(value));
    return true;
}
