/*
 * test_interp_machine.c - control and model-specific registers, features that
 * CPUID shows or not, SYSENTER, alignment, LOCK, x87 errors.
 */
#include "unit/fake_system.h"

#include "kernel/x86/paging.h"
#include "unit/fake_native.h"

#define LEAF_1          1u
#define LEAF_7          7u
#define LEAF_EXT_1      0x80000001u
#define AT_PDPT         0x6000u

static void
hide(uint32_t leaf)
{
    fake_guest.hidden_leaf = leaf;
    fake_guest.hidden = (struct cpuid_leaf){ .eax = 0 };
}

/* Instructions of a leaf of CPUID: #UD without it. */
static void
features(void **state)
{
    static const struct {
        uint32_t leaf;
        char code[6];
    } rows[] = {
        { LEAF_1, "\x0f\x31" },                 /* rdtsc */
        { LEAF_1, "\xf3\x0f\xb8\xc1" },         /* popcnt */
        { LEAF_1, "\x0f\x38\xf0\x03" },         /* movbe */
        { LEAF_1, "\x66\x0f\x38\x17\xc0" },     /* ptest */
        { LEAF_1, "\xf2\x0f\x38\xf1\xc0" },     /* crc32 */
        { LEAF_1, "\x66\x0f\x38\xdb\xc0" },     /* aesimc */
        { LEAF_1, "\x0f\xc7\xf0" },             /* rdrand */
        { LEAF_1, "\x66\x0f\x3a\x0f\xc0" },     /* palignr */
        { LEAF_7, "\xc4\xe2\x78\xf2\xc0" },     /* andn */
        { LEAF_7, "\xc4\xe2\x7b\xf6\xc0" },     /* mulx */
        { LEAF_7, "\x66\x0f\xae\x3b" },         /* clflushopt */
        { LEAF_7, "\x66\x0f\x38\xf6\xc0" },     /* adcx */
        { LEAF_EXT_1, "\x0f\x01\xf9" },         /* rdtscp */
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        system_start(0, rows[n].code, sizeof(rows[n].code));
        hide(rows[n].leaf);
        expect_fault(VEC_UD, 0);
    }
    START(0, "\xf3\x0f\xb8\xc1");
    vcpu.cpu.gpr[GPR_ECX] = 0xf0f;
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], 8);
    START(0, "\xf3\x0f\xb8\xc1");
    fake_guest.hidden_leaf = 0;                 /* no leaf 1 at all */
    expect_fault(VEC_UD, 0);
    /* TZCNT and LZCNT are BSF and BSR then. */
    START(0, "\xf3\x0f\xbd\xc1");
    vcpu.cpu.gpr[GPR_ECX] = 0x100;
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], 23);
    START(0, "\xf3\x0f\xbd\xc1");
    vcpu.cpu.gpr[GPR_ECX] = 0x100;
    hide(LEAF_EXT_1);
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], 8);
    START(0, "\xf3\x0f\xbc\xc1");
    hide(LEAF_7);
    vcpu.cpu.gpr[GPR_EAX] = 0x77;
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], 0x77);
    assert_true(vcpu.cpu.eflags & EFLAGS_ZF);
}

static void
write_register(const char *code, uint32_t value, bool is_legal)
{
    vcpu.cpu.eip = AT_CODE;
    memcpy(memory + AT_CODE, code, 3);
    vcpu.cpu.gpr[GPR_EAX] = value;
    if (is_legal)
        step_ok();
    else
        expect_fault(VEC_GP, 0);
}

#define TO_CR0  "\x0f\x22\xc0"
#define TO_CR3  "\x0f\x22\xd8"
#define TO_CR4  "\x0f\x22\xe0"
#define LMSW    "\x0f\x01\xf0"

static void
control_registers(void **state)
{
    (void)state;
    START(0, "");
    write_register(TO_CR4, CR4_PSE | CR4_PGE | CR4_UMIP | CR4_OSFXSR, true);
    write_register(TO_CR4, CR4_VME, false);
    write_register(TO_CR4, CR4_PVI, false);
    write_register(TO_CR4, CR4_SMEP, false);
    write_register(TO_CR4, CR4_OSXSAVE, false);
    write_register(TO_CR4, 1u << 13, false);
    hide(LEAF_7);
    write_register(TO_CR4, CR4_UMIP | CR4_DE, true);    /* stays as it was */
    write_register(TO_CR4, 0, true);
    write_register(TO_CR4, CR4_UMIP, false);
    hide(LEAF_1);
    write_register(TO_CR4, CR4_PAE, false);
    write_register(TO_CR4, CR4_PCE, true);
    write_register(TO_CR0, CR0_PG | CR0_ET, false);
    write_register(TO_CR0, CR0_PE | CR0_NW, false);
    write_register(TO_CR0, 0x0ff0ff00 | CR0_PE, true);  /* ignored */
    assert_int_equal(vcpu.cpu.cr0, CR0_PE | CR0_ET | (0x0ff0ff00 &
                     (CR0_AM | CR0_WP)));
    /* LMSW sets PE, and never clears it. */
    write_register(LMSW, 0xfff0, true);
    assert_int_equal(vcpu.cpu.cr0 & 0x1f, CR0_PE | CR0_ET);
    write_register(LMSW, 0xfffe, true);
    assert_int_equal(vcpu.cpu.cr0 & 0x1f, 0x1f);
    /* UMIP keeps SMSW and its kin for ring 0. */
    START(3, "\x0f\x01\xe0");
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.cr4 = CR4_UMIP;
    expect_fault(VEC_GP, 0);
}

static void
put64(uint32_t at, uint64_t value)
{
    memcpy(memory + at, &value, sizeof(value));
}

/* PDPTEs are latched by loads of CR3, and stay whatever memory says. */
static void
pdptes(void **state)
{
    (void)state;
    START(0, "");
    put64(AT_PDPT, 0x7000 | PTE_P);
    put64(AT_PDPT + 24, 0xfff000 | PTE_P | PTE_PCD);
    vcpu.cpu.cr3 = AT_PDPT | 0x1f;
    write_register(TO_CR4, CR4_PAE, true);
    write_register(TO_CR0, CR0_PE | CR0_PG, true);
    assert_int_equal(vcpu.cpu.pdpte[0], 0x7000 | PTE_P);
    assert_int_equal(vcpu.cpu.pdpte[3], 0xfff000 | PTE_P | PTE_PCD);
    put64(AT_PDPT, 0x9000 | PTE_P);
    write_register(TO_CR0, CR0_PE | CR0_PG | CR0_WP, true);
    assert_int_equal(vcpu.cpu.pdpte[0], 0x7000 | PTE_P);
    write_register(TO_CR4, CR4_PAE | CR4_PGE, true);
    assert_int_equal(vcpu.cpu.pdpte[0], 0x9000 | PTE_P);
    put64(AT_PDPT + 8, 0xa000);                 /* not present: anything */
    write_register(TO_CR3, AT_PDPT, true);
    put64(AT_PDPT + 8, 0xa000 | PTE_P | PTE_RW);
    write_register(TO_CR3, AT_PDPT, false);
    put64(AT_PDPT + 8, BIT64(36) | PTE_P);
    write_register(TO_CR3, AT_PDPT, false);
    write_register(TO_CR3, MEMORY_SIZE, false); /* no memory there */
    assert_int_equal(vcpu.cpu.cr3, AT_PDPT);
    write_register(TO_CR4, 0, true);
    write_register(TO_CR3, MEMORY_SIZE, true);
}

#define RDMSR   "\x0f\x32"
#define WRMSR   "\x0f\x30"

static uint64_t
read_msr(uint32_t msr)
{
    vcpu.cpu.gpr[GPR_ECX] = msr;
    write_register(RDMSR, 0, true);
    return vcpu.cpu.gpr[GPR_EAX] | (uint64_t)vcpu.cpu.gpr[GPR_EDX] << 32;
}

static void
write_msr(uint32_t msr, uint64_t value, bool is_legal)
{
    vcpu.cpu.gpr[GPR_ECX] = msr;
    vcpu.cpu.gpr[GPR_EDX] = (uint32_t)(value >> 32);
    write_register(WRMSR, (uint32_t)value, is_legal);
}

static void
msrs(void **state)
{
    static const struct {
        uint32_t msr;
        uint64_t legal, illegal;
    } rows[] = {
        { MSR_SYSENTER_CS, 0x60, 0 }, { MSR_SYSENTER_EIP, 0xc0001234, 0 },
        { MSR_EFER, EFER_NXE, EFER_NXE | 1 },
        { MSR_PAT, 0x0605040106050401, 0x02 },
        { MSR_PAT, 0x0706050407060504, 0x08ull << 56 },
        { MSR_APIC_BASE, 0xfee00900, 0xfee00d00 },
        { MSR_APIC_BASE, 0xf00000800, 1ull << 36 },
        { MSR_TSC_AUX, 7, 1ull << 32 },
    };

    (void)state;
    START(0, "");
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        write_msr(rows[n].msr, rows[n].legal, true);
        assert_true(read_msr(rows[n].msr) == rows[n].legal);
        if (rows[n].illegal != 0)
            write_msr(rows[n].msr, rows[n].illegal, false);
        assert_true(read_msr(rows[n].msr) == rows[n].legal);
    }
    write_msr(0x12345, 0, false);
    hide(LEAF_EXT_1);
    write_msr(MSR_TSC_AUX, 0, false);
    write_msr(MSR_EFER, EFER_NXE, false);
    /* The guest's time stamp can be set, and goes on from there. */
    fake_guest.tsc = 1000;
    write_msr(MSR_TSC, 0x500000000, true);
    fake_guest.tsc = 1500;
    assert_true(read_msr(MSR_TSC) == 0x500000000 + 500);
    START(3, WRMSR);
    expect_fault(VEC_GP, 0);
}

static void
time_stamp(void **state)
{
    (void)state;
    START(3, "\x0f\x01\xf9");                   /* rdtscp */
    fake_guest.tsc = 0x100000000;
    vcpu.cpu.tsc_offset = (uint64_t)0 - 1;
    vcpu.cpu.tsc_aux = 3;
    step_ok();
    assert_int_equal(vcpu.cpu.gpr[GPR_EAX], UINT32_MAX);
    assert_int_equal(vcpu.cpu.gpr[GPR_EDX], 0);
    assert_int_equal(vcpu.cpu.gpr[GPR_ECX], 3);
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.cr4 = CR4_TSD;
    expect_fault(VEC_GP, 0);
}

static void
sysenter(void **state)
{
    (void)state;
    START(3, "\x0f\x34");
    expect_fault(VEC_GP, 0);                    /* SYSENTER_CS is null */
    vcpu.cpu.sysenter_cs = 0x63;
    vcpu.cpu.sysenter_esp = AT_STACK_0;
    vcpu.cpu.sysenter_eip = AT_HANDLER;
    vcpu.cpu.eflags |= EFLAGS_IF | EFLAGS_CF;
    step_ok();
    assert_int_equal(vcpu.cpu.cpl, 0);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
    assert_int_equal(vcpu.cpu.gpr[GPR_ESP], AT_STACK_0);
    assert_int_equal(vcpu.cpu.segment[SEG_CS].selector, 0x60);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].selector, 0x68);
    assert_true(segment_is_flat(&vcpu.cpu.segment[SEG_SS]));
    assert_int_equal(vcpu.cpu.eflags, EFLAGS_CF | EFLAGS_FIXED);
    memcpy(memory + AT_HANDLER, "\x0f\x35", 2);
    vcpu.cpu.gpr[GPR_EDX] = AT_CODE;
    vcpu.cpu.gpr[GPR_ECX] = AT_STACK;
    step_ok();
    assert_int_equal(vcpu.cpu.cpl, 3);
    assert_int_equal(vcpu.cpu.segment[SEG_CS].selector, 0x73);
    assert_int_equal(vcpu.cpu.segment[SEG_SS].selector, 0x7b);
    START(3, "\x0f\x35");
    vcpu.cpu.sysenter_cs = 0x60;
    expect_fault(VEC_GP, 0);
    /* From virtual-8086 mode as well; in real mode #GP. */
    START(3, "\x0f\x34");
    vcpu.cpu.sysenter_cs = 0x60;
    vcpu.cpu.eflags |= EFLAGS_VM;
    vcpu.cpu.segment[SEG_CS].rights &= (uint16_t)~RIGHTS_DB;
    vcpu_derive_segments(&vcpu);
    step_ok();
    assert_true(vcpu_is_protected(&vcpu));
    START(0, "\x0f\x34");
    vcpu.cpu.sysenter_cs = 0x60;
    vcpu.cpu.cr0 &= ~(uint32_t)CR0_PE;
    expect_fault(VEC_GP, 0);
}

static void
alignment(void **state)
{
    (void)state;
    START(3, "\x8b\x03");
    vcpu.cpu.eflags |= EFLAGS_AC;
    vcpu.cpu.gpr[GPR_EBX] = AT_DATA + 2;
    step_ok();
    vcpu.cpu.eip = AT_CODE;
    vcpu.cpu.cr0 |= CR0_AM;
    expect_fault(VEC_AC, 0);
    assert_true(vcpu.fault.has_error);
    vcpu.cpu.gpr[GPR_EBX] = MEMORY_SIZE - 2;    /* a page fault first */
    expect_fault(VEC_PF, 4);
    vcpu.cpu.gpr[GPR_EBX] = AT_DATA + 4;
    step_ok();
    START(3, "\x50");
    vcpu.cpu.eflags |= EFLAGS_AC;
    vcpu.cpu.cr0 |= CR0_AM;
    vcpu.cpu.gpr[GPR_ESP] = AT_STACK + 1;
    expect_fault(VEC_AC, 0);
    vcpu.cpu.cpl = 0;
    step_ok();
}

/* LOCK: with memory, and for the instructions that the manual names. */
static void
lock(void **state)
{
    static const struct {
        char code[5];
        bool is_legal;
    } rows[] = {
        { "\xf0\x01\x03", true }, { "\xf0\x0f\xb1\x0b", true },
        { "\xf0\x0f\xc7\x0b", true }, { "\xf0\xf7\x13", true },
        { "\xf0\x87\x03", true }, { "\xf0\x0f\xab\x03", true },
        { "\xf0\x01\xc3", false }, { "\xf0\x03\x03", false },
        { "\xf0\x39\x03", false }, { "\xf0\x89\x03", false },
        { "\xf0\x90", false }, { "\xf0\x0f\xa3\x03", false },
        { "\xf0\xa5", false }, { "\xf0\xd1\x23", false },
        { "\xf0\xff\x33", false }, { "\xf0\x8f\x03", false },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        system_start(3, rows[n].code, sizeof(rows[n].code));
        vcpu.cpu.gpr[GPR_EBX] = AT_DATA;
        if (rows[n].is_legal)
            step_ok();
        else
            expect_fault(VEC_UD, 0);
    }
}

/* Errors of the x87: #MF, or a signal to the owner; of SSE: #XM or #UD. */
static void
fpu_errors(void **state)
{
    (void)state;
    if (native_frame() == NULL)
        skip();
    native_catch_signals();
    START(0, "\xd9\x03");                       /* flds (%ebx) */
    vcpu.cpu.gpr[GPR_EBX] = AT_DATA;
    vcpu.cpu.fpu[0] = 0x7e;                     /* invalid: not masked */
    vcpu.cpu.fpu[1] = 0x03;
    vcpu.cpu.fpu[2] = 0x81;                     /* and pending */
    vcpu.cpu.fpu[3] = 0x80;
    vcpu.cpu.cr0 |= CR0_NE;
    assert_int_equal(interp_step(&vcpu), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, VEC_MF);
    assert_int_equal(fake_guest.fpu_errors, 0);
    vcpu.cpu.cr0 &= ~(uint32_t)CR0_NE;
    step_ok();
    assert_int_equal(vcpu.cpu.eip, AT_CODE);
    assert_int_equal(fake_guest.fpu_errors, 1);
    START(0, "\x0f\x5e\xc1");                   /* divps, 0 by 0 */
    vcpu.cpu.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    memset(&vcpu.cpu.fpu[24], 0, 2);            /* MXCSR: all unmasked */
    assert_int_equal(interp_step(&vcpu), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, VEC_XM);
    vcpu.cpu.cr4 = CR4_OSFXSR;
    assert_int_equal(interp_step(&vcpu), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, VEC_UD);
}

/* EM and TS: SDM 3A table 2-2 and 11-1. */
static void
fpu_absent(void **state)
{
    static const struct {
        char code[4];
        uint32_t cr0, cr4;
        int vector;
    } rows[] = {
        { "\xd9\xe8", CR0_EM, 0, VEC_NM }, { "\xd9\xe8", CR0_TS, 0, VEC_NM },
        { "\x9b", CR0_TS | CR0_MP, 0, VEC_NM },
        { "\x0f\x6f\xc0", CR0_EM, 0, VEC_UD },
        { "\x0f\x6f\xc0", CR0_EM | CR0_TS, 0, VEC_UD },
        { "\x0f\x6f\xc0", CR0_TS, 0, VEC_NM },
        { "\x0f\x28\xc0", CR0_TS, 0, VEC_UD },
        { "\x0f\x28\xc0", CR0_TS, CR4_OSFXSR, VEC_NM },
        { "\x0f\xae\x03", CR0_TS, 0, VEC_NM },
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        system_start(0, rows[n].code, 3);
        vcpu.cpu.gpr[GPR_EBX] = AT_DATA;
        vcpu.cpu.cr0 |= rows[n].cr0;
        vcpu.cpu.cr4 |= rows[n].cr4;
        expect_fault((unsigned)rows[n].vector, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features),
        cmocka_unit_test(control_registers),
        cmocka_unit_test(pdptes),
        cmocka_unit_test(msrs),
        cmocka_unit_test(time_stamp),
        cmocka_unit_test(sysenter),
        cmocka_unit_test(alignment),
        cmocka_unit_test(lock),
        cmocka_unit_test(fpu_errors),
        cmocka_unit_test(fpu_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
