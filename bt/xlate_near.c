/*
 * xlate_near.c - near branches that are not of flat 32-bit code.
 *
 * With 16-bit operands the target is truncated, in 16- as in 32-bit code; calls
 * push and returns pop words; a 16-bit stack moves SP only; and a target beyond
 * the limit of CS is #GP at the branch.  A direct target is looked at here.  An
 * indirect one would have to be looked at when it is known, before anything is
 * committed: such branches are their owner's, unless no target that the operand
 * can hold is beyond the limit.  A 16-bit segment of full size has that.
 *
 * The machine itself must not branch with 16-bit operands: it would truncate
 * addresses of the TC.  SDM 2 "CALL", "RET", "JMP", "Jcc", "LOOP".
 */
#include "bt/near_int.h"

#include "bt/emit_word.h"
#include "bt/xlate_operand.h"

enum { X86_JMP_SIZE = 5, PREFIX_ADDRESS_SIZE = 0x67 };

static bool
is_word(const struct insn *insn)
{
    return insn->op_size == sizeof(uint16_t);
}

/* May the machine go to INSN's direct target?  Else its owner does it. */
static bool
reaches(struct xlate *x, const struct insn *insn)
{
    if (code_permits(x->bt, insn_target(insn, x->eip), 1))
        return true;
    xlate_emulate(x, insn);
    return false;
}

/* The same for whatever an indirect one reads. */
static bool
reaches_all(struct xlate *x, const struct insn *insn)
{
    uint32_t highest = is_word(insn) ? UINT16_MAX : UINT32_MAX;

    if (code_permits(x->bt, highest, 1) &&
        xlate_segment_rule(x, insn) != SEGMENT_EMULATE)
        return true;
    xlate_emulate(x, insn);
    return false;
}

void
xlate_near_jcc(struct xlate *x, const struct insn *insn)
{
    if (!reaches(x, insn))
        return;
    xlate_jcc_to(x, insn->opcode & OPCODE_CC, insn_target(insn, x->eip));
    xlate_fall(x, xlate_next_eip(x, insn));
    x->is_ended = true;
}

/* As xlate_loop(): eCX is as wide as the address size. */
void
xlate_near_loop(struct xlate *x, const struct insn *insn)
{
    const uint8_t code[] = { PREFIX_ADDRESS_SIZE, insn->opcode,
                             X86_JMP_SIZE };
    bool has_prefix = insn->addr_size == sizeof(uint16_t);

    if (!reaches(x, insn))
        return;
    emit_bytes(&x->e, code + !has_prefix, sizeof(code) - !has_prefix);
    xlate_jmp_to(x, xlate_next_eip(x, insn));
    xlate_jmp_to(x, insn_target(insn, x->eip));
    x->is_ended = true;
}

void
xlate_near_jmp(struct xlate *x, const struct insn *insn)
{
    if (!reaches(x, insn))
        return;
    xlate_fall(x, insn_target(insn, x->eip));
    x->is_ended = true;
}

static void
push_return(struct xlate *x, const struct insn *insn)
{
    uint32_t next = xlate_next_eip(x, insn);

    if (is_word(insn)) {
        next = (uint16_t)next;
        emit_push_imm_word(&x->e, (uint16_t)next);
    } else {
        emit_push_imm(&x->e, next);
    }
    xlate_expect(x, next, true);
}

void
xlate_near_call(struct xlate *x, const struct insn *insn)
{
    if (!reaches(x, insn))
        return;
    push_return(x, insn);
    xlate_jmp_to(x, insn_target(insn, x->eip));
    x->is_ended = true;
}

static void
emit_target(struct xlate *x, const struct insn *insn)
{
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_operand(x, insn, is_word(insn) ? MOVZX_WORD_FROM_RM : MOV_FROM_RM,
                 GPR_ECX);
}

void
xlate_near_jmp_indirect(struct xlate *x, const struct insn *insn)
{
    if (!reaches_all(x, insn))
        return;
    emit_target(x, insn);
    xlate_tail(x, SITE_BRANCH);
}

void
xlate_near_call_indirect(struct xlate *x, const struct insn *insn)
{
    if (!reaches_all(x, insn))
        return;
    emit_target(x, insn);
    push_return(x, insn);
    xlate_tail(x, SITE_BRANCH);
}

static void
pop_target(struct xlate *x, const struct insn *insn)
{
    if (is_word(insn)) {
        emit_zero(&x->e, GPR_ECX);
        emit_pop_word(&x->e, GPR_ECX);
        xlate_point(x, POINT_ECX_POP_WORD, x->eip);
    } else {
        emit_pop(&x->e, GPR_ECX);
        xlate_point(x, POINT_ECX_POP, x->eip);
    }
}

void
xlate_near_ret(struct xlate *x, const struct insn *insn)
{
    if (!reaches_all(x, insn))
        return;
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    pop_target(x, insn);
    if (insn->imm_size != 0 && x->bt->code.is_stack_16)
        emit_add_sp(&x->e, (uint16_t)insn->imm);
    else if (insn->imm_size != 0)
        emit_add(&x->e, GPR_ESP, (uint16_t)insn->imm);
    xlate_tail(x, SITE_RETURN);
}
