/*
 * xlate_ident.c - instructions that run as they are, and those that leave.
 *
 * Most of the guest's instructions are copied byte by byte: its registers are
 * in the machine's, its memory is at the same addresses.  Segment overrides may
 * need another route (enum bt_segment_rule).  What cannot run here leaves
 * translated code before it has begun, and its owner does the rest.
 */
#include "bt/handlers_int.h"

#include "bt/emit_jump.h"
#include "bt/kernel_int.h"
#include "bt/near_int.h"
#include "bt/xlate_operand.h"

/* SDM 2A 2.1.1 */
enum { PREFIX_CS = 0x2e, PREFIX_DS = 0x3e, PREFIX_GS = 0x65 };

void
xlate_emulate(struct xlate *x, const struct insn *insn)
{
    (void)insn;
    xlate_exit(x, BT_EXIT_EMULATE, x->eip);
    x->is_ended = true;
}

void
xlate_undefined(struct xlate *x, const struct insn *insn)
{
    (void)insn;
    xlate_exit(x, BT_EXIT_UNDEFINED, x->eip);
    x->is_ended = true;
}

void
xlate_int(struct xlate *x, const struct insn *insn)
{
    xlate_point(x, POINT_AT, x->eip);
    emit_set_slot(&x->e, SLOT(x, exit_arg), insn->row);
    xlate_exit(x, BT_EXIT_INT, x->eip);
    x->is_ended = true;
}

/* The same instruction with all CS and GS overrides turned into DS ones. */
static void
emit_through_ds(struct xlate *x, const struct insn *insn)
{
    static const uint8_t ds = PREFIX_DS;

    for (unsigned i = 0; i < insn->opcode_offset; i++) {
        uint8_t prefix = x->bytes[i];
        bool is_override = prefix == PREFIX_CS || prefix == PREFIX_GS;

        emit_bytes(&x->e, is_override ? &ds : &prefix, 1);
    }
    emit_bytes(&x->e, x->bytes + insn->opcode_offset,
               insn->length - insn->opcode_offset);
}

/* quirks.h.  What is copied behind the jump begins a new run. */
static void
jump_there(struct xlate *x)
{
    xlate_point(x, POINT_AT, x->eip);
    emit_jmp_next(&x->e);
    xlate_point(x, POINT_RUN, x->eip);
}

void
xlate_ident(struct xlate *x, const struct insn *insn)
{
    if (x->bt->env->jumps_to_cmpxchg8b &&
        insn_opcode(insn)->operation == OPERATION_cmpxchg8b)
        jump_there(x);
    if ((x->bt->code.mode & DECODE_32) == 0) {
        xlate_ident_16(x, insn);
        return;
    }
    if (insn->segment == SEG_GS && x->bt->env->gs_rule == SEGMENT_BY_SLOT) {
        xlate_gs(x, insn);
        return;
    }
    switch (xlate_segment_rule(x, insn)) {
    case SEGMENT_AS_IS:
        emit_bytes(&x->e, x->bytes, insn->length);
        break;
    case SEGMENT_AS_DS:
        emit_through_ds(x, insn);
        break;
    default:
        xlate_emulate(x, insn);
        break;
    }
}

/* Shows what the machine is: only CPUID must tell of another one. */
void
xlate_user_sensitive(struct xlate *x, const struct insn *insn)
{
    if (insn_opcode(insn)->operation == OPERATION_cpuid)
        xlate_emulate(x, insn);
    else
        xlate_ident(x, insn);
}
