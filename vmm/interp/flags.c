/*
 * flags.c - instructions on EFLAGS.
 *
 * What PUSHF shows and POPF, CLI and STI may change depends on CPL and IOPL; in
 * virtual-8086 mode with IOPL below 3 they are #GP(0).  Our virtual machines
 * have no virtual-mode extensions (VME, PVI).
 *
 * Called through the table of operations; no locks.  SDM 2 "POPF", "STI";
 * SDM 3A 6.8.1.
 */
#include "vmm/interp/interp_int.h"
#include "vmm/interp/operand_int.h"
#include "vmm/interp/stack_int.h"

/* What LAHF and SAHF move. */
#define FLAGS_AH (EFLAGS_SF | EFLAGS_ZF | EFLAGS_AF | EFLAGS_PF | EFLAGS_CF)
/* What POPF may change at any privilege. */
#define FLAGS_FREE (FLAGS_ARITH | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | \
                    EFLAGS_AC | EFLAGS_ID)

static const struct place place_ah = { PLACE_REG, 1, GPR_EAX, 8 };
static const struct place place_al = { PLACE_REG, 1, GPR_EAX, 0 };

static bool
set(struct interp *i, uint32_t mask, uint32_t flags)
{
    set_flags(i, mask, flags);
    return true;
}

bool
interp_clc(struct interp *i)
{
    return set(i, EFLAGS_CF, 0);
}

bool
interp_stc(struct interp *i)
{
    return set(i, EFLAGS_CF, EFLAGS_CF);
}

bool
interp_cmc(struct interp *i)
{
    return set(i, EFLAGS_CF, ~cpu_of(i)->eflags);
}

bool
interp_cld(struct interp *i)
{
    return set(i, EFLAGS_DF, 0);
}

bool
interp_std(struct interp *i)
{
    return set(i, EFLAGS_DF, EFLAGS_DF);
}

bool
interp_lahf(struct interp *i)
{
    register_write(i, place_ah,
                   (cpu_of(i)->eflags & FLAGS_AH) | EFLAGS_FIXED);
    return true;
}

bool
interp_sahf(struct interp *i)
{
    return set(i, FLAGS_AH, register_read(i, place_ah));
}

/* Undocumented by Intel until late: AL becomes CF in all bits. */
bool
interp_salc(struct interp *i)
{
    register_write(i, place_al, has_flag(i, EFLAGS_CF) ? UINT8_MAX : 0);
    return true;
}

bool
interp_cli(struct interp *i)
{
    if (!has_io_privilege(i))
        return raise_error(i, VEC_GP, 0);
    return set(i, EFLAGS_IF, 0);
}

/* The instruction behind STI runs before an interrupt, if IF was clear. */
bool
interp_sti(struct interp *i)
{
    if (!has_io_privilege(i))
        return raise_error(i, VEC_GP, 0);
    if (!has_flag(i, EFLAGS_IF))
        cpu_of(i)->block |= BLOCK_STI;
    return set(i, EFLAGS_IF, EFLAGS_IF);
}

/* In virtual-8086 mode PUSHF and POPF want IOPL 3. */
static bool
may_see_flags(struct interp *i)
{
    return !has_flag(i, EFLAGS_VM) ||
           FIELD_GET(cpu_of(i)->eflags, EFLAGS_IOPL) == IOPL_USER ||
           raise_error(i, VEC_GP, 0);
}

bool
interp_pushf(struct interp *i)
{
    return may_see_flags(i) &&
           stack_push(i, cpu_of(i)->eflags & ~(EFLAGS_RF | EFLAGS_VM));
}

/* Forbidden changes are ignored, not faults. */
bool
interp_popf(struct interp *i)
{
    unsigned size = insn_of(i)->op_size;
    uint32_t mask = FLAGS_FREE, value;

    if (!may_see_flags(i) || !stack_peek(i, 0, size, &value))
        return false;
    if (has_io_privilege(i))
        mask |= EFLAGS_IF;
    if (cpu_of(i)->cpl == 0)
        mask |= EFLAGS_IOPL;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, size);
    return set(i, low_bytes(mask, size), value);
}
