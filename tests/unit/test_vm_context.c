/*
 * test_vm_context.c - with which contexts a monitor may be entered.
 */
#include "unit/test.h"

#include "kernel/x86/regs.h"
#include "vmm/core/guest_enter.h"
#include "vmm/layout.h"
#include "vmm/vmk/vm_context.h"

static const struct vm_context made = {
    .first = {
        .esp = VMM_STACK_TOP, .cr0 = CR0_PE | CR0_PG | CR0_WP, .cr3 = 0x7000,
        .cr4 = CR4_PAE,
        .gdtr = { VMM_DESCRIPTORS_SIZE - 1, VMM_GDT_AT },
        .idtr = { 0, VMM_IMAGE_AT }, .tr = VMM_SEL_TSS,
        .cs = VMM_SEL_CODE, .ss = VMM_SEL_DATA, .ds = VMM_SEL_DATA,
        .es = VMM_SEL_DATA
    },
    .root = { 0, 0x7020, 0x7040, 0x7000 },
};

static struct cpu_context now;

static int
setup(void **state)
{
    (void)state;
    now = made.first;
    return 0;
}

static bool
is_sound(void)
{
    bool answer = vm_context_is_sound(&made, &now);

    now = made.first;
    return answer;
}

static void
test_sound(void **state)
{
    (void)state;
    assert_true(is_sound());
    for (unsigned n = 1; n < VM_ROOTS; n++) {
        now.cr3 = made.root[n];
        assert_true(is_sound());
    }
    now.cr0 |= CR0_TS | CR0_NE | CR0_MP;
    now.cr4 |= CR4_OSFXSR | CR4_TSD;
    assert_true(is_sound());
    now.tr = VMM_SEL_NMI_TSS;
    now.ldtr = VMM_SEL_LDT;
    now.gdtr.limit = VMM_SEL_BT - 1;
    now.idtr = (struct table_register){ 0x7ff, VMM_IMAGE_AT + 0x1000 };
    now.esp = 0x12345678;
    assert_true(is_sound());
}

static void
test_roots(void **state)
{
    (void)state;
    now.cr3 = 0;
    assert_false(is_sound());
    now.cr3 = made.first.cr3 | PTE_PCD;
    assert_false(is_sound());
    now.cr3 = 0x8000;
    assert_false(is_sound());
}

static void
test_control(void **state)
{
    (void)state;
    now.cr0 &= ~(uint32_t)CR0_PG;
    assert_false(is_sound());
    now.cr0 &= ~(uint32_t)CR0_WP;
    assert_false(is_sound());
    now.cr0 |= CR0_NW;
    assert_false(is_sound());
    now.cr4 &= ~(uint32_t)CR4_PAE;
    assert_false(is_sound());
    now.cr4 |= CR4_PGE;
    assert_false(is_sound());
}

static void
test_tables(void **state)
{
    (void)state;
    now.gdtr.base += 8;
    assert_false(is_sound());
    now.gdtr.limit = VMM_SEL_BT - 2;
    assert_false(is_sound());
    now.idtr.base = VMM_UPPER - 1;
    assert_false(is_sound());
    now.tr = 0;
    assert_false(is_sound());
    now.ldtr = VMM_SEL_DATA;
    assert_false(is_sound());
}

static void
test_segments(void **state)
{
    uint16_t *const selector[] = {
        &now.cs, &now.ss, &now.ds, &now.es, &now.fs, &now.gs
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(selector); n++) {
        *selector[n] ^= 8;
        assert_false(is_sound());
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sound, setup),
        cmocka_unit_test_setup(test_roots, setup),
        cmocka_unit_test_setup(test_control, setup),
        cmocka_unit_test_setup(test_tables, setup),
        cmocka_unit_test_setup(test_segments, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
