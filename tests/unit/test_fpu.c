/*
 * test_fpu.c - what the monitor lets into MXCSR and CR4.
 */
#include "unit/test.h"

#include "vmm/core/fpu_int.h"
#include "vmm/vcpu.h"

#define MXCSR_DAZ   0x40u
#define MXCSR_RESET 0x1f80u

static void
put(uint8_t *image, unsigned offset, uint32_t value)
{
    memcpy(&image[offset], &value, sizeof(value));
}

static uint32_t
get(const uint8_t *image, unsigned offset)
{
    uint32_t value;

    memcpy(&value, &image[offset], sizeof(value));
    return value;
}

static void
test_mask_of_old_cpus(UNUSED void **state)
{
    uint8_t image[FXSAVE_SIZE] = { 0 };

    assert_int_equal(fx_mxcsr_mask(image), 0xffbf);
    put(image, FXSAVE_MXCSR_MASK, 0xffff);
    assert_int_equal(fx_mxcsr_mask(image), 0xffff);
}

static void
test_reserved_bits_go(UNUSED void **state)
{
    uint8_t image[FXSAVE_SIZE] = { 0 };

    put(image, FXSAVE_MXCSR, UINT32_MAX);
    fx_make_loadable(image, 0xffff);
    assert_int_equal(get(image, FXSAVE_MXCSR), 0xffff);
    fx_make_loadable(image, MXCSR_MASK_DEFAULT);
    assert_int_equal(get(image, FXSAVE_MXCSR), 0xffff & ~MXCSR_DAZ);
}

static void
test_nothing_else_changes(UNUSED void **state)
{
    uint8_t image[FXSAVE_SIZE], before[FXSAVE_SIZE];

    for (unsigned n = 0; n < sizeof(image); n++)
        image[n] = (uint8_t)(n * 7 + 1);
    put(image, FXSAVE_MXCSR, MXCSR_RESET);
    memcpy(before, image, sizeof(before));
    fx_make_loadable(image, 0xffff);
    assert_memory_equal(image, before, sizeof(before));
    put(image, FXSAVE_MXCSR, MXCSR_RESET | BIT(31));
    fx_make_loadable(image, 0xffff);
    assert_memory_equal(image, before, sizeof(before));
}

static void
test_cr4_keeps_our_own(UNUSED void **state)
{
    uint32_t own = CR4_PAE | CR4_MCE;

    assert_int_equal(cr4_for_guest(own, 0, CR4_GUEST), own);
    assert_int_equal(cr4_for_guest(own | CR4_TSD | CR4_OSFXSR, 0, CR4_GUEST),
                     own);
    /* The guest's paging is the shadow's, and its performance counters no. */
    assert_int_equal(cr4_for_guest(own, CR4_PSE | CR4_PGE | CR4_PCE | CR4_VME,
                                   CR4_GUEST), own);
}

static void
test_cr4_takes_the_guests(UNUSED void **state)
{
    uint32_t wanted = CR4_TSD | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    assert_int_equal(cr4_for_guest(CR4_PAE, UINT32_MAX, UINT32_MAX),
                     CR4_PAE | wanted);
    assert_int_equal(cr4_for_guest(CR4_PAE, wanted, CR4_TSD),
                     CR4_PAE | CR4_TSD);
    assert_int_equal(cr4_for_guest(CR4_PAE, CR4_DE, CR4_GUEST),
                     CR4_PAE | CR4_DE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask_of_old_cpus),
        cmocka_unit_test(test_reserved_bits_go),
        cmocka_unit_test(test_nothing_else_changes),
        cmocka_unit_test(test_cr4_keeps_our_own),
        cmocka_unit_test(test_cr4_takes_the_guests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
