/*
 * seg.c - where the machine's descriptor tables are.
 *
 * The one file of this folder that is no plain arithmetic.  The tables are in
 * the monitor's upper pages, which no guest code can reach; the monitor's own
 * slots in the GDT are guest_enter's.
 */
#include "vmm/seg/seg_int.h"

#include "kernel/x86/cpu.h"

void
seg_init(bool is_truncated)
{
    seg_init_at((union seg_slot *)VMM_GDT_AT, (union seg_slot *)VMM_LDT_AT,
                is_truncated);
}

void
seg_load_ldtr(uint16_t selector)
{
    lldt(selector);
}
