/*
 * xlate_control.c - what else a guest kernel reads of the processor.
 *
 * Control registers are read from slots: the machine's own are the monitor's.
 * Writing them is the owner's.  The time-stamp counter is the machine's if the
 * surroundings say that the guest's is the same.
 *
 * SDM 2 "MOV - Move to/from Control Registers", "RDTSC".
 */
#include "bt/kernel_int.h"

/* Always 32 bits, whatever the operand size is. */
void
xlate_mov_from_cr(struct xlate *x, const struct insn *insn)
{
    unsigned number = insn_reg(insn);

    if (number >= BT_CR_COUNT) {
        xlate_emulate(x, insn);
        return;
    }
    emit_load_slot(&x->e, insn_rm(insn),
                   SLOT(x, cr) + number * (uint32_t)sizeof(uint32_t));
}

void
xlate_rdtsc(struct xlate *x, const struct insn *insn)
{
    if (x->bt->env->has_native_tsc)
        xlate_ident(x, insn);
    else
        xlate_emulate(x, insn);
}
