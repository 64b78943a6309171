/*
 * test_interp_segments.c - descriptors and segments, by the manual: what can be
 * loaded, looked at, reached by far transfers; limits (SDM 3A chapters 3, 5).
 */
#include "unit/fake_system.h"

#define SEL(selector) ((selector) & ~SEL_RPL)

/* Types 0 to 31: system, then code and data. */
static void
put_type(unsigned type, unsigned dpl)
{
    struct segdesc *d = put_descriptor(SEL_FREE, type & 15, dpl);

    d->s = type >> 4;
}

#define LOOK_SIZE   4

/* One of LAR, LSL, VERR, VERW on %ax into %ecx, at CPL 3: its ZF. */
static bool
look(const char *code, uint32_t selector, unsigned type, unsigned dpl)
{
    system_start(3, code, LOOK_SIZE);
    put_type(type, dpl);
    vcpu.cpu.gpr[GPR_EAX] = selector;
    vcpu.cpu.gpr[GPR_ECX] = 0x12345678;
    step_ok();
    return (vcpu.cpu.eflags & EFLAGS_ZF) != 0;
}

#define LAR     "\x0f\x02\xc8"
#define LSL     "\x0f\x03\xc8"
#define LAR16   "\x66\x0f\x02\xc8"

/* All types: tables in SDM 2 "LAR", "LSL". */
static void
lar_lsl(void **state)
{
    const uint32_t lar = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) |
                         BIT(9) | BIT(11) | BIT(12) | BITS(31, 16);
    const uint32_t lsl = BIT(1) | BIT(2) | BIT(3) | BIT(9) | BIT(11) |
                         BITS(31, 16);

    (void)state;
    for (unsigned type = 0; type < 32; type++) {
        bool is_seen = look(LAR, SEL_FREE | 3, type, 3);

        assert_int_equal(is_seen, (lar & BIT(type)) != 0);
        assert_int_equal(vcpu.cpu.gpr[GPR_ECX],
                         is_seen ? 0xc0e000 | type << 8 : 0x12345678);
        assert_int_equal(look(LSL, SEL_FREE | 3, type, 3),
                         (lsl & BIT(type)) != 0);
        if (lsl & BIT(type))
            assert_int_equal(vcpu.cpu.gpr[GPR_ECX], UINT32_MAX);
        /* Not for this privilege, save conforming code. */
        is_seen = (type & 28) == 28;
        assert_int_equal(look(LAR, SEL_FREE | 3, type, 0), is_seen);
        assert_int_equal(look(LSL, SEL_FREE | 3, type, 0), is_seen);
    }
    look(LAR16, SEL_FREE | 3, 18, 3);
    assert_int_equal(vcpu.cpu.gpr[GPR_ECX], 0x1234f200);
    assert_false(look(LAR, 3, 18, 3));
    assert_false(look(LAR, 0x1000, 18, 3));
}

static void
verr_verw(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 32; type++) {
        bool is_code = (type & 8) != 0, is_rw = (type & 2) != 0;
        bool is_user = type >= 16;

        assert_int_equal(look("\x0f\x00\xe0", SEL_FREE | 3, type, 3),
                         is_user && (!is_code || is_rw));
        assert_int_equal(look("\x0f\x00\xe8", SEL_FREE | 3, type, 3),
                         is_user && !is_code && is_rw);
        assert_int_equal(look("\x0f\x00\xe0", SEL_FREE | 3, type, 0),
                         is_user && (type & 14) == 14);
    }
}

/* DS and SS: what a load of each type says, present or not. */
static void
loads(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 32; type++) {
        bool is_code = (type & 8) != 0, is_rw = (type & 2) != 0;

        START(0, "\x8e\xd8");                   /* mov %ax,%ds */
        put_type(type, 0);
        vcpu.cpu.gpr[GPR_EAX] = SEL_FREE;
        if (type >= 16 && (!is_code || is_rw)) {
            step_ok();
            assert_int_equal(vcpu.cpu.segment[SEG_DS].rights & 0x1f,
                             type | SEG_ACCESSED);
            assert_int_equal(memory[AT_GDT + SEL_FREE + 5] & 1, 1);
        } else {
            expect_fault(VEC_GP, SEL_FREE);
        }
        START(0, "\x8e\xd0");                   /* mov %ax,%ss */
        put_type(type, 0);
        vcpu.cpu.gpr[GPR_EAX] = SEL_FREE;
        if (type >= 16 && !is_code && is_rw)
            step_ok();
        else
            expect_fault(VEC_GP, SEL_FREE);
    }
    START(0, "\x8e\xd0");
    put_descriptor(SEL_FREE, SEG_DATA_W, 0)->p = 0;
    vcpu.cpu.gpr[GPR_EAX] = SEL_FREE;
    expect_fault(VEC_SS, SEL_FREE);
    vcpu.cpu.gpr[GPR_EAX] = SEL_FREE | 3;       /* RPL first */
    expect_fault(VEC_GP, SEL_FREE);
    START(3, "\x8e\xd8");
    put_descriptor(SEL_FREE, SEG_DATA_W, 0)->p = 0;
    vcpu.cpu.gpr[GPR_EAX] = SEL_FREE;           /* privilege first */
    expect_fault(VEC_GP, SEL_FREE);
    /* The LDT, its limit, and none at all. */
    START(0, "\x8e\xd8");
    put_descriptor(SEL_TI | 0x38, SEG_DATA_W, 0);
    vcpu.cpu.gpr[GPR_EAX] = SEL_TI | 0x38;
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.gpr[GPR_EAX] = SEL_TI | 0x40;
    expect_fault(VEC_GP, SEL_TI | 0x40);
    vcpu.cpu.ldtr.rights = 0;
    vcpu.cpu.gpr[GPR_EAX] = SEL_TI | 0x38;
    expect_fault(VEC_GP, SEL_TI | 0x38);
}

static void
ldtr_and_tr(void **state)
{
    (void)state;
    START(0, "\x0f\x00\xd0");                   /* lldt %ax */
    vcpu.cpu.gpr[GPR_EAX] = SEL_TI | 8;
    expect_fault(VEC_GP, SEL_TI | 8);
    vcpu.cpu.gpr[GPR_EAX] = SEL_DATA_0;
    expect_fault(VEC_GP, SEL_DATA_0);
    put_system(SEL_FREE, SYS_LDT, AT_LDT, 0xf)->p = 0;
    vcpu.cpu.gpr[GPR_EAX] = SEL_FREE;
    expect_fault(VEC_NP, SEL_FREE);
    put_system(SEL_FREE, SYS_LDT, AT_LDT, 0xf);
    step_ok();
    assert_int_equal(vcpu.cpu.ldtr.limit, 0xf);
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.gpr[GPR_EAX] = 0;
    step_ok();
    assert_int_equal(vcpu.cpu.ldtr.rights, 0);
    START(0, "\x0f\x00\xd8");                   /* ltr %ax */
    expect_fault(VEC_GP, 0);
    put_system(SEL_FREE, SYS_TSS32_AVAIL, AT_TSS, 0x67)->p = 0;
    vcpu.cpu.gpr[GPR_EAX] = SEL_FREE;
    expect_fault(VEC_NP, SEL_FREE);
    put_system(SEL_FREE, SYS_TSS32_AVAIL, AT_TSS, 0x67);
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    expect_fault(VEC_GP, SEL_FREE);             /* busy now */
    START(3, "\x0f\x00\xd8");
    expect_fault(VEC_GP, 0);
}

/* Read at offset EBX of DS, which BASE and LIMIT are for. */
static void
try_limit(const char *code, uint32_t offset, int vector)
{
    vcpu.cpu.eip = AT_CODE;
    memcpy(memory + AT_CODE, code, strlen(code));
    vcpu.cpu.gpr[GPR_EBX] = offset;
    if (vector < 0)
        step_ok();
    else
        expect_fault((unsigned)vector, 0);
}

#define READ8   "\x8a\x03"
#define READ16  "\x66\x8b\x03"
#define READ32  "\x8b\x03"
#define READ64  "\x0f\xc7\x0b"                  /* cmpxchg8b (%ebx) */

static void
limits(void **state)
{
    struct guest_segment *ds = &vcpu.cpu.segment[SEG_DS];

    (void)state;
    START(0, "");
    set_limits(SEG_DS, AT_DATA, 0x1ff);
    try_limit(READ8, 0x1ff, -1);
    try_limit(READ8, 0x200, VEC_GP);
    try_limit(READ16, 0x1fe, -1);
    try_limit(READ16, 0x1ff, VEC_GP);
    try_limit(READ32, 0x1fc, -1);
    try_limit(READ32, 0x1fd, VEC_GP);
    try_limit(READ64, 0x1f8, -1);
    try_limit(READ64, 0x1f9, VEC_GP);
    try_limit(READ32, UINT32_MAX, VEC_GP);
    /* Expand-down: above the limit, to 64 KB or 4 GB. */
    ds->rights |= SEG_DATA_E;
    set_limits(SEG_DS, AT_DATA, 0x1ff);
    try_limit(READ8, 0x1ff, VEC_GP);
    try_limit(READ8, 0x200, -1);
    try_limit(READ32, 0x1fd, VEC_GP);
    set_limits(SEG_DS, AT_DATA - 0xfffffffc, 0x1ff);
    try_limit(READ32, 0xfffffffc, -1);
    try_limit(READ32, 0xfffffffd, VEC_GP);
    ds->rights &= (uint16_t)~RIGHTS_DB;
    set_limits(SEG_DS, 0, 0x1ff);
    try_limit(READ32, 0xfffc, -1);
    try_limit(READ32, 0xfffd, VEC_GP);
    set_limits(SEG_DS, 0, 0xffff);
    try_limit(READ8, 0xffff, VEC_GP);
    /* Base plus offset wraps at 4 GB. */
    START(0, "");
    set_limits(SEG_DS, 0xfffff000, UINT32_MAX);
    put32(AT_DATA, 0x600d);
    try_limit(READ32, AT_DATA + 0x1000, -1);
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], 0x600d);
    /* Read-only, execute-only, code is not for writing. */
    ds->rights &= (uint16_t)~SEG_DATA_W;
    set_limits(SEG_DS, 0, UINT32_MAX);
    try_limit(READ32, AT_DATA, -1);
    try_limit("\x89\x03", AT_DATA, VEC_GP);
    try_limit("\x01\x03", AT_DATA, VEC_GP);
    try_limit("\x2e\x8b\x03", AT_DATA, -1);
    try_limit("\x2e\x89\x03", AT_DATA, VEC_GP);
    vcpu.cpu.segment[SEG_CS].rights &= (uint16_t)~SEG_CODE_R;
    set_limits(SEG_CS, 0, UINT32_MAX);
    try_limit("\x2e\x8b\x03", AT_DATA, VEC_GP);
    /* Beyond the limit of SS it is #SS. */
    set_limits(SEG_SS, 0, 0xfff);
    try_limit("\x36\x8b\x03", AT_DATA, VEC_SS);
    try_limit("\x50", AT_DATA, VEC_SS);
}

/* The order of faults: limit before page, first operand before second. */
static void
order_of_faults(void **state)
{
    (void)state;
    START(0, "\x8b\x03");
    set_limits(SEG_DS, MEMORY_SIZE, 0xfff);
    vcpu.cpu.gpr[GPR_EBX] = 0x1000;
    expect_fault(VEC_GP, 0);
    vcpu.cpu.gpr[GPR_EBX] = 0xffc;
    expect_fault(VEC_PF, 0);
    /* PUSH (%ebx): the source is read before the stack is touched. */
    START(0, "\xff\x33");
    vcpu.cpu.gpr[GPR_EBX] = MEMORY_SIZE;
    set_limits(SEG_SS, 0, 0xff);
    expect_fault(VEC_PF, 0);
    vcpu.cpu.gpr[GPR_EBX] = AT_DATA;
    expect_fault(VEC_SS, 0);
    /* A CALL's target is checked before its push; code beyond a limit. */
    START(0, "\xe8\x00\x10\x00\x00");
    set_limits(SEG_CS, 0, AT_CODE + 0xff);
    set_limits(SEG_SS, 0, 0xff);
    expect_fault(VEC_GP, 0);
    /* Fetch: the fifth byte is beyond the limit; then on no page. */
    START(0, "\xe9\x00\x00\x00\x00");
    set_limits(SEG_CS, 0, AT_CODE + 3);
    expect_fault(VEC_GP, 0);
    START(0, "");
    memory[MEMORY_SIZE - 1] = 0xe9;
    vcpu.cpu.eip = MEMORY_SIZE - 1;
    expect_fault(VEC_PF, 0);
    assert_int_equal(gla_raw(vcpu.fault.address), MEMORY_SIZE);
    memory[MEMORY_SIZE - 1] = 0x90;
    step_ok();
}

/* Far JMP and CALL, direct: to each privilege, with each RPL. */
static void
far_direct(void **state)
{
    (void)state;
    START(3, "\xea\x00\x50\x00\x00\x48\x00");
    put_descriptor(SEL_FREE, SEG_CODE, 0);
    expect_fault(VEC_GP, SEL_FREE);
    put_descriptor(SEL_FREE, SEG_CODE | SEG_CODE_C, 0);
    step_ok();
    assert_int_equal(vcpu.cpu.segment[SEG_CS].selector, SEL_FREE | 3);
    assert_int_equal(vcpu.cpu.cpl, 3);
    vcpu.cpu.eip = AT_CODE;
    put_descriptor(SEL_FREE, SEG_CODE | SEG_CODE_C | SEG_ACCESSED, 3)->p = 0;
    expect_fault(VEC_NP, SEL_FREE);
    START(0, "\xea\x00\x50\x00\x00\x4b\x00");   /* RPL 3 at CPL 0 */
    put_descriptor(SEL_FREE, SEG_CODE, 0);
    expect_fault(VEC_GP, SEL_FREE);
    START(0, "\x9a\x00\x50\x00\x00\x48\x00");
    put_descriptor(SEL_FREE, SEG_CODE | SEG_ACCESSED, 0)->g = 0;
    put_descriptor(SEL_FREE, SEG_CODE | SEG_ACCESSED, 0)->limit_high = 0;
    memory[AT_GDT + SEL_FREE + 6] = 0x40;      /* limit 64 KB */
    step_ok();
    assert_int_equal(get32(AT_STACK - 8), AT_CODE + 7);
    assert_int_equal(get32(AT_STACK - 4), SEL_CODE_0);
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.gpr[GPR_ESP] = AT_STACK;
    put32(AT_CODE + 1, 0x10000);
    memory[AT_CODE] = 0x9a;
    expect_fault(VEC_GP, 0);
    /* Null, beyond the table, a data segment, a system segment. */
    START(0, "\xea\x00\x50\x00\x00\x00\x00");
    expect_fault(VEC_GP, 0);
    memory[AT_CODE + 5] = SEL_DATA_0;
    expect_fault(VEC_GP, SEL_DATA_0);
    memory[AT_CODE + 6] = 1;
    expect_fault(VEC_GP, 0x100 | SEL_DATA_0);
    START(0, "\xea\x00\x50\x00\x00\x48\x00");
    put_system(SEL_FREE, SYS_LDT, 0, 0);
    expect_fault(VEC_GP, SEL_FREE);
}

static void
call_gates(void **state)
{
    struct gate *gate = (struct gate *)(void *)(memory + AT_GDT +
                                                SEL(SEL_GATE));

    (void)state;
    START(3, "\x9a\0\0\0\0\x33\0");
    gate->dpl = 2;
    expect_fault(VEC_GP, SEL(SEL_GATE));
    gate->dpl = 3;
    gate->p = 0;
    expect_fault(VEC_NP, SEL(SEL_GATE));
    gate->p = 1;
    gate->selector = 0;
    expect_fault(VEC_GP, 0);
    gate->selector = SEL_DATA_0;
    expect_fault(VEC_GP, SEL_DATA_0);
    gate->selector = SEL_CODE_0;
    put32(AT_TSS + 8, 0);
    expect_fault(VEC_TS, 0);
    put32(AT_TSS + 8, SEL_ABSENT);
    expect_fault(VEC_SS, SEL_ABSENT);
    memory[AT_CODE] = 0xea;                    /* JMP to an inner level */
    expect_fault(VEC_GP, SEL_CODE_0);
    /* A 16-bit gate, to the same level: two words. */
    START(0, "\x9a\0\0\0\0\x33\0");
    put_gate(AT_GDT + SEL(SEL_GATE), SYS_CALL16, 3, AT_HANDLER);
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK - 4);
    assert_int_equal(get32(AT_STACK - 4), (AT_CODE + 7) | SEL_CODE_0 << 16);
    /* And inwards, with parameters of a word each. */
    START(3, "\x9a\0\0\0\0\x33\0");
    put_gate(AT_GDT + SEL(SEL_GATE), SYS_CALL16, 3, AT_HANDLER);
    gate->param_count = 2;
    put32(AT_STACK, 0x22221111);
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0 - 12);
    assert_int_equal(get32(AT_STACK_0 - 8), 0x22221111);
}

/* A gate to ring 1, on its stack; and IRET to ring 2. */
static void
inner_rings(void **state)
{
    (void)state;
    START(3, "\x9a\0\0\0\0\x33\0");
    put_descriptor(SEL_FREE, SEG_CODE, 1);
    put_descriptor(SEL_FREE_2, SEG_DATA_W, 1);
    put_gate(AT_GDT + SEL(SEL_GATE), SYS_CALL32, 3, AT_HANDLER);
    put32(AT_GDT + SEL(SEL_GATE), SEL_FREE << 16);
    put32(AT_TSS + 12, AT_STACK);
    put32(AT_TSS + 16, SEL_FREE_2 | 1);
    step_ok();
    assert_int_equal(vcpu.cpu.cpl, 1);
    assert_int_equal(vcpu.cpu.segment[SEG_CS].selector, SEL_FREE | 1);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].selector, SEL_FREE_2 | 1);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK - 16);
    START(0, "\xcf");
    put_descriptor(SEL_FREE, SEG_CODE, 2);
    put_descriptor(SEL_FREE_2, SEG_DATA_W, 2);
    put32(AT_STACK + 4, SEL_FREE | 2);
    put32(AT_STACK + 12, AT_STACK_0);
    put32(AT_STACK + 16, SEL_FREE_2 | 2);
    step_ok();
    assert_int_equal(vcpu.cpu.cpl, 2);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0);
}

/* RETF outwards takes SS:ESP, drops parameters twice and inner segments. */
static void
return_outwards(void **state)
{
    const uint32_t frame[] = {
        AT_CODE, SEL_CODE_3, 1, 2, AT_STACK_0, SEL_DATA_3,
    };

    (void)state;
    START(0, "\xca\x08\x00");
    memcpy(memory + AT_STACK, frame, sizeof(frame));
    vcpu.cpu.segment[SEG_ES] = vcpu.cpu.segment[SEG_FS];
    vcpu.cpu.segment[SEG_FS].rights |= RIGHTS_DPL;
    step_ok();
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0 + 8);
    assert_int_equal(vcpu.cpu.segment[SEG_ES].selector, 0);
    assert_int_equal(vcpu.cpu.segment[SEG_ES].allow, 0);
    assert_int_equal(vcpu.cpu.segment[SEG_FS].selector, SEL_DATA_0);
    /* What is wrong with CS, then with SS. */
    START(0, "\xca\x08\x00");
    memcpy(memory + AT_STACK, frame, sizeof(frame));
    put32(AT_STACK + 4, SEL_DATA_3);
    expect_fault(VEC_GP, SEL(SEL_DATA_3));
    put32(AT_STACK + 4, SEL_CODE_0 | 3);
    expect_fault(VEC_GP, SEL_CODE_0);
    put32(AT_STACK + 4, 3);
    expect_fault(VEC_GP, 0);
    put32(AT_STACK + 4, SEL_CODE_3);
    put32(AT_STACK + 20, 3);
    expect_fault(VEC_GP, 0);
    put32(AT_STACK + 20, SEL_DATA_0);
    expect_fault(VEC_GP, SEL_DATA_0);
    put32(AT_STACK + 20, SEL(SEL_DATA_3));     /* RPL 0 */
    expect_fault(VEC_GP, SEL(SEL_DATA_3));
    START(3, "\xcb");
    put32(AT_STACK, AT_CODE);
    put32(AT_STACK + 4, SEL_CODE_0);           /* inwards */
    expect_fault(VEC_GP, SEL_CODE_0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lar_lsl),
        cmocka_unit_test(verr_verw),
        cmocka_unit_test(loads),
        cmocka_unit_test(ldtr_and_tr),
        cmocka_unit_test(limits),
        cmocka_unit_test(order_of_faults),
        cmocka_unit_test(far_direct),
        cmocka_unit_test(call_gates),
        cmocka_unit_test(inner_rings),
        cmocka_unit_test(return_outwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
