/*
 * machine.h - the real CPU with registers of our choosing, until it traps.
 *
 * machine_run() loads all that user code can see, lets the CPU go on at EIP,
 * and returns when something stops it: a fault, the exit of translated code, a
 * single step (TF in eflags), or some time without either.  Then the structure
 * holds what the registers were at that moment.
 */
#ifndef TESTS_LOCKSTEP_MACHINE_H
#define TESTS_LOCKSTEP_MACHINE_H

#include "bt/insn.h"
#include "kernel/base/types.h"
#include "vmm/vcpu.h"

/* Vectors as the kernel reports them, and two more. */
#define MACHINE_LEFT    0x100u          /* by machine_exit */
#define MACHINE_LATE    0x101u          /* it has run for long */

struct machine {
    uint8_t fpu[FXSAVE_SIZE] ALIGNED(16);
    uint32_t gpr[GPR_NONE];
    uint32_t eip, eflags;
    uint16_t segment[SEG_NONE];         /* selectors of the process */
    /* Why it stopped. */
    uint32_t vector, error, cr2;
};
/* enter.S knows these. */
STATIC_ASSERT(offsetof(struct machine, fpu) == 0);
STATIC_ASSERT(offsetof(struct machine, eflags) == 548);

/*
 * Once, before all others; the process's own selectors to SEGMENT.  A run of
 * LATE_USEC is stopped.
 */
void machine_start(uint16_t segment[SEG_NONE], uint32_t late_usec);
void machine_run(struct machine *m);

/* --- enter.S: jump targets, not to be called -------------------------------*/
void machine_enter(struct machine *m);
void machine_trap(void);
void machine_return(void);
void machine_exit(void);                /* for bt_tables.exit */
void machine_signal(void);
extern uint32_t machine_host_gs;

#endif
