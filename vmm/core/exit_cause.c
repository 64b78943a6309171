/*
 * exit_cause.c - see exit_cause.h: the tables.
 *
 * What the engine knows when the guest has stopped (a reason of the
 * translator's, a class of instruction, the shadow's answer) is finer in one
 * place and coarser in another than what a person wants to see in `vm stats`.
 *
 * Pure; called by the engine at each exit.
 */
#include "vmm/core/exit_cause.h"

#include "kernel/base/bits.h"
#include "vmm/layout.h"

/* By the class of the instruction. */
static const uint8_t of_class[OPCODE_CLASS_COUNT] = {
    [CLASS_IDENT] = EXIT_MEMORY,
    [CLASS_STRING] = EXIT_MEMORY,
    [CLASS_IO] = EXIT_PORT,
    [CLASS_PRIV] = EXIT_PRIVILEGED,
    [CLASS_FLAGS] = EXIT_FLAGS,
    [CLASS_SEG_LOAD] = EXIT_SEGMENT,
    [CLASS_IRET] = EXIT_IRET,
    [CLASS_SYSCALL] = EXIT_SYSENTER,
    [CLASS_JMP_FAR] = EXIT_FAR,
    [CLASS_CALL_FAR] = EXIT_FAR,
    [CLASS_RET_FAR] = EXIT_FAR,
};

static const uint8_t of_reason[] = {
    [BT_EXIT_LINK] = EXIT_LINK,
    [BT_EXIT_MISS] = EXIT_MISS,
    [BT_EXIT_SITE] = EXIT_SITE,
    [BT_EXIT_EMULATE] = EXIT_EMULATE,
    [BT_EXIT_INT] = EXIT_INT_KERNEL,
    [BT_EXIT_UNDEFINED] = EXIT_FAULT_KERNEL,
    [BT_EXIT_TOO_LONG] = EXIT_FAULT_KERNEL,
    [BT_EXIT_STEP] = EXIT_CHANGED,
    [BT_EXIT_CHANGED] = EXIT_CHANGED,
    [BT_EXIT_STOP] = EXIT_VIRTUAL,
};

enum vmm_exit
exit_cause_of_insn(const struct insn *insn)
{
    return of_class[insn_opcode(insn)->class];
}

enum vmm_exit
exit_cause_of_callout(uint32_t reason)
{
    return reason < ARRAY_LEN(of_reason) ? of_reason[reason] : EXIT_COUNT;
}

enum vmm_exit
exit_cause_of_fault(enum shadow_result result, gla_t at)
{
    if (result == SHADOW_HIDDEN)
        return EXIT_PF_HIDDEN;
    if (result == SHADOW_TRUE)
        return EXIT_PF_TRUE;
    return gla_raw(at) >= VMM_BASE ? EXIT_PF_TOP : EXIT_PF_TRACE;
}
