/*
 * test_translate_calls.c - anybody calls anything, at any time.
 *
 * The model keeps what each unit's bytes were when its address was first
 * returned: plain code in the TC that is not what the guest's bytes are now is
 * a stale one.
 */
#include "unit/test.h"

#include "bt/decode.h"
#include "unit/fake_code.h"

#define KEPT        32u         /* bytes that the model keeps */
#define CALLS       15000u
#define SUSPECTS    8u          /* places that fault, apart */

enum { X86_JMP = 0xe9 };

struct kept {
    uint32_t at;
    uint64_t flushes;
    uint8_t bytes[KEPT];
};
static struct kept kept[CODE_PAGES * CODE_PAGE];

/* The segments that the guest runs in. */
static const struct bt_code codes[] = {
    { .mode = DECODE_32 | DECODE_PROTECTED, .limit = UINT32_MAX },
    { .mode = DECODE_16 | DECODE_PROTECTED, .limit = UINT32_MAX },
    { .mode = DECODE_32 | DECODE_PROTECTED,
      .limit = CODE_GUEST + 2 * CODE_PAGE + 1 },
    { .mode = DECODE_32 | DECODE_PROTECTED, .limit = UINT32_MAX,
      .base = 16 * CODE_PAGE, .is_stack_16 = true },
};
static const struct bt_code *segments;

static const uint8_t snippets[][8] = {
    { 0x89, 0x03, 0x90, 0x8b, 0x06 }, { 0x50, 0x58, 0x01, 0xd8 },
    { 0x75, 0x10 }, { 0x74, 0xf0 }, { 0xeb, 0x20 }, { 0xc3 },
    { 0xe8, 0x40, 0x00, 0x00, 0x00 }, { 0xe9, 0x00, 0x10, 0x00, 0x00 },
    { 0xff, 0xd0 }, { 0xff, 0x64, 0x24, 0x04 }, { 0xaa }, { 0xf3, 0xa5 },
    { 0xfa }, { 0xfb, 0x90 }, { 0x9c }, { 0x9d }, { 0x8e, 0xd8 },
    { 0x0f, 0x20, 0xc0 }, { 0x2e, 0x8b, 0x00 }, { 0x65, 0x8b, 0x00 },
    { 0xcd, 0x80 }, { 0xe2, 0xf0 }, { 0x0f, 0x0b }, { 0xcf }, { 0x1f },
    { 0xb8, 1, 2, 3, 4, 0x05, 1, 1 }, { 0xff, 0x15, 0, 0, 0x40, 0 },
};

static void
scribble(struct test_random *r, uint8_t *to, uint32_t size)
{
    const uint8_t *snippet =
        snippets[test_random_below(r, ARRAY_LEN(snippets))];
    bool is_random = test_random_below(r, 3) == 0;

    for (uint32_t i = 0; i < size; i++)
        to[i] = is_random || i >= 8 ? (uint8_t)test_random_next(r)
                                    : snippet[i];
}

static uint32_t
random_eip(struct test_random *r)
{
    uint32_t page = test_random_below(r, CODE_PAGES);

    /* Few places, and often the ends of pages. */
    if (test_random_below(r, 4) == 0)
        return CODE_GUEST + page * CODE_PAGE + CODE_PAGE - 1 -
               test_random_below(r, 16);
    return CODE_GUEST + page * CODE_PAGE + test_random_below(r, 300);
}

/* KEPT bytes at EIP, zeros where there is nothing. */
static void
keep(uint32_t eip, uint8_t *bytes)
{
    for (unsigned i = 0; i < KEPT; i++)
        bytes[i] = fake_code_is_there(eip + i) ? *fake_code_byte(eip + i) : 0;
}

/* Is plain code, here P, of bytes that have changed since then? */
static void
check_stale(const struct kept *k, uint32_t eip, const uint8_t *p)
{
    uint8_t now[KEPT];
    struct insn insn;
    unsigned at = 0;

    keep(eip, now);
    while (decode(k->bytes + at, KEPT - at, segments->mode, &insn) ==
           DECODE_OK) {
        const struct opcode *op = insn_opcode(&insn);

        if (op->class != CLASS_IDENT ||
            memcmp(p, k->bytes + at, insn.length) != 0)
            return;
        if (memcmp(now + at, k->bytes + at, insn.length) != 0)
            fail_msg("stale code at %x", eip + at);
        p += insn.length;
        at += insn.length;
    }
}

/* Jumps need no code: what is there belongs to the target already. */
static bool
is_jump(uint32_t eip)
{
    uint8_t bytes[KEPT];
    struct insn insn;

    keep(eip, bytes);
    return decode(bytes, KEPT, segments->mode, &insn) == DECODE_OK &&
           insn_opcode(&insn)->class == CLASS_JMP;
}

static void
check_diverted(uint32_t at, uint32_t eip)
{
    struct bt_state s = { .eip = at };

    assert_int_equal(*fake_code_tc(at), X86_JMP);
    assert_true(bt_recover(fake.bt, &s));
    assert_int_equal(s.eip, eip);
}

/* Are all bytes there that an instruction at EIP may have? */
static bool
can_fetch(uint32_t eip)
{
    return fake_code_is_there(eip) &&
           fake_code_is_there(eip + INSN_LENGTH_MAX) &&
           eip + INSN_LENGTH_MAX <= segments->limit;
}

static void
fuzz_entry(uint32_t eip)
{
    uint32_t at = bt_entry(fake.bt, eip);
    struct bt_state s = { .eip = at };
    struct kept *k = &kept[eip - CODE_GUEST];
    uint64_t flushes = bt_get_stats(fake.bt)->flushes;
    const uint8_t *behind;
    enum fake_check check;

    if (at == 0) {
        assert_false(can_fetch(eip));
        return;
    }
    assert_true(fake_code_is_there(eip));
    assert_true(bt_recover(fake.bt, &s));
    assert_true(s.eip == eip || is_jump(eip));
    check = fake_code_check(at, &behind);
    if (check == CHECK_FAILS) {
        fake.slots.exit_reason = BT_EXIT_CHANGED;
        fake.slots.exit_eip = eip;
        at = bt_entry(fake.bt, eip);
        if (at == 0) {
            assert_false(can_fetch(eip));
            return;
        }
        check = fake_code_check(at, &behind);
        assert_int_not_equal(check, CHECK_FAILS);
        flushes = bt_get_stats(fake.bt)->flushes;
    }
    /* Whoever still goes to the old one is led on. */
    if (k->at != at && k->at != 0 && k->flushes == flushes)
        check_diverted(k->at, eip);
    if (k->at != at || k->flushes != flushes) {
        k->at = at;
        k->flushes = flushes;
        keep(eip, k->bytes);
    }
    check_stale(k, eip, behind);
}

static void
fuzz_write(struct test_random *r)
{
    unsigned m = test_random_below(r, CODE_MEMORIES);
    uint32_t size = 1 + test_random_below(r, 8);
    uint32_t offset = test_random_below(r, 2) ?
        test_random_below(r, 300) : CODE_PAGE - size - test_random_below(r, 16);

    scribble(r, &fake.memory[m][offset], size);
    if (!fake.is_watched[m] && test_random_below(r, 4) != 0)
        return;
    if (test_random_below(r, 200) == 0)
        bt_invalidate_page(fake.bt, CODE_ID + m);
    else if (bt_page_written(fake.bt, CODE_ID + m, offset, size) ==
             BT_WRITTEN_UNWATCH)
        fake.is_watched[m] = false;
}

/* The TC is one run of known code from its start. */
static void
fuzz_recover(struct test_random *r)
{
    struct bt_state s = {
        .eip = CODE_AT + test_random_below(r, fake.env.code_size + 100),
        .esp = 0x5000,
    };
    uint32_t at = s.eip;
    bool is_known = bt_recover(fake.bt, &s);

    if (is_known)
        assert_in_range(s.esp, 0x5000 - 8, 0x5000 + 8);
    s.eip = is_known ? CODE_AT + test_random_below(r, at - CODE_AT + 1)
                     : at + 1;
    assert_int_equal(bt_recover(fake.bt, &s), is_known);
}

/* What slots say is a guest's word. */
static void
fuzz_slots(struct test_random *r, uint32_t eip)
{
    fake.slots.exit_reason = test_random_below(r, BT_EXIT_STOP + 2);
    fake.slots.exit_arg = test_random_below(r, 3) ?
        test_random_below(r, BT_LINK_MIN) : test_random_next(r);
    fake.slots.exit_eip = test_random_below(r, 4) ? eip : random_eip(r);
    fake.slots.target = random_eip(r);
}

static void
fuzz_step(uint32_t eip)
{
    uint32_t at = bt_step(fake.bt, eip);
    struct bt_state s = { .eip = at };

    if (at == 0)
        return;
    assert_true(bt_recover(fake.bt, &s));
    assert_true(s.eip == eip || is_jump(eip));
}

static uint32_t
suspect(struct test_random *r)
{
    return CODE_GUEST + 16 * test_random_below(r, SUSPECTS);
}

static void
fuzz_emulated(struct test_random *r)
{
    uint32_t eip = suspect(r);
    unsigned times = test_random_below(r, 200);

    for (unsigned i = 0; i < times; i++)
        bt_note_emulated(fake.bt, eip, test_random_below(r, 1000) == 0);
}

static void
set_code(unsigned i)
{
    segments = &codes[i];
    assert_true(bt_set_code(fake.bt, segments));
}

static void
fuzz_one(struct test_random *r)
{
    uint32_t eip = random_eip(r);

    fuzz_slots(r, eip);
    switch (test_random_below(r, 64)) {
    case 0 ... 29:
        fuzz_entry(eip);
        break;
    case 30 ... 49:
        fuzz_write(r);
        break;
    case 50 ... 52:
        fuzz_step(eip);
        break;
    case 53 ... 56:
        bt_note_fault(fake.bt, suspect(r));
        break;
    case 57 ... 59:
        fuzz_emulated(r);
        break;
    case 60:
        bt_unlink_all(fake.bt);
        break;
    default:
        fuzz_recover(r);
        break;
    }
    if (test_random_below(r, 2000) == 0)
        bt_flush(fake.bt);
    if (test_random_below(r, 2000) == 0)
        set_code(test_random_below(r, ARRAY_LEN(codes)));
}

static void
start(unsigned shape, unsigned scale, struct test_random *r)
{
    fake_code_start(shape, scale);
    set_code(0);
    memset(kept, 0, sizeof(kept));
    for (unsigned m = 0; m < CODE_MEMORIES; m++)
        for (unsigned at = 0; at < CODE_PAGE; at += 8)
            scribble(r, &fake.memory[m][at], 8);
}

static void
test_random_calls(void **state)
{
    struct test_random r = { 3 };

    (void)state;
    for (unsigned i = 0; i < CODE_SHAPES; i++) {
        start(i, 1, &r);
        for (unsigned n = 0; n < CALLS; n++)
            fuzz_one(&r);
        assert_true(bt_get_stats(fake.bt)->flushes > CALLS / 100);
        fake_code_stop();
    }
}

/* Units live longer: more of them change. */
static void
test_random_calls_with_room(void **state)
{
    struct test_random r = { 5 };

    (void)state;
    for (unsigned i = 0; i < CODE_SHAPES; i++) {
        const struct bt_stats *s;

        start(i, 16, &r);
        s = bt_get_stats(fake.bt);
        for (unsigned n = 0; n < CALLS; n++)
            fuzz_one(&r);
        assert_true(s->flushes > 3 && s->emulated > 10 && s->acquitted > 0);
        for (unsigned d = 0; d < BT_DROP_COUNT; d++)
            if (fake.env.cs_rule != SEGMENT_EMULATE || d == BT_DROP_WRITTEN)
                assert_true(s->dropped[d] > 0);
        fake_code_stop();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls),
        cmocka_unit_test(test_random_calls_with_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
