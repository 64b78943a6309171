/*
 * test_seg_direct.c - copies of the guest's descriptor tables, and which
 * segment registers direct execution may have.
 */
#include "unit/test.h"

#include "unit/fake_guest.h"
#include "unit/fake_loader.h"
#include "vmm/seg/seg_int.h"

#define MEMORY_AT   0x10000u
#define MEMORY_SIZE 0x30000u
#define GDT_AT      0x10000u
#define LDT_AT      0x20000u
#define USER_CS     0x0bu           /* entries of a plain GDT */
#define USER_DS     0x13u
#define PLAIN_LIMIT 0x7fu
#define FREE        5u              /* the first entry that it leaves free */
#define SLOTS(table)    ((union seg_slot *)&memory[(table) - MEMORY_AT])

#define DATA    (RIGHTS_P | RIGHTS_S | RIGHTS_DB | RIGHTS_G | SEG_DATA_W | \
                 SEG_ACCESSED | RIGHTS_DPL)
#define CODE    (DATA | SEG_CODE)

static union seg_slot gdt[SHADOW_SLOTS_MAX], ldt[SHADOW_SLOTS_MAX];
static uint8_t memory[MEMORY_SIZE];
static struct vcpu v;
static struct trapframe frame;
static unsigned ldt_loads;
static uint16_t ldtr;

/* seg.c's: what the processor does. */
void
seg_load_ldtr(uint16_t selector)
{
    ldt_loads++;
    ldtr = selector;
}

static struct fake_tables
machine(void)
{
    const union seg_slot *slot = &gdt[VMM_SEL_LDT >> SEL_INDEX_SHIFT];
    struct fake_tables t = {
        .gdt = gdt, .gdt_limit = VMM_SEL_BT - 1,
    };

    if (ldtr != 0) {
        struct guest_segment s = segment_make(ldtr, &slot->desc);

        assert_int_equal(ldtr, VMM_SEL_LDT);
        assert_int_equal(s.rights, RIGHTS_P | SYS_LDT);
        assert_int_equal(s.base, VMM_LDT_AT);
        t.ldt = ldt;
        t.ldt_limit = s.limit;
    }
    return t;
}

static void
hold(enum segment reg, uint32_t selector, const union seg_slot *slot)
{
    v.cpu.segment[reg] = segment_make(selector, &slot->desc);
}

/* User code in flat segments, GS null. */
static void
start(void)
{
    union seg_slot *slot = SLOTS(GDT_AT);

    memset(gdt, 0, sizeof(gdt));
    memset(ldt, 0, sizeof(ldt));
    memset(memory, 0, sizeof(memory));
    memset(&frame, 0xee, sizeof(frame));
    ldt_loads = ldtr = 0;
    fake_guest_reset(MEMORY_AT, sizeof(memory), memory);
    fake_guest_flat(&v, 3);
    v.cpu.eip = 0x1000;
    v.cpu.gdtr = (struct guest_table){ GDT_AT, PLAIN_LIMIT };
    v.cpu.ldtr = (struct guest_segment){ .rights = 0 };
    slot[USER_CS >> 3] = seg_slot(0, SEG_LIMIT_4GB, CODE);
    slot[USER_DS >> 3] = seg_slot(0, SEG_LIMIT_4GB, DATA);
    hold(SEG_CS, USER_CS, &slot[USER_CS >> 3]);
    for (enum segment reg = SEG_SS; reg < SEG_GS; reg++)
        hold(reg, USER_DS, &slot[USER_DS >> 3]);
    hold(SEG_ES, USER_DS, &slot[USER_DS >> 3]);
    v.cpu.segment[SEG_GS] = (struct guest_segment){ .selector = 0 };
    seg_init_at(gdt, ldt, false);
}

static void
start_with_ldt(uint32_t limit)
{
    start();
    v.cpu.ldtr = (struct guest_segment){
        .selector = 0x20, .rights = RIGHTS_P | SYS_LDT,
        .base = LDT_AT, .limit = limit,
    };
}

static bool
enter(void)
{
    return seg_enter_direct(&v, &frame);
}

/* --- Copies ----------------------------------------------------------------*/

static void
expect_copy(const union seg_slot *copy, union seg_slot guest)
{
    if ((guest.word.high & SLOT_S) == 0)
        guest.word.high &= ~SLOT_P;
    assert_int_equal(copy->word.low, guest.word.low);
    assert_int_equal(copy->word.high, guest.word.high);
}

/* COUNT entries in all, and nothing behind them. */
static void
expect_gdt(uint32_t count)
{
    const union seg_slot nothing = { 0 };

    expect_copy(&gdt[0], nothing);
    for (uint32_t n = 1; n < VMM_SEL_CODE >> 3; n++) {
        union seg_slot guest = nothing;

        if (n < count)
            memcpy(&guest, &memory[v.cpu.gdtr.base - MEMORY_AT + n * 8], 8);
        expect_copy(&gdt[n], guest);
    }
}

/* Each sum of rights, and all bits of base and limit. */
static void
copy_all_rights(void **state)
{
    struct test_random r = { 0xc0b1e5 };
    uint32_t count = 1;

    (void)state;
    start();
    for (uint32_t rights = 0; rights <= RIGHTS_MASK; rights++)
        if ((rights & ~RIGHTS_MASK) == 0)
            SLOTS(GDT_AT)[count++] = seg_slot(test_random_next(&r),
                                              test_random_next(&r), rights);
    v.cpu.gdtr.limit = count * 8 - 1;
    (void)enter();
    assert_int_equal(count, 4097);
    expect_gdt(count);
}

static void
copy_changes(void **state)
{
    struct test_random r = { 0xcafe };

    (void)state;
    start();
    for (unsigned n = 0; n < 2000; n++) {
        uint32_t entry = test_random_below(&r, 40);
        uint32_t word = test_random_below(&r, 2);

        memory[entry * 8 + word * 4 + test_random_below(&r, 4)] ^=
            (uint8_t)test_random_next(&r);
        v.cpu.gdtr.limit = test_random_below(&r, 330);
        (void)enter();
        expect_gdt((v.cpu.gdtr.limit + 1) / 8);
    }
}

/* A full table leaves the monitor's slots alone, and gives them no meaning. */
static void
copy_not_into_slots(void **state)
{
    union seg_slot before[SHADOW_SLOTS_MAX];
    const uint32_t own = VMM_SEL_CODE >> 3, ldt_slot = VMM_SEL_LDT >> 3;

    (void)state;
    start();
    for (uint32_t n = own; n < SHADOW_SLOTS_MAX; n++)
        gdt[n] = n < VMM_SEL_BT >> 3 ? seg_slot(n, n, RIGHTS_P) : gdt[n];
    memcpy(before, gdt, sizeof(gdt));
    for (uint32_t n = FREE; n < SHADOW_SLOTS_MAX; n++)
        SLOTS(GDT_AT)[n] = seg_slot(n, n, DATA);
    v.cpu.gdtr.limit = UINT16_MAX;
    assert_true(enter());
    expect_gdt(SHADOW_SLOTS_MAX);
    for (uint32_t n = own; n < SHADOW_SLOTS_MAX; n++)
        assert_true(n == ldt_slot ||
                    memcmp(&gdt[n], &before[n], sizeof(*gdt)) == 0);

    hold(SEG_FS, VMM_SEL_CODE - 8 + 3, &SLOTS(GDT_AT)[own - 1]);
    assert_true(enter());
    hold(SEG_FS, VMM_SEL_CODE + 3, &SLOTS(GDT_AT)[own]);
    assert_false(enter());
    hold(SEG_FS, VMM_SEL_BT_ES + 3, &SLOTS(GDT_AT)[VMM_SEL_BT_ES >> 3]);
    assert_false(enter());
}

/* Any base: descriptors across pages, and pages that are not there. */
static void
copy_from_anywhere(void **state)
{
    struct test_random r = { 0x9a9e };

    (void)state;
    for (uint32_t shift = 0; shift < 16; shift++) {
        uint32_t first = GDT_AT + 0x800 + shift;

        start();
        for (uint32_t n = 0; n < 0x4000; n++)
            memory[n] = (uint8_t)test_random_next(&r);
        v.cpu.gdtr = (struct guest_table){ first, 0x37ff };
        (void)enter();
        expect_gdt(0x3800 / 8);

        /* The second page of four goes; what lies in it, or across, is 0. */
        fake_guest.no_access[1] = 1;
        (void)enter();
        for (uint32_t n = 1; n < 0x3800 / 8; n++) {
            uint32_t at = first + n * 8;
            union seg_slot guest = { 0 };

            if (at + 7 < 0x11000 || at >= 0x12000)
                memcpy(&guest, &memory[at - MEMORY_AT], sizeof(guest));
            expect_copy(&gdt[n], guest);
        }
        fake_guest.no_access[1] = 0;
        (void)enter();
        expect_gdt(0x3800 / 8);
    }
}

/* Linear addresses wrap. */
static void
copy_across_the_end(void **state)
{
    (void)state;
    start();
    fake_guest_reset(0xfffff000, 2 * PAGE_SIZE, memory);
    for (uint32_t n = 0; n < 2 * PAGE_SIZE / 8; n++)
        memcpy(&memory[n * 8 + 4],
               &(union seg_slot){ .word = { 0, n << 16 | 0xf200 } }.word.high,
               4);
    v.cpu.gdtr = (struct guest_table){ 0xfffff804, 0xfff };
    (void)enter();
    for (uint32_t n = 1; n < 512; n++)
        assert_int_equal(gdt[n].word.low, (n + 256) << 16 | 0xf200);
}

/* --- Reversible ------------------------------------------------------------*/

/* All rights in all registers by all selectors, against the processor. */
static void
check_rights(uint32_t rights, enum segment reg)
{
    union seg_slot *slot = &SLOTS(GDT_AT)[FREE];
    struct guest_segment before = v.cpu.segment[reg];

    *slot = seg_slot(0x1000, 0x2345, rights);
    for (unsigned rpl = 0; rpl < 4; rpl++) {
        struct fake_tables t = machine();
        struct fake_segment have, want;
        bool can;

        hold(reg, FREE << 3 | rpl, slot);
        can = enter();
        want = fake_held(&v.cpu.segment[reg]);
        if (fake_load(&t, reg, FREE << 3 | rpl, 3, &have)) {
            assert_true(fake_segment_equal(&have, &want));
            assert_int_equal(can, reg != SEG_SS || have.is_big);
        } else {
            assert_false(can);
        }
    }
    v.cpu.segment[reg] = before;
}

static void
reversible_rights(void **state)
{
    (void)state;
    start();
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
    start();
    *slot = seg_slot(0x12345678, 0xabcde, DATA);
    was = *slot;
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        if (reg != SEG_CS)
            hold(reg, USER_DS, slot);
    assert_true(enter());
    for (unsigned bit = 0; bit < 64; bit++) {
        ((uint8_t *)slot)[bit / 8] ^= (uint8_t)BIT(bit % 8);
        assert_int_equal(enter(), BIT(bit % 32) == SLOT_ACCESSED && bit >= 32);
        *slot = was;
        assert_true(enter());
    }
    /* In bytes, too; and limits that no descriptor has. */
    *slot = seg_slot(0, 0xabcde, DATA & ~RIGHTS_G);
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        if (reg != SEG_CS)
            hold(reg, USER_DS, slot);
    assert_true(enter());
    v.cpu.segment[SEG_FS].limit = 0x1abcde;
    assert_false(enter());
    v.cpu.segment[SEG_FS].limit = 0xabcde;
    v.cpu.segment[SEG_FS].rights |= RIGHTS_G;
    assert_false(enter());
}

static void
reversible_null(void **state)
{
    (void)state;
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        for (uint32_t selector = 0; selector < 4; selector++) {
            start();
            v.cpu.segment[reg].selector = (uint16_t)selector;
            assert_int_equal(enter(), reg == SEG_GS);
            v.cpu.segment[reg].rights = 0;
            assert_int_equal(enter(), reg != SEG_CS && reg != SEG_SS);
        }
    start();
    v.cpu.segment[SEG_DS].rights = 0;
    assert_false(enter());
}

/* Beyond either table, or in none. */
static void
reversible_selectors(void **state)
{
    (void)state;
    start_with_ldt(0x17);
    SLOTS(GDT_AT)[0x10] = SLOTS(LDT_AT)[2] = SLOTS(LDT_AT)[3] =
        SLOTS(LDT_AT)[0] = seg_slot(0x1000, 0x2345, DATA);
    hold(SEG_FS, 0x80 | 3, &SLOTS(GDT_AT)[0x10]);
    assert_false(enter());
    v.cpu.gdtr.limit += 7;
    assert_false(enter());
    v.cpu.gdtr.limit++;
    assert_true(enter());
    v.cpu.segment[SEG_FS].selector = 2 << 3 | SEL_TI | 3;
    assert_true(enter());
    v.cpu.segment[SEG_FS].selector = SEL_TI | 3;
    assert_true(enter());
    v.cpu.segment[SEG_FS].selector = 3 << 3 | SEL_TI | 3;
    assert_false(enter());
    v.cpu.ldtr.limit = 0x1f;
    assert_true(enter());
    v.cpu.ldtr.rights = 0;
    assert_false(enter());
    assert_int_equal(ldtr, 0);
}

static void
code_limit(void **state)
{
    union seg_slot *slot = &SLOTS(GDT_AT)[USER_CS >> 3];

    (void)state;
    start();
    *slot = seg_slot(0, 0x1fff, CODE & ~RIGHTS_G);
    hold(SEG_CS, USER_CS, slot);
    v.cpu.eip = 0x1fff;
    assert_true(enter());
    v.cpu.eip = 0x2000;
    assert_false(enter());
}

static void
frame_of_entry(void **state)
{
    (void)state;
    start_with_ldt(0x17);
    SLOTS(LDT_AT)[1] = SLOTS(LDT_AT)[2] = seg_slot(0, 1, DATA);
    hold(SEG_FS, 0x0f, &SLOTS(LDT_AT)[1]);
    hold(SEG_ES, 0x14, &SLOTS(LDT_AT)[2]);
    v.cpu.segment[SEG_GS].selector = 2;
    assert_true(enter());
    assert_int_equal(frame.cs, USER_CS);
    assert_int_equal(frame.ss, USER_DS);
    assert_int_equal(frame.ds, USER_DS);
    assert_int_equal(frame.es, 0x14);
    assert_int_equal(frame.fs, 0x0f);
    assert_int_equal(frame.gs, 2);
}

/* --- LDTR ------------------------------------------------------------------*/

static uint32_t
ldt_limit(void)
{
    assert_true(enter());
    return machine().ldt_limit;
}

static void
ldt_is_loaded_once(void **state)
{
    (void)state;
    start();
    assert_true(enter() && ldt_loads == 0);
    start_with_ldt(0x1234);
    assert_int_equal(ldt_limit(), 0x1234);
    assert_int_equal(ldt_limit(), 0x1234);
    assert_int_equal(ldt_loads, 1);
    v.cpu.ldtr.limit = 0xfffff;
    assert_int_equal(ldt_limit(), UINT16_MAX);
    assert_int_equal(ldt_loads, 2);
    /* Another table of the same size. */
    SLOTS(LDT_AT)[2] = seg_slot(5, 5, DATA);
    v.cpu.ldtr.base += 8;
    assert_int_equal(ldt_limit(), UINT16_MAX);
    assert_int_equal(ldt_loads, 2);
    expect_copy(&ldt[1], seg_slot(5, 5, DATA));
    v.cpu.ldtr.rights = 0;
    assert_true(enter() && ldtr == 0);
    assert_true(enter() && ldt_loads == 3);
    v.cpu.ldtr.rights = RIGHTS_P | SYS_LDT;
    assert_true(enter() && ldtr == VMM_SEL_LDT);
    assert_int_equal(ldt_loads, 4);
}

/* --- Out of direct execution -----------------------------------------------*/

/* As the processor leaves it: a push writes 16 of 32 bits, or all. */
static void
user_loads(uint32_t *field, uint32_t selector)
{
    union seg_slot *table = selector & SEL_TI ? ldt : gdt;

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
    start_with_ldt(0x17);
    SLOTS(GDT_AT)[FREE] = data;
    SLOTS(LDT_AT)[0] = seg_slot(0x7000, 5, CODE);
    assert_true(enter());
    frame.ds |= 0xabcd0000;
    frame.fs |= 0xabcd0000;
    user_loads(&frame.ds, FREE << 3 | 3);
    user_loads(&frame.gs, SEL_TI | 3);
    user_loads(&frame.es, 1);
    seg_leave_direct(&v, &frame);

    want = segment_make(FREE << 3 | 3, &data.desc);
    assert_memory_equal(&v.cpu.segment[SEG_DS], &want, sizeof(want));
    want = segment_make(SEL_TI | 3, &SLOTS(LDT_AT)[0].desc);
    assert_memory_equal(&v.cpu.segment[SEG_GS], &want, sizeof(want));
    assert_int_equal(v.cpu.segment[SEG_ES].selector, 1);
    assert_int_equal(v.cpu.segment[SEG_ES].rights, 0);
    assert_int_equal(v.cpu.segment[SEG_ES].allow, 0);
    assert_int_equal(v.cpu.segment[SEG_FS].selector, USER_DS);
    assert_int_equal(v.cpu.segment[SEG_FS].limit, UINT32_MAX);
    assert_true(enter());
}

/* A far jump to conforming code: CPL stays. */
static void
leave_with_other_code(void **state)
{
    uint32_t rights = (CODE | SEG_CODE_C) & ~RIGHTS_DPL;

    (void)state;
    start();
    SLOTS(GDT_AT)[FREE] = seg_slot(0, SEG_LIMIT_4GB, rights);
    assert_true(enter());
    user_loads(&frame.cs, FREE << 3 | 3);
    seg_leave_direct(&v, &frame);
    assert_int_equal(v.cpu.segment[SEG_CS].rights, rights);
    assert_int_equal(v.cpu.segment[SEG_CS].selector, FREE << 3 | 3);
    assert_true(enter());
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
    start_with_ldt(0x17);
    for (uint32_t n = 0; n < 5; n++)
        slot[FREE + n] = seg_slot(n, n, rights);
    SLOTS(LDT_AT)[1] = seg_slot(9, 9, rights);
    assert_true(enter());
    user_loads(&frame.fs, (FREE + 1) << 3 | 3);
    user_loads(&frame.es, (FREE + 2) << 3 | 3);
    user_loads(&frame.es, 1 << 3 | SEL_TI | 3);
    seg_leave_direct(&v, &frame);
    for (uint32_t n = 0; n < 5; n++)
        expect_copy(&slot[FREE + n],
                    seg_slot(n, n, n == 1 || n == 2 ? rights | SEG_ACCESSED
                                                    : rights));
    expect_copy(&SLOTS(LDT_AT)[1], seg_slot(9, 9, DATA));
    assert_int_equal(v.cpu.segment[SEG_FS].rights, DATA);
    assert_true(enter());

    /* The guest clears one and looks again. */
    slot[FREE + 1] = seg_slot(1, 1, rights);
    assert_true(enter());
    seg_leave_direct(&v, &frame);
    expect_copy(&slot[FREE + 1], seg_slot(1, 1, rights));
    assert_true(enter());
    user_loads(&frame.gs, (FREE + 1) << 3 | 3);
    seg_leave_direct(&v, &frame);
    expect_copy(&slot[FREE + 1], seg_slot(1, 1, DATA));
}

/* A processor that forgets the bit at a load: held registers still have it. */
static void
leave_marks_what_is_held(void **state)
{
    (void)state;
    start();
    SLOTS(GDT_AT)[FREE] = seg_slot(1, 1, CODE & ~SEG_ACCESSED);
    assert_true(enter());
    frame.cs = FREE << 3 | 3;
    seg_leave_direct(&v, &frame);
    assert_int_equal(v.cpu.segment[SEG_CS].rights, CODE);
    expect_copy(&SLOTS(GDT_AT)[FREE], seg_slot(1, 1, CODE));
}

/* Meanwhile the guest has another descriptor there, or a read-only page. */
static void
leave_marks_no_other(void **state)
{
    const uint32_t rights = DATA & ~SEG_ACCESSED;
    union seg_slot *slot = &SLOTS(GDT_AT)[FREE];

    (void)state;
    start();
    *slot = seg_slot(1, 1, rights);
    assert_true(enter());
    user_loads(&frame.es, FREE << 3 | 3);
    *slot = seg_slot(2, 1, rights);
    seg_leave_direct(&v, &frame);
    expect_copy(slot, seg_slot(2, 1, rights));
    assert_false(enter());

    start();
    *slot = seg_slot(1, 1, rights);
    assert_true(enter());
    user_loads(&frame.es, FREE << 3 | 3);
    fake_guest.no_write[0] = 1;
    seg_leave_direct(&v, &frame);
    expect_copy(slot, seg_slot(1, 1, rights));
    assert_true(enter());
    fake_guest.no_access[0] = 1;
    seg_leave_direct(&v, &frame);
    assert_false(enter());
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
