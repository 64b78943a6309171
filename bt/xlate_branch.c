/*
 * xlate_branch.c - direct jumps, conditional and not.
 *
 * Offsets become those of the TC.  LOOPcc and JCXZ exist in a short form only,
 * so they jump over a long jump:
 *
 *      loop  1f
 *      jmp   next              (or falls into it, when that is laid out next)
 *   1: jmp   target
 *
 * This is flat 32-bit code; xlate_near.c does the rest.
 */
#include "bt/handlers_int.h"

#define JMP_SIZE 5

void
xlate_jcc(struct xlate *x, const struct insn *insn)
{
    xlate_jcc_to(x, insn->opcode & OPCODE_CC, insn_target(insn, x->eip));
    xlate_fall(x, xlate_next_eip(x, insn));
    x->is_ended = true;
}

void
xlate_loop(struct xlate *x, const struct insn *insn)
{
    static const uint8_t over = JMP_SIZE;

    emit_bytes(&x->e, x->bytes, insn->imm_offset);
    emit_bytes(&x->e, &over, 1);
    xlate_jmp_to(x, xlate_next_eip(x, insn));
    xlate_jmp_to(x, insn_target(insn, x->eip));
    x->is_ended = true;
}

void
xlate_jmp(struct xlate *x, const struct insn *insn)
{
    uint32_t target;

    /* Out of the region follow it; inside, its layout is best. */
    target = insn_target(insn, x->eip);
    if (target >= x->region.start && target < x->region.end)
        xlate_jmp_to(x, target);
    else
        xlate_fall(x, target);
    x->is_ended = true;
}
