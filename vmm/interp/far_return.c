/*
 * far_return.c - RETF and IRET, to the same level, to outer ones, and to
 * virtual-8086 mode.
 *
 * A return to an outer level takes the stack from the stack, and drops segment
 * registers that the outer level could not have loaded.  A return from a
 * nested task (NT) would be a task switch, and is refused.
 *
 * Called through the table of operations; no locks.  SDM 2 "RET", "IRET".
 */
#include "vmm/interp/far_int.h"
#include "vmm/interp/operand_int.h"

/* What IRET restores at any privilege; in 16 bits, the lower half. */
#define FLAGS_IRET (FLAGS_ARITH | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | \
                    EFLAGS_RF | EFLAGS_AC | EFLAGS_ID)

bool
far_return_check(struct interp *i, struct far_return *r)
{
    struct segdesc *d = &r->target.desc;
    uint32_t selector = r->target.selector;
    unsigned rpl = selector & SEL_RPL;

    if (selector_is_null(selector))
        return raise_error(i, VEC_GP, 0);
    if (!descriptor_read(i, selector, VEC_GP, d))
        return false;
    if (!descriptor_is_code(d) || rpl < cpu_of(i)->cpl ||
        (descriptor_is_conforming(d) ? d->dpl > rpl : d->dpl != rpl))
        return selector_fault(i, VEC_GP, selector);
    return d->p || selector_fault(i, VEC_NP, selector);
}

/* Behind a return to an outer level: what that level may not have. */
static void
drop_inner_segments(struct interp *i)
{
    static const uint8_t segments[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

    for (size_t n = 0; n < ARRAY_LEN(segments); n++) {
        struct guest_segment *s = &cpu_of(i)->segment[segments[n]];
        unsigned type = FIELD_GET(s->rights, RIGHTS_TYPE);
        bool is_conforming = (type & SEG_CODE) && (type & SEG_CODE_C);

        if (!is_conforming &&
            FIELD_GET(s->rights, RIGHTS_DPL) < cpu_of(i)->cpl)
            segment_load_null(i, segments[n], 0);
    }
}

static bool
return_outer(struct interp *i, struct far_return *r, uint32_t release)
{
    struct guest_cpu *cpu = cpu_of(i);
    struct new_stack n = { .cpl = r->target.selector & SEL_RPL,
                           .is_iret = r->is_iret };

    if (!stack_peek(i, r->bytes + release, r->size, &n.esp) ||
        !stack_peek(i, r->bytes + release + r->size, sizeof(uint16_t),
                    &n.selector) ||
        !stack_segment_find(i, &n, VEC_GP) ||
        !far_check_limit(i, &r->target) || !far_mark(i, &r->target))
        return false;
    far_commit(i, &r->target, n.cpl);
    cpu->segment[SEG_SS] = n.ss;
    cpu->gpr[GPR_ESP] = stack_merged(i, n.esp);
    cpu->gpr[GPR_ESP] = stack_moved(i, release);
    drop_inner_segments(i);
    return true;
}

bool
far_return(struct interp *i, struct far_return *r, uint32_t release)
{
    if ((r->target.selector & SEL_RPL) != cpu_of(i)->cpl)
        return return_outer(i, r, release);
    if (!far_check_limit(i, &r->target) || !far_mark(i, &r->target))
        return false;
    far_commit(i, &r->target, cpu_of(i)->cpl);
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, r->bytes + release);
    return true;
}

/* eIP and CS from the stack. */
static bool
peek_target(struct interp *i, struct far_return *r)
{
    r->size = insn_of(i)->op_size;
    r->bytes = 2 * r->size;
    r->is_iret = false;
    return stack_peek(i, 0, r->size, &r->target.offset) &&
           stack_peek(i, r->size, sizeof(uint16_t), &r->target.selector);
}

bool
interp_ret_far(struct interp *i)
{
    uint32_t release = insn_of(i)->imm;
    struct far_return r;

    if (!peek_target(i, &r))
        return false;
    if (vcpu_is_protected(i->vcpu))
        return far_return_check(i, &r) && far_return(i, &r, release);
    if (!far_check_real(i, r.target.offset))
        return false;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, r.bytes + release);
    far_commit_real(i, r.target.selector, r.target.offset);
    return true;
}

/* Flags that a return with operands of SIZE may set at this CPL. */
static uint32_t
returned_flags(const struct interp *i, unsigned size)
{
    uint32_t mask = FLAGS_IRET;

    if (has_io_privilege(i))
        mask |= EFLAGS_IF;
    if (i->vcpu->cpu.cpl == 0)
        mask |= EFLAGS_IOPL | EFLAGS_VIF | EFLAGS_VIP;
    return low_bytes(mask, size);
}

/* In real mode, and in virtual-8086 mode with IOPL 3. */
static bool
iret_real(struct interp *i, struct far_return *r, uint32_t flags)
{
    uint32_t mask = returned_flags(i, r->size);

    if (has_flag(i, EFLAGS_VM) &&
        FIELD_GET(cpu_of(i)->eflags, EFLAGS_IOPL) != IOPL_USER)
        return raise_error(i, VEC_GP, 0);
    if (!far_check_real(i, r->target.offset))
        return false;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, r->bytes);
    far_commit_real(i, r->target.selector, r->target.offset);
    set_flags(i, mask & ~(EFLAGS_VIF | EFLAGS_VIP), flags);
    return true;
}

/* From CPL 0, with VM in the flags on the stack: nine doublewords. */
static bool
iret_to_v86(struct interp *i, const struct far_return *r, uint32_t flags)
{
    static const uint8_t order[] = { SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    uint32_t selector[ARRAY_LEN(order)], esp;
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t at = r->bytes;

    if (!stack_peek(i, at, sizeof(esp), &esp))
        return false;
    for (size_t n = 0; n < ARRAY_LEN(order); n++) {
        at += sizeof(esp);
        if (!stack_peek(i, at, sizeof(uint16_t), &selector[n]))
            return false;
    }
    if (r->target.offset > UINT16_MAX)
        return raise_error(i, VEC_GP, 0);
    cpu->eflags = (flags & (FLAGS_IRET | EFLAGS_IF | EFLAGS_IOPL |
                            EFLAGS_VIF | EFLAGS_VIP | EFLAGS_VM)) |
                  EFLAGS_FIXED;
    far_commit_real(i, r->target.selector, r->target.offset);
    for (size_t n = 0; n < ARRAY_LEN(order); n++)
        segment_load_real(i, order[n], selector[n]);
    cpu->gpr[GPR_ESP] = esp;
    set_cpl(i, CPL_USER);
    return true;
}

static bool
iret_protected(struct interp *i, struct far_return *r, uint32_t flags)
{
    uint32_t mask = returned_flags(i, r->size);

    if (r->size == 4 && (flags & EFLAGS_VM) && cpu_of(i)->cpl == 0)
        return iret_to_v86(i, r, flags);
    if (!far_return_check(i, r) || !far_return(i, r, 0))
        return false;
    set_flags(i, mask, flags);
    return true;
}

bool
interp_iret(struct interp *i)
{
    struct far_return r;
    uint32_t flags;
    bool is_done;

    if (vcpu_is_protected(i->vcpu) && has_flag(i, EFLAGS_NT))
        return refuse(i, "a hardware task switch by IRET with NT set");
    if (has_flag(i, EFLAGS_VM) && !has_io_privilege(i))
        return raise_error(i, VEC_GP, 0);
    if (!peek_target(i, &r) || !stack_peek(i, r.bytes, r.size, &flags))
        return false;
    r.bytes += r.size;
    r.is_iret = true;
    is_done = vcpu_is_protected(i->vcpu) ? iret_protected(i, &r, flags)
                                      : iret_real(i, &r, flags);
    if (is_done)
        cpu_of(i)->block &= ~(uint32_t)BLOCK_NMI;
    return is_done;
}
