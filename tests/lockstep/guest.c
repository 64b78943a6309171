/*
 * guest.c - what a program finds: descriptor tables, handlers, registers.
 *
 * A kernel's handlers are guest code, too: one for interrupts, which counts
 * and returns, and two for faults, with and without an error code, which
 * return to where WORD_RESUME says.  A user program has none; whoever runs it
 * makes it go on there.
 */
#include "lockstep/program.h"

#include <string.h>

#include "kernel/x86/descriptor.h"

#define LDT_AT          (PAGE_AT(TABLE_PAGE) + 0x200)
#define TSS_AT          (PAGE_AT(TABLE_PAGE) + 0x300)
#define IDT_AT          (PAGE_AT(TABLE_PAGE) + 0x400)
#define IDT_VECTORS     256u
#define USER_GDT_ENTRIES 5u             /* up to the process's own CS */
#define LIMIT_4GB       0xfffffu
#define CR4_FPU         (CR4_OSFXSR | CR4_OSXMMEXCPT)

static const uint8_t on_interrupt[] = {
    0x50,                                       /* push eax */
    0x2e, 0xa1, 0x04, 0x10, 0x01, 0x10,         /* mov eax, cs:[COUNT] */
    0x40,                                       /* inc eax */
    0x36, 0xa3, 0x04, 0x10, 0x01, 0x10,         /* mov ss:[COUNT], eax */
    0x58, 0xcf,                                 /* pop eax; iret */
};
static const uint8_t on_fault[] = {
    0x50,                                       /* push eax */
    0x2e, 0xa1, 0x00, 0x10, 0x01, 0x10,         /* mov eax, cs:[RESUME] */
    0x89, 0x44, 0x24, 0x04,                     /* mov [esp+4], eax */
    0x58, 0xcf,                                 /* pop eax; iret */
};
static const uint8_t on_error[] = {
    0x50,                                       /* push eax */
    0x2e, 0xa1, 0x00, 0x10, 0x01, 0x10,         /* mov eax, cs:[RESUME] */
    0x89, 0x44, 0x24, 0x08,                     /* mov [esp+8], eax */
    0x58, 0x8d, 0x64, 0x24, 0x04,               /* pop eax; lea esp, [esp+4] */
    0xcf,                                       /* iret */
};
STATIC_ASSERT(WORD_RESUME == 0x10011000 && WORD_COUNT == 0x10011004);

#define HANDLER_SIZE    64u
enum handler { HANDLER_INTERRUPT, HANDLER_FAULT, HANDLER_ERROR };

static void *
subject_at(uint32_t at)
{
    return subject.memory + (at - ARENA);
}

static void
put_descriptor(enum kernel_selector selector, uint32_t base, uint32_t limit,
               unsigned type)
{
    struct segdesc *gdt = subject_at(GDT_AT);

    gdt[selector >> SEL_INDEX_SHIFT] = (struct segdesc){
        .limit_low = limit & UINT16_MAX, .limit_high = limit >> 16,
        .base_low = base & UINT16_MAX, .base_mid = base >> 16 & UINT8_MAX,
        .base_high = base >> 24, .type = type, .s = 1, .p = 1, .db = 1,
        .g = limit == LIMIT_4GB,
    };
}

static void
write_gdt(void)
{
    struct segdesc *gdt = subject_at(GDT_AT);

    put_descriptor(KERNEL_CODE, 0, LIMIT_4GB,
                   SEG_CODE | SEG_CODE_R | SEG_ACCESSED);
    put_descriptor(KERNEL_DATA, 0, LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED);
    put_descriptor(KERNEL_CODE2, 0, LIMIT_4GB, SEG_CODE | SEG_CODE_R);
    put_descriptor(KERNEL_DATA2, 0, LIMIT_4GB, SEG_DATA_W);
    put_descriptor(KERNEL_SMALL, DATA_AT, PAGE_SIZE - 1, SEG_DATA_W);
    put_descriptor(KERNEL_CONST, 0, LIMIT_4GB, 0);
    put_descriptor(KERNEL_DOWN, 0, DATA_AT, SEG_DATA_W | SEG_DATA_E);
    put_descriptor(KERNEL_ABSENT, 0, LIMIT_4GB, SEG_DATA_W);
    gdt[KERNEL_ABSENT >> SEL_INDEX_SHIFT].p = 0;
    put_descriptor(KERNEL_LDT, LDT_AT, PAGE_MASK >> 4, SYS_LDT);
    put_descriptor(KERNEL_TSS, TSS_AT, sizeof(struct tss) - 1,
                   SYS_TSS32_AVAIL);
    gdt[KERNEL_LDT >> SEL_INDEX_SHIFT].s = 0;
    gdt[KERNEL_TSS >> SEL_INDEX_SHIFT].s = 0;
}

static void
put_handler(enum handler which, const uint8_t *code, size_t size)
{
    memcpy(subject_at(PAGE_AT(HANDLER_PAGE) + which * HANDLER_SIZE), code,
           size);
}

static enum handler
handler_of(unsigned vector)
{
    if (vector >= EXCEPTION_COUNT || vector == VEC_BP || vector == VEC_OF ||
        vector == VEC_DB)
        return HANDLER_INTERRUPT;
    return EXCEPTIONS_WITH_ERROR & BIT(vector) ? HANDLER_ERROR
                                               : HANDLER_FAULT;
}

static void
write_idt(void)
{
    struct gate *idt = subject_at(IDT_AT);

    put_handler(HANDLER_INTERRUPT, on_interrupt, sizeof(on_interrupt));
    put_handler(HANDLER_FAULT, on_fault, sizeof(on_fault));
    put_handler(HANDLER_ERROR, on_error, sizeof(on_error));
    for (unsigned n = 0; n < IDT_VECTORS; n++) {
        uint32_t at = PAGE_AT(HANDLER_PAGE) + handler_of(n) * HANDLER_SIZE;

        idt[n] = (struct gate){
            .offset_low = at & UINT16_MAX, .offset_high = at >> 16,
            .selector = KERNEL_CODE, .p = 1,
            .type = n % 2 ? SYS_TRAP32 : SYS_INT32,
        };
    }
}

static void
set_segment(struct vcpu *v, enum segment n, uint16_t selector,
            unsigned rights)
{
    v->cpu.segment[n] = (struct guest_segment){
        .selector = selector, .limit = UINT32_MAX,
        .rights = (uint16_t)(RIGHTS_P | RIGHTS_S | RIGHTS_DB | RIGHTS_G |
                             SEG_ACCESSED | rights),
    };
}

static void
reset_kernel(struct vcpu *v)
{
    write_gdt();
    write_idt();
    for (unsigned n = 0; n < SEG_NONE; n++)
        set_segment(v, n, n == SEG_CS ? KERNEL_CODE : KERNEL_DATA,
                    n == SEG_CS ? SEG_CODE | SEG_CODE_R : SEG_DATA_W);
    v->cpu.gdtr = (struct guest_table){ GDT_AT, KERNEL_END - 1 };
    v->cpu.idtr = (struct guest_table){
        IDT_AT, IDT_VECTORS * sizeof(struct gate) - 1 };
}

static void
reset_user(struct vcpu *v, const struct config *config)
{
    struct machine m;

    segments_write_ldt(subject_at(LDT_AT));
    segments_load_host(&m);
    for (unsigned n = 0; n < SEG_NONE; n++) {
        set_segment(v, n, n == SEG_CS ? USER_CODE : USER_DATA,
                    FIELD_SET(n == SEG_CS ? SEG_CODE | SEG_CODE_R
                                          : SEG_DATA_W, RIGHTS_DPL, SEL_RPL));
        v->cpu.segment[n].limit = USER_LIMIT;
    }
    if (!config->is_native) {
        v->cpu.segment[SEG_CS].selector = m.segment[SEG_CS];
        v->cpu.segment[SEG_CS].limit = UINT32_MAX;
    }
    v->cpu.gdtr = (struct guest_table){
        GDT_AT, USER_GDT_ENTRIES * sizeof(struct segdesc) - 1 };
    v->cpu.idtr.limit = 0;
    v->cpu.tr.limit = 0;                /* no bitmap of ports */
    v->cpu.ldtr.base = LDT_AT;
    v->cpu.ldtr.limit = USER_SELECTORS * sizeof(struct segdesc) - 1;
    v->cpu.cpl = SEL_RPL;
    v->cpu.cr0 |= CR0_AM;
}

static void
fill_data(const struct program *p)
{
    struct test_random r = { p->seed | 1 };
    uint8_t *data = subject_at(FREE_AT);
    uint32_t *counters = subject_at(COUNTERS_AT);

    while (data < (uint8_t *)subject_at(DATA_AT + DATA_SIZE + PAGE_SIZE))
        *data++ = (uint8_t)test_random_next(&r);
    for (unsigned n = 0; n < 64; n++)
        counters[n] = p->is_hot ? 20 + test_random_below(&r, 30)
                                : test_random_below(&r, 4);
    memcpy(subject_at(JUMPS_AT), p->jumps, sizeof(p->jumps));
}

void
guest_reset(const struct program *p)
{
    struct vcpu *v = &subject.v;

    vcpu_reset(v);
    v->cpu.fpu[0] = 0x7f;               /* no x87 exceptions */
    v->cpu.fpu[1] = 0x03;
    v->cpu.fpu[4] = 0;                  /* all registers empty */
    v->cpu.cr0 |= CR0_PE | CR0_NE;
    v->cpu.cr4 = CR4_FPU;
    memcpy(v->cpu.gpr, p->gpr, sizeof(p->gpr));
    v->cpu.eip = p->start;
    v->cpu.eflags = p->eflags | EFLAGS_FIXED;
    if (p->config->is_user)
        reset_user(v, p->config);
    else
        reset_kernel(v);
    vcpu_derive_segments(v);
    memcpy(subject_at(CODE_AT), p->code, CODE_SIZE);
    fill_data(p);
    arena_seal();
    reference.v = *v;
    interp_init(&subject.interp, &subject.v);
    interp_init(&reference.interp, &reference.v);
}
