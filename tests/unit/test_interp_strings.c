/*
 * test_interp_strings.c - string instructions and ports: where a repetition
 * stops and what it leaves, at pages, segment limits, wraps and events.
 */
#include "unit/fake_system.h"

#define PAGE        4096u
#define LAST_PAGE   (MEMORY_SIZE - PAGE)

static void
set_at(uint32_t ecx, uint32_t esi, uint32_t edi)
{
    vcpu.cpu.gpr[GPR_ECX] = ecx;
    vcpu.cpu.gpr[GPR_ESI] = esi;
    vcpu.cpu.gpr[GPR_EDI] = edi;
}

static void
expect_at(uint32_t ecx, uint32_t esi, uint32_t edi)
{
    assert_int_equal(vcpu.cpu.gpr[GPR_ECX], ecx);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESI], esi);
    assert_int_equal(vcpu.cpu.gpr[GPR_EDI], edi);
}

/* Until it faults or is done; how it ended. */
static enum interp_result
repeat(void)
{
    enum interp_result result;

    do {
        result = interp_step(&vcpu);
    } while (result == INTERP_OK && vcpu.cpu.eip == AT_CODE);
    return result;
}

static void
expect_repeat_fault(unsigned vector, uint32_t address)
{
    assert_int_equal(repeat(), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, vector);
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
    if (vector == VEC_PF)
        assert_int_equal(gla_raw(vcpu.fault.address), address);
}

/* REP MOVSD whose target runs into a page that is not there, at an element. */
static void
movs_into_fault(void **state)
{
    (void)state;
    for (unsigned odd = 0; odd < 4; odd++) {
        uint32_t to = MEMORY_SIZE - 16 + odd;
        uint32_t done = (16 - odd) / 4;

        START(0, "\xf3\xa5");
        for (unsigned n = 0; n < 64; n++)
            memory[AT_DATA + n] = (uint8_t)(n + 1);
        set_at(16, AT_DATA, to);
        expect_repeat_fault(VEC_PF, MEMORY_SIZE);
        assert_int_equal(vcpu.fault.error, 2);
        expect_at(16 - done, AT_DATA + 4 * done, to + 4 * done);
        /* Of the element that faults nothing is written. */
        assert_memory_equal(memory + to, memory + AT_DATA, 4 * done);
        for (uint32_t at = to + 4 * done; at < MEMORY_SIZE; at++)
            assert_int_equal(memory[at], 0);
        assert_int_equal(vcpu.cpu.eflags, EFLAGS_FIXED);
    }
}

/* Downwards across a page, and into one that may not be written. */
static void
movs_down(void **state)
{
    (void)state;
    START(0, "\xf3\xa4");
    vcpu.cpu.eflags |= EFLAGS_DF;
    for (unsigned n = 0; n < 8; n++)
        memory[AT_DATA + n] = (uint8_t)(n + 1);
    fake_guest.no_write[(LAST_PAGE - 1) / PAGE] = 1;
    set_at(8, AT_DATA + 7, LAST_PAGE + 4);
    expect_repeat_fault(VEC_PF, LAST_PAGE - 1);
    assert_int_equal(vcpu.fault.error, 3);
    expect_at(3, AT_DATA + 2, LAST_PAGE - 1);
    fake_guest.no_write[(LAST_PAGE - 1) / PAGE] = 0;
    vcpu.memory_generation++;
    assert_int_equal(repeat(), INTERP_OK);
    expect_at(0, AT_DATA - 1, LAST_PAGE - 4);
    assert_memory_equal(memory + LAST_PAGE - 3, memory + AT_DATA, 8);
}

/* Overlapping copies repeat what they stored. */
static void
movs_overlap(void **state)
{
    static const uint32_t distances[] = { 1, 2, 3, 4, 5, 8 };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(distances); n++) {
        uint8_t expected[96];

        START(0, "\xf3\xa5");
        for (unsigned k = 0; k < sizeof(expected); k++)
            expected[k] = memory[AT_DATA + k] = (uint8_t)(k * 7);
        for (unsigned k = 0; k < 20; k++)
            memmove(expected + distances[n] + 4 * k, expected + 4 * k, 4);
        set_at(20, AT_DATA, AT_DATA + distances[n]);
        assert_int_equal(repeat(), INTERP_OK);
        assert_memory_equal(memory + AT_DATA, expected, sizeof(expected));
    }
}

/* 16-bit indices wrap within 64 KB; upper halves and ECX above CX stay. */
static void
wrap_16(void **state)
{
    (void)state;
    START(0, "\x67\xf3\xaa");
    vcpu.cpu.gpr[GPR_EAX] = 0x5a;
    set_at(0x70008, 0x1234, 0x5fffc);
    assert_int_equal(repeat(), INTERP_OK);
    expect_at(0x70000, 0x1234, 0x50004);
    assert_int_equal(memory[0xffff], 0x5a);
    assert_int_equal(memory[0], 0x5a);
    assert_int_equal(memory[3], 0x5a);
    assert_int_equal(memory[4], 0);
    assert_int_equal(memory[0x10000], 0);
    /* A word at FFFFh goes on behind it, which the limit may forbid. */
    START(0, "\x67\x66\xab");
    set_at(0, 0, 0xffff);
    set_limits(SEG_ES, 0, 0xffff);
    expect_fault(VEC_GP, 0);
    START(0, "\x67\xf3\xa4");
    set_at(0, 1, 2);
    step_ok();
    expect_at(0, 1, 2);
}

/* A segment limit in the middle of a run. */
static void
limit_in_run(void **state)
{
    (void)state;
    START(0, "\xf3\xab");
    set_limits(SEG_ES, AT_DATA, 0x2b);
    vcpu.cpu.gpr[GPR_EAX] = UINT32_MAX;
    set_at(100, 0, 0);
    expect_repeat_fault(VEC_GP, 0);
    expect_at(89, 0, 0x2c);
    assert_int_equal(get32(AT_DATA + 0x28), UINT32_MAX);
    assert_int_equal(get32(AT_DATA + 0x2c), 0);
    START(0, "\x36\xf3\xad");                   /* lods from SS */
    set_limits(SEG_SS, AT_DATA, 0x2b);
    set_at(100, 0, 0);
    expect_repeat_fault(VEC_SS, 0);
    expect_at(89, 0x2c, 0);
}

/* CMPS and SCAS: ends, flags, and flags as before when they fault. */
static void
compare(void **state)
{
    (void)state;
    START(0, "\xf3\xa6");
    memory[AT_DATA + 5] = 1;
    set_at(20, AT_DATA, AT_DATA + 0x100);
    assert_int_equal(repeat(), INTERP_OK);
    expect_at(14, AT_DATA + 6, AT_DATA + 0x106);
    assert_int_equal(vcpu.cpu.eflags & (EFLAGS_ZF | EFLAGS_CF), 0);
    START(0, "\xf2\xae");
    vcpu.cpu.gpr[GPR_EAX] = 7;
    vcpu.cpu.eflags |= EFLAGS_OF | EFLAGS_CF;
    set_at(100, 0, MEMORY_SIZE - 3);
    expect_repeat_fault(VEC_PF, MEMORY_SIZE);
    expect_at(97, 0, MEMORY_SIZE);
    assert_int_equal(vcpu.cpu.eflags, EFLAGS_OF | EFLAGS_CF | EFLAGS_FIXED);
    /* A count of 0 leaves all flags. */
    START(0, "\xf2\xae");
    vcpu.cpu.eflags |= EFLAGS_ZF | EFLAGS_PF;
    set_at(0, 0, MEMORY_SIZE);
    step_ok();
    assert_int_equal(vcpu.cpu.eflags, EFLAGS_ZF | EFLAGS_PF | EFLAGS_FIXED);
}

/* An event is seen between two iterations, and progress is made each time. */
static void
attention(void **state)
{
    (void)state;
    START(0, "\xf3\xac");
    vcpu.attention = ATTENTION_INTERRUPT;
    set_at(3, AT_DATA, 0);
    step_ok();
    expect_at(2, AT_DATA + 1, 0);
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
    step_ok();
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 2);
}

/* Code that a repetition writes over: the instruction ends first. */
static void
over_itself(void **state)
{
    (void)state;
    START(0, "\xf3\xaa\xf4");
    vcpu.cpu.gpr[GPR_EAX] = 0x90;
    set_at(4, 0, AT_CODE);
    assert_int_equal(repeat(), INTERP_OK);
    expect_at(0, 0, AT_CODE + 4);
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_CODE + 3);
}

/* INS checks port and memory before it reads; OUTS in order. */
static void
ports(void **state)
{
    (void)state;
    START(0, "\xf3\x6d");
    vcpu.cpu.gpr[GPR_EDX] = 0x1f0;
    fake_guest.in_value = 0x11223344;
    set_at(4, 0, MEMORY_SIZE - 8);
    expect_repeat_fault(VEC_PF, MEMORY_SIZE);
    expect_at(2, 0, MEMORY_SIZE);
    assert_int_equal(fake_guest.ins, 2);
    assert_int_equal(get32(MEMORY_SIZE - 4), 0x11223344);
    START(0, "\xf3\x66\x6f");
    vcpu.cpu.gpr[GPR_EDX] = 0x1f0;
    memcpy(memory + AT_DATA, "abcdef", 6);
    set_at(3, AT_DATA, 0);
    assert_int_equal(repeat(), INTERP_OK);
    expect_at(0, AT_DATA + 6, 0);
    assert_int_equal(fake_guest.outs, 3);
    assert_int_equal(fake_guest.out_port, 0x1f0);
    assert_int_equal(fake_guest.out_value, 'e' | 'f' << 8);
    assert_int_equal(fake_guest.out_size, 2);
}

/* The bitmap: each port of an access, its end, a TSS of 16 bits, v8086. */
static void
io_bitmap(void **state)
{
    const uint32_t map = AT_TSS + sizeof(struct tss);

    (void)state;
    START(3, "\xed");                           /* in (%dx),%eax */
    vcpu.cpu.gpr[GPR_EDX] = 0x3e;
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    memory[map + 8] = 2;                        /* port 41h */
    expect_fault(VEC_GP, 0);
    vcpu.cpu.gpr[GPR_EDX] = 0x3d;
    step_ok();
    /* Two bytes are read, so the map needs one more than its ports. */
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.tr.limit = sizeof(struct tss) + 8;
    vcpu.cpu.gpr[GPR_EDX] = 0x38;
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.gpr[GPR_EDX] = 0x42;
    expect_fault(VEC_GP, 0);
    vcpu.cpu.eflags |= EFLAGS_IOPL;
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.eflags &= ~(uint32_t)EFLAGS_IOPL;
    vcpu.cpu.gpr[GPR_EDX] = 0;
    vcpu.cpu.tr.rights = RIGHTS_P | SYS_TSS16_BUSY;
    expect_fault(VEC_GP, 0);
    /* The map's page is not there: #PF as supervisor. */
    START(3, "\xec");
    vcpu.cpu.tr.limit = UINT32_MAX;
    put32(AT_TSS + 100, 0xf000u << 16);
    fake_guest.no_access[(AT_TSS + 0xf000) / PAGE] = 1;
    expect_fault(VEC_PF, 0);
    /* In virtual-8086 mode always, whatever IOPL says. */
    START(3, "\xec");
    vcpu.cpu.eflags |= EFLAGS_VM | EFLAGS_IOPL;
    vcpu.cpu.gpr[GPR_EDX] = 0x41;
    vcpu_derive_segments(&vcpu);
    memory[map + 8] = 2;
    expect_fault(VEC_GP, 0);
    /* OUTS: the port's privilege before the page. */
    START(3, "\x6e");
    vcpu.cpu.gpr[GPR_EDX] = 0x41;
    vcpu.cpu.gpr[GPR_ESI] = MEMORY_SIZE;
    memory[map + 8] = 2;
    expect_fault(VEC_GP, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movs_into_fault),
        cmocka_unit_test(movs_down),
        cmocka_unit_test(movs_overlap),
        cmocka_unit_test(wrap_16),
        cmocka_unit_test(limit_in_run),
        cmocka_unit_test(compare),
        cmocka_unit_test(attention),
        cmocka_unit_test(over_itself),
        cmocka_unit_test(ports),
        cmocka_unit_test(io_bitmap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
