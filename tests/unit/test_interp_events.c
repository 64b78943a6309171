/*
 * test_interp_events.c - interrupts and exceptions, by the manual (SDM 3A
 * chapter 6): gates of both sizes, stacks from both kinds of TSS, error codes,
 * faults within deliveries, virtual-8086 mode, double faults and shutdown.
 */
#include "unit/fake_system.h"

#include "kernel/x86/debug.h"

#define ERROR_EXT   1u
#define ERROR_IDT   2u

static struct gate *
gate_of(unsigned vector)
{
    return (struct gate *)(void *)(memory + AT_IDT + 8 * vector);
}

static void
deliver_external(unsigned vector)
{
    assert_int_equal(interp_deliver(&vcpu, EVENT_EXTERNAL, vector),
                     INTERP_OK);
}

/* A 16-bit interrupt gate to the same level pushes words. */
static void
gate_16_same_level(void **state)
{
    (void)state;
    START(0, "\x90");
    put_vector(0x21, SYS_INT16, AT_HANDLER | 0xdead0000);
    vcpu.cpu.eflags |= EFLAGS_IF | EFLAGS_CF;
    deliver_external(0x21);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK - 6);
    assert_int_equal(get16(AT_STACK - 2), EFLAGS_IF | EFLAGS_CF | 2);
    assert_int_equal(get16(AT_STACK - 4), SEL_CODE_0);
    assert_int_equal(get16(AT_STACK - 6), AT_CODE);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_IF, 0);
}

/* To ring 0 by a 16-bit gate, with the stack of a 16-bit TSS. */
static void
tss_16(void **state)
{
    (void)state;
    START(3, "\xf4");
    put_vector(VEC_GP, SYS_TRAP16, AT_HANDLER);
    vcpu.cpu.tr.rights = RIGHTS_P | SYS_TSS16_BUSY;
    vcpu.cpu.tr.limit = 0x2b;
    put32(AT_TSS + 2, AT_STACK_0 | SEL_DATA_0 << 16);
    expect_fault(VEC_GP, 0);
    vcpu.cpu.eflags |= EFLAGS_IF;
    deliver_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0 - 12);
    assert_int_equal(get16(AT_STACK_0 - 2), SEL_DATA_3);
    assert_int_equal(get16(AT_STACK_0 - 4), AT_STACK);
    assert_int_equal(get16(AT_STACK_0 - 8), SEL_CODE_3);
    assert_int_equal(get16(AT_STACK_0 - 10), AT_CODE);
    assert_int_equal(get16(AT_STACK_0 - 12), 0);
    assert_true(vcpu.cpu.eflags & EFLAGS_IF);
    assert_int_equal(vcpu.cpu.cpl, 0);
}

static void
expect_software_fault(unsigned vector, uint32_t error)
{
    expect_fault(vector, error);
    system_start(3, "\xcd\x80", 2);
    put_vector(0x80, SYS_INT32, AT_HANDLER);
}

/* What may be wrong with a gate, its code segment and the new stack. */
static void
error_codes(void **state)
{
    struct tss *tss = (struct tss *)(void *)(memory + AT_TSS);

    (void)state;
    START(3, "\xcd\x80");
    expect_software_fault(VEC_GP, 0x80 << 3 | ERROR_IDT);
    gate_of(0x80)->p = 0;
    expect_software_fault(VEC_NP, 0x80 << 3 | ERROR_IDT);
    gate_of(0x80)->dpl = 2;
    gate_of(0x80)->p = 0;                       /* the privilege is first */
    expect_software_fault(VEC_GP, 0x80 << 3 | ERROR_IDT);
    gate_of(0x80)->selector = 3;
    expect_software_fault(VEC_GP, 0);
    gate_of(0x80)->selector = 0x100;
    expect_software_fault(VEC_GP, 0x100);
    gate_of(0x80)->selector = SEL_DATA_0;
    expect_software_fault(VEC_GP, SEL_DATA_0);
    put_descriptor(SEL_CODE_0, SEG_CODE, 0)->p = 0;
    expect_software_fault(VEC_NP, SEL_CODE_0);
    vcpu.cpu.idtr.limit = 0x80 * 8 + 6;
    expect_software_fault(VEC_GP, 0x80 << 3 | ERROR_IDT);
    vcpu.cpu.tr.limit = 10;
    expect_software_fault(VEC_TS, SEL_TSS);
    tss->ss0 = 0;
    expect_software_fault(VEC_TS, 0);
    tss->ss0 = SEL_DATA_0 | 1;
    expect_software_fault(VEC_TS, SEL_DATA_0);
    tss->ss0 = SEL_CODE_0;
    expect_software_fault(VEC_TS, SEL_CODE_0);
    put_descriptor(SEL_DATA_0, 0, 0);           /* read-only */
    expect_software_fault(VEC_TS, SEL_DATA_0);
    tss->ss0 = SEL_ABSENT;
    expect_software_fault(VEC_SS, SEL_ABSENT);
    tss->ss0 = 0x100;
    expect_software_fault(VEC_TS, 0x100);
    put_descriptor(SEL_CODE_0, SEG_CODE, 0)->g = 0;
    gate_of(0x80)->offset_high = 0x10;
    expect_software_fault(VEC_GP, 0);
}

/* In a delivery from outside, the same with EXT. */
static void
external_errors(void **state)
{
    (void)state;
    START(0, "\x90");
    put_vector(VEC_GP, SYS_INT32, AT_HANDLER);
    deliver_external(0x30);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(get32(vcpu.cpu.gpr[GPR_ESP]),
                     0x30 << 3 | ERROR_IDT | ERROR_EXT);
    /* The stack of ring 0 has no room: #SS with its selector. */
    START(3, "\x90");
    put_vector(0x30, SYS_INT32, AT_CODE);
    put_vector(VEC_TS, SYS_INT32, AT_HANDLER);
    vcpu.cpu.tr.limit = 4;
    assert_int_equal(interp_deliver(&vcpu, EVENT_EXTERNAL, 0x30),
                     INTERP_SHUTDOWN);
}

/* A stack in the TSS with no room is #SS with the new SS's selector. */
static void
stack_without_room(void **state)
{
    (void)state;
    START(3, "\xcd\x80");
    put_vector(0x80, SYS_INT32, AT_HANDLER);
    put_descriptor(SEL_DATA_0, SEG_DATA_W | SEG_ACCESSED, 0)->g = 0;
    put32(AT_TSS + 4, 0x10);
    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_ACCESSED, 0);
    expect_fault(VEC_SS, SEL_DATA_0);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].selector, SEL_DATA_3);
}

/* A page fault while an interrupt is delivered: not a user's access. */
static void
page_fault_in_delivery(void **state)
{
    (void)state;
    START(3, "\x90");
    put_vector(0x30, SYS_INT32, AT_CODE);
    put_vector(VEC_PF, SYS_INT32, AT_HANDLER);
    gate_of(VEC_PF)->dpl = 0;
    fake_guest.no_write[(AT_STACK_0 - 4) / PAGE_SIZE] = 1;
    vcpu.fault.vector = 0;
    /* The handler's stack is the same: a double fault, then shutdown. */
    assert_int_equal(interp_deliver(&vcpu, EVENT_EXTERNAL, 0x30),
                     INTERP_SHUTDOWN);
    assert_int_equal(vcpu.cpu.cr2, AT_STACK_0 - 4);
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK);
    /* As an instruction's own fault it can be seen. */
    START(3, "\xcd\x80");
    put_vector(0x80, SYS_INT32, AT_CODE);
    fake_guest.no_write[(AT_STACK_0 - 4) / PAGE_SIZE] = 1;
    expect_fault(VEC_PF, 3);
    assert_int_equal(gla_raw(vcpu.fault.address), AT_STACK_0 - 4);
}

/* Table 6-5: which pairs of exceptions make a double fault. */
static void
double_faults(void **state)
{
    static const struct {
        uint8_t first;
        bool pf_is_double;      /* a page fault second */
        bool gp_is_double;      /* a contributory exception second */
    } rows[] = {
        { VEC_UD, false, false }, { VEC_NM, false, false },
        { VEC_DE, false, true }, { VEC_TS, false, true },
        { VEC_NP, false, true }, { VEC_SS, false, true },
        { VEC_GP, false, true }, { VEC_PF, true, true },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        START(0, "\x90");
        put_vector(rows[n].gp_is_double ? VEC_DF : VEC_NP, SYS_INT32,
                   AT_HANDLER);
        put_vector(rows[n].first, SYS_INT32, AT_CODE);
        gate_of(rows[n].first)->p = 0;          /* #NP in delivery */
        if (rows[n].first == VEC_NP)
            gate_of(VEC_NP)->selector = 0;      /* or #GP */
        vcpu_fault(&vcpu, rows[n].first);
        deliver_ok();
        START(0, "\x90");
        put_vector(rows[n].pf_is_double ? VEC_DF : VEC_PF, SYS_INT32,
                   AT_HANDLER);
        /* Its code segment's descriptor is on a page that is not there. */
        put_vector(rows[n].first, SYS_INT32, AT_CODE);
        gate_of(rows[n].first)->selector = SEL_FREE | SEL_TI;
        vcpu.cpu.ldtr.base = MEMORY_SIZE - 0x48;
        vcpu.cpu.ldtr.limit = 0xff;
        vcpu_fault(&vcpu, rows[n].first);
        deliver_ok();
        assert_int_equal(vcpu.cpu.cr2, MEMORY_SIZE);
    }
}

/* Interrupt, #NP, #PF, #GP, double fault: all in one. */
static void
longest_chain(void **state)
{
    (void)state;
    START(0, "\x90");
    put_vector(0x30, SYS_INT32, AT_CODE);
    gate_of(0x30)->p = 0;
    put_vector(VEC_NP, SYS_INT32, AT_CODE);
    gate_of(VEC_NP)->selector = SEL_FREE | SEL_TI;
    vcpu.cpu.ldtr.base = MEMORY_SIZE - 0x48;
    vcpu.cpu.ldtr.limit = 0xff;
    put_vector(VEC_DF, SYS_INT32, AT_HANDLER);
    deliver_external(0x30);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(get32(vcpu.cpu.gpr[GPR_ESP]), 0);
    assert_int_equal(get32(vcpu.cpu.gpr[GPR_ESP] + 4), AT_CODE);
}

/* From virtual-8086 mode: only to ring 0, and not to conforming code. */
static void
from_v86(void **state)
{
    (void)state;
    START(3, "\xcc");
    vcpu.cpu.eflags |= EFLAGS_VM | EFLAGS_IOPL;
    for (unsigned n = 0; n < SEG_NONE; n++)
        set_limits(n, 0, UINT16_MAX);
    vcpu.cpu.segment[SEG_CS].rights &= (uint16_t)~RIGHTS_DB;
    put_vector(VEC_BP, SYS_INT32, AT_HANDLER);
    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_ACCESSED, 3);
    expect_fault(VEC_GP, SEL_CODE_0);
    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_CODE_C | SEG_ACCESSED, 0);
    expect_fault(VEC_GP, SEL_CODE_0);
    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_ACCESSED, 0);
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0 - 36);
    assert_true(get32(AT_STACK_0 - 28) & EFLAGS_VM);
    /* INT n needs IOPL 3, INT3 does not. */
    START(3, "\xcd\x80");
    vcpu.cpu.eflags |= EFLAGS_VM;
    vcpu_derive_segments(&vcpu);
    put_vector(0x80, SYS_INT32, AT_HANDLER);
    expect_fault(VEC_GP, 0);
}

/* IRET to virtual-8086 mode: from CPL 0 only, and EIP has 16 bits. */
static void
to_v86(void **state)
{
    const uint32_t frame[] = {
        0x10000, 0x100, EFLAGS_VM | EFLAGS_IOPL | EFLAGS_FIXED, 0x12345678,
        0x200, 0x300, 0x400, 0x500, 0x600,
    };

    (void)state;
    START(0, "\xcf");
    memcpy(memory + AT_STACK, frame, sizeof(frame));
    expect_fault(VEC_GP, 0);
    put32(AT_STACK, 0xffff);
    step_ok();
    assert_int_equal(vcpu.cpu.eip, 0xffff);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], 0x12345678);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].limit, UINT16_MAX);
    assert_int_equal(vcpu.cpu.segment[SEG_DS].base, 0x4000);
    /* At CPL 3 the image of VM says nothing. */
    START(3, "\xcf");
    memcpy(memory + AT_STACK, frame, sizeof(frame));
    put32(AT_STACK + 4, SEL_CODE_3);
    step_ok();
    assert_int_equal(vcpu.cpu.eip, 0x10000);
    assert_int_equal(vcpu.cpu.eflags, EFLAGS_FIXED);
}

/* A conforming handler runs at the interrupted level, on its stack. */
static void
conforming_handler(void **state)
{
    (void)state;
    START(3, "\xcc");
    put_vector(VEC_BP, SYS_INT32, AT_HANDLER);
    put_descriptor(SEL_CODE_0, SEG_CODE | SEG_CODE_C, 0);
    step_ok();
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.segment[SEG_CS].selector, SEL_CODE_0 | 3);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK - 12);
}

static void
task_gate(void **state)
{
    (void)state;
    START(0, "\x90");
    put_vector(VEC_DF, SYS_TASK_GATE, 0);
    vcpu_fault_error(&vcpu, VEC_DF, 0);
    assert_int_equal(interp_deliver(&vcpu, EVENT_FAULT, 0), INTERP_REFUSED);
    assert_non_null(interp.refusal);
    START(0, "\xcf");
    vcpu.cpu.eflags |= EFLAGS_NT;
    assert_int_equal(interp_step(&vcpu), INTERP_REFUSED);
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
}

/* What a boundary brings: traps, NMI, interrupt; and what holds them off. */
static void
boundary(void **state)
{
    (void)state;
    START(0, "\x90\xcf");
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NONE);
    vcpu.cpu.eflags |= EFLAGS_IF;
    assert_int_equal(vcpu_pending(&vcpu, false), PENDING_NONE);
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_INTERRUPT);
    vcpu.cpu.block = BLOCK_STI;
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NONE);
    vcpu.cpu.pending_nmi = 1;
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NMI);
    vcpu.cpu.pending_debug = DR6_BS;
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_DEBUG);
    vcpu.cpu.block = BLOCK_MOV_SS;
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NONE);
    vcpu.cpu.block = 0;
    vcpu.cpu.pending_debug = 0;
    /* An NMI blocks the next until IRET. */
    put_vector(VEC_NMI, SYS_INT32, AT_CODE + 1);
    deliver_external(VEC_NMI);
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NONE);
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NMI);
}

/* The vector table of real mode, its limit, and no error codes. */
static void
real_mode(void **state)
{
    (void)state;
    START(0, "\x9b");
    vcpu_reset(&vcpu);
    interp_init(&interp, &vcpu);
    vcpu.cpu.eflags |= EFLAGS_AC | EFLAGS_IF;
    vcpu.cpu.gpr[GPR_ESP] = AT_STACK;
    put32(4 * VEC_GP, AT_HANDLER | 0x10 << 16);
    vcpu_fault_error(&vcpu, VEC_GP, 0);
    deliver_ok();
    assert_int_equal(vcpu.cpu.segment[SEG_CS].base, 0x100);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK - 6);
    assert_int_equal(get16(AT_STACK - 6), 0xfff0);
    assert_int_equal(get16(AT_STACK - 4), 0xf000);
    assert_int_equal(vcpu.cpu.eflags & (EFLAGS_AC | EFLAGS_IF), 0);
    vcpu.cpu.idtr.limit = 4 * 0x30 + 2;
    put32(4 * VEC_GP, AT_HANDLER | 0x20 << 16);
    deliver_external(0x30);
    assert_int_equal(vcpu.cpu.segment[SEG_CS].base, 0x200);
    vcpu.cpu.idtr.limit = 0;
    assert_int_equal(interp_deliver(&vcpu, EVENT_EXTERNAL, 0x30),
                     INTERP_SHUTDOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_16_same_level),
        cmocka_unit_test(tss_16),
        cmocka_unit_test(error_codes),
        cmocka_unit_test(external_errors),
        cmocka_unit_test(stack_without_room),
        cmocka_unit_test(page_fault_in_delivery),
        cmocka_unit_test(double_faults),
        cmocka_unit_test(longest_chain),
        cmocka_unit_test(from_v86),
        cmocka_unit_test(to_v86),
        cmocka_unit_test(conforming_handler),
        cmocka_unit_test(task_gate),
        cmocka_unit_test(boundary),
        cmocka_unit_test(real_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
