/*
 * test_translate_16.c - 16-bit code and limited code segments.
 *
 * What is emitted for an instruction of 16-bit code is decoded as 32-bit code
 * and must be the same instruction; nothing is executed here.
 */
#include "unit/test.h"

#include "bt/bt.h"
#include "bt/decode.h"

#define GUEST_AT 0x8000u
#define CODE_AT  0x10000000u
#define LINKS    BT_LINK_MIN
#define PAGE_BYTES 4096
#define MODE_16  (DECODE_16 | DECODE_PROTECTED)
#define MODE_32  (DECODE_32 | DECODE_PROTECTED)
#define CMC      0xf5
#define LIVE_ESP 0x12340001u

static uint8_t page[PAGE_BYTES];
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
    *id = eip / PAGE_BYTES;
    return eip / PAGE_BYTES == GUEST_AT / PAGE_BYTES ? page : NULL;
}

static void
set_code(unsigned mode, uint32_t limit, bool is_stack_16)
{
    struct bt_code c = { .mode = mode, .limit = limit,
                         .is_stack_16 = is_stack_16 };

    assert_true(bt_set_code(bt, &c));
}

static int
setup(void **state)
{
    (void)state;
    tables = calloc(1, sizeof(*tables) + LINKS * sizeof(uint32_t));
    env = (struct bt_env){
        .slot_segment = SEG_GS, .cs_rule = SEGMENT_AS_DS,
        .gs_rule = SEGMENT_EMULATE, .mode = MODE_32,
        .slots_at = 0x1000, .tables_at = 0x20000, .code_at = CODE_AT,
        .code = code, .slots = &slots, .tables = tables,
        .code_size = BT_CODE_MIN, .tu_max = BT_TU_MIN,
        .point_max = BT_POINT_MIN, .link_max = LINKS, .fetch = fetch,
    };
    bt = bt_init(&env, calloc(1, bt_memory_size(&env)));
    memset(page, CMC, sizeof(page));
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

static struct insn
emitted(uint32_t at)
{
    struct insn insn;

    assert_int_equal(decode(code + (at - CODE_AT), INSN_LENGTH_MAX, MODE_32,
                            &insn), DECODE_OK);
    return insn;
}

static bool
is(const struct insn *insn, enum operation operation)
{
    return insn_opcode(insn)->operation == operation;
}

static uint32_t
translate(const uint8_t *bytes, size_t size)
{
    bt_flush(bt);
    memset(page, CMC, sizeof(page));
    memcpy(page, bytes, size);
    return bt_entry(bt, GUEST_AT);
}

/* Is it the first instruction of an exit? */
static bool
is_exit(const struct insn *insn)
{
    return is(insn, OPERATION_mov) && (uint32_t)insn->disp ==
           env.slots_at + offsetof(struct bt_slots, exit_eip);
}

/* The reason of the exit that is all of what is at AT. */
static uint32_t
exit_reason(uint32_t at)
{
    uint32_t slot = env.slots_at + offsetof(struct bt_slots, exit_reason);
    struct insn insn = emitted(at);

    assert_true(is(&insn, OPERATION_mov));
    insn = emitted(at + insn.length);
    return (uint32_t)insn.disp == slot ? insn.imm : UINT32_MAX;
}

/* Is it in a class that is copied? */
static bool
is_copied(const struct insn *insn)
{
    switch (insn_opcode(insn)->class) {
    case CLASS_IDENT:
    case CLASS_X87:
    case CLASS_MMX:
    case CLASS_SSE:
    case CLASS_STRING:
        return insn->segment != SEG_GS;
    default:
        return false;
    }
}

static void
check_copy(const struct insn *from, const struct insn *to)
{
    const uint8_t *operands = insn_opcode(from)->operands;

    assert_int_equal(to->row, from->row);
    assert_int_equal(to->mem_size, from->mem_size);
    assert_int_equal(to->addr_size, from->addr_size);
    assert_int_equal(to->disp, from->disp);
    assert_int_equal(to->imm, from->imm);
    assert_int_equal(to->base, from->base);
    assert_int_equal(to->index, from->index);
    assert_int_equal(to->modrm, from->modrm);
    assert_int_equal(to->prefixes & (PFX_LOCK | PFX_REP | PFX_REPNE),
                     from->prefixes & (PFX_LOCK | PFX_REP | PFX_REPNE));
    assert_int_equal(to->segment, from->segment == SEG_CS ? SEG_DS
                                                          : from->segment);
    if (to->op_size == from->op_size)
        return;
    /* Only if it makes no difference: MMX, SSE, NOP. */
    assert_int_not_equal(insn_opcode(from)->class, CLASS_X87);
    for (unsigned i = 0; i < 3; i++) {
        const struct operand_info *info = &operand_infos[operands[i]];

        assert_true((info->reg_size < SIZE_V || info->reg_size >= SIZE_FX) &&
                    (info->mem_size < SIZE_V || info->mem_size >= SIZE_FX));
    }
}

/* Random instructions with prefixes, in 16-bit code. */
static void
test_copies_are_the_same_instructions(void **state)
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x26,
                                        0x36, 0xf0 };
    struct test_random r = { 3 };
    unsigned copied = 0, emulated = 0;

    (void)state;
    set_code(MODE_16, UINT16_MAX, true);
    for (unsigned n = 0; n < 30000; n++) {
        uint8_t bytes[INSN_LENGTH_MAX];
        struct insn from, to;
        uint32_t at;
        unsigned k = 0;

        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)test_random_next(&r);
        while (k < 3 && test_random_below(&r, 2) != 0)
            bytes[k++] = prefixes[test_random_below(&r, sizeof(prefixes))];
        if (test_random_below(&r, 3) == 0)
            bytes[k] = 0x0f;
        if (decode(bytes, sizeof(bytes), MODE_16, &from) != DECODE_OK ||
            !is_copied(&from))
            continue;
        at = translate(bytes, from.length);
        to = emitted(at);
        if (is_exit(&to)) {
            assert_int_equal(exit_reason(at), BT_EXIT_EMULATE);
            emulated++;
            continue;
        }
        check_copy(&from, &to);
        copied++;
    }
    assert_true(copied > 5000);
    assert_true(emulated * 20 < copied);    /* writes through CS */
}

static struct bt_state
recovered(uint32_t at)
{
    struct bt_state s = { .eip = at, .esp = LIVE_ESP };

    assert_true(bt_recover(bt, &s));
    return s;
}

/* call rel16 pushes two bytes and goes to a target of 16 bits. */
static void
test_call_and_ret(void **state)
{
    static const uint8_t call[] = { 0xe8, 0xfd, 0x7f };     /* to 0 */
    static const uint8_t ret[] = { 0xc2, 0x06, 0x00 };      /* ret 6 */
    struct insn insn;
    uint32_t at;

    (void)state;
    set_code(MODE_16, UINT16_MAX, true);
    at = translate(call, sizeof(call));
    insn = emitted(at);
    assert_true(is(&insn, OPERATION_push));
    assert_int_equal(insn.op_size, 2);
    assert_int_equal((uint16_t)insn.imm, GUEST_AT + sizeof(call));
    assert_int_equal(recovered(at + insn.length).eip, 0);
    at = translate(ret, sizeof(ret));
    do {
        insn = emitted(at);
        assert_int_equal(recovered(at).esp, LIVE_ESP);
        at += insn.length;
    } while (!is(&insn, OPERATION_pop));
    assert_int_equal(insn.op_size, 2);
    assert_int_equal(recovered(at).eip, GUEST_AT);
    assert_int_equal(recovered(at).esp, 0x1234ffff);    /* SP wraps */
    insn = emitted(at);
    assert_true(is(&insn, OPERATION_lea));
    assert_int_equal(insn.op_size, 2);
    assert_int_equal(insn.disp, 6);
}

static void
test_short_loops(void **state)
{
    static const uint8_t loop[] = { 0xe2, 0xfe }, jecxz[] = { 0x67, 0xe3, 9 };
    struct insn insn;

    (void)state;
    set_code(MODE_16, UINT16_MAX, false);
    insn = emitted(translate(loop, sizeof(loop)));
    assert_true(is(&insn, OPERATION_loop));
    assert_int_equal(insn.addr_size, 2);
    assert_int_equal(insn.op_size, 4);      /* of the branch in the TC */
    insn = emitted(translate(jecxz, sizeof(jecxz)));
    assert_true(is(&insn, OPERATION_jcxz));
    assert_int_equal(insn.addr_size, 4);
}

/* 16-bit operands of branches in 32-bit code. */
static void
test_word_branches_in_32_bit_code(void **state)
{
    static const uint8_t loop[] = { 0x66, 0xe2, 0x10 };
    static const uint8_t jmp[] = { 0x66, 0xff, 0xe2 };      /* jmp *%dx */
    struct insn insn;
    uint32_t at;

    (void)state;
    insn = emitted(translate(loop, sizeof(loop)));
    assert_true(is(&insn, OPERATION_loop));
    assert_int_equal(insn.op_size, 4);
    at = translate(jmp, sizeof(jmp));
    insn = emitted(at + emitted(at).length);
    assert_true(is(&insn, OPERATION_movzx));
    assert_int_equal(insn_rm(&insn), GPR_EDX);
}

static void
test_limit_of_cs(void **state)
{
    static const uint8_t jmp[] = { 0xe9, 0, 1, 0, 0 };      /* to 8105 */
    static const uint8_t indirect[] = { 0xff, 0xe2 };
    struct insn insn;
    uint32_t at;

    (void)state;
    set_code(MODE_32, GUEST_AT + 0x105, false);
    at = translate(jmp, sizeof(jmp));
    insn = emitted(at);
    assert_true(is(&insn, OPERATION_nop));          /* it falls through */
    assert_int_equal(exit_reason(translate(indirect, sizeof(indirect))),
                     BT_EXIT_EMULATE);
    set_code(MODE_32, GUEST_AT + 0x104, false);
    assert_int_equal(exit_reason(translate(jmp, sizeof(jmp))),
                     BT_EXIT_EMULATE);
    set_code(MODE_32, GUEST_AT + sizeof(jmp) - 1, false);
    assert_int_not_equal(translate(jmp, sizeof(jmp)), 0);
    set_code(MODE_32, GUEST_AT + sizeof(jmp) - 2, false);
    assert_int_equal(translate(jmp, sizeof(jmp)), 0);
    set_code(MODE_32, GUEST_AT - 1, false);
    assert_int_equal(bt_entry(bt, GUEST_AT), 0);
}

static void
test_other_segments_flush(void **state)
{
    struct bt_code c = { .mode = MODE_32, .limit = UINT32_MAX };
    uint64_t flushes;

    (void)state;
    bt_entry(bt, GUEST_AT);
    flushes = bt_get_stats(bt)->flushes;
    assert_true(bt_set_code(bt, &c));
    assert_int_equal(bt_get_stats(bt)->flushes, flushes);
    c.base = PAGE_BYTES;
    assert_true(bt_set_code(bt, &c));
    assert_int_equal(bt_get_stats(bt)->flushes, flushes + 1);
    c.base = 1;
    assert_false(bt_set_code(bt, &c));
}

static void
test_16_bit_stacks_leave(void **state)
{
    static const uint8_t rest[][2] = { { 0x9c }, { 0x9d }, { 0x1e }, { 0x1f } };

    (void)state;
    set_code(MODE_32, UINT32_MAX, true);
    for (unsigned i = 0; i < ARRAY_LEN(rest); i++)
        assert_int_equal(exit_reason(translate(rest[i], 1)),
                         BT_EXIT_EMULATE);
}

static void
recover_everywhere(uint32_t at)
{
    for (uint32_t i = 0; i < 512; i++) {
        struct bt_state s = { .eip = at + i };

        if (!bt_recover(bt, &s))
            return;
    }
}

/* Random bytes, in segments of all kinds. */
static void
test_random_bytes_never_break_it(void **state)
{
    static const uint32_t limits[] = { UINT32_MAX, UINT16_MAX,
                                       GUEST_AT + 0x800, GUEST_AT };
    struct test_random r = { 7 };
    uint32_t at, entered = 0;

    (void)state;
    env.gs_rule = SEGMENT_BY_SLOT;
    env.has_native_tsc = true;
    for (unsigned i = 0; i < 150; i++) {
        for (unsigned k = 0; k < sizeof(page); k++)
            page[k] = (uint8_t)test_random_next(&r);
        bt_invalidate_page(bt, GUEST_AT / PAGE_BYTES);
        set_code(i % 3 ? MODE_16 : MODE_32, limits[i % ARRAY_LEN(limits)],
                 i % 5 == 0);
        for (unsigned k = 0; k < 40; k++) {
            at = bt_entry(bt, GUEST_AT + test_random_below(&r, PAGE_BYTES));
            if (at == 0)
                continue;
            recover_everywhere(at);
            entered++;
        }
    }
    assert_true(entered > 2000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_copies_are_the_same_instructions),
        TEST(test_call_and_ret),
        TEST(test_short_loops),
        TEST(test_word_branches_in_32_bit_code),
        TEST(test_limit_of_cs),
        TEST(test_other_segments_flush),
        TEST(test_16_bit_stacks_leave),
        TEST(test_random_bytes_never_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
