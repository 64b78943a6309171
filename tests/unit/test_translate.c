/*
 * test_translate.c - what the translator keeps, without running its code.
 */
#include "unit/test.h"

#include "bt/bt.h"
#include "bt/decode.h"

#define GUEST_AT 0x8000u
#define CODE_AT  0x10000000u
#define LINKS    BT_LINK_MIN

static uint8_t page[4096];
static uint8_t code[BT_CODE_MIN];
static struct bt_slots slots;
static struct bt_tables *tables;
static struct bt_env env;
static struct bt *bt;

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    (void)context;
    (void)flags;
    *id = eip / sizeof(page);
    return eip / sizeof(page) == GUEST_AT / sizeof(page) ? page : NULL;
}

static int
setup(void **state)
{
    (void)state;
    tables = calloc(1, sizeof(*tables) + LINKS * sizeof(uint32_t));
    env = (struct bt_env){
        .is_user = true, .slot_segment = SEG_DS,
        .mode = DECODE_32 | DECODE_PROTECTED, .slots_at = 0x1000,
        .tables_at = 0x2000, .code_at = CODE_AT, .code = code,
        .slots = &slots, .tables = tables, .code_size = BT_CODE_MIN,
        .tu_max = BT_TU_MIN, .point_max = BT_POINT_MIN, .link_max = LINKS,
        .fetch = fetch,
    };
    bt = bt_init(&env, calloc(1, bt_memory_size(&env)));
    memset(page, 0x90, sizeof(page));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    free(bt);
    free(tables);
    return 0;
}

static void
test_copied_code_recovers(void **state)
{
    struct bt_state s;
    uint32_t at = bt_entry(bt, GUEST_AT);

    (void)state;
    assert_memory_equal(code + (at - CODE_AT), page, 12);
    for (uint32_t i = 0; i < 12; i++) {
        s = (struct bt_state){ .eip = at + i, .ecx = 7, .esp = 9 };
        assert_true(bt_recover(bt, &s));
        assert_int_equal(s.eip, GUEST_AT + i);
        assert_int_equal(s.ecx, 7);
        assert_int_equal(s.esp, 9);
    }
}

static uint32_t
eip_at(uint32_t at)
{
    struct bt_state s = { .eip = at };

    assert_true(bt_recover(bt, &s));
    return s.eip;
}

/* Where a CMPXCHG8B must be jumped to: emit_jmp_next(). */
static void
test_jump_to_cmpxchg8b(void **state)
{
    static const uint8_t cmpxchg8b[] = { 0x0f, 0xc7, 0x0e };
    static const uint8_t expected[] = { 0xeb, 0, 0x0f, 0xc7, 0x0e };
    uint32_t at;

    (void)state;
    env.jumps_to_cmpxchg8b = true;
    memcpy(page, cmpxchg8b, sizeof(cmpxchg8b));
    at = bt_entry(bt, GUEST_AT);
    assert_memory_equal(code + (at - CODE_AT), expected, sizeof(expected));
    assert_int_equal(eip_at(at), GUEST_AT);
    assert_int_equal(eip_at(at + 2), GUEST_AT);
    assert_int_equal(eip_at(at + sizeof(expected)),
                     GUEST_AT + sizeof(cmpxchg8b));
}

static void
test_ret_is_undone(void **state)
{
    struct bt_state s;
    uint32_t at;

    (void)state;
    page[0] = 0xc3;
    slots.ecx = 5;
    at = bt_entry(bt, GUEST_AT);
    s = (struct bt_state){ .eip = at + 6, .ecx = 7, .esp = 16 };
    assert_true(bt_recover(bt, &s));            /* at the pop */
    assert_int_equal(s.eip, GUEST_AT);
    assert_int_equal(s.ecx, 5);
    assert_int_equal(s.esp, 16);
    s = (struct bt_state){ .eip = at + 7, .ecx = 0x1234, .esp = 16 };
    assert_true(bt_recover(bt, &s));            /* behind it: done */
    assert_int_equal(s.eip, 0x1234);
    assert_int_equal(s.ecx, 5);
    assert_int_equal(s.esp, 16);
}

static void
test_ret_with_size_is_undone(void **state)
{
    static const uint8_t ret_8[] = { 0xc2, 8, 0 };
    struct bt_state s;
    uint32_t at;

    (void)state;
    memcpy(page, ret_8, sizeof(ret_8));
    slots.ecx = 5;
    at = bt_entry(bt, GUEST_AT);
    s = (struct bt_state){ .eip = at + 7, .ecx = 0x1234, .esp = 16 };
    assert_true(bt_recover(bt, &s));            /* popped, not yet added */
    assert_int_equal(s.eip, GUEST_AT);
    assert_int_equal(s.ecx, 5);
    assert_int_equal(s.esp, 12);
}

static void
test_changed_page_is_translated_anew(void **state)
{
    uint32_t at = bt_entry(bt, GUEST_AT);

    (void)state;
    assert_int_equal(bt_entry(bt, GUEST_AT), at);
    bt_invalidate_page(bt, GUEST_AT / sizeof(page) + 1);
    assert_int_equal(bt_entry(bt, GUEST_AT), at);
    bt_invalidate_page(bt, GUEST_AT / sizeof(page));
    assert_int_equal(code[at - CODE_AT], 0xe9);  /* leads elsewhere */
    assert_int_not_equal(bt_entry(bt, GUEST_AT), at);
}

static void
test_missing_code_is_reported(void **state)
{
    struct bt_state s = { .eip = CODE_AT + BT_CODE_MIN };

    (void)state;
    assert_int_equal(bt_entry(bt, GUEST_AT + sizeof(page)), 0);
    assert_int_not_equal(bt_entry(bt, GUEST_AT + sizeof(page) - 1), 0);
    assert_false(bt_recover(bt, &s));
}

static void
test_random_bytes_never_break_it(void **state)
{
    struct test_random r = { 1 };

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        for (unsigned k = 0; k < sizeof(page); k++)
            page[k] = (uint8_t)test_random_next(&r);
        bt_invalidate_page(bt, GUEST_AT / sizeof(page));
        for (unsigned k = 0; k < 50; k++)
            assert_int_not_equal(
                bt_entry(bt, GUEST_AT + test_random_below(&r, 4000)), 0);
    }
    assert_true(bt_get_stats(bt)->flushes > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copied_code_recovers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ret_with_size_is_undone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_jump_to_cmpxchg8b, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ret_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_page_is_translated_anew,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_code_is_reported, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_random_bytes_never_break_it,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
