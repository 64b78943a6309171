/*
 * test_translate_smc.c - code that changes, and instructions that misbehave,
 * without running translated code.
 */
#include "unit/test.h"

#include "unit/fake_code.h"

enum { X86_JMP = 0xe9 };

static int
setup(void **state)
{
    (void)state;
    fake_code_start(0, 1);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_code_stop();
    return 0;
}

static enum fake_check
check_at(uint32_t at)
{
    const uint8_t *behind;

    return fake_code_check(at, &behind);
}

/* --- Precise writes ------------------------------------------------------- */

static void
test_only_what_is_hit_is_dropped(void **state)
{
    uint32_t a = bt_entry(fake.bt, CODE_GUEST);
    uint32_t b = bt_entry(fake.bt, CODE_GUEST + 100);
    uint32_t id = CODE_ID;

    (void)state;
    assert_int_equal(bt_page_written(fake.bt, id, 2000, 4), BT_WRITTEN_NOTHING);
    assert_int_equal(bt_page_written(fake.bt, id + 1, 0, 4),
                     BT_WRITTEN_UNWATCH);
    assert_int_equal(bt_entry(fake.bt, CODE_GUEST), a);
    assert_int_equal(bt_page_written(fake.bt, id, 11, 1), BT_WRITTEN_DROPPED);
    assert_int_not_equal(bt_entry(fake.bt, CODE_GUEST), a);
    assert_int_equal(bt_entry(fake.bt, CODE_GUEST + 100), b);
    a = bt_entry(fake.bt, CODE_GUEST);
    assert_int_equal(bt_page_written(fake.bt, id, 99, 1), BT_WRITTEN_DROPPED);
    assert_int_equal(bt_entry(fake.bt, CODE_GUEST), a);
    assert_int_equal(bt_entry(fake.bt, CODE_GUEST + 100), b);
}

static void
test_unit_on_two_pages(void **state)
{
    uint32_t eip = CODE_GUEST + CODE_PAGE - 2, at;

    (void)state;
    PUT_CODE(eip, 0xb8, 1, 2, 3, 4, 0xc3);
    at = bt_entry(fake.bt, eip);
    bt_page_written(fake.bt, CODE_ID + 1, 4, 4);
    bt_page_written(fake.bt, CODE_ID, CODE_PAGE - 3, 1);
    assert_int_equal(bt_entry(fake.bt, eip), at);
    assert_int_not_equal(bt_page_written(fake.bt, CODE_ID + 1, 2, 1),
                         BT_WRITTEN_NOTHING);
    assert_int_not_equal(bt_entry(fake.bt, eip), at);
    at = bt_entry(fake.bt, eip);
    assert_int_not_equal(bt_page_written(fake.bt, CODE_ID, CODE_PAGE - 1, 1),
                         BT_WRITTEN_NOTHING);
    assert_int_not_equal(bt_entry(fake.bt, eip), at);
}

/* Pages 2 and 3 - memory 2 and 0 - and then 0 again as page 0. */
static void
test_same_memory_at_two_addresses(void **state)
{
    uint32_t a, b;

    (void)state;
    PUT_CODE(CODE_GUEST + 8, 0xc3);
    a = bt_entry(fake.bt, CODE_GUEST + 8);
    b = bt_entry(fake.bt, CODE_GUEST + 3 * CODE_PAGE + 8);
    assert_int_not_equal(a, b);
    bt_page_written(fake.bt, CODE_ID, 8, 1);
    assert_int_not_equal(bt_entry(fake.bt, CODE_GUEST + 8), a);
    assert_int_not_equal(bt_entry(fake.bt, CODE_GUEST + 3 * CODE_PAGE + 8), b);
}

/* Whoever jumped to one of a unit's translations comes to one stub. */
static void
test_successors_inherit_the_stub(void **state)
{
    uint32_t stub = 0;
    uint64_t links = 0;

    (void)state;
    PUT_CODE(CODE_GUEST, 0x90, 0x90, 0xc3);
    for (unsigned i = 0; i < 50; i++) {
        uint32_t at = bt_entry(fake.bt, CODE_GUEST);
        uint32_t leads_to;

        bt_page_written(fake.bt, CODE_ID, 1, 1);
        assert_int_equal(fake_code_tc(at)[0], X86_JMP);
        leads_to = at + 5 + fake_code_word(fake_code_tc(at) + 1);
        assert_true(stub == 0 || stub == leads_to);
        stub = leads_to;
        if (i == 0)
            links = bt_get_stats(fake.bt)->links;
    }
    assert_int_equal(bt_get_stats(fake.bt)->links, links);
    assert_int_equal(bt_get_stats(fake.bt)->flushes, 0);
}

/* --- Self-checking -------------------------------------------------------- */

/* Writes beside the code until the page need not be watched. */
static unsigned
unwatch(uint32_t id)
{
    unsigned n = 1;

    while (bt_page_written(fake.bt, id, CODE_PAGE - 1, 1) != BT_WRITTEN_UNWATCH)
        assert_true(n++ < 1000);
    return n;
}

static void
exit_changed(uint32_t eip)
{
    fake.slots.exit_reason = BT_EXIT_CHANGED;
    fake.slots.exit_eip = eip;
}

static void
test_page_becomes_self_checking(void **state)
{
    uint32_t at = bt_entry(fake.bt, CODE_GUEST);
    unsigned fetches;

    (void)state;
    assert_int_equal(check_at(at), CHECK_NONE);
    assert_true(unwatch(CODE_ID) > 4);
    fetches = fake.watching_fetches;
    at = bt_entry(fake.bt, CODE_GUEST);
    assert_int_equal(fake.watching_fetches, fetches);
    assert_int_equal(check_at(at), CHECK_PASSES);
    /* Every byte of the unit counts, and none behind it. */
    for (unsigned i = 0; i < 14; i++) {
        fake.memory[0][i] ^= 0x40;
        assert_int_equal(check_at(at), i < 12 ? CHECK_FAILS : CHECK_PASSES);
        fake.memory[0][i] ^= 0x40;
    }
    /* Nothing changed: whoever says so is not believed. */
    exit_changed(CODE_GUEST);
    assert_int_equal(bt_entry(fake.bt, CODE_GUEST), at);
    fake.memory[0][5] = 0x40;
    exit_changed(CODE_GUEST);
    assert_int_not_equal(bt_entry(fake.bt, CODE_GUEST), at);
    assert_int_equal(check_at(bt_entry(fake.bt, CODE_GUEST)), CHECK_PASSES);
    assert_int_equal(bt_page_written(fake.bt, CODE_ID, 5, 1),
                     BT_WRITTEN_UNWATCH);
    /* Another page is as it was. */
    assert_int_equal(check_at(bt_entry(fake.bt, CODE_GUEST + CODE_PAGE)),
                     CHECK_NONE);
    assert_true(fake.is_watched[1]);
    /* The page gets other contents: all is forgotten. */
    bt_invalidate_page(fake.bt, CODE_ID);
    assert_int_equal(check_at(bt_entry(fake.bt, CODE_GUEST)), CHECK_NONE);
}

/* A check that fails over and over, but the bytes are the same. */
static void
test_wrong_checks_end(void **state)
{
    uint32_t at;
    unsigned n = 0;

    (void)state;
    bt_entry(fake.bt, CODE_GUEST);
    unwatch(CODE_ID);
    at = bt_entry(fake.bt, CODE_GUEST);
    do {
        exit_changed(CODE_GUEST);
        assert_true(n++ < 1000);
    } while (bt_entry(fake.bt, CODE_GUEST) == at);
    assert_int_equal(check_at(bt_entry(fake.bt, CODE_GUEST)), CHECK_NONE);
    assert_true(fake.is_watched[0]);
}

static void
test_lengths_of_checks(void **state)
{
    static const uint8_t code_of[] = { 0xc3, 0xc3, 0xc3 };

    (void)state;
    bt_entry(fake.bt, CODE_GUEST);
    unwatch(CODE_ID);
    for (unsigned size = 1; size <= 11; size++) {
        uint32_t eip = CODE_GUEST + 64 * size, at;

        fake_code_put(eip + size - 1, code_of, sizeof(code_of));
        at = bt_entry(fake.bt, eip);
        for (unsigned i = 0; i <= size; i++) {
            *fake_code_byte(eip + i) ^= 1;
            assert_int_equal(check_at(at),
                             i < size ? CHECK_FAILS : CHECK_PASSES);
            *fake_code_byte(eip + i) ^= 1;
        }
    }
}

/* The next page may be gone by the time that the code comes to it. */
static void
test_checks_stay_on_their_page(void **state)
{
    uint32_t end = CODE_GUEST + CODE_PAGE, at;

    (void)state;
    bt_entry(fake.bt, CODE_GUEST);
    bt_entry(fake.bt, end);
    unwatch(CODE_ID);
    unwatch(CODE_ID + 1);
    at = bt_entry(fake.bt, end - 3);
    *fake_code_byte(end) ^= 1;
    assert_int_equal(check_at(at), CHECK_PASSES);
    *fake_code_byte(end - 1) ^= 1;
    assert_int_equal(check_at(at), CHECK_FAILS);
    /* But for an instruction on both. */
    PUT_CODE(end - 2, 0xb8, 1, 2, 3, 4);
    at = bt_entry(fake.bt, end - 2);
    assert_int_equal(check_at(at), CHECK_PASSES);
    *fake_code_byte(end + 2) ^= 1;
    assert_int_equal(check_at(at), CHECK_FAILS);
}

/* A store may hit the next instruction: each ends its unit. */
static void
test_self_checking_units_end_in_stores(void **state)
{
    static const uint8_t stores[][4] = {
        { 0x89, 0x00, 0x90, 0x90 },     /* mov %eax,(%eax) */
        { 0x50, 0x90, 0x90, 0x90 },     /* push %eax */
        { 0xaa, 0x90, 0x90, 0x90 },     /* stos */
        { 0x60, 0x90, 0x90, 0x90 },     /* pusha */
        { 0xd9, 0x18, 0x90, 0x90 },     /* fstp (%eax) */
        { 0x0f, 0x11, 0x00, 0x90 },     /* movups %xmm0,(%eax) */
        { 0xff, 0x00, 0x90, 0x90 },     /* incl (%eax) */
    };
    static const uint8_t size[] = { 2, 1, 1, 1, 2, 3, 2 };

    (void)state;
    bt_entry(fake.bt, CODE_GUEST);
    unwatch(CODE_ID);
    for (unsigned i = 0; i < ARRAY_LEN(stores); i++) {
        uint32_t eip = CODE_GUEST + 64 * (i + 1), at;

        fake_code_put(eip, stores[i], sizeof(stores[i]));
        at = bt_entry(fake.bt, eip);
        *fake_code_byte(eip + size[i]) ^= 1;
        assert_int_equal(check_at(at), CHECK_PASSES);
        assert_int_equal(check_at(bt_entry(fake.bt, eip + size[i])),
                         CHECK_FAILS);
        *fake_code_byte(eip + size[i]) ^= 1;
    }
}

static void
test_check_is_undone(void **state)
{
    struct bt_state s;
    uint32_t at;

    (void)state;
    bt_entry(fake.bt, CODE_GUEST);
    unwatch(CODE_ID);
    at = bt_entry(fake.bt, CODE_GUEST);
    fake.slots.ecx = 5;
    for (unsigned i = 0; i < 20; i++) {
        s = (struct bt_state){ .eip = at + i, .ecx = 7, .esp = 16 };
        assert_true(bt_recover(fake.bt, &s));
        assert_int_equal(s.eip, CODE_GUEST);
        assert_int_equal(s.ecx, i < 6 ? 7 : 5);
        assert_int_equal(s.esp, 16);
    }
}

static void
test_page_with_new_code_is_watched_again(void **state)
{
    unsigned n = 0, first, second;

    (void)state;
    bt_entry(fake.bt, CODE_GUEST);
    first = unwatch(CODE_ID);
    while (check_at(bt_entry(fake.bt, CODE_GUEST + n)) != CHECK_NONE) {
        *fake_code_byte(CODE_GUEST + n) ^= 1;
        exit_changed(CODE_GUEST + n);
        bt_entry(fake.bt, CODE_GUEST + n++);
        assert_true(n < 1000);
    }
    assert_int_equal(bt_get_stats(fake.bt)->pages_rewatched, 1);
    assert_true(fake.is_watched[0]);
    second = unwatch(CODE_ID);
    assert_true(second > first);
}

/* Without a segment to read code through, pages stay watched. */
static void
test_no_check_without_a_segment(void **state)
{
    (void)state;
    fake_code_stop();
    fake_code_start(2, 1);
    bt_entry(fake.bt, CODE_GUEST);
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(bt_page_written(fake.bt, CODE_ID, CODE_PAGE - 1, 1),
                         BT_WRITTEN_NOTHING);
}

/* One page is written to for ever: no more than so many translations. */
static void
test_hot_page_is_bounded(void **state)
{
    unsigned steps = 0;

    (void)state;
    PUT_CODE(CODE_GUEST, 0x90, 0xb8, 0, 0, 0, 0, 0xc3);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t at = bt_entry(fake.bt, CODE_GUEST);

        fake.memory[0][2]++;
        if (fake.is_watched[0]) {
            if (bt_page_written(fake.bt, CODE_ID, 2, 1) == BT_WRITTEN_UNWATCH)
                fake.is_watched[0] = false;
            steps++;
        } else if (check_at(at) == CHECK_FAILS) {
            exit_changed(CODE_GUEST);
            steps++;
        } else {
            fake.slots.exit_reason = BT_EXIT_EMULATE;
            bt_note_emulated(fake.bt, CODE_GUEST + 1, false);
        }
    }
    assert_true(steps < 2000);
    assert_true(bt_get_stats(fake.bt)->units < 4000);
}

/* --- Instructions that fault ---------------------------------------------- */

/* Does the unit at EIP leave without anything else (movl $, slot)? */
static bool
leaves_at_once(uint32_t eip)
{
    return fake_code_tc(bt_entry(fake.bt, eip))[0] == 0xc7;
}

static unsigned
accuse(uint32_t eip)
{
    unsigned n = 1;

    for (bt_note_fault(fake.bt, eip); !leaves_at_once(eip); n++) {
        assert_true(n < 100);
        bt_note_fault(fake.bt, eip);
    }
    return n;
}

static unsigned
excuse(uint32_t eip)
{
    unsigned n = 1;

    for (bt_note_emulated(fake.bt, eip, false); leaves_at_once(eip); n++) {
        assert_true(n < 100000);
        bt_note_emulated(fake.bt, eip, false);
    }
    return n;
}

static void
test_faults_are_learned_and_forgiven(void **state)
{
    uint32_t eip = CODE_GUEST + 2, start_at;
    unsigned faults, first, second;

    (void)state;
    PUT_CODE(CODE_GUEST, 0x90, 0x90, 0x8b, 0x00, 0x90, 0xc3);
    start_at = bt_entry(fake.bt, CODE_GUEST);
    assert_false(leaves_at_once(eip));
    faults = accuse(eip);
    assert_true(faults > 2);
    /* The unit that it was in the middle of was dropped, too. */
    assert_int_not_equal(bt_entry(fake.bt, CODE_GUEST), start_at);
    /* It survives a flush, and stays as long as it is needed. */
    bt_flush(fake.bt);
    assert_int_equal(fake_code_tc(bt_entry(fake.bt, CODE_GUEST))[2], 0xc7);
    assert_false(leaves_at_once(eip + 2));
    for (unsigned i = 0; i < 1000; i++) {
        bt_note_emulated(fake.bt, eip, false);
        bt_note_emulated(fake.bt, eip, true);
    }
    assert_true(leaves_at_once(eip));
    first = excuse(eip);
    assert_memory_equal(fake_code_tc(bt_entry(fake.bt, eip)),
                        fake_code_byte(eip), 2);
    assert_int_equal(accuse(eip), faults);
    second = excuse(eip);
    assert_true(second > first);
    /* A step is copied all the same. */
    accuse(eip);
    assert_int_equal(fake_code_tc(bt_step(fake.bt, eip))[0], 0x8b);
}

static void
test_more_suspects_than_room(void **state)
{
    unsigned guilty = 0;

    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        accuse(CODE_GUEST + i);
    for (unsigned i = 0; i < 3000; i++)
        guilty += leaves_at_once(CODE_GUEST + i);
    assert_true(guilty >= 100 && guilty < 3000);
    assert_int_equal(bt_get_stats(fake.bt)->emulated -
                     bt_get_stats(fake.bt)->acquitted, guilty);
}

/* A guest that makes new code for ever. */
static void
test_endless_new_code(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t eip = CODE_GUEST + i % 1021;
        uint32_t offset = eip % CODE_PAGE;

        PUT_CODE(eip, 0xeb, (uint8_t)i);
        if (fake.is_watched[0] &&
            bt_page_written(fake.bt, CODE_ID, offset, 2) ==
                BT_WRITTEN_UNWATCH)
            fake.is_watched[0] = false;
        fake.slots.exit_reason = BT_EXIT_MISS;
        fake.slots.exit_eip = eip;
        assert_int_not_equal(bt_entry(fake.bt, eip), 0);
    }
    assert_true(bt_get_stats(fake.bt)->flushes > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_what_is_hit_is_dropped),
        TEST(test_unit_on_two_pages),
        TEST(test_same_memory_at_two_addresses),
        TEST(test_successors_inherit_the_stub),
        TEST(test_page_becomes_self_checking),
        TEST(test_wrong_checks_end),
        TEST(test_lengths_of_checks),
        TEST(test_checks_stay_on_their_page),
        TEST(test_self_checking_units_end_in_stores),
        TEST(test_check_is_undone),
        TEST(test_page_with_new_code_is_watched_again),
        TEST(test_no_check_without_a_segment),
        TEST(test_hot_page_is_bounded),
        TEST(test_faults_are_learned_and_forgiven),
        TEST(test_more_suspects_than_room),
        TEST(test_endless_new_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
