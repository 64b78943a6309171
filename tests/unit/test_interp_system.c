/*
 * test_interp_system.c - what user code cannot show: gates, stacks of other
 * privilege levels, IRET, real and virtual-8086 mode, privileged instructions.
 *
 * Expected values are the manual's (SDM 3A chapters 5, 6 and 20).
 */
#include "unit/test.h"

#include "kernel/x86/debug.h"
#include "kernel/x86/descriptor.h"
#include "unit/fake_guest.h"

#define MEMORY      0x20000u
#define GDT         0x1000u
#define IDT         0x2000u
#define TSS         0x3000u
#define CODE        0x4000u
#define STACK       0x8000u         /* grows down */
#define STACK_0     0x9000u         /* of ring 0, in the TSS */
#define HANDLER     0x5000u

enum {
    SEL_CODE_0 = 0x08, SEL_DATA_0 = 0x10, SEL_CODE_3 = 0x1b,
    SEL_DATA_3 = 0x23, SEL_TSS = 0x28, SEL_GATE = 0x33, SEL_ABSENT = 0x38,
    SEL_TASK = 0x40,
};

static uint8_t memory[MEMORY] ALIGNED(4096);
static struct vcpu v;
static struct interp interp;

static void
put_gate(uint32_t at, unsigned type, unsigned dpl, uint32_t offset)
{
    struct gate gate = {
        .offset_low = offset & UINT16_MAX, .selector = SEL_CODE_0,
        .type = type, .dpl = dpl, .p = 1, .offset_high = offset >> 16,
    };

    memcpy(memory + at, &gate, sizeof(gate));
}

static void
put_descriptor(uint32_t selector, unsigned type, unsigned dpl)
{
    struct segdesc d = SEGDESC_PAGES(0, SEG_LIMIT_4GB, type, dpl);

    memcpy(memory + GDT + (selector & ~7u), &d, sizeof(d));
}

static struct guest_segment
flat(unsigned selector, unsigned type)
{
    struct guest_segment s = {
        .selector = (uint16_t)selector, .limit = UINT32_MAX,
        .rights = (uint16_t)(RIGHTS_P | RIGHTS_S | RIGHTS_DB | RIGHTS_G |
                             type | (selector & 3) << 5),
    };

    return s;
}

/* Protected mode at CPL, tables set up, CODE at EIP. */
static void
start(unsigned cpl, const char *code, size_t size)
{
    struct tss *tss = (struct tss *)(void *)(memory + TSS);

    memset(memory, 0, sizeof(memory));
    fake_guest_reset(0, MEMORY, memory);
    fake_guest_flat(&v, cpl);
    interp_init(&interp, &v);
    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_CODE_R, 0);
    put_descriptor(SEL_DATA_0, SEG_DATA_W, 0);
    put_descriptor(SEL_CODE_3, SEG_CODE | SEG_CODE_R, 3);
    put_descriptor(SEL_DATA_3, SEG_DATA_W, 3);
    put_descriptor(SEL_ABSENT, SEG_DATA_W, 0);
    memory[GDT + SEL_ABSENT + 5] &= 0x7f;
    put_gate(GDT + (SEL_GATE & ~7), SYS_CALL32, 3, HANDLER);
    put_gate(GDT + SEL_TASK, SYS_TASK_GATE, 3, 0);
    tss->esp0 = STACK_0;
    tss->ss0 = SEL_DATA_0;
    tss->iomap = sizeof(*tss);
    v.cpu.gdtr = (struct guest_table){ GDT, 0xff };
    v.cpu.idtr = (struct guest_table){ IDT, 0x7ff };
    v.cpu.tr = (struct guest_segment){
        .selector = SEL_TSS, .rights = RIGHTS_P | SYS_TSS32_BUSY,
        .base = TSS, .limit = sizeof(*tss) + 32,
    };
    v.cpu.segment[SEG_CS] = flat(cpl ? SEL_CODE_3 : SEL_CODE_0,
                                 SEG_CODE | SEG_CODE_R | SEG_ACCESSED);
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (n != SEG_CS)
            v.cpu.segment[n] = flat(cpl ? SEL_DATA_3 : SEL_DATA_0,
                                    SEG_DATA_W | SEG_ACCESSED);
    vcpu_derive_segments(&v);
    v.cpu.gpr[GPR_ESP] = STACK;
    v.cpu.eip = CODE;
    memcpy(memory + CODE, code, size);
}

#define START(cpl, code) start(cpl, code, sizeof(code) - 1)

static uint32_t
dword(uint32_t at)
{
    uint32_t value;

    memcpy(&value, memory + at, sizeof(value));
    return value;
}

static void
expect_fault(unsigned vector, uint32_t error)
{
    assert_int_equal(interp_step(&v), INTERP_FAULT);
    assert_int_equal(v.fault.vector, vector);
    assert_int_equal(v.fault.error, error);
    assert_int_equal(v.cpu.eip, CODE);
}

/* INT 0x80 from ring 3 to ring 0 and back by IRET. */
static void
int_and_iret(void **state)
{
    (void)state;
    START(3, "\xcd\x80");
    put_gate(IDT + 8 * 0x80, SYS_INT32, 3, HANDLER);
    memory[HANDLER] = 0xcf;
    v.cpu.eflags |= EFLAGS_IF | EFLAGS_CF;
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.eip, HANDLER);
    assert_int_equal(v.cpu.cpl, 0);
    assert_int_equal(v.cpu.gpr[GPR_ESP], STACK_0 - 20);
    assert_int_equal(dword(STACK_0 - 4), SEL_DATA_3);
    assert_int_equal(dword(STACK_0 - 8), STACK);
    assert_int_equal(dword(STACK_0 - 12),
                     EFLAGS_IF | EFLAGS_CF | EFLAGS_FIXED);
    assert_int_equal(dword(STACK_0 - 16), SEL_CODE_3);
    assert_int_equal(dword(STACK_0 - 20), CODE + 2);
    assert_int_equal(v.cpu.eflags & EFLAGS_IF, 0);
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.eip, CODE + 2);
    assert_int_equal(v.cpu.cpl, 3);
    assert_int_equal(v.cpu.gpr[GPR_ESP], STACK);
    assert_int_equal(v.cpu.segment[SEG_SS].selector, SEL_DATA_3);
    assert_int_equal(v.cpu.eflags, EFLAGS_IF | EFLAGS_CF | EFLAGS_FIXED);

    /* A gate that ring 3 may not use, and one that is not there. */
    START(3, "\xcd\x80");
    put_gate(IDT + 8 * 0x80, SYS_INT32, 0, HANDLER);
    expect_fault(VEC_GP, 0x80 << 3 | 2);
    START(3, "\xcd\x80");
    expect_fault(VEC_GP, 0x80 << 3 | 2);
}

static void
faults_delivered(void **state)
{
    (void)state;
    START(3, "\xf4");
    put_gate(IDT + 8 * VEC_GP, SYS_TRAP32, 0, HANDLER);
    expect_fault(VEC_GP, 0);
    v.cpu.eflags |= EFLAGS_IF;
    assert_int_equal(interp_deliver(&v, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(v.cpu.eip, HANDLER);
    assert_int_equal(dword(v.cpu.gpr[GPR_ESP]), 0);
    assert_int_equal(dword(v.cpu.gpr[GPR_ESP] + 4), CODE);
    assert_true(dword(v.cpu.gpr[GPR_ESP] + 12) & EFLAGS_RF);
    assert_true(v.cpu.eflags & EFLAGS_IF);

    /* No #GP handler: double fault; no handler for that: shutdown. */
    START(3, "\xf4");
    put_gate(IDT + 8 * VEC_DF, SYS_INT32, 0, HANDLER);
    expect_fault(VEC_GP, 0);
    assert_int_equal(interp_deliver(&v, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(v.cpu.eip, HANDLER);
    START(3, "\xf4");
    expect_fault(VEC_GP, 0);
    assert_int_equal(interp_deliver(&v, EVENT_FAULT, 0), INTERP_SHUTDOWN);
    assert_int_equal(v.cpu.activity, ACTIVITY_SHUTDOWN);
}

/* CALL through a gate with two parameters, and RETF that drops them. */
static void
call_gate(void **state)
{
    (void)state;
    START(3, "\x9a\0\0\0\0\x33\0");
    memory[GDT + (SEL_GATE & ~7) + 4] = 2;
    memcpy(memory + HANDLER, "\xca\x08\0", 3);
    v.cpu.gpr[GPR_ESP] = STACK - 8;
    memcpy(memory + STACK - 8, "\1\0\0\0\2\0\0\0", 8);
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.eip, HANDLER);
    assert_int_equal(v.cpu.cpl, 0);
    assert_int_equal(v.cpu.gpr[GPR_ESP], STACK_0 - 24);
    assert_int_equal(dword(STACK_0 - 12), 2);
    assert_int_equal(dword(STACK_0 - 16), 1);
    assert_int_equal(dword(STACK_0 - 24), CODE + 7);
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.eip, CODE + 7);
    assert_int_equal(v.cpu.cpl, 3);
    assert_int_equal(v.cpu.gpr[GPR_ESP], STACK);

    START(3, "\x9a\0\0\0\0\x43\0");
    assert_int_equal(interp_step(&v), INTERP_REFUSED);
    assert_non_null(interp.refusal);
    assert_int_equal(v.cpu.eip, CODE);
}

/* IRET to virtual-8086 mode, and an interrupt back out of it. */
static void
v86(void **state)
{
    static const uint32_t frame[] = {
        0x10, 0x100, EFLAGS_VM | EFLAGS_IF | EFLAGS_FIXED, 0x800,
        0x200, 0x300, 0x400, 0x500, 0x600,
    };

    (void)state;
    START(0, "\xcf");
    put_gate(IDT + 8 * VEC_GP, SYS_INT32, 0, HANDLER);
    v.cpu.gpr[GPR_ESP] = STACK;
    memcpy(memory + STACK, frame, sizeof(frame));
    memcpy(memory + 0x1010, "\xfa", 1);             /* cli, at 100:10 */
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.cpl, 3);
    assert_int_equal(v.cpu.eip, 0x10);
    assert_int_equal(v.cpu.segment[SEG_CS].base, 0x1000);
    assert_int_equal(v.cpu.segment[SEG_SS].base, 0x2000);
    assert_int_equal(v.cpu.segment[SEG_GS].selector, 0x600);
    assert_int_equal(interp_step(&v), INTERP_FAULT);
    assert_int_equal(v.fault.vector, VEC_GP);
    assert_int_equal(interp_deliver(&v, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(v.cpu.eip, HANDLER);
    assert_int_equal(v.cpu.cpl, 0);
    assert_int_equal(v.cpu.eflags & EFLAGS_VM, 0);
    assert_int_equal(v.cpu.segment[SEG_DS].rights, 0);
    assert_int_equal(dword(STACK_0 - 4), 0x600);
    assert_int_equal(dword(STACK_0 - 24), 0x800);
    assert_int_equal(dword(STACK_0 - 32), 0x100);
}

/* Power-on real mode: INT through the vector table, IRET back. */
static void
real_mode(void **state)
{
    (void)state;
    START(0, "");
    vcpu_reset(&v);
    interp_init(&interp, &v);
    v.cpu.segment[SEG_CS].selector = 0;
    v.cpu.segment[SEG_CS].base = 0;
    v.cpu.eip = CODE;
    v.cpu.gpr[GPR_ESP] = 0x7000;
    memcpy(memory + CODE, "\xcd\x10", 2);
    memcpy(memory + 4 * 0x10, "\x00\x50\x00\x00", 4);
    memory[HANDLER] = 0xcf;
    v.cpu.eflags |= EFLAGS_IF;
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.eip, HANDLER);
    assert_int_equal(v.cpu.gpr[GPR_ESP], 0x6ffa);
    assert_int_equal(v.cpu.eflags & EFLAGS_IF, 0);
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.eip, CODE + 2);
    assert_true(v.cpu.eflags & EFLAGS_IF);
}

static void
privilege(void **state)
{
    static const char codes[][4] = {
        "\x0f\x20\xc0", "\x0f\x22\xd8", "\x0f\x01\x10", "\x0f\x00\xd0",
        "\x0f\x06", "\x0f\x30", "\x0f\x32", "\xf4", "\xfa", "\x0f\x09",
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(codes); n++) {
        start(3, codes[n], 3);
        expect_fault(VEC_GP, 0);
    }
    START(3, "\xec");                       /* allowed by the bitmap */
    v.cpu.gpr[GPR_EDX] = 0x21;
    fake_guest.in_value = 0x5a;
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.gpr[GPR_EAX] & 0xff, 0x5a);
    START(3, "\xec");
    v.cpu.gpr[GPR_EDX] = 0x21;
    memory[TSS + sizeof(struct tss) + 4] = 2;
    expect_fault(VEC_GP, 0);
}

static void
segments(void **state)
{
    (void)state;
    START(0, "\x8e\xd8");                   /* mov %ax,%ds */
    v.cpu.gpr[GPR_EAX] = SEL_ABSENT;
    expect_fault(VEC_NP, SEL_ABSENT);
    v.cpu.gpr[GPR_EAX] = 0x100;
    expect_fault(VEC_GP, 0x100);
    v.cpu.gpr[GPR_EAX] = 0;
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.segment[SEG_DS].allow, 0);
    START(0, "\x8e\xd0");                   /* mov %ax,%ss */
    v.cpu.gpr[GPR_EAX] = 0;
    expect_fault(VEC_GP, 0);
    v.cpu.gpr[GPR_EAX] = SEL_DATA_3;
    expect_fault(VEC_GP, SEL_DATA_3 & ~3);
    v.cpu.gpr[GPR_EAX] = SEL_DATA_0;
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.block, BLOCK_MOV_SS);
    START(0, "\x8b\x03");                   /* mov (%ebx),%eax */
    v.cpu.segment[SEG_DS].limit = 0xfff;
    vcpu_derive_segments(&v);
    v.cpu.gpr[GPR_EBX] = 0xffd;
    expect_fault(VEC_GP, 0);
}

static void
single_step_and_shadow(void **state)
{
    (void)state;
    START(0, "\xfb\x90");
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.block, BLOCK_STI);
    v.cpu.eflags |= EFLAGS_TF;
    assert_int_equal(interp_step(&v), INTERP_OK);
    assert_int_equal(v.cpu.block, 0);
    assert_int_equal(v.cpu.pending_debug, DR6_BS);
    START(0, "\xf4");
    assert_int_equal(interp_step(&v), INTERP_HALTED);
    assert_int_equal(v.cpu.eip, CODE + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_and_iret),
        cmocka_unit_test(faults_delivered),
        cmocka_unit_test(call_gate),
        cmocka_unit_test(v86),
        cmocka_unit_test(real_mode),
        cmocka_unit_test(privilege),
        cmocka_unit_test(segments),
        cmocka_unit_test(single_step_and_shadow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
