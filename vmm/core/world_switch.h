/*
 * world_switch.h - from the VMkernel's address space to a monitor's, and back.
 *
 * The two sides are coroutines: each calls, and returns when the other calls.
 * The code is one page of vmm.elf, which both have mapped at VMM_SWITCH_AT.
 * Interrupts are masked on both sides of both calls.
 *
 * Kept across a call: what a C function must preserve, and all of struct
 * cpu_context.  The monitor's segment registers are the exception: they are
 * loaded, but never stored; its C code has the selectors that the VMkernel put
 * into shared->vmm before the first entry, always.
 *
 * Not kept: the FPU's registers, which the VMkernel does not use, but another
 * monitor does (fpu.h).  Left alone, as neither side changes them: MSRs, and
 * debug registers, all off.
 *
 * Before the first entry the VMkernel makes the monitor look as if it had
 * just called world_switch_leave():
 *
 *      shared->vmm.esp     VMM_STACK_TOP - sizeof(struct world_switch_stack),
 *                          with such a structure at that place
 *      .cr0 .cr4           as the VMkernel's, without CR4.PGE
 *      .cr3                params.permanent_cr3: no guest is there yet
 *      .gdtr               VMM_GDT_AT, the whole table of VMM_DESCRIPTORS_SIZE
 *      .idtr               limit 0: guest_enter_init() makes the table
 *      .cs                 VMM_SEL_CODE
 *      .ss .ds .es         VMM_SEL_DATA
 *      .fs .gs .ldtr       0
 *      .tr                 VMM_SEL_TSS
 *
 * The table at VMM_GDT_AT holds the descriptors that these select: flat code
 * and data of ring 0, with the accessed bit set, and a TSS, available, of 104
 * zero bytes; VMM_STACK_AT will do, as nobody reads it before the true one is
 * there.
 *
 * Assembly includes this too, for the offsets.
 */
#ifndef VMM_CORE_WORLD_SWITCH_H
#define VMM_CORE_WORLD_SWITCH_H

#include "vmm/layout.h"

/* In struct vmm_shared, and in each struct cpu_context. */
#define SHARED_VMM      0
#define CONTEXT_ESP     0
#define CONTEXT_CR0     4
#define CONTEXT_CR3     8
#define CONTEXT_CR4     12
#define CONTEXT_GDTR    16
#define CONTEXT_TR      22
#define CONTEXT_IDTR    24
#define CONTEXT_LDTR    30
#define CONTEXT_CS      32
#define CONTEXT_SS      34
#define CONTEXT_DS      36
#define CONTEXT_ES      38
#define CONTEXT_FS      40
#define CONTEXT_GS      42

#ifndef __ASSEMBLY__
#include "kernel/base/types.h"
#include "vmm/shared.h"

/* What is on the stack of the side that does not run, from its esp up. */
struct world_switch_stack {
    uint32_t edi, esi, ebx, ebp;
    uint32_t eip;               /* first entry: vmm.elf's e_entry */
    uint32_t caller;            /* first entry: 0, it does not return */
};
STATIC_ASSERT(sizeof(struct world_switch_stack) == 24);

STATIC_ASSERT(offsetof(struct vmm_shared, vmm) == SHARED_VMM);
STATIC_ASSERT(offsetof(struct cpu_context, cr4) == CONTEXT_CR4);
STATIC_ASSERT(offsetof(struct cpu_context, gdtr) == CONTEXT_GDTR);
STATIC_ASSERT(offsetof(struct cpu_context, tr) == CONTEXT_TR);
STATIC_ASSERT(offsetof(struct cpu_context, idtr) == CONTEXT_IDTR);
STATIC_ASSERT(offsetof(struct cpu_context, ldtr) == CONTEXT_LDTR);
STATIC_ASSERT(offsetof(struct cpu_context, cs) == CONTEXT_CS);
STATIC_ASSERT(offsetof(struct cpu_context, gs) == CONTEXT_GS);

/*
 * For the VMkernel: run the monitor of SHARED until it leaves.  Our own state
 * is in VMK meanwhile, which the monitor sees at VMM_VMK_AT.  The caller stays
 * on this processor in between, with interrupts masked.
 */
typedef void world_switch_enter_t(struct vmm_shared *shared,
                                  struct cpu_context *vmk);
#define world_switch_enter  ((world_switch_enter_t *)VMM_SWITCH_AT)

/* For the monitor: let the VMkernel run until it enters again. */
void world_switch_leave(void);
#endif

#endif
