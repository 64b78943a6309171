/*
 * far_branch.c - far JMP and CALL, through call gates too, and far RET.
 *
 * All checks come before the first write, in the order of the manual; what is
 * pushed comes before CS changes.  Task gates and task state segments as
 * targets would be task switches: checked like the others, then refused.
 *
 * Called through the table of operations, by IRET and by event delivery; no
 * locks.  SDM 2 "JMP", "CALL", "RET"; SDM 3A 5.8.
 */
#include "vmm/interp/far_int.h"
#include "vmm/interp/operand_int.h"

#define GATE_PARAMS     BITS(4, 0)

bool
far_check_limit(struct interp *i, const struct far_target *target)
{
    return target->offset <= descriptor_limit(&target->desc) ||
           raise_error(i, VEC_GP, i->external);
}

bool
far_mark(struct interp *i, struct far_target *target)
{
    return descriptor_mark(i, target->selector, &target->desc, SEG_ACCESSED);
}

void
far_commit(struct interp *i, const struct far_target *target, unsigned cpl)
{
    cpu_of(i)->segment[SEG_CS] =
        segment_make((target->selector & ~SEL_RPL) | cpl, &target->desc);
    i->next_eip = target->offset;
    set_cpl(i, cpl);
}

bool
far_check_real(struct interp *i, uint32_t offset)
{
    return offset <= cpu_of(i)->segment[SEG_CS].limit ||
           raise_error(i, VEC_GP, 0);
}

void
far_commit_real(struct interp *i, uint32_t selector, uint32_t offset)
{
    segment_load_real(i, SEG_CS, selector);
    i->next_eip = offset;
}

static void
add_return_address(struct interp *i, struct stack_words *words)
{
    stack_add(words, cpu_of(i)->segment[SEG_CS].selector);
    stack_add(words, i->next_eip);
}

static bool
push_return_address(struct interp *i, unsigned size)
{
    struct stack_words words = { .size = size };

    add_return_address(i, &words);
    return stack_push_words(i, &words);
}

/* Room on the stack is looked for before the limit. */
static bool
go_same_level(struct interp *i, struct far_target *target, bool is_call,
              unsigned size)
{
    if ((is_call && !stack_probe(i, size, 2)) ||
        !far_check_limit(i, target) || !far_mark(i, target) ||
        (is_call && !push_return_address(i, size)))
        return false;
    far_commit(i, target, cpu_of(i)->cpl);
    return true;
}

/* A code segment as the direct target. */
static bool
go_to_code(struct interp *i, struct far_target *target, bool is_call)
{
    unsigned cpl = cpu_of(i)->cpl, rpl = target->selector & SEL_RPL;
    const struct segdesc *d = &target->desc;
    bool is_allowed = descriptor_is_conforming(d)
                      ? d->dpl <= cpl : rpl <= cpl && d->dpl == cpl;

    if (!is_allowed)
        return selector_fault(i, VEC_GP, target->selector);
    if (!d->p)
        return selector_fault(i, VEC_NP, target->selector);
    return go_same_level(i, target, is_call, insn_of(i)->op_size);
}

/* The parameters on the old stack, in the order in which to push them. */
static bool
add_parameters(struct interp *i, struct stack_words *words, unsigned count)
{
    while (count-- > 0) {
        uint32_t word;

        if (!stack_peek(i, count * words->size, words->size, &word))
            return false;
        stack_add(words, word);
    }
    return true;
}

/* CALL to an inner level: SDM 3A 5.8.5. */
static bool
call_inner(struct interp *i, struct far_target *target,
           const struct gate *gate, unsigned size)
{
    const struct guest_cpu *cpu = cpu_of(i);
    struct new_stack n = { .cpl = target->desc.dpl };
    struct stack_words words = { .size = size };

    if (!stack_from_tss(i, &n) || !far_check_limit(i, target))
        return false;
    stack_add(&words, cpu->segment[SEG_SS].selector);
    stack_add(&words, cpu->gpr[GPR_ESP]);
    if (!add_parameters(i, &words, FIELD_GET(gate->param_count, GATE_PARAMS)))
        return false;
    add_return_address(i, &words);
    if (!far_mark(i, target) || !stack_switch(i, &n, &words))
        return false;
    far_commit(i, target, n.cpl);
    return true;
}

/* The checks of a call gate's own descriptor, and of the code behind it. */
static bool
check_gate(struct interp *i, uint32_t selector, const struct gate *gate,
           struct far_target *target)
{
    unsigned cpl = cpu_of(i)->cpl;

    if (gate->dpl < cpl || gate->dpl < (selector & SEL_RPL))
        return selector_fault(i, VEC_GP, selector);
    if (!gate->p)
        return selector_fault(i, VEC_NP, selector);
    if (selector_is_null(gate->selector))
        return raise_error(i, VEC_GP, 0);
    target->selector = gate->selector;
    target->offset = gate->offset_low;
    if (gate->type == SYS_CALL32)
        target->offset |= (uint32_t)gate->offset_high << 16;
    return descriptor_read(i, target->selector, VEC_GP, &target->desc);
}

static bool
go_through_gate(struct interp *i, uint32_t selector,
                const struct segdesc *desc, bool is_call)
{
    const struct gate *gate = (const struct gate *)(const void *)desc;
    unsigned cpl = cpu_of(i)->cpl, size = gate->type == SYS_CALL32 ? 4 : 2;
    struct far_target target;
    const struct segdesc *d = &target.desc;

    if (!check_gate(i, selector, gate, &target))
        return false;
    if (!descriptor_is_code(d) || d->dpl > cpl ||
        (!is_call && !descriptor_is_conforming(d) && d->dpl != cpl))
        return selector_fault(i, VEC_GP, target.selector);
    if (!d->p)
        return selector_fault(i, VEC_NP, target.selector);
    if (is_call && !descriptor_is_conforming(d) && d->dpl < cpl)
        return call_inner(i, &target, gate, size);
    return go_same_level(i, &target, is_call, size);
}

/* A task gate or a TSS: the checks that come before a task switch. */
static bool
refuse_task(struct interp *i, uint32_t selector, const struct segdesc *d)
{
    if (d->dpl < cpu_of(i)->cpl || d->dpl < (selector & SEL_RPL))
        return selector_fault(i, VEC_GP, selector);
    if (!d->p)
        return selector_fault(i, VEC_NP, selector);
    return refuse(i, "a hardware task switch by a far JMP or CALL");
}

static bool
go_far(struct interp *i, struct far_target *target, bool is_call)
{
    struct segdesc *d = &target->desc;

    if (!vcpu_is_protected(i->vcpu)) {
        if (!far_check_real(i, target->offset) ||
            (is_call && !push_return_address(i, insn_of(i)->op_size)))
            return false;
        far_commit_real(i, target->selector, target->offset);
        return true;
    }
    if (selector_is_null(target->selector))
        return raise_error(i, VEC_GP, 0);
    if (!descriptor_read(i, target->selector, VEC_GP, d))
        return false;
    if (descriptor_is_code(d))
        return go_to_code(i, target, is_call);
    if (d->s)
        return selector_fault(i, VEC_GP, target->selector);
    switch (d->type) {
    case SYS_CALL16:
    case SYS_CALL32:
        return go_through_gate(i, target->selector, d, is_call);
    case SYS_TASK_GATE:
    case SYS_TSS16_AVAIL:
    case SYS_TSS32_AVAIL:
        return refuse_task(i, target->selector, d);
    default:
        return selector_fault(i, VEC_GP, target->selector);
    }
}

static bool
go_far_direct(struct interp *i, bool is_call)
{
    struct far_target target = { .selector = insn_of(i)->imm2,
                                 .offset = insn_of(i)->imm };

    return go_far(i, &target, is_call);
}

static bool
go_far_indirect(struct interp *i, bool is_call)
{
    struct far_target target;
    struct far_pointer pointer;

    if (!far_pointer_read(i, 0, insn_of(i)->op_size, &pointer))
        return false;
    target.selector = pointer.selector;
    target.offset = pointer.offset;
    return go_far(i, &target, is_call);
}

bool
interp_jmp_far(struct interp *i)
{
    return go_far_direct(i, false);
}

bool
interp_call_far(struct interp *i)
{
    return go_far_direct(i, true);
}

bool
interp_jmp_far_indirect(struct interp *i)
{
    return go_far_indirect(i, false);
}

bool
interp_call_far_indirect(struct interp *i)
{
    return go_far_indirect(i, true);
}
