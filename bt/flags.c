/*
 * flags.c - which arithmetic flags nobody will look at any more.
 *
 * Code that the translator inserts may destroy a flag only where the guest
 * cannot tell.  A flag is dead in front of an instruction if from there on it
 * is overwritten before anything reads it, and before the guest's state could
 * be seen from outside: by a fault, an exit, the end of the unit.  What comes
 * behind a unit is not known here, so all that is undecided then is alive.
 *
 * A stop by an interrupt may show a dead flag that was destroyed.  The guest's
 * own handler returns to code that overwrites it; who compares states (lockstep
 * tests) must leave dead flags out.
 *
 * One more thing lives as long as the unit does: that the guest's code is what
 * was translated.  So the exit of a self-check finds no flag dead.
 *
 * Pure.  The facts are the columns of opcodes.def; SDM 1 appendix A.
 */
#include "bt/flags.h"

/* With registers only, these do what they do, whatever the operands are. */
static const bool never_fault[OPERATION_COUNT] = {
    [OPERATION_aaa] = true, [OPERATION_aad] = true, [OPERATION_aas] = true,
    [OPERATION_alu_adc] = true, [OPERATION_alu_add] = true,
    [OPERATION_alu_and] = true, [OPERATION_alu_cmp] = true,
    [OPERATION_alu_dec] = true, [OPERATION_alu_inc] = true,
    [OPERATION_alu_neg] = true, [OPERATION_alu_not] = true,
    [OPERATION_alu_or] = true, [OPERATION_alu_sbb] = true,
    [OPERATION_alu_sub] = true, [OPERATION_alu_test] = true,
    [OPERATION_alu_xor] = true, [OPERATION_bsf] = true,
    [OPERATION_bsr] = true, [OPERATION_bswap] = true, [OPERATION_bt] = true,
    [OPERATION_btc] = true, [OPERATION_btr] = true, [OPERATION_bts] = true,
    [OPERATION_cbw] = true, [OPERATION_clc] = true, [OPERATION_cld] = true,
    [OPERATION_cmc] = true, [OPERATION_cmovcc] = true,
    [OPERATION_cmpxchg] = true, [OPERATION_cwd] = true,
    [OPERATION_daa] = true, [OPERATION_das] = true, [OPERATION_imul] = true,
    [OPERATION_imul_acc] = true, [OPERATION_lahf] = true,
    [OPERATION_lea] = true, [OPERATION_mov] = true,
    [OPERATION_movsx] = true, [OPERATION_movzx] = true,
    [OPERATION_mul] = true, [OPERATION_nop] = true, [OPERATION_sahf] = true,
    [OPERATION_salc] = true, [OPERATION_setcc] = true,
    [OPERATION_shift_rcl] = true, [OPERATION_shift_rcr] = true,
    [OPERATION_shift_rol] = true, [OPERATION_shift_ror] = true,
    [OPERATION_shift_sar] = true, [OPERATION_shift_shl] = true,
    [OPERATION_shift_shr] = true, [OPERATION_shld] = true,
    [OPERATION_shrd] = true, [OPERATION_stc] = true, [OPERATION_std] = true,
    [OPERATION_xadd] = true, [OPERATION_xchg] = true,
};

/* An address is named, and nothing is done there. */
static bool
only_names_memory(const struct opcode *op)
{
    return op->operation == OPERATION_lea || op->operation == OPERATION_nop;
}

bool
insn_may_fault(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    if (op->class != CLASS_IDENT || !never_fault[op->operation])
        return true;
    return insn_has_memory(insn) && !only_names_memory(op);
}

unsigned
flags_dead_at(const struct unit *unit, unsigned i)
{
    unsigned undecided = FL_OSZAPC, dead = 0;
    unsigned count = unit->count;

    /* What could not be decoded raises an exception. */
    if (count > 0 && unit->result != DECODE_OK &&
        unit->result != DECODE_NEED_MORE)
        count--;
    for (; i < count && undecided != 0; i++) {
        const struct insn *insn = &unit->insns[i];
        const struct opcode *op = insn_opcode(insn);

        if (insn_may_fault(insn))
            break;
        undecided &= ~insn_flags_read(insn);
        dead |= undecided & (op->flags_written | op->flags_undefined);
        undecided &= ~dead;
    }
    return dead;
}
