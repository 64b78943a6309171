/*
 * test_site.c - indirect branches that learn, without running their code.
 *
 * The guest's page is a RET followed by NOPs; the test plays the surroundings
 * that come back from each exit with a target, and reads what the tail became.
 */
#include "unit/test.h"

#include "bt/bt.h"
#include "bt/decode.h"

#define GUEST_AT    0x8000u
#define CODE_AT     0x10000000u
#define TARGET      (GUEST_AT + 0x100)
#define OTHER       (GUEST_AT + 0x200)
#define LINKS       (4 * BT_LINK_MIN)
#define SAMPLES     8
#define SAVED_ECX   0x55

/* Where the tail of RET begins: behind mov %ecx, slot; pop %ecx. */
#define TAIL        7
/* Parts of a predicted tail. */
enum { LEA = 0, JECXZ = 6, CHAIN_JMP = 8, HIT = 13, HIT_JMP = 19 };

static uint8_t page[4096];
static uint8_t code[4 * BT_CODE_MIN];
static struct bt_slots slots;
static struct bt_tables *tables;
static struct bt_env env;
static struct bt *bt;
static const uint8_t *tail;
static uint32_t tail_at;

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
    memset(&slots, 0, sizeof(slots));
    env = (struct bt_env){
        .is_user = true, .slot_segment = SEG_DS,
        .mode = DECODE_32 | DECODE_PROTECTED, .slots_at = 0x1000,
        .tables_at = 0x2000, .code_at = CODE_AT, .code = code,
        .slots = &slots, .tables = tables, .code_size = sizeof(code),
        .tu_max = 4 * BT_TU_MIN, .point_max = 4 * BT_POINT_MIN,
        .link_max = LINKS,
        .fetch = fetch,
    };
    bt = bt_init(&env, calloc(1, bt_memory_size(&env)));
    memset(page, 0x90, sizeof(page));
    page[0] = 0xc3;
    slots.exit_reason = BT_EXIT_STOP;
    tail_at = bt_entry(bt, GUEST_AT) + TAIL;
    tail = code + (tail_at - CODE_AT);
    slots.ecx = SAVED_ECX;
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

/* The first site left translated code, going to TARGET. */
static uint32_t
sample(uint32_t target)
{
    slots.exit_reason = BT_EXIT_SITE;
    slots.exit_arg = 0;
    slots.exit_eip = target;
    return bt_entry(bt, target);
}

static uint32_t
word_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Where the JMP at OFFSET of the tail leads. */
static uint32_t
jump_target(unsigned offset)
{
    assert_int_equal(tail[offset], 0xe9);
    return tail_at + offset + 5 + word_at(tail + offset + 1);
}

/* What bt_recover() makes of the machine stopping at AT with ECX. */
static void
assert_recovers(uint32_t at, uint32_t ecx, uint32_t eip)
{
    struct bt_state s = { .eip = at, .ecx = ecx, .esp = 64 };

    assert_true(bt_recover(bt, &s));
    assert_int_equal(s.eip, eip);
    assert_int_equal(s.ecx, SAVED_ECX);
    assert_int_equal(s.esp, 64);
}

static void
test_one_target_is_predicted(void **state)
{
    uint32_t entry = 0;

    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++) {
        assert_int_equal(tail[0], 0xc7);        /* exit_arg = site */
        assert_recovers(tail_at, TARGET, TARGET);
        assert_recovers(tail_at + 10, TARGET, TARGET);
        entry = sample(TARGET);
    }
    assert_int_equal(tail[LEA], 0x8d);
    assert_int_equal(word_at(tail + LEA + 2), -TARGET);
    assert_int_equal(tail[JECXZ], 0xe3);
    assert_int_equal(tail_at + JECXZ + 2 + tail[JECXZ + 1], tail_at + HIT);
    assert_int_equal(jump_target(HIT_JMP), entry);
    assert_int_equal(bt_get_stats(bt)->predicted_sites, 1);
}

static void
test_predicted_tail_recovers(void **state)
{
    uint32_t chain;

    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++)
        sample(i % 4 == 3 ? OTHER : TARGET);
    assert_recovers(tail_at + LEA, OTHER, OTHER);
    assert_recovers(tail_at + JECXZ, OTHER - TARGET, OTHER);
    assert_recovers(tail_at + CHAIN_JMP, OTHER - TARGET, OTHER);
    assert_recovers(tail_at + HIT, 0, TARGET);
    assert_recovers(tail_at + HIT_JMP, SAVED_ECX, TARGET);
    chain = jump_target(CHAIN_JMP);
    /* lea TARGET - OTHER; jecxz; lea OTHER; save; ... */
    assert_recovers(chain, 12, TARGET + 12);
    assert_recovers(chain + 6, 12, OTHER + 12);
    assert_recovers(chain + 8, 12, OTHER + 12);
    assert_recovers(chain + 14, 0x1234, 0x1234);
    slots.target = 0x4321;
    assert_recovers(chain + 20, 0x1234, 0x4321);
}

static void
test_many_targets_are_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++)
        sample(TARGET + i);
    assert_int_equal(tail[0], 0x89);            /* slots.target = ecx */
    assert_int_equal(bt_get_stats(bt)->generic_sites, 1);
    assert_recovers(tail_at, TARGET, TARGET);
    slots.target = OTHER;
    assert_recovers(tail_at + 6, TARGET, OTHER);
}

static void
test_made_up_numbers_do_no_harm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * SAMPLES; i++) {
        slots.exit_reason = BT_EXIT_SITE;
        slots.exit_arg = i % 2 ? UINT32_MAX : 1 + i;
        slots.exit_eip = TARGET;
        assert_int_not_equal(bt_entry(bt, TARGET), 0);
    }
    assert_int_equal(tail[0], 0xc7);
}

static void
test_flush_forgets_sites(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES - 1; i++)
        sample(TARGET);
    bt_flush(bt);
    sample(TARGET);
    assert_int_equal(bt_get_stats(bt)->predicted_sites, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_target_is_predicted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_predicted_tail_recovers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_many_targets_are_not, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_made_up_numbers_do_no_harm, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_flush_forgets_sites, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
