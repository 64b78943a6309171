/*
 * breakpoint_int.h - DR0 to DR3.
 */
#ifndef VMM_INTERP_BREAKPOINT_INT_H
#define VMM_INTERP_BREAKPOINT_INT_H

#include "kernel/x86/debug.h"
#include "vmm/interp/interp_int.h"

/* #DB, as a fault, with these bits for DR6. */
static inline bool
raise_debug(struct interp *i, uint32_t bits)
{
    vcpu_fault(i->vcpu, VEC_DB);
    i->vcpu->fault.error = bits;
    return false;
}

/* Is any of the four in force? */
static inline bool
breakpoints_in_force(const struct guest_cpu *cpu)
{
    return (cpu->dr[DR7] & DR7_ENABLED) != 0;
}

/* Before an instruction is fetched: false, and #DB, if one waits there. */
MUST_CHECK bool breakpoint_at_fetch(struct interp *i);

/*
 * Note that SIZE bytes of data at AT, or ports from PORT, are accessed: a trap
 * behind the instruction, if it completes.
 */
void breakpoint_at_data(struct interp *i, gla_t at, uint32_t size,
                        unsigned access);
void breakpoint_at_port(struct interp *i, uint32_t port, uint32_t size);

#endif
