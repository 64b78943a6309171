/*
 * test_interp_debug.c - breakpoints, single step, RF and the shadow of MOV SS
 * (SDM 3B 17.2, 17.3; 3A 6.8.3).
 */
#include "unit/fake_system.h"

#include "kernel/x86/debug.h"

/* DR7 for breakpoint N, enabled: RW and LEN as they are encoded. */
#define DR7_FOR(n, rw, len) \
    (DR7_FIXED | 2u << (2 * (n)) | (rw) << (16 + 4 * (n)) | \
     (len) << (18 + 4 * (n)))
#define RW_EXECUTE  0u
#define RW_WRITE    1u
#define RW_PORT     2u
#define RW_ACCESS   3u
#define LEN_1       0u
#define LEN_2       1u
#define LEN_4       3u

static void
instruction_breakpoint(void **state)
{
    (void)state;
    START(0, "\x90\xf4");
    put_vector(VEC_DB, SYS_INT32, AT_HANDLER);
    vcpu.cpu.dr[1] = AT_CODE;
    vcpu.cpu.dr[DR7] = DR7_FOR(1, RW_EXECUTE, LEN_1);
    vcpu.cpu.dr[DR6] = 0xffff0ff1;
    expect_fault(VEC_DB, DR6_B0 << 1);
    assert_false(vcpu.fault.has_error);
    deliver_ok();
    /* B0 to B3 are this exception's; the handler returns with RF set. */
    assert_int_equal(vcpu.cpu.dr[DR6], 0xffff0ff2);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK - 12);
    assert_int_equal(get32(AT_STACK - 4) & EFLAGS_RF, 0);
    put32(AT_STACK - 4, get32(AT_STACK - 4) | EFLAGS_RF);
    memory[AT_HANDLER] = 0xcf;
    step_ok();
    assert_true(vcpu.cpu.eflags & EFLAGS_RF);
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 1);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_RF, 0);
    /* Not enabled, or behind a load of SS: nothing. */
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.block = BLOCK_MOV_SS;
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.dr[DR7] = DR7_FIXED | RW_EXECUTE << 20;
    step_ok();
}

/* It is the linear address that counts, and a fault keeps RF. */
static void
breakpoint_linear(void **state)
{
    (void)state;
    START(0, "\x8b\x03");
    vcpu.cpu.dr[0] = AT_CODE;
    vcpu.cpu.dr[DR7] = DR7_FOR(0, RW_EXECUTE, LEN_1);
    set_limits(SEG_CS, 0x1000, UINT32_MAX);
    vcpu.cpu.eip -= 0x1000;
    expect_fault(VEC_DB, DR6_B0);
    vcpu.cpu.eflags |= EFLAGS_RF;
    vcpu.cpu.gpr[GPR_EBX] = MEMORY_SIZE;
    expect_fault(VEC_PF, 0);
    assert_true(vcpu.cpu.eflags & EFLAGS_RF);
}

struct data_case {
    const char *code;
    uint32_t ebx;
    uint32_t rw, len;
    bool hits;
};

static void
data_breakpoints(void **state)
{
    static const struct data_case cases[] = {
        { "\x8b\x03", AT_DATA, RW_ACCESS, LEN_4, true },
        { "\x8b\x03", AT_DATA - 3, RW_ACCESS, LEN_4, true },
        { "\x8b\x03", AT_DATA - 4, RW_ACCESS, LEN_4, false },
        { "\x8b\x03", AT_DATA + 4, RW_ACCESS, LEN_4, false },
        { "\x8b\x03", AT_DATA + 3, RW_ACCESS, LEN_4, true },
        { "\x8b\x03", AT_DATA, RW_WRITE, LEN_4, false },
        { "\x89\x03", AT_DATA, RW_WRITE, LEN_4, true },
        { "\x89\x03", AT_DATA, RW_ACCESS, LEN_1, true },
        { "\x88\x03", AT_DATA + 1, RW_WRITE, LEN_2, true },
        { "\x88\x03", AT_DATA + 2, RW_WRITE, LEN_2, false },
        { "\x01\x03", AT_DATA, RW_WRITE, LEN_4, true },
        { "\x39\x03", AT_DATA, RW_WRITE, LEN_4, false },
        { "\x39\x03", AT_DATA, RW_EXECUTE, LEN_4, false },
        { "\x8d\x03", AT_DATA, RW_ACCESS, LEN_4, false },
        { "\x53", AT_DATA, RW_WRITE, LEN_4, false },
        { "\xc3", AT_DATA, RW_ACCESS, LEN_1, false },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        system_start(0, cases[n].code, 2);
        vcpu.cpu.gpr[GPR_EBX] = cases[n].ebx;
        vcpu.cpu.dr[3] = AT_DATA;
        vcpu.cpu.dr[DR7] = DR7_FOR(3, cases[n].rw, cases[n].len);
        step_ok();
        assert_int_equal(vcpu.cpu.pending_debug,
                         cases[n].hits ? DR6_B0 << 3 : 0);
    }
    /* The stack is data, too. */
    START(0, "\x53");
    vcpu.cpu.dr[2] = AT_STACK - 4;
    vcpu.cpu.dr[DR7] = DR7_FOR(2, RW_WRITE, LEN_4);
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, DR6_B0 << 2);
    assert_int_equal(vcpu_pending(&vcpu, false), PENDING_DEBUG);
    put_vector(VEC_DB, SYS_INT32, AT_HANDLER);
    vcpu_fault(&vcpu, VEC_DB);
    deliver_ok();
    assert_int_equal(vcpu.cpu.dr[DR6], 0xffff0ff4);
    assert_int_equal(vcpu.cpu.pending_debug, 0);
    assert_int_equal(get32(vcpu.cpu.gpr[GPR_ESP]), AT_CODE + 1);
}

/* A repeated instruction stops behind the iteration, with RF set. */
static void
breakpoint_in_rep(void **state)
{
    (void)state;
    START(0, "\xf3\xaa");
    vcpu.cpu.gpr[GPR_ECX] = 16;
    vcpu.cpu.gpr[GPR_EDI] = AT_DATA;
    vcpu.cpu.dr[0] = AT_DATA + 5;
    vcpu.cpu.dr[DR7] = DR7_FOR(0, RW_WRITE, LEN_1);
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_ECX], 10);
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
    assert_int_equal(vcpu.cpu.pending_debug, DR6_B0);
    assert_true(vcpu.cpu.eflags & EFLAGS_RF);
    vcpu.cpu.pending_debug = 0;
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_ECX], 0);
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 2);
    assert_int_equal(vcpu.cpu.pending_debug, 0);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_RF, 0);
    /* A fault behind it says nothing of breakpoints. */
    START(0, "\xa5");
    vcpu.cpu.gpr[GPR_ESI] = AT_DATA;
    vcpu.cpu.gpr[GPR_EDI] = MEMORY_SIZE;
    vcpu.cpu.dr[0] = AT_DATA;
    vcpu.cpu.dr[DR7] = DR7_FOR(0, RW_ACCESS, LEN_1);
    expect_fault(VEC_PF, 2);
    assert_int_equal(vcpu.cpu.pending_debug, 0);
}

static void
port_breakpoint(void **state)
{
    (void)state;
    START(0, "\xe6\x80");
    vcpu.cpu.dr[0] = 0x80;
    vcpu.cpu.dr[DR7] = DR7_FOR(0, RW_PORT, LEN_1);
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, 0);
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.cr4 |= CR4_DE;
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, DR6_B0);
    assert_int_equal(fake_guest.outs, 2);
}

/* MOV SS holds a trap back; the next instruction runs and both are told. */
static void
mov_ss(void **state)
{
    (void)state;
    START(0, "\x8e\x13\x90\x90");               /* mov (%ebx),%ss */
    put32(AT_DATA, SEL_DATA_0);
    vcpu.cpu.gpr[GPR_EBX] = AT_DATA;
    vcpu.cpu.dr[0] = AT_DATA;
    vcpu.cpu.dr[DR7] = DR7_FOR(0, RW_ACCESS, LEN_2);
    vcpu.cpu.eflags |= EFLAGS_TF | EFLAGS_IF;
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, DR6_B0);
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_NONE);
    assert_int_equal(interp_run(&vcpu, 10), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 3);
    assert_int_equal(vcpu.cpu.pending_debug, DR6_B0 | DR6_BS);
    assert_int_equal(vcpu_pending(&vcpu, true), PENDING_DEBUG);
}

/* Through INT n such a trap arrives at the handler's first instruction. */
static void
mov_ss_int(void **state)
{
    (void)state;
    START(3, "\x8e\x13\xcd\x80");
    put_vector(0x80, SYS_INT32, AT_HANDLER);
    put32(AT_DATA, SEL_DATA_3);
    vcpu.cpu.gpr[GPR_EBX] = AT_DATA;
    vcpu.cpu.dr[0] = AT_DATA;
    vcpu.cpu.dr[DR7] = DR7_FOR(0, RW_ACCESS, LEN_1);
    step_ok();
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu_pending(&vcpu, false), PENDING_DEBUG);
}

static void
single_step(void **state)
{
    (void)state;
    /* POPF that sets TF: the trap is behind the next instruction. */
    START(0, "\x9d\x90");
    put32(AT_STACK, EFLAGS_TF | EFLAGS_FIXED);
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, 0);
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, DR6_BS);
    /* POPF that clears it: a last trap. */
    START(0, "\x9d\x90");
    put32(AT_STACK, EFLAGS_FIXED);
    vcpu.cpu.eflags |= EFLAGS_TF;
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, DR6_BS);
    /* INT n: none; the handler does not step. */
    START(0, "\xcd\x80");
    put_vector(0x80, SYS_INT32, AT_HANDLER);
    vcpu.cpu.eflags |= EFLAGS_TF;
    step_ok();
    assert_int_equal(vcpu.cpu.pending_debug, 0);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_TF, 0);
    assert_true(get32(AT_STACK - 4) & EFLAGS_TF);
    /* One iteration at a time, RF in between. */
    START(0, "\xf3\xab");
    vcpu.cpu.gpr[GPR_ECX] = 3;
    vcpu.cpu.gpr[GPR_EDI] = AT_DATA;
    vcpu.cpu.eflags |= EFLAGS_TF;
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_ECX], 2);
    assert_int_equal(vcpu.cpu.pending_debug, DR6_BS);
    assert_true(vcpu.cpu.eflags & EFLAGS_RF);
    /* A fault is no step. */
    START(3, "\xf4");
    vcpu.cpu.eflags |= EFLAGS_TF;
    expect_fault(VEC_GP, 0);
    /* HLT traps and halts. */
    START(0, "\xf4");
    vcpu.cpu.eflags |= EFLAGS_TF;
    assert_int_equal(interp_step(&vcpu), INTERP_HALTED);
    assert_int_equal(vcpu_pending(&vcpu, false), PENDING_DEBUG);
}

static void
debug_registers(void **state)
{
    (void)state;
    START(0, "\x0f\x23\xf8");                   /* mov %eax,%dr7 */
    vcpu.cpu.gpr[GPR_EAX] = UINT32_MAX;
    step_ok();
    assert_int_equal(vcpu.cpu.dr[DR7], DR7_WRITABLE | DR7_FIXED);
    START(0, "\x0f\x23\xf0\x0f\x21\xe0");       /* DR6; and DR4, the same */
    step_ok();
    assert_int_equal(vcpu.cpu.dr[DR6], DR6_FIXED);
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], DR6_FIXED);
    vcpu.cpu.eip = AT_CODE + 3;
    vcpu.cpu.cr4 |= CR4_DE;
    assert_int_equal(interp_step(&vcpu), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, VEC_UD);
    /* General detect: a fault with BD, and GD is clear in the handler. */
    START(0, "\x0f\x21\xc0");
    put_vector(VEC_DB, SYS_INT32, AT_HANDLER);
    vcpu.cpu.dr[DR7] |= DR7_GD;
    expect_fault(VEC_DB, DR6_BD);
    deliver_ok();
    assert_int_equal(vcpu.cpu.dr[DR6], 0xffff0ff0 | DR6_BD);
    assert_int_equal(vcpu.cpu.dr[DR7] & DR7_GD, 0);
    START(3, "\x0f\x21\xc0");
    vcpu.cpu.dr[DR7] |= DR7_GD;
    expect_fault(VEC_GP, 0);
}

/* RF in what a handler finds: for faults, not for traps and interrupts. */
static void
rf_in_frames(void **state)
{
    (void)state;
    START(0, "\x0f\x0b");
    put_vector(VEC_UD, SYS_INT32, AT_HANDLER);
    expect_fault(VEC_UD, 0);
    deliver_ok();
    assert_true(get32(AT_STACK - 4) & EFLAGS_RF);
    assert_int_equal(vcpu.cpu.eflags & EFLAGS_RF, 0);
    START(0, "\xcc");
    put_vector(VEC_BP, SYS_INT32, AT_HANDLER);
    vcpu.cpu.eflags |= EFLAGS_RF;
    step_ok();
    assert_int_equal(get32(AT_STACK - 4) & EFLAGS_RF, 0);
    /* An interrupt within a repetition. */
    START(0, "\xf3\xa4");
    put_vector(0x20, SYS_INT32, AT_HANDLER);
    vcpu.cpu.gpr[GPR_ECX] = 0x4000;
    vcpu.cpu.gpr[GPR_ESI] = vcpu.cpu.gpr[GPR_EDI] = AT_DATA;
    vcpu.attention = ATTENTION_INTERRUPT;
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
    assert_int_equal(interp_deliver(&vcpu, EVENT_EXTERNAL, 0x20), INTERP_OK);
    assert_true(get32(AT_STACK - 4) & EFLAGS_RF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instruction_breakpoint),
        cmocka_unit_test(breakpoint_linear),
        cmocka_unit_test(data_breakpoints),
        cmocka_unit_test(breakpoint_in_rep),
        cmocka_unit_test(port_breakpoint),
        cmocka_unit_test(mov_ss),
        cmocka_unit_test(mov_ss_int),
        cmocka_unit_test(single_step),
        cmocka_unit_test(debug_registers),
        cmocka_unit_test(rf_in_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
