/*
 * xlate_flags.c - CLI, STI, PUSHF and POPF of guest kernels.
 *
 * The machine's EFLAGS hold the guest's, but for IF, IOPL, NT, AC and ID: these
 * are in slots (bt_slots.h).  IF is there plus a bias, so that one word of it
 * fits PUSHF's sum as well as JECXZ:
 *
 *      guest's flags = machine's - 0x200 + (iflag - bias) + sysflags
 *
 * Whether POPF can be done here is one look into a table by bits 15..8 of what
 * is popped; it says iflag in the same word.  STI looks whether an interrupt is
 * pending.  If there is a reason to leave, it is found before anything of the
 * guest's has changed, and the owner does the whole instruction.
 *
 * The instruction behind an STI that sets IF is in its shadow: no interrupt
 * comes before it, least of all before a HLT.  Recovery and exits say so, by
 * where they are and by what IF was.  So an STI is never the last instruction
 * of its unit: the first one of another unit does not know how it was reached.
 *
 * SDM 2: each instruction; SDM 3A 6.8.1.
 */
#include "bt/kernel_int.h"

#include "bt/emit_flags.h"

#define FLAGS_SIZE      sizeof(uint32_t)
/* Of the flags on the stack. */
#define INDEX_AT        1
#define HIGH_HALF_AT    2

void
xlate_save_scratch(struct xlate *x)
{
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_save_slot(&x->e, GPR_EAX, SLOT(x, eax));
    xlate_point(x, POINT_ECX_EAX, x->eip);
}

void
xlate_cli(struct xlate *x, const struct insn *insn)
{
    (void)insn;
    emit_set_slot(&x->e, SLOT(x, iflag), BT_IF_BIAS);
}

/*
 *      mov  %ecx, slots.ecx
 *      mov  slots.pending, %ecx
 *      jecxz 1f
 *      leave
 *   1: mov  slots.iflag, %ecx
 *      mov  %ecx, slots.old_iflag
 *      movl $(IF + bias), slots.iflag
 *      mov  slots.ecx, %ecx
 */
void
xlate_sti(struct xlate *x, const struct insn *insn)
{
    uint32_t next = xlate_next_eip(x, insn);
    uint8_t *go_on;

    if (x->is_last) {
        xlate_emulate(x, insn);
        return;
    }
    /* Behind another one it does nothing; old_iflag stays that one's. */
    if (x->has_shadow && x->shadow_eip == x->eip)
        return;
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, x->eip);
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, pending));
    go_on = emit_jecxz(&x->e);
    xlate_leave(x);
    emit_land(&x->e, go_on);
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, iflag));
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, old_iflag));
    emit_set_slot(&x->e, SLOT(x, iflag), EFLAGS_IF + BT_IF_BIAS);
    x->has_shadow = true;
    x->shadow_eip = next;
    xlate_point(x, POINT_ECX, next);
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, ecx));
}

/* 32 bits, on a stack that ESP points to. */
static bool
is_plain(const struct xlate *x, const struct insn *insn)
{
    return insn->op_size == FLAGS_SIZE && !x->bt->code.is_stack_16;
}

/*
 *      pushf
 *      mov  %ecx, slots.ecx
 *      mov  %eax, slots.eax
 *      mov  slots.iflag, %ecx
 *      mov  slots.sysflags, %eax
 *      lea  -(0x200 + bias)(%ecx, %eax), %ecx
 *      mov  (%esp), %eax
 *      lea  (%ecx, %eax), %ecx
 *      mov  %ecx, (%esp)
 *      mov  slots.eax, %eax
 *      mov  slots.ecx, %ecx
 */
void
xlate_pushf(struct xlate *x, const struct insn *insn)
{
    struct emitter *e = &x->e;

    if (!is_plain(x, insn)) {
        xlate_emulate(x, insn);
        return;
    }
    emit_pushf(e);
    xlate_point(x, POINT_PUSHED, x->eip);
    emit_save_slot(e, GPR_ECX, SLOT(x, ecx));
    emit_save_slot(e, GPR_EAX, SLOT(x, eax));
    xlate_point(x, POINT_ECX_EAX_PUSHED, x->eip);
    emit_load_slot(e, GPR_ECX, SLOT(x, iflag));
    emit_load_slot(e, GPR_EAX, SLOT(x, sysflags));
    emit_sum(e, GPR_ECX, GPR_EAX, 0 - (EFLAGS_IF + BT_IF_BIAS));
    emit_load_stack(e, GPR_EAX, FLAGS_SIZE, 0);
    emit_sum(e, GPR_ECX, GPR_EAX, 0);
    emit_save_stack(e, GPR_ECX, FLAGS_SIZE, 0);
    xlate_point(x, POINT_ECX_EAX, xlate_next_eip(x, insn));
    emit_load_slot(e, GPR_EAX, SLOT(x, eax));
    emit_load_slot(e, GPR_ECX, SLOT(x, ecx));
}

/*
 *      mov  %ecx, slots.ecx
 *      mov  %eax, slots.eax
 *      mov  (%esp), %eax           faults as the guest's POPF does
 *      movzwl 2(%esp), %ecx        RF, VM, AC, VIF, VIP, ID: all clear?
 *      jecxz 1f
 *   0: mov  slots.eax, %eax
 *      leave
 *   1: movzbl 1(%esp), %ecx
 *      mov  slots.popf(, %ecx, 4), %ecx
 *      jecxz 0b
 *      mov  %eax, slots.flags
 *      shift EAX
 */
static void
check_popf(struct xlate *x)
{
    struct emitter *e = &x->e;
    uint8_t *go_on;
    uint32_t leave;

    emit_load_stack(e, GPR_EAX, FLAGS_SIZE, 0);
    emit_load_stack(e, GPR_ECX, sizeof(uint16_t), HIGH_HALF_AT);
    go_on = emit_jecxz(e);
    leave = emit_here(e);
    emit_load_slot(e, GPR_EAX, SLOT(x, eax));
    xlate_leave(x);
    emit_land(e, go_on);
    emit_load_stack(e, GPR_ECX, 1, INDEX_AT);
    emit_load_table(e, GPR_ECX, SLOT(x, popf));
    emit_jecxz_to(e, leave);
    emit_save_slot(e, GPR_EAX, SLOT(x, flags));
    emit_eax_times_16(e);
}

/*
 * The machine's own POPF takes several times as long as the parts that count:
 *
 *      lea  4(%esp), %esp
 *      mov  %ecx, slots.iflag      from here on bt_recover() does the rest
 *      restore flags
 *      mov  slots.eax, %eax
 *      mov  slots.ecx, %ecx
 */
void
xlate_popf(struct xlate *x, const struct insn *insn)
{
    struct emitter *e = &x->e;

    if (!is_plain(x, insn)) {
        xlate_emulate(x, insn);
        return;
    }
    xlate_save_scratch(x);
    check_popf(x);
    emit_add(e, GPR_ESP, FLAGS_SIZE);
    xlate_point(x, POINT_ECX_EAX_POP, x->eip);
    emit_save_slot(e, GPR_ECX, SLOT(x, iflag));
    xlate_point(x, POINT_FLAGS, xlate_next_eip(x, insn));
    emit_restore_flags(e, SLOT(x, flags));
    emit_load_slot(e, GPR_EAX, SLOT(x, eax));
    emit_load_slot(e, GPR_ECX, SLOT(x, ecx));
}
