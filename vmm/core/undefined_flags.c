/*
 * undefined_flags.c - see undefined_flags.h.
 *
 * A row of a shift or rotation by CL or by an immediate count names the flags
 * that a count of 0 leaves as they were among those that it reads; it is the
 * only kind that both reads a flag and leaves it undefined, by which it is told
 * here.  Of these, rotations through CF do read that one.
 *
 * Called by lockstep; SDM 2B SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD; 2A CMPS.
 */
#include "vmm/core/undefined_flags.h"

/* The processor masks a count so, whatever is shifted. */
#define COUNT_MASK      31u

static bool
is_by_count(const struct opcode *op)
{
    return (op->flags_read & op->flags_undefined) != 0;
}

uint32_t
flags_used(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    if (!is_by_count(op))
        return op->flags_read;
    return op->operation == OPERATION_shift_rcl ||
           op->operation == OPERATION_shift_rcr ? EFLAGS_CF : 0;
}

/* Undefined by the manual, and 0 on each CPU and emulator that we know. */
static bool
clears_af(const struct opcode *op)
{
    return op->operation == OPERATION_alu_and ||
           op->operation == OPERATION_alu_or ||
           op->operation == OPERATION_alu_test ||
           op->operation == OPERATION_alu_xor;
}

bool
is_count_zero(const struct insn *insn, uint32_t ecx)
{
    return insn_repeats(insn) &&
           (insn->addr_size == sizeof(ecx) ? ecx : (uint16_t)ecx) == 0;
}

uint32_t
flags_undefined_after(const struct insn *insn, uint32_t ecx,
                      uint32_t undefined)
{
    const struct opcode *op = insn_opcode(insn);
    uint32_t left = op->flags_undefined;

    if (is_count_zero(insn, ecx))
        return undefined;
    if (clears_af(op))
        return 0;
    if (is_by_count(op)) {
        uint32_t count = (insn->imm_size != 0 ? insn->imm : ecx) & COUNT_MASK;

        if (count == 0)
            return undefined;
        if (count == 1)
            left &= ~(uint32_t)EFLAGS_OF;
        undefined &= ~(uint32_t)EFLAGS_OF;
    }
    return (undefined & ~op->flags_written) | left;
}
