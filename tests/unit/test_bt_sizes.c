/*
 * test_bt_sizes.c - the translator's memory fits into the monitor's area.
 */
#include "vmm/core/bt_sizes.h"

#include "unit/test.h"

static void
test_memory_fits(void **state)
{
    static const struct bt_env env = {
        .code_size = VMM_TC_SIZE, .tu_max = VMM_TU_MAX,
        .point_max = VMM_POINT_MAX, .link_max = VMM_LINK_MAX,
    };

    (void)state;
    assert_in_range(bt_memory_size(&env), 1, VMM_BT_SIZE);
    /* Nor is much of it left over. */
    assert_in_range(bt_memory_size(&env), VMM_BT_SIZE / 10 * 9, VMM_BT_SIZE);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
