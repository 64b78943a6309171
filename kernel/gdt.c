/*
 * gdt.c - each processor's descriptor table and its two task states.
 *
 * The VMkernel is flat: code and data from 0 to 4 GB in ring 0.  What a
 * processor has of its own is the segment behind %gs, the TSS that tells which
 * stack a trap from an outer ring uses, and a second TSS for double faults:
 * they arrive through a task gate, because the usual cause is a stack that
 * cannot be pushed to (SDM 3A 6.15, 7.3).
 */
#include "kernel/gdt.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/trap.h"
#include "kernel/x86/cpu.h"

static const struct segdesc gdt_template[GDT_ENTRIES] = {
    [SEL_CODE >> SEL_INDEX_SHIFT] =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_CODE | SEG_CODE_R | SEG_ACCESSED,
                      0),
    [SEL_DATA >> SEL_INDEX_SHIFT] =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED, 0),
    [SEL_RING1_CODE >> SEL_INDEX_SHIFT] =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_CODE | SEG_CODE_R | SEG_ACCESSED,
                      1),
    [SEL_RING1_DATA >> SEL_INDEX_SHIFT] =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED, 1),
};

/* A descriptor for SIZE bytes at PTR, byte-granular. */
static struct segdesc
bytes_descriptor(const void *ptr, size_t size, unsigned type, bool system)
{
    uint32_t base = (uint32_t)ptr;
    uint32_t limit = (uint32_t)size - 1;

    return (struct segdesc){
        .limit_low = limit & 0xffff, .base_low = base & 0xffff,
        .base_mid = (base >> 16) & 0xff, .type = type & 0xf, .s = !system,
        .dpl = 0, .p = 1, .limit_high = (limit >> 16) & 0xf, .db = !system,
        .base_high = base >> 24
    };
}

static void
init_df_tss(struct percpu *cpu, void *stack_top)
{
    struct tss *t = cpu->df_tss;

    memset(t, 0, sizeof(*t));
    t->cr3 = read_cr3();
    t->eip = (uint32_t)double_fault_entry;
    t->eflags = EFLAGS_FIXED;
    t->esp = (uint32_t)stack_top;
    t->cs = SEL_CODE;
    t->ss = t->ds = t->es = t->fs = SEL_DATA;
    t->gs = SEL_PERCPU;
    t->iomap = sizeof(*t);
}

void
gdt_load_cpu(struct percpu *cpu, void *df_stack_top)
{
    struct segdesc *gdt = cpu->gdt;
    struct table_register gdtr = {
        .limit = GDT_ENTRIES * sizeof(*gdt) - 1, .base = (uint32_t)gdt
    };

    memcpy(gdt, gdt_template, sizeof(gdt_template));
    gdt[SEL_PERCPU >> SEL_INDEX_SHIFT] = bytes_descriptor(
        cpu, sizeof(*cpu), SEG_DATA_W | SEG_ACCESSED, false);
    gdt[SEL_TSS >> SEL_INDEX_SHIFT] = bytes_descriptor(
        cpu->tss, sizeof(*cpu->tss), SYS_TSS32_AVAIL, true);
    gdt[SEL_DF_TSS >> SEL_INDEX_SHIFT] = bytes_descriptor(
        cpu->df_tss, sizeof(*cpu->df_tss), SYS_TSS32_AVAIL, true);

    memset(cpu->tss, 0, sizeof(*cpu->tss));
    cpu->tss->ss0 = SEL_DATA;
    cpu->tss->cr3 = read_cr3();
    cpu->tss->iomap = sizeof(*cpu->tss);
    init_df_tss(cpu, df_stack_top);
    cpu->self = cpu;

    lgdt(&gdtr);
    load_code_selector(SEL_CODE);
    write_ds(SEL_DATA);
    write_es(SEL_DATA);
    write_ss(SEL_DATA);
    write_fs(SEL_DATA);
    write_gs(SEL_PERCPU);
    lldt(0);
    ltr(SEL_TSS);
    ASSERT(this_cpu() == cpu);
}

void
gdt_set_df_cr3(struct percpu *cpu, uint32_t cr3)
{
    cpu->df_tss->cr3 = cr3;
}
