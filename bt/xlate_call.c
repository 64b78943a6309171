/*
 * xlate_call.c - calls, returns, and jumps to where a register says.
 *
 * A call pushes the guest's own return address: nothing in guest memory tells
 * that the guest is translated.  An indirect branch needs one register, ECX:
 *
 *      mov  %ecx, slots.ecx
 *      mov  operand, %ecx          (ret: pop %ecx)
 *      ...                         (call: push $return; ret n: add n to ESP)
 *      tail                        site.c: where to, by experience
 *
 * A call's return address is translated together with it, with a checked entry
 * for returns that cannot be predicted.  All this is flat 32-bit code's;
 * xlate_near.c does the rest.
 */
#include "bt/handlers_int.h"

/* Can this one be done here? */
static bool
is_plain(const struct xlate *x, const struct insn *insn)
{
    const struct bt_env *env = x->bt->env;

    if (insn->segment == SEG_CS)
        return env->cs_rule == SEGMENT_AS_IS;
    return insn->segment != SEG_GS || env->gs_rule == SEGMENT_AS_IS;
}

void
xlate_call(struct xlate *x, const struct insn *insn)
{
    uint32_t next = xlate_next_eip(x, insn);

    emit_push_imm(&x->e, next);
    xlate_expect(x, next, true);
    xlate_jmp_to(x, insn_target(insn, x->eip));
    x->is_ended = true;
}

/* mov operand, %ecx: the same ModRM behind another opcode. */
static void
emit_load_operand(struct xlate *x, const struct insn *insn)
{
    enum { X86_MOV_FROM_RM = 0x8b };
    uint8_t opcode[] = { X86_MOV_FROM_RM,
                         (uint8_t)FIELD_SET(insn->modrm, MODRM_REG,
                                            GPR_ECX) };
    unsigned rest = insn->modrm_offset + 1u;

    emit_bytes(&x->e, x->bytes, insn->opcode_offset);
    emit_bytes(&x->e, opcode, sizeof(opcode));
    emit_bytes(&x->e, x->bytes + rest, insn->length - rest);
}

void
xlate_tail(struct xlate *x, enum site_kind kind)
{
    if (x->is_step)
        site_emit_miss(x->bt, &x->e);
    else
        site_emit(x->bt, &x->e, kind);
    x->is_ended = true;
}

static void
emit_target(struct xlate *x, const struct insn *insn)
{
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_load_operand(x, insn);
}

void
xlate_jmp_indirect(struct xlate *x, const struct insn *insn)
{
    if (!is_plain(x, insn)) {
        xlate_emulate(x, insn);
        return;
    }
    emit_target(x, insn);
    xlate_tail(x, SITE_BRANCH);
}

void
xlate_call_indirect(struct xlate *x, const struct insn *insn)
{
    if (!is_plain(x, insn)) {
        xlate_emulate(x, insn);
        return;
    }
    emit_target(x, insn);
    emit_push_imm(&x->e, xlate_next_eip(x, insn));
    xlate_expect(x, xlate_next_eip(x, insn), true);
    xlate_tail(x, SITE_BRANCH);
}

void
xlate_ret(struct xlate *x, const struct insn *insn)
{
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_pop(&x->e, GPR_ECX);
    xlate_point(x, POINT_ECX_POP, x->eip);
    if (insn->imm_size != 0)
        emit_add(&x->e, GPR_ESP, (uint16_t)insn->imm);
    xlate_tail(x, SITE_RETURN);
}
