/*
 * test_seg_direct.c - which segment registers direct execution may have, and
 * what it leaves behind in them and in the guest's tables.
 */
#include "unit/test.h"

#include "unit/fake_user.h"

static void
expect_copy(const union seg_slot *copy, union seg_slot guest)
{
    assert_true(user_is_copy(copy, guest));
}

/* --- Reversible ------------------------------------------------------------*/

/* All rights in all registers by all selectors, against the processor. */
static void
check_rights(uint32_t rights, enum segment reg)
{
    union seg_slot *slot = &SLOTS(GDT_AT)[FREE];
    struct guest_segment before = user.v.cpu.segment[reg];

    *slot = seg_slot(0x1000, 0x2345, rights);
    for (unsigned rpl = 0; rpl < 4; rpl++) {
        struct fake_tables t = user_machine();
        struct fake_segment have, want;
        bool can;

        user_hold(reg, FREE << 3 | rpl, slot);
        can = user_enter();
        want = fake_held(&user.v.cpu.segment[reg]);
        if (fake_load(&t, reg, FREE << 3 | rpl, 3, &have)) {
            assert_true(fake_segment_equal(&have, &want));
            assert_true(can);
        } else {
            assert_false(can);
        }
    }
    user.v.cpu.segment[reg] = before;
}

static void
reversible_rights(void **state)
{
    (void)state;
    user_start();
    for (uint32_t rights = 0; rights <= RIGHTS_MASK; rights++)
        if ((rights & ~RIGHTS_MASK) == 0)
            for (enum segment reg = 0; reg < SEG_NONE; reg++)
                check_rights(rights, reg);
}

/* What the register holds and the table says no more: each bit of it. */
static void
reversible_differences(void **state)
{
    union seg_slot *slot = &SLOTS(GDT_AT)[USER_DS >> 3];
    union seg_slot was;

    (void)state;
    user_start();
    *slot = seg_slot(0x12345678, 0xabcde, DATA);
    was = *slot;
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        if (reg != SEG_CS)
            user_hold(reg, USER_DS, slot);
    assert_true(user_enter());
    for (unsigned bit = 0; bit < 64; bit++) {
        ((uint8_t *)slot)[bit / 8] ^= (uint8_t)BIT(bit % 8);
        assert_int_equal(user_enter(), BIT64(bit) >> 32 == SLOT_ACCESSED);
        *slot = was;
        assert_true(user_enter());
    }
    /* In bytes, too; and limits that no descriptor has. */
    *slot = seg_slot(0, 0xabcde, DATA & ~RIGHTS_G);
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        if (reg != SEG_CS)
            user_hold(reg, USER_DS, slot);
    assert_true(user_enter());
    user.v.cpu.segment[SEG_FS].limit = 0x1abcde;
    assert_false(user_enter());
    user.v.cpu.segment[SEG_FS].limit = 0xabcde;
    user.v.cpu.segment[SEG_FS].rights |= RIGHTS_G;
    assert_false(user_enter());
}

static void
reversible_null(void **state)
{
    (void)state;
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        for (uint32_t selector = 0; selector < 4; selector++) {
            user_start();
            user.v.cpu.segment[reg].selector = (uint16_t)selector;
            assert_int_equal(user_enter(), reg == SEG_GS);
            user.v.cpu.segment[reg].rights = 0;
            assert_int_equal(user_enter(), reg != SEG_CS && reg != SEG_SS);
        }
    user_start();
    user.v.cpu.segment[SEG_DS].rights = 0;
    assert_false(user_enter());
}

/* Beyond either table, or in none. */
static void
reversible_selectors(void **state)
{
    (void)state;
    user_start_with_ldt(0x17);
    SLOTS(GDT_AT)[0x10] = SLOTS(LDT_AT)[2] = SLOTS(LDT_AT)[3] =
        SLOTS(LDT_AT)[0] = seg_slot(0x1000, 0x2345, DATA);
    user_hold(SEG_FS, 0x80 | 3, &SLOTS(GDT_AT)[0x10]);
    assert_false(user_enter());
    user.v.cpu.gdtr.limit += 7;
    assert_false(user_enter());
    user.v.cpu.gdtr.limit++;
    assert_true(user_enter());
    user.v.cpu.segment[SEG_FS].selector = 2 << 3 | SEL_TI | 3;
    assert_true(user_enter());
    user.v.cpu.segment[SEG_FS].selector = SEL_TI | 3;
    assert_true(user_enter());
    user.v.cpu.segment[SEG_FS].selector = 3 << 3 | SEL_TI | 3;
    assert_false(user_enter());
    user.v.cpu.ldtr.limit = 0x1f;
    assert_true(user_enter());
    user.v.cpu.ldtr.rights = 0;
    assert_false(user_enter());
    assert_int_equal(user.ldtr, 0);
}

static void
code_limit(void **state)
{
    union seg_slot *slot = &SLOTS(GDT_AT)[USER_CS >> 3];

    (void)state;
    user_start();
    *slot = seg_slot(0, 0x1fff, CODE & ~RIGHTS_G);
    user_hold(SEG_CS, USER_CS, slot);
    user.v.cpu.eip = 0x1fff;
    assert_true(user_enter());
    user.v.cpu.eip = 0x2000;
    assert_false(user_enter());
}

static void
frame_of_entry(void **state)
{
    (void)state;
    user_start_with_ldt(0x17);
    SLOTS(LDT_AT)[1] = SLOTS(LDT_AT)[2] = seg_slot(0, 1, DATA);
    user_hold(SEG_FS, 0x0f, &SLOTS(LDT_AT)[1]);
    user_hold(SEG_ES, 0x14, &SLOTS(LDT_AT)[2]);
    user.v.cpu.segment[SEG_GS].selector = 2;
    assert_true(user_enter());
    assert_int_equal(user.frame.cs, USER_CS);
    assert_int_equal(user.frame.ss, USER_DS);
    assert_int_equal(user.frame.ds, USER_DS);
    assert_int_equal(user.frame.es, 0x14);
    assert_int_equal(user.frame.fs, 0x0f);
    assert_int_equal(user.frame.gs, 2);
}

/* --- LDTR ------------------------------------------------------------------*/

static uint32_t
ldt_limit(void)
{
    assert_true(user_enter());
    return user_machine().ldt_limit;
}

static void
ldt_is_loaded_once(void **state)
{
    (void)state;
    user_start();
    assert_true(user_enter() && user.ldt_loads == 0);
    user_start_with_ldt(0x1234);
    assert_int_equal(ldt_limit(), 0x1234);
    assert_int_equal(ldt_limit(), 0x1234);
    assert_int_equal(user.ldt_loads, 1);
    user.v.cpu.ldtr.limit = 0xfffff;
    assert_int_equal(ldt_limit(), UINT16_MAX);
    assert_int_equal(user.ldt_loads, 2);
    /* Another table of the same size. */
    SLOTS(LDT_AT)[2] = seg_slot(5, 5, DATA);
    user.v.cpu.ldtr.base += 8;
    assert_int_equal(ldt_limit(), UINT16_MAX);
    assert_int_equal(user.ldt_loads, 2);
    expect_copy(&user.ldt[1], seg_slot(5, 5, DATA));
    user.v.cpu.ldtr.rights = 0;
    assert_true(user_enter() && user.ldtr == 0);
    assert_true(user_enter() && user.ldt_loads == 3);
    user.v.cpu.ldtr.rights = RIGHTS_P | SYS_LDT;
    assert_true(user_enter() && user.ldtr == VMM_SEL_LDT);
    assert_int_equal(user.ldt_loads, 4);
}

/* --- Out of direct execution -----------------------------------------------*/

/* As the processor leaves it: a push writes 16 of 32 bits, or all. */
static void
user_loads(uint32_t *field, uint32_t selector)
{
    union seg_slot *table = selector & SEL_TI ? user.ldt : user.gdt;

    *field = (*field & ~(uint32_t)UINT16_MAX) | selector;
    if (selector >> 3 != 0 || selector & SEL_TI)
        table[selector >> 3].word.high |= SLOT_ACCESSED;
}

static void
leave_with_others(void **state)
{
    const union seg_slot data = seg_slot(0x5000, 0x123, DATA & ~RIGHTS_G);
    struct guest_segment want;

    (void)state;
    user_start_with_ldt(0x17);
    SLOTS(GDT_AT)[FREE] = data;
    SLOTS(LDT_AT)[0] = seg_slot(0x7000, 5, CODE);
    assert_true(user_enter());
    user.frame.ds |= 0xabcd0000;
    user.frame.fs |= 0xabcd0000;
    user_loads(&user.frame.ds, FREE << 3 | 3);
    user_loads(&user.frame.gs, SEL_TI | 3);
    user_loads(&user.frame.es, 1);
    seg_leave_direct(&user.v, &user.frame);

    want = segment_make(FREE << 3 | 3, &data.desc);
    assert_memory_equal(&user.v.cpu.segment[SEG_DS], &want, sizeof(want));
    want = segment_make(SEL_TI | 3, &SLOTS(LDT_AT)[0].desc);
    assert_memory_equal(&user.v.cpu.segment[SEG_GS], &want, sizeof(want));
    assert_int_equal(user.v.cpu.segment[SEG_ES].selector, 1);
    assert_int_equal(user.v.cpu.segment[SEG_ES].rights, 0);
    assert_int_equal(user.v.cpu.segment[SEG_ES].allow, 0);
    assert_int_equal(user.v.cpu.segment[SEG_FS].selector, USER_DS);
    assert_int_equal(user.v.cpu.segment[SEG_FS].limit, UINT32_MAX);
    assert_true(user_enter());
}

/* A far jump to conforming code: CPL stays. */
static void
leave_with_other_code(void **state)
{
    uint32_t rights = (CODE | SEG_CODE_C) & ~RIGHTS_DPL;

    (void)state;
    user_start();
    SLOTS(GDT_AT)[FREE] = seg_slot(0, SEG_LIMIT_4GB, rights);
    assert_true(user_enter());
    user_loads(&user.frame.cs, FREE << 3 | 3);
    seg_leave_direct(&user.v, &user.frame);
    assert_int_equal(user.v.cpu.segment[SEG_CS].rights, rights);
    assert_int_equal(user.v.cpu.segment[SEG_CS].selector, FREE << 3 | 3);
    assert_true(user_enter());
}

/*
 * Accessed bits reach the guest's table: of what is held, of what was loaded
 * in between, of the LDT; and of nothing else.
 */
static void
leave_marks_accessed(void **state)
{
    union seg_slot *slot = SLOTS(GDT_AT);
    const uint32_t rights = DATA & ~SEG_ACCESSED;

    (void)state;
    user_start_with_ldt(0x17);
    for (uint32_t n = 0; n < 5; n++)
        slot[FREE + n] = seg_slot(n, n, rights);
    SLOTS(LDT_AT)[1] = seg_slot(9, 9, rights);
    assert_true(user_enter());
    user_loads(&user.frame.fs, (FREE + 1) << 3 | 3);
    user_loads(&user.frame.es, (FREE + 2) << 3 | 3);
    user_loads(&user.frame.es, 1 << 3 | SEL_TI | 3);
    seg_leave_direct(&user.v, &user.frame);
    for (uint32_t n = 0; n < 5; n++)
        expect_copy(&slot[FREE + n],
                    seg_slot(n, n, n == 1 || n == 2 ? rights | SEG_ACCESSED
                                                    : rights));
    expect_copy(&SLOTS(LDT_AT)[1], seg_slot(9, 9, DATA));
    assert_int_equal(user.v.cpu.segment[SEG_FS].rights, DATA);
    assert_true(user_enter());

    /* The guest clears one and looks again. */
    slot[FREE + 1] = seg_slot(1, 1, rights);
    assert_true(user_enter());
    seg_leave_direct(&user.v, &user.frame);
    expect_copy(&slot[FREE + 1], seg_slot(1, 1, rights));
    assert_true(user_enter());
    user_loads(&user.frame.gs, (FREE + 1) << 3 | 3);
    seg_leave_direct(&user.v, &user.frame);
    expect_copy(&slot[FREE + 1], seg_slot(1, 1, DATA));
}

/* A processor that forgets the bit at a load: held registers still have it. */
static void
leave_marks_what_is_held(void **state)
{
    (void)state;
    user_start();
    SLOTS(GDT_AT)[FREE] = seg_slot(1, 1, CODE & ~SEG_ACCESSED);
    assert_true(user_enter());
    user.frame.cs = FREE << 3 | 3;
    seg_leave_direct(&user.v, &user.frame);
    assert_int_equal(user.v.cpu.segment[SEG_CS].rights, CODE);
    expect_copy(&SLOTS(GDT_AT)[FREE], seg_slot(1, 1, CODE));
}

/* Meanwhile the guest has another descriptor there, or a read-only page. */
static void
leave_marks_no_other(void **state)
{
    const uint32_t rights = DATA & ~SEG_ACCESSED;
    union seg_slot *slot = &SLOTS(GDT_AT)[FREE];

    (void)state;
    user_start();
    *slot = seg_slot(1, 1, rights);
    assert_true(user_enter());
    user_loads(&user.frame.es, FREE << 3 | 3);
    *slot = seg_slot(2, 1, rights);
    seg_leave_direct(&user.v, &user.frame);
    expect_copy(slot, seg_slot(2, 1, rights));
    assert_false(user_enter());

    user_start();
    *slot = seg_slot(1, 1, rights);
    assert_true(user_enter());
    user_loads(&user.frame.es, FREE << 3 | 3);
    fake_guest.no_write[0] = 1;
    seg_leave_direct(&user.v, &user.frame);
    expect_copy(slot, seg_slot(1, 1, rights));
    assert_true(user_enter());
    fake_guest.no_access[0] = 1;
    seg_leave_direct(&user.v, &user.frame);
    assert_false(user_enter());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reversible_rights),
        cmocka_unit_test(reversible_differences),
        cmocka_unit_test(reversible_null),
        cmocka_unit_test(reversible_selectors),
        cmocka_unit_test(code_limit),
        cmocka_unit_test(frame_of_entry),
        cmocka_unit_test(ldt_is_loaded_once),
        cmocka_unit_test(leave_with_others),
        cmocka_unit_test(leave_with_other_code),
        cmocka_unit_test(leave_marks_accessed),
        cmocka_unit_test(leave_marks_what_is_held),
        cmocka_unit_test(leave_marks_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
