/*
 * test_seg_tables.c - copies of the guest's GDT, for direct execution: what,
 * from where, and what the monitor keeps for itself.
 */
#include "unit/test.h"

#include "unit/fake_user.h"

static void
expect_copy(const union seg_slot *copy, union seg_slot guest)
{
    assert_true(user_is_copy(copy, guest));
}

/* COUNT entries in all, and nothing behind them. */
static void
expect_gdt(uint32_t count)
{
    const uint8_t *memory = &user.memory[user.v.cpu.gdtr.base - MEMORY_AT];
    const union seg_slot nothing = { 0 };

    expect_copy(&user.gdt[0], nothing);
    for (uint32_t n = 1; n < VMM_SEL_CODE >> 3; n++) {
        union seg_slot guest = nothing;

        if (n < count)
            memcpy(&guest, &memory[n * sizeof(guest)], sizeof(guest));
        expect_copy(&user.gdt[n], guest);
    }
}

/* Each sum of rights, and all bits of base and limit. */
static void
copy_all_rights(void **state)
{
    struct test_random r = { 0xc0b1e5 };
    uint32_t count = 1;

    (void)state;
    user_start();
    for (uint32_t rights = 0; rights <= RIGHTS_MASK; rights++)
        if ((rights & ~RIGHTS_MASK) == 0)
            SLOTS(GDT_AT)[count++] = seg_slot(test_random_next(&r),
                                              test_random_next(&r), rights);
    user.v.cpu.gdtr.limit = count * 8 - 1;
    (void)user_enter();
    assert_int_equal(count, 4097);
    expect_gdt(count);
}

static void
copy_changes(void **state)
{
    struct test_random r = { 0xcafe };

    (void)state;
    user_start();
    for (unsigned n = 0; n < 2000; n++) {
        uint32_t entry = test_random_below(&r, 40);
        uint32_t word = test_random_below(&r, 2);

        user.memory[entry * 8 + word * 4 + test_random_below(&r, 4)] ^=
            (uint8_t)test_random_next(&r);
        user.v.cpu.gdtr.limit = test_random_below(&r, 330);
        (void)user_enter();
        expect_gdt((user.v.cpu.gdtr.limit + 1) / 8);
    }
}

/* A full table leaves the monitor's slots alone, and gives them no meaning. */
static void
copy_not_into_slots(void **state)
{
    union seg_slot before[SHADOW_SLOTS_MAX];
    const uint32_t own = VMM_SEL_CODE >> 3, ldt_slot = VMM_SEL_LDT >> 3;

    (void)state;
    user_start();
    for (uint32_t n = own; n < VMM_SEL_BT >> 3; n++)
        user.gdt[n] = seg_slot(n, n, RIGHTS_P);
    memcpy(before, user.gdt, sizeof(user.gdt));
    for (uint32_t n = FREE; n < SHADOW_SLOTS_MAX; n++)
        SLOTS(GDT_AT)[n] = seg_slot(n, n, DATA);
    user.v.cpu.gdtr.limit = UINT16_MAX;
    assert_true(user_enter());
    expect_gdt(SHADOW_SLOTS_MAX);
    for (uint32_t n = own; n < SHADOW_SLOTS_MAX; n++)
        assert_true(n == ldt_slot ||
                    memcmp(&user.gdt[n], &before[n], sizeof(*user.gdt)) == 0);

    user_hold(SEG_FS, VMM_SEL_CODE - 8 + 3, &SLOTS(GDT_AT)[own - 1]);
    assert_true(user_enter());
    user_hold(SEG_FS, VMM_SEL_CODE + 3, &SLOTS(GDT_AT)[own]);
    assert_false(user_enter());
    user_hold(SEG_FS, VMM_SEL_BT_ES + 3, &SLOTS(GDT_AT)[VMM_SEL_BT_ES >> 3]);
    assert_false(user_enter());
}

/* Any base: descriptors across pages, and pages that are not there. */
static void
copy_from_anywhere(void **state)
{
    struct test_random r = { 0x9a9e };

    (void)state;
    for (uint32_t shift = 0; shift < 16; shift++) {
        uint32_t first = GDT_AT + 0x800 + shift;

        user_start();
        for (uint32_t n = 0; n < 0x4000; n++)
            user.memory[n] = (uint8_t)test_random_next(&r);
        user.v.cpu.gdtr = (struct guest_table){ first, 0x37ff };
        (void)user_enter();
        expect_gdt(0x3800 / 8);

        /* The second page of four goes; what lies in it, or across, is 0. */
        fake_guest.no_access[1] = 1;
        (void)user_enter();
        for (uint32_t n = 1; n < 0x3800 / 8; n++) {
            uint32_t at = first + n * 8;
            union seg_slot guest = { 0 };

            if (at + 7 < 0x11000 || at >= 0x12000)
                memcpy(&guest, &user.memory[at - MEMORY_AT], sizeof(guest));
            expect_copy(&user.gdt[n], guest);
        }
        fake_guest.no_access[1] = 0;
        (void)user_enter();
        expect_gdt(0x3800 / 8);
    }
}

/* Linear addresses wrap. */
static void
copy_across_the_end(void **state)
{
    (void)state;
    user_start();
    fake_guest_reset(0xfffff000, 2 * PAGE_SIZE, user.memory);
    for (uint32_t n = 0; n < 2 * PAGE_SIZE / 8; n++)
        memcpy(&user.memory[n * 8 + 4],
               &(union seg_slot){ .word = { 0, n << 16 | 0xf200 } }.word.high,
               4);
    user.v.cpu.gdtr = (struct guest_table){ 0xfffff804, 0xfff };
    (void)user_enter();
    for (uint32_t n = 1; n < 512; n++)
        assert_int_equal(user.gdt[n].word.low, (n + 256) << 16 | 0xf200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_all_rights),
        cmocka_unit_test(copy_changes),
        cmocka_unit_test(copy_not_into_slots),
        cmocka_unit_test(copy_from_anywhere),
        cmocka_unit_test(copy_across_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
