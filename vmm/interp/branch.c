/*
 * branch.c - transfers within the code segment.
 *
 * A target beyond the limit of CS is #GP(0) at the branch, not at the target,
 * and before anything is pushed or counted.
 *
 * Called through the table of operations; no locks.  SDM 2, each instruction;
 * SDM 1 appendix B for conditions.
 */
#include "vmm/interp/interp_int.h"
#include "vmm/interp/operand_int.h"
#include "vmm/interp/stack_int.h"

/* Bit 0 of a condition inverts it; the others say which. */
#define CC_INVERT   BIT(0)
#define CC_WHICH    BITS(3, 1)

bool
condition_holds(uint32_t eflags, unsigned cc)
{
    static const uint16_t any_of[] = {
        EFLAGS_OF, EFLAGS_CF, EFLAGS_ZF, EFLAGS_CF | EFLAGS_ZF,
        EFLAGS_SF, EFLAGS_PF, 0, EFLAGS_ZF,
    };
    unsigned which = FIELD_GET(cc, CC_WHICH);
    bool holds = (eflags & any_of[which]) != 0;

    if (which >= 6)
        holds |= ((eflags & EFLAGS_SF) != 0) != ((eflags & EFLAGS_OF) != 0);
    return holds != ((cc & CC_INVERT) != 0);
}

/* Go on at TARGET, as wide as the operand size says. */
static bool
branch_to(struct interp *i, uint32_t target)
{
    const struct guest_segment *cs = &cpu_of(i)->segment[SEG_CS];

    target = low_bytes(target, insn_of(i)->op_size);
    if (!segment_permits(cs, target, 1, ALLOW_EXECUTE))
        return raise_error(i, VEC_GP, 0);
    i->next_eip = target;
    return true;
}

static bool
branch_if(struct interp *i, bool is_taken)
{
    return !is_taken ||
           branch_to(i, insn_target(insn_of(i), cpu_of(i)->eip));
}

bool
interp_jcc(struct interp *i)
{
    return branch_if(i, condition_holds(cpu_of(i)->eflags,
                                        FIELD_GET(insn_of(i)->opcode,
                                                  OPCODE_CC)));
}

bool
interp_jmp_rel(struct interp *i)
{
    return branch_if(i, true);
}

bool
interp_jmp_indirect(struct interp *i)
{
    uint32_t target;

    return operand_read(i, 0, &target) && branch_to(i, target);
}

/* eCX as wide as the address size. */
static struct place
counter(const struct interp *i)
{
    return (struct place){ PLACE_REG, insn_of(i)->addr_size, GPR_ECX, 0 };
}

bool
interp_jcxz(struct interp *i)
{
    return branch_if(i, register_read(i, counter(i)) == 0);
}

static bool
run_loop(struct interp *i, bool condition)
{
    uint32_t count = register_read(i, counter(i)) - 1;

    if (!branch_if(i, condition &&
                      low_bytes(count, insn_of(i)->addr_size) != 0))
        return false;
    register_write(i, counter(i), count);
    return true;
}

bool
interp_loop(struct interp *i)
{
    return run_loop(i, true);
}

bool
interp_loope(struct interp *i)
{
    return run_loop(i, has_flag(i, EFLAGS_ZF));
}

bool
interp_loopne(struct interp *i)
{
    return run_loop(i, !has_flag(i, EFLAGS_ZF));
}

/* The limit is checked before the push, which would have to be undone. */
static bool
call(struct interp *i, uint32_t target)
{
    uint32_t return_eip = i->next_eip;

    return branch_to(i, target) && stack_push(i, return_eip);
}

bool
interp_call_rel(struct interp *i)
{
    return call(i, insn_target(insn_of(i), cpu_of(i)->eip));
}

bool
interp_call_indirect(struct interp *i)
{
    uint32_t target;

    return operand_read(i, 0, &target) && call(i, target);
}

bool
interp_ret(struct interp *i)
{
    unsigned size = insn_of(i)->op_size;
    uint32_t target;

    if (!stack_peek(i, 0, size, &target) || !branch_to(i, target))
        return false;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, size + insn_of(i)->imm);
    return true;
}
