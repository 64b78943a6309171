/*
 * vm_context.c - see vm_context.h.
 *
 *      CR3             one of the roots that were made for this monitor
 *      CR0, CR4        as they were, but for what the FPU and the guest want
 *      GDTR            its place, and long enough for the monitor's selectors
 *      IDTR            in the monitor's upper pages
 *      selectors       as they were; TR may be that of a task, LDTR the LDT's
 *
 * Pure.
 */
#include "vmm/vmk/vm_context.h"

#include "kernel/x86/regs.h"
#include "vmm/core/guest_enter.h"
#include "vmm/layout.h"

/* vmm/core/fpu.c changes these. */
#define CR0_FREE    (CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_AM)
#define CR4_FREE    (CR4_TSD | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT)

static bool
is_root(const struct vm_context *made, uint32_t cr3)
{
    for (unsigned n = 0; n < VM_ROOTS; n++)
        if (cr3 != 0 && cr3 == made->root[n])
            return true;
    return false;
}

static bool
is_task(uint16_t tr)
{
    return tr == VMM_SEL_TSS || tr == VMM_SEL_DF_TSS || tr == VMM_SEL_NMI_TSS;
}

static bool
has_same_segments(const struct cpu_context *a, const struct cpu_context *b)
{
    return a->cs == b->cs && a->ss == b->ss && a->ds == b->ds &&
           a->es == b->es && a->fs == b->fs && a->gs == b->gs;
}

bool
vm_context_is_sound(const struct vm_context *made,
                    const struct cpu_context *now)
{
    const struct cpu_context *first = &made->first;

    return is_root(made, now->cr3) &&
           ((now->cr0 ^ first->cr0) & ~(uint32_t)CR0_FREE) == 0 &&
           ((now->cr4 ^ first->cr4) & ~(uint32_t)CR4_FREE) == 0 &&
           now->gdtr.base == first->gdtr.base &&
           now->gdtr.limit >= VMM_SEL_BT - 1 &&
           now->idtr.base >= VMM_UPPER && is_task(now->tr) &&
           (now->ldtr == 0 || now->ldtr == VMM_SEL_LDT) &&
           has_same_segments(now, first);
}
