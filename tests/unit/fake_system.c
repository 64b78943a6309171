/*
 * fake_system.c - tables and registers of a small guest in protected mode.
 */
#include "unit/fake_system.h"

#include <string.h>

#define ACCESS_BYTE     5               /* of a descriptor: type, DPL, P */
#define ACCESS_P        0x80

uint8_t memory[MEMORY_SIZE] ALIGNED(4096);
struct vcpu vcpu;
struct interp interp;

void
put_gate(uint32_t at, unsigned type, unsigned dpl, uint32_t offset)
{
    struct gate gate = {
        .offset_low = offset & UINT16_MAX, .selector = SEL_CODE_0,
        .type = type, .dpl = dpl, .p = 1, .offset_high = offset >> 16,
    };

    memcpy(memory + at, &gate, sizeof(gate));
}

void
put_vector(unsigned vector, unsigned type, uint32_t offset)
{
    put_gate(AT_IDT + vector * sizeof(struct gate), type, 3, offset);
}

struct segdesc *
put_descriptor(uint32_t selector, unsigned type, unsigned dpl)
{
    struct segdesc d = SEGDESC_PAGES(0, SEG_LIMIT_4GB, type, dpl);
    uint32_t table = selector & SEL_TI ? AT_LDT : AT_GDT;
    uint8_t *at = memory + table + (selector & ~(SEL_RPL | SEL_TI));

    memcpy(at, &d, sizeof(d));
    return (struct segdesc *)(void *)at;
}

struct segdesc *
put_system(uint32_t selector, unsigned type, uint32_t base, uint32_t limit)
{
    struct segdesc d = SEGDESC_PAGES(base, limit, type, 0);
    uint8_t *at = memory + AT_GDT + (selector & ~SEL_RPL);

    d.s = d.g = d.db = 0;
    memcpy(at, &d, sizeof(d));
    return (struct segdesc *)(void *)at;
}

void
set_limits(enum segment segment, uint32_t base, uint32_t limit)
{
    vcpu.cpu.segment[segment].base = base;
    vcpu.cpu.segment[segment].limit = limit;
    vcpu_derive_segments(&vcpu);
}

static void
put_tables(void)
{
    struct tss *tss = (struct tss *)(void *)(memory + AT_TSS);

    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_CODE_R | SEG_ACCESSED, 0);
    put_descriptor(SEL_DATA_0, SEG_DATA_W | SEG_ACCESSED, 0);
    put_descriptor(SEL_CODE_3, SEG_CODE | SEG_CODE_R | SEG_ACCESSED, 3);
    put_descriptor(SEL_DATA_3, SEG_DATA_W | SEG_ACCESSED, 3);
    put_descriptor(SEL_ABSENT, SEG_DATA_W, 0);
    memory[AT_GDT + SEL_ABSENT + ACCESS_BYTE] &= (uint8_t)~ACCESS_P;
    put_gate(AT_GDT + (SEL_GATE & ~SEL_RPL), SYS_CALL32, 3, AT_HANDLER);
    put_gate(AT_GDT + SEL_TASK, SYS_TASK_GATE, 3, 0);
    tss->esp0 = AT_STACK_0;
    tss->ss0 = SEL_DATA_0;
    tss->iomap = sizeof(*tss);
}

void
system_start(unsigned cpl, const char *code, size_t size)
{
    memset(memory, 0, sizeof(memory));
    fake_guest_reset(0, MEMORY_SIZE, memory);
    fake_guest_flat(&vcpu, cpl);
    interp_init(&interp, &vcpu);
    put_tables();
    vcpu.cpu.gdtr = (struct guest_table){ AT_GDT, 0xff };
    vcpu.cpu.idtr = (struct guest_table){ AT_IDT, 0x7ff };
    vcpu.cpu.tr = (struct guest_segment){
        .selector = SEL_TSS, .rights = RIGHTS_P | SYS_TSS32_BUSY,
        .base = AT_TSS, .limit = sizeof(struct tss) + 32,
    };
    vcpu.cpu.ldtr = (struct guest_segment){
        .selector = SEL_FREE_2, .rights = RIGHTS_P | SYS_LDT,
        .base = AT_LDT, .limit = 0x3f,
    };
    for (unsigned n = 0; n < SEG_NONE; n++)
        vcpu.cpu.segment[n].selector = cpl ? SEL_DATA_3 : SEL_DATA_0;
    vcpu.cpu.segment[SEG_CS].selector = cpl ? SEL_CODE_3 : SEL_CODE_0;
    vcpu.cpu.segment[SEG_CS].rights |= SEG_CODE_R;
    vcpu_derive_segments(&vcpu);
    vcpu.cpu.gpr[GPR_ESP] = AT_STACK;
    vcpu.cpu.eip = AT_CODE;
    memcpy(memory + AT_CODE, code, size);
}

uint32_t
get32(uint32_t at)
{
    uint32_t value;

    memcpy(&value, memory + at, sizeof(value));
    return value;
}

uint32_t
get16(uint32_t at)
{
    return get32(at) & UINT16_MAX;
}

void
put32(uint32_t at, uint32_t value)
{
    memcpy(memory + at, &value, sizeof(value));
}
