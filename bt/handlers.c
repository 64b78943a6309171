/*
 * handlers.c - which instruction is translated how: tables of handlers.
 *
 * The class of an instruction (opcode.h) decides for what any code may do.  The
 * system classes depend on whom the code belongs to.  In a user program what
 * it may not do faults by itself, and segment registers and flags are the
 * machine's.  In a kernel, running with less privilege than it believes to
 * have, none of these instructions may reach the machine: some would show what
 * the guest must not see or do nothing instead of faulting.  A few have in-line
 * sequences, chosen by operation; the others leave to their owner.
 *
 * Memory operands and far more of CLASS_IDENT are alike at any privilege: SDM
 * 3A 5.9 lists what is not, and opcodes.def has no row of these in it.
 */
#include "bt/kernel_int.h"
#include "bt/near_int.h"

/* No handler: a system class, with tables of its own. */
static const struct handler by_class[OPCODE_CLASS_COUNT] = {
    [CLASS_UNDEFINED] = { xlate_undefined, true },
    [CLASS_IDENT] = { xlate_ident, false },
    [CLASS_X87] = { xlate_ident, false },
    [CLASS_MMX] = { xlate_ident, false },
    [CLASS_SSE] = { xlate_ident, false },
    [CLASS_STRING] = { xlate_ident, false },
    [CLASS_JCC] = { xlate_jcc, true },
    [CLASS_LOOP] = { xlate_loop, true },
    [CLASS_JMP] = { xlate_jmp, true },
    [CLASS_CALL] = { xlate_call, true },
    [CLASS_JMP_IND] = { xlate_jmp_indirect, true },
    [CLASS_CALL_IND] = { xlate_call_indirect, true },
    [CLASS_RET] = { xlate_ret, true },
    [CLASS_JMP_FAR] = { xlate_emulate, true },
    [CLASS_CALL_FAR] = { xlate_emulate, true },
    [CLASS_RET_FAR] = { xlate_emulate, true },
    [CLASS_IRET] = { xlate_emulate, true },
    [CLASS_INT] = { xlate_int, true },
    [CLASS_SYSCALL] = { xlate_emulate, true },
    [CLASS_HIDDEN] = { xlate_undefined, true },
};

/* Branches with 16-bit operands, or where segments are not flat. */
static const struct handler in_small_code[OPCODE_CLASS_COUNT] = {
    [CLASS_JCC] = { xlate_near_jcc, true },
    [CLASS_LOOP] = { xlate_near_loop, true },
    [CLASS_JMP] = { xlate_near_jmp, true },
    [CLASS_CALL] = { xlate_near_call, true },
    [CLASS_JMP_IND] = { xlate_near_jmp_indirect, true },
    [CLASS_CALL_IND] = { xlate_near_call_indirect, true },
    [CLASS_RET] = { xlate_near_ret, true },
};

static const struct handler in_user_mode[OPCODE_CLASS_COUNT] = {
    [CLASS_SEG_LOAD] = { xlate_ident, false },
    [CLASS_SEG_STORE] = { xlate_ident, false },
    [CLASS_FLAGS] = { xlate_ident, false },
    [CLASS_IO] = { xlate_ident, false },
    [CLASS_SENSITIVE] = { xlate_user_sensitive, true },
    [CLASS_PRIV] = { xlate_ident, false },
};

static const struct handler in_kernel_mode[OPERATION_COUNT] = {
    [OPERATION_cli] = { xlate_cli, false },
    [OPERATION_sti] = { xlate_sti, false },
    [OPERATION_pushf] = { xlate_pushf, false },
    [OPERATION_popf] = { xlate_popf, false },
    [OPERATION_mov_from_seg] = { xlate_mov_from_seg, false },
    [OPERATION_push_seg] = { xlate_push_seg, false },
    [OPERATION_mov_to_seg] = { xlate_mov_to_seg, false },
    [OPERATION_pop_seg] = { xlate_pop_seg, false },
    [OPERATION_mov_from_cr] = { xlate_mov_from_cr, false },
    [OPERATION_rdtsc] = { xlate_rdtsc, false },
};

const struct handler *
handler_of(const struct bt *bt, const struct insn *insn)
{
    static const struct handler leave = { xlate_emulate, true };
    const struct opcode *opcode = insn_opcode(insn);
    const struct handler *h = &by_class[opcode->class];

    if ((insn->op_size != sizeof(uint32_t) || !code_is_flat(bt)) &&
        in_small_code[opcode->class].handle != NULL)
        return &in_small_code[opcode->class];
    if (h->handle == NULL)
        h = bt->env->is_user ? &in_user_mode[opcode->class]
                         : &in_kernel_mode[opcode->operation];
    return h->handle != NULL ? h : &leave;
}
