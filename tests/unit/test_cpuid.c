/*
 * test_cpuid.c - the virtual CPUID: never more than the host's, never what we
 * cannot do, and one processor.  The registers beside it: msr.c.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/cpuid.h"
#include "vmm/msr.h"

#define TSC_HZ      2600123456ull
#define ROUNDS      2000u

#define MODEL       0x00000001u
#define STRUCTURED  0x00000007u
#define FEATURES    0x80000001u
#define HYPERVISOR  BIT(31)             /* of MODEL's ECX */

/* The host: all registers of a leaf that it has are `bits`, junk elsewhere. */
static struct {
    uint32_t last, extended_last;
    struct cpuid_leaf bits;
} host;

static void
ask_host(uint32_t leaf, UNUSED uint32_t subleaf, struct cpuid_leaf *out)
{
    const struct cpuid_leaf junk = { 0x12345678, UINT32_MAX, UINT32_MAX,
                                     UINT32_MAX };

    *out = host.bits;
    if (leaf == 0)
        out->eax = host.last;
    else if (leaf == 0x80000000)
        out->eax = host.extended_last;
    else if (leaf > (leaf < 0x80000000 ? host.last : host.extended_last))
        *out = junk;
}

static void
make_host(uint32_t last, uint32_t extended_last, uint32_t bits)
{
    host.last = last;
    host.extended_last = extended_last;
    host.bits = (struct cpuid_leaf){ bits, bits, bits, bits };
}

static struct virtual_cpuid virtual;

static struct cpuid_leaf
ask(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_leaf out;

    cpuid_read(&virtual, leaf, subleaf, &out);
    return out;
}

static void
assert_zero(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_leaf out = ask(leaf, subleaf);

    assert_int_equal(out.eax | out.ebx | out.ecx | out.edx, 0);
}

static void
test_all_that_can_be_shown(void **state)
{
    (void)state;
    make_host(0x20, 0x80000021, UINT32_MAX);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    assert_int_equal(ask(0, 0).eax, STRUCTURED);
    assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
    /* FPU DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT CLFSH MMX FXSR SSE SSE2 */
    assert_int_equal(ask(MODEL, 0).edx, 0x0789a97d);
    /* SSE3 PCLMUL SSSE3 SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND hypervisor */
    assert_int_equal(ask(MODEL, 0).ecx, 0xc2d80203);
    /* BMI1 BMI2 ERMS RDSEED ADX CLFLUSHOPT CLWB SHA; GFNI; FSRM ARCH_CAP */
    assert_int_equal(ask(STRUCTURED, 0).ebx, 0x218c0308);
    assert_int_equal(ask(STRUCTURED, 0).ecx, 0x00000100);
    assert_int_equal(ask(STRUCTURED, 0).edx, 0x20000010);
    assert_int_equal(ask(FEATURES, 0).ecx, 0x00000160);
    assert_int_equal(ask(FEATURES, 0).edx, 0x01d1a17d);
    assert_int_equal(ask(0x80000007, 0).edx, BIT(8));
}

/* Each bit whose instructions the interpreter checks has a line there. */
static void
test_gated_features_are_shown_or_hidden(void **state)
{
    static const struct { uint32_t leaf; size_t reg; unsigned bit; } gated[] = {
#define FEATURE(name, leaf, reg, bit) \
    { leaf, offsetof(struct cpuid_leaf, reg), bit },
#include "vmm/interp/features.def"
    };
    unsigned shown = 0;

    (void)state;
    make_host(0x20, 0x80000021, UINT32_MAX);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    for (size_t n = 0; n < ARRAY_LEN(gated); n++) {
        struct cpuid_leaf out = ask(gated[n].leaf, 0);
        uint32_t value;

        memcpy(&value, (const uint8_t *)&out + gated[n].reg, sizeof(value));
        shown += (value & BIT(gated[n].bit)) != 0;
    }
    /* All but MCE, UMIP and RDTSCP. */
    assert_int_equal(shown, ARRAY_LEN(gated) - 3);
}

static void
test_never_more_than_the_host(void **state)
{
    struct test_random rnd = { 11 };

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t bits = test_random_next(&rnd);

        make_host(0x20, 0x80000021, bits);
        cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
        assert_int_equal(ask(MODEL, 0).eax, bits);
        assert_int_equal(ask(MODEL, 0).ecx & ~bits & ~HYPERVISOR, 0);
        assert_int_equal(ask(MODEL, 0).edx & ~bits, 0);
        assert_int_equal(ask(STRUCTURED, 0).ebx & ~bits, 0);
        assert_int_equal(ask(STRUCTURED, 0).ecx & ~bits, 0);
        assert_int_equal(ask(STRUCTURED, 0).edx & ~bits, 0);
        assert_int_equal(ask(FEATURES, 0).ecx & ~bits, 0);
        assert_int_equal(ask(FEATURES, 0).edx & ~bits, 0);
        assert_int_equal(ask(0x80000007, 0).edx & ~bits, 0);
        assert_int_equal(cpuid_has_arch_capabilities(&virtual),
                         (bits & BIT(29)) != 0);
    }
}

/* An old CPU answers to leaves that it has not, with anything. */
static void
test_leaves_that_the_host_has_not(void **state)
{
    (void)state;
    make_host(2, 0x12345678, UINT32_MAX);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    assert_int_equal(ask(0, 0).eax, 2);
    assert_zero(4, 0);
    assert_zero(STRUCTURED, 0);
    assert_false(cpuid_has_arch_capabilities(&virtual));
    for (uint32_t leaf = 0x80000000; leaf <= 0x80000008; leaf++)
        assert_zero(leaf, 0);
    make_host(4, 0x80000004, UINT32_MAX);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
    assert_int_equal(ask(0x80000004, 0).eax, UINT32_MAX);
    assert_zero(0x80000005, 0);
    assert_int_equal(ask(0x80000008, 0).eax, 0x2024);
}

static void
test_one_processor(void **state)
{
    (void)state;
    make_host(0x20, 0x80000021, UINT32_MAX);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    /* No APIC id, no logical processors, neither here nor at the caches. */
    assert_int_equal(ask(MODEL, 0).ebx & BITS(31, 16), 0);
    for (uint32_t cache = 0; cache < 4; cache++)
        assert_int_equal(ask(4, cache).eax, BITS(13, 0));
    assert_zero(4, 4);
    assert_zero(0xb, 0);
    assert_int_equal(ask(0x80000008, 0).ecx, 0);
}

static void
test_subleaves(void **state)
{
    struct cpuid_leaf first, other;

    (void)state;
    make_host(0x20, 0x80000021, UINT32_MAX);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    assert_zero(STRUCTURED, 1);
    first = ask(MODEL, 0);
    other = ask(MODEL, 77);
    assert_memory_equal(&first, &other, sizeof(first));
}

static void
test_hypervisor(void **state)
{
    struct cpuid_leaf name;

    (void)state;
    make_host(1, 0, 0);
    cpuid_init_virtual(&virtual, ask_host, TSC_HZ);
    assert_int_equal(ask(MODEL, 0).ecx, HYPERVISOR);
    name = ask(0x40000000, 0);
    assert_int_equal(name.eax, 0x40000010);
    assert_memory_equal(&name.ebx, "VMwareVMware", 12);
    assert_int_equal(ask(0x40000010, 0).eax, 2600123);
    assert_zero(0x40000001, 0);
}

static void
test_registers(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(msr_read(0x17, &value));
    assert_false(msr_write(0x17));
    assert_true(msr_read(0x1a0, &value));
    assert_true(value == 1);
    assert_true(msr_write(0x1a0));
    assert_true(msr_read(0xc0010015, &value));
    assert_true(value == BIT64(24));
    assert_false(msr_read(0x18, &value));
    assert_false(msr_write(0x18));
    assert_false(msr_read(MSR_ARCH_CAPABILITIES, &value));
    assert_true(msr_arch_capabilities(UINT64_MAX) == 0x169);
    assert_true(msr_arch_capabilities(0x20) == 0x20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_can_be_shown),
        cmocka_unit_test(test_gated_features_are_shown_or_hidden),
        cmocka_unit_test(test_never_more_than_the_host),
        cmocka_unit_test(test_leaves_that_the_host_has_not),
        cmocka_unit_test(test_one_processor),
        cmocka_unit_test(test_subleaves),
        cmocka_unit_test(test_hypervisor),
        cmocka_unit_test(test_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
