/*
 * test_bt_slots.c - the guest's state in the slots of translated code.
 */
#include "unit/test.h"

#include "bt/bt_slots.h"

static struct bt_slots slots;

/* What POPF of FLAGS may do in translated code, by the manual. */
static uint32_t
expected_popf(uint32_t flags, uint32_t old, bool is_pending)
{
    const uint32_t fixed = EFLAGS_IOPL | EFLAGS_NT;

    if ((flags & (EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | BIT(15))) ||
        (old & (EFLAGS_NT | EFLAGS_AC | EFLAGS_ID)) ||
        ((flags ^ old) & fixed) || ((flags & EFLAGS_IF) && is_pending))
        return 0;
    return (flags & EFLAGS_IF) + BT_IF_BIAS;
}

static void
test_popf_table(void **state)
{
    static const uint32_t olds[] = {
        0, EFLAGS_IF, EFLAGS_NT, EFLAGS_IOPL, EFLAGS_IOPL | EFLAGS_AC,
        0x1000, 0x2000 | EFLAGS_NT, 0x1000, EFLAGS_ID,
    };

    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(olds); n++)
        for (unsigned pending = 0; pending < 2; pending++) {
            bt_slots_set_eflags(&slots, olds[n]);
            bt_slots_set_pending(&slots, pending != 0);
            for (unsigned i = 0; i < BT_POPF_COUNT; i++)
                assert_int_equal(slots.popf[i],
                                 expected_popf(i << 8, olds[n], pending));
        }
}

static void
test_eflags_go_there_and_back(void **state)
{
    struct test_random r = { 5 };

    (void)state;
    for (unsigned n = 0; n < 1000; n++) {
        uint32_t guest = (test_random_next(&r) &
                          (BT_FLAGS_MACHINE | BT_FLAGS_SYSTEM | EFLAGS_IF)) |
                         EFLAGS_FIXED;
        uint32_t machine = bt_machine_eflags(guest);

        assert_true(machine & EFLAGS_IF);
        assert_false(machine & BT_FLAGS_SYSTEM);
        bt_slots_set_eflags(&slots, guest);
        assert_int_equal(bt_slots_eflags(&slots, machine), guest);
        slots.iflag = test_random_next(&r);     /* a hostile guest */
        slots.sysflags = test_random_next(&r);
        assert_false(bt_slots_eflags(&slots, UINT32_MAX) &
                     (EFLAGS_VM | EFLAGS_TF | EFLAGS_RF));
    }
}

static void
test_known_selectors(void **state)
{
    (void)state;
    bt_slots_set_selector(&slots, SEG_DS, 0x7b, true);
    assert_int_equal(slots.selector[SEG_DS], 0x7b);
    assert_int_equal(slots.same[SEG_DS] + 0x7b, 0);
    bt_slots_set_selector(&slots, SEG_DS, 0x7b, false);
    for (uint32_t selector = 0; selector <= UINT16_MAX; selector++)
        assert_int_not_equal(slots.same[SEG_DS] + selector, 0);
}

static void
test_gs_blocks(void **state)
{
    (void)state;
    bt_slots_set_gs(&slots, 5, UINT32_MAX, true);
    assert_false(slots.gs_blocked || slots.gs_blocked_low);
    bt_slots_set_gs(&slots, 5, BT_GS_LOW - 1, true);
    assert_true(slots.gs_blocked && !slots.gs_blocked_low);
    bt_slots_set_gs(&slots, 5, BT_GS_LOW - 2, true);
    assert_true(slots.gs_blocked && slots.gs_blocked_low);
    bt_slots_set_gs(&slots, 5, UINT32_MAX, false);
    assert_true(slots.gs_blocked && slots.gs_blocked_low);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_popf_table),
        cmocka_unit_test(test_eflags_go_there_and_back),
        cmocka_unit_test(test_known_selectors),
        cmocka_unit_test(test_gs_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
