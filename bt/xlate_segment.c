/*
 * xlate_segment.c - a guest kernel's instructions on segment registers.
 *
 * The hardware's segment registers hold what the surroundings need; the guest's
 * selectors are in slots.  Storing one is a load from there.  Loading one would
 * mean to read a descriptor, which the owner does; but most loads are of what
 * the register holds already, as in every system call's entry and exit, and
 * those do nothing: slots.same says for which selector that is known.
 *
 * PUSH writes a word and leaves the upper half of its slot in the stack, POP
 * reads a word, as the interpreter has them.  Loads of SS, which also keep
 * events away, are the owner's.
 *
 * SDM 2 "MOV", "PUSH", "POP".
 */
#include "bt/kernel_int.h"

#include "bt/emit_word.h"
#include "bt/xlate_operand.h"

#define SELECTOR_SIZE sizeof(uint16_t)

static uint32_t
selector_slot(const struct xlate *x, enum segment s)
{
    return SLOT(x, selector) + s * (uint32_t)sizeof(uint32_t);
}

/* The segment register of PUSH and POP. */
static enum segment
implied_segment(const struct insn *insn)
{
    unsigned operand = insn_opcode(insn)->operands[0];

    return (enum segment)(operand_infos[operand].kind - KIND_ES);
}

/*
 *      mov  %ecx, slots.ecx        or another one that the address needs not
 *      mov  slots.selector, %ecx
 *      movw %cx, operand
 *      mov  slots.ecx, %ecx
 */
static void
store_selector(struct xlate *x, const struct insn *insn)
{
    bool by_eax = operand_uses(insn, GPR_ECX);
    enum gpr scratch = by_eax ? GPR_EAX : GPR_ECX;
    enum point_kind kind = by_eax ? POINT_EAX : POINT_ECX;
    uint32_t slot = by_eax ? SLOT(x, eax) : SLOT(x, ecx);

    if (operand_uses(insn, scratch) ||
        xlate_segment_rule(x, insn) == SEGMENT_EMULATE) {
        xlate_emulate(x, insn);
        return;
    }
    emit_save_slot(&x->e, scratch, slot);
    xlate_point(x, kind, x->eip);
    emit_load_slot(&x->e, scratch, selector_slot(x, insn_reg(insn)));
    emit_operand(x, insn, MOV_WORD_TO_RM, scratch);
    xlate_point(x, kind, xlate_next_eip(x, insn));
    emit_load_slot(&x->e, scratch, slot);
}

void
xlate_mov_from_seg(struct xlate *x, const struct insn *insn)
{
    uint32_t slot = selector_slot(x, insn_reg(insn));

    if (insn_rm_is_memory(insn))
        store_selector(x, insn);
    else if (insn->op_size == SELECTOR_SIZE)
        emit_load_slot_word(&x->e, insn_rm(insn), slot);
    else
        emit_load_slot(&x->e, insn_rm(insn), slot);
}

/*
 *      mov  %ecx, slots.ecx
 *      mov  slots.selector, %ecx
 *      movw %cx, -4(%esp)
 *      lea  -4(%esp), %esp
 *      mov  slots.ecx, %ecx
 */
void
xlate_push_seg(struct xlate *x, const struct insn *insn)
{
    int8_t size = (int8_t)insn->op_size;

    if (x->bt->code.is_stack_16) {
        xlate_emulate(x, insn);
        return;
    }
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_load_slot(&x->e, GPR_ECX, selector_slot(x, implied_segment(insn)));
    emit_save_stack(&x->e, GPR_ECX, SELECTOR_SIZE, (int8_t)-size);
    emit_add(&x->e, GPR_ESP, 0 - (uint32_t)insn->op_size);
    xlate_point(x, POINT_ECX, xlate_next_eip(x, insn));
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, ecx));
}

/*
 * Behind the loading of a selector into ECX; leaves unless that load of S would
 * do nothing:
 *
 *      mov  slots.same, %eax
 *      lea  (%ecx, %eax), %ecx
 *      mov  slots.eax, %eax
 *      jecxz 1f
 *      leave
 *   1:
 */
static void
check_same(struct xlate *x, enum segment s)
{
    uint8_t *go_on;

    emit_load_slot(&x->e, GPR_EAX,
                   SLOT(x, same) + s * (uint32_t)sizeof(uint32_t));
    emit_sum(&x->e, GPR_ECX, GPR_EAX, 0);
    emit_load_slot(&x->e, GPR_EAX, SLOT(x, eax));
    xlate_point(x, POINT_ECX, x->eip);
    go_on = emit_jecxz(&x->e);
    xlate_leave(x);
    emit_land(&x->e, go_on);
}

void
xlate_mov_to_seg(struct xlate *x, const struct insn *insn)
{
    if (insn_reg(insn) == SEG_SS ||
        xlate_segment_rule(x, insn) == SEGMENT_EMULATE) {
        xlate_emulate(x, insn);
        return;
    }
    xlate_save_scratch(x);
    emit_operand(x, insn, MOVZX_WORD_FROM_RM, GPR_ECX);
    check_same(x, insn_reg(insn));
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, ecx));
}

void
xlate_pop_seg(struct xlate *x, const struct insn *insn)
{
    if (implied_segment(insn) == SEG_SS || x->bt->code.is_stack_16) {
        xlate_emulate(x, insn);
        return;
    }
    xlate_save_scratch(x);
    emit_load_stack(&x->e, GPR_ECX, SELECTOR_SIZE, 0);
    check_same(x, implied_segment(insn));
    emit_add(&x->e, GPR_ESP, insn->op_size);
    xlate_point(x, POINT_ECX, xlate_next_eip(x, insn));
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, ecx));
}
