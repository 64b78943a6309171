/*
 * test_interp_system.c - what user code cannot show: gates, stacks of other
 * privilege levels, IRET, real and virtual-8086 mode, privileged instructions.
 *
 * Expected values are the manual's (SDM 3A chapters 5, 6 and 20).
 */
#include "unit/fake_system.h"

#include "kernel/x86/debug.h"

/* INT 0x80 from ring 3 to ring 0 and back by IRET. */
static void
int_and_iret(void **state)
{
    (void)state;
    START(3, "\xcd\x80");
    put_gate(AT_IDT + 8 * 0x80, SYS_INT32, 3, AT_HANDLER);
    memory[AT_HANDLER] = 0xcf;
    vcpu.cpu.eflags |= EFLAGS_IF | EFLAGS_CF;
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.cpl, 0);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0 - 20);
    assert_int_equal(get32(AT_STACK_0 - 4), SEL_DATA_3);
    assert_int_equal(get32(AT_STACK_0 - 8), AT_STACK);
    assert_int_equal(get32(AT_STACK_0 - 12),
                     EFLAGS_IF | EFLAGS_CF | EFLAGS_FIXED);
    assert_int_equal(get32(AT_STACK_0 - 16), SEL_CODE_3);
    assert_int_equal(get32(AT_STACK_0 - 20), AT_CODE + 2);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_IF, 0);
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 2);
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].selector, SEL_DATA_3);
    assert_int_equal(vcpu.cpu.eflags, EFLAGS_IF | EFLAGS_CF | EFLAGS_FIXED);

    /* A gate that ring 3 may not use, and one that is not there. */
    START(3, "\xcd\x80");
    put_gate(AT_IDT + 8 * 0x80, SYS_INT32, 0, AT_HANDLER);
    expect_fault(VEC_GP, 0x80 << 3 | 2);
    START(3, "\xcd\x80");
    expect_fault(VEC_GP, 0x80 << 3 | 2);
}

static void
faults_delivered(void **state)
{
    (void)state;
    START(3, "\xf4");
    put_gate(AT_IDT + 8 * VEC_GP, SYS_TRAP32, 0, AT_HANDLER);
    expect_fault(VEC_GP, 0);
    vcpu.cpu.eflags |= EFLAGS_IF;
    assert_int_equal(interp_deliver(&vcpu, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(get32(vcpu.cpu.gpr[GPR_ESP]), 0);
    assert_int_equal(get32(vcpu.cpu.gpr[GPR_ESP] + 4), AT_CODE);
    assert_true(get32(vcpu.cpu.gpr[GPR_ESP] + 12) & EFLAGS_RF);
    assert_true(vcpu.cpu.eflags & EFLAGS_IF);

    /* No #GP handler: double fault; no handler for that: shutdown. */
    START(3, "\xf4");
    put_gate(AT_IDT + 8 * VEC_DF, SYS_INT32, 0, AT_HANDLER);
    expect_fault(VEC_GP, 0);
    assert_int_equal(interp_deliver(&vcpu, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    START(3, "\xf4");
    expect_fault(VEC_GP, 0);
    assert_int_equal(interp_deliver(&vcpu, EVENT_FAULT, 0), INTERP_SHUTDOWN);
    assert_int_equal(vcpu.cpu.activity, ACTIVITY_SHUTDOWN);
}

/* CALL through a gate with two parameters, and RETF that drops them. */
static void
call_gate(void **state)
{
    (void)state;
    START(3, "\x9a\0\0\0\0\x33\0");
    memory[AT_GDT + (SEL_GATE & ~7) + 4] = 2;
    memcpy(memory + AT_HANDLER, "\xca\x08\0", 3);
    vcpu.cpu.gpr[GPR_ESP] = AT_STACK - 8;
    memcpy(memory + AT_STACK - 8, "\1\0\0\0\2\0\0\0", 8);
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.cpl, 0);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0 - 24);
    assert_int_equal(get32(AT_STACK_0 - 12), 2);
    assert_int_equal(get32(AT_STACK_0 - 16), 1);
    assert_int_equal(get32(AT_STACK_0 - 24), AT_CODE + 7);
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 7);
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK);

    START(3, "\x9a\0\0\0\0\x43\0");
    assert_int_equal(interp_step(&vcpu), INTERP_REFUSED);
    assert_non_null(interp.refusal);
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
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
    put_gate(AT_IDT + 8 * VEC_GP, SYS_INT32, 0, AT_HANDLER);
    vcpu.cpu.gpr[GPR_ESP] = AT_STACK;
    memcpy(memory + AT_STACK, frame, sizeof(frame));
    memcpy(memory + 0x1010, "\xfa", 1);             /* cli, at 100:10 */
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.eip, 0x10);
    assert_int_equal(vcpu.cpu.segment[SEG_CS].base, 0x1000);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].base, 0x2000);
    assert_int_equal(vcpu.cpu.segment[SEG_GS].selector, 0x600);
    assert_int_equal(interp_step(&vcpu), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, VEC_GP);
    assert_int_equal(interp_deliver(&vcpu, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.cpl, 0);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_VM, 0);
    assert_int_equal(vcpu.cpu.segment[SEG_DS].rights, 0);
    assert_int_equal(get32(AT_STACK_0 - 4), 0x600);
    assert_int_equal(get32(AT_STACK_0 - 24), 0x800);
    assert_int_equal(get32(AT_STACK_0 - 32), 0x100);
}

/* Power-on real mode: INT through the vector table, IRET back. */
static void
real_mode(void **state)
{
    (void)state;
    START(0, "");
    vcpu_reset(&vcpu);
    interp_init(&interp, &vcpu);
    vcpu.cpu.segment[SEG_CS].selector = 0;
    vcpu.cpu.segment[SEG_CS].base = 0;
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.gpr[GPR_ESP] = 0x7000;
    memcpy(memory + AT_CODE, "\xcd\x10", 2);
    memcpy(memory + 4 * 0x10, "\x00\x50\x00\x00", 4);
    memory[AT_HANDLER] = 0xcf;
    vcpu.cpu.eflags |= EFLAGS_IF;
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], 0x6ffa);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_IF, 0);
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 2);
    assert_true(vcpu.cpu.eflags & EFLAGS_IF);
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
        system_start(3, codes[n], 3);
        expect_fault(VEC_GP, 0);
    }
    START(3, "\xec");                       /* allowed by the bitmap */
    vcpu.cpu.gpr[GPR_EDX] = 0x21;
    fake_guest.in_value = 0x5a;
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX] & 0xff, 0x5a);
    START(3, "\xec");
    vcpu.cpu.gpr[GPR_EDX] = 0x21;
    memory[AT_TSS + sizeof(struct tss) + 4] = 2;
    expect_fault(VEC_GP, 0);
}

static void
segments(void **state)
{
    (void)state;
    START(0, "\x8e\xd8");                   /* mov %ax,%ds */
    vcpu.cpu.gpr[GPR_EAX] = SEL_ABSENT;
    expect_fault(VEC_NP, SEL_ABSENT);
    vcpu.cpu.gpr[GPR_EAX] = 0x100;
    expect_fault(VEC_GP, 0x100);
    vcpu.cpu.gpr[GPR_EAX] = 0;
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.segment[SEG_DS].allow, 0);
    START(0, "\x8e\xd0");                   /* mov %ax,%ss */
    vcpu.cpu.gpr[GPR_EAX] = 0;
    expect_fault(VEC_GP, 0);
    vcpu.cpu.gpr[GPR_EAX] = SEL_DATA_3;
    expect_fault(VEC_GP, SEL_DATA_3 & ~3);
    vcpu.cpu.gpr[GPR_EAX] = SEL_DATA_0;
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.block, BLOCK_MOV_SS);
    START(0, "\x8b\x03");                   /* mov (%ebx),%eax */
    vcpu.cpu.segment[SEG_DS].limit = 0xfff;
    vcpu_derive_segments(&vcpu);
    vcpu.cpu.gpr[GPR_EBX] = 0xffd;
    expect_fault(VEC_GP, 0);
}

static void
single_step_and_shadow(void **state)
{
    (void)state;
    START(0, "\xfb\x90");
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.block, BLOCK_STI);
    vcpu.cpu.eflags |= EFLAGS_TF;
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
    assert_int_equal(vcpu.cpu.block, 0);
    assert_int_equal(vcpu.cpu.pending_debug, DR6_BS);
    START(0, "\xf4");
    assert_int_equal(interp_step(&vcpu), INTERP_HALTED);
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 1);
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
