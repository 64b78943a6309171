/*
 * gdt.h - the selectors of the VMkernel.  Usable from assembly.
 */
#ifndef KERNEL_GDT_H
#define KERNEL_GDT_H

#define SEL_CODE        0x08
#define SEL_DATA        0x10
#define SEL_PERCPU      0x18    /* %gs: base = this processor's percpu */
#define SEL_TSS         0x20
#define SEL_DF_TSS      0x28    /* the double fault's task */
#define SEL_RING1_CODE  0x31    /* the sandbox probe's: kernel/sandbox.c */
#define SEL_RING1_DATA  0x39
#define SEL_RING1_SHORT 0x41    /* ends early */
#define GDT_ENTRIES     9

#ifndef __ASSEMBLY__
#include "kernel/percpu.h"

/*
 * Fill CPU's GDT and task states, and load them on the running processor: from
 * here on %gs and double faults work.  DF_STACK_TOP is a stack for double
 * faults only.  CR3 must be the final one where double faults shall survive a
 * change of page tables; gdt_set_df_cr3 updates it.
 */
void gdt_load_cpu(struct percpu *cpu, void *df_stack_top);
void gdt_set_df_cr3(struct percpu *cpu, uint32_t cr3);
#endif

#endif
