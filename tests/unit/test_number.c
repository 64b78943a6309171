/*
 * test_number.c - kernel/base/number.c: what counts as a number, and what not.
 */
#include "unit/test.h"

#include "kernel/base/number.h"

#define UNTOUCHED       0x5ca1ab1eu
#define ROUNDS          20000

struct sample {
    const char *text;
    status_t status;
    uint64_t value;
};

static void
check(const struct sample *s, size_t count,
      status_t (*parse)(const char *, uint64_t *))
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = UNTOUCHED;
        uint64_t want = s[i].status == OK ? s[i].value : UNTOUCHED;

        if (parse(s[i].text, &value) != s[i].status || value != want)
            fail_msg("\"%s\" read as %llu", s[i].text,
                     (unsigned long long)value);
    }
}

static void
test_u64(void **state)
{
    static const struct sample samples[] = {
        { "0", OK, 0 },
        { "42", OK, 42 },
        { "0042", OK, 42 },
        { "18446744073709551615", OK, UINT64_MAX },
        { "18446744073709551616", ERR_RANGE, 0 },
        { "99999999999999999999999999", ERR_RANGE, 0 },
        { "0x0", OK, 0 },
        { "0xfFaA09", OK, 0xffaa09 },
        { "0X10", OK, 16 },
        { "0xffffffffffffffff", OK, UINT64_MAX },
        { "0x10000000000000000", ERR_RANGE, 0 },
        { "", ERR_SYNTAX, 0 },
        { " ", ERR_SYNTAX, 0 },
        { "x", ERR_SYNTAX, 0 },
        { "0x", ERR_SYNTAX, 0 },
        { "0xg", ERR_SYNTAX, 0 },
        { "1a", ERR_SYNTAX, 0 },
        { "1 ", ERR_SYNTAX, 0 },
        { " 1", ERR_SYNTAX, 0 },
        { "+1", ERR_SYNTAX, 0 },
        { "-1", ERR_SYNTAX, 0 },
        { "1.5", ERR_SYNTAX, 0 },
        { "1K", ERR_SYNTAX, 0 },
        { "18446744073709551616z", ERR_SYNTAX, 0 },
        { "0x1 ", ERR_SYNTAX, 0 },
        { "\xff", ERR_SYNTAX, 0 },
    };

    (void)state;
    check(samples, ARRAY_LEN(samples), parse_u64);
}

static void
test_size(void **state)
{
    static const struct sample samples[] = {
        { "0", OK, 0 },
        { "512", OK, 512 },
        { "4K", OK, 4096 },
        { "4k", OK, 4096 },
        { "32M", OK, 33554432 },
        { "16G", OK, 17179869184 },
        { "16g", OK, 17179869184 },
        { "0x10m", OK, 16777216 },
        { "17179869183G", OK, 17179869183ull << 30 },
        { "17179869184G", ERR_RANGE, 0 },
        { "18446744073709551616", ERR_RANGE, 0 },
        { "18446744073709551616K", ERR_RANGE, 0 },
        { "K", ERR_SYNTAX, 0 },
        { "", ERR_SYNTAX, 0 },
        { "4KB", ERR_SYNTAX, 0 },
        { "4KK", ERR_SYNTAX, 0 },
        { "4 K", ERR_SYNTAX, 0 },
        { "4T", ERR_SYNTAX, 0 },
        { "-4K", ERR_SYNTAX, 0 },
    };

    (void)state;
    check(samples, ARRAY_LEN(samples), parse_size);
}

static void
test_u32(void **state)
{
    uint32_t value = UNTOUCHED;

    (void)state;
    assert_int_equal(parse_u32("4294967296", &value), ERR_RANGE);
    assert_int_equal(parse_u32("4294967296x", &value), ERR_SYNTAX);
    assert_int_equal(parse_u32("", &value), ERR_SYNTAX);
    assert_int_equal(value, UNTOUCHED);
    assert_int_equal(parse_u32("4294967295", &value), OK);
    assert_int_equal(value, UINT32_MAX);
    assert_int_equal(parse_u32("0xfee00000", &value), OK);
    assert_int_equal(value, 0xfee00000u);
}

static void
test_round_trip(void **state)
{
    struct test_random r = { 8086 };
    char text[32];

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t want = ((uint64_t)test_random_next(&r) << 32 |
                         test_random_next(&r)) >> test_random_below(&r, 64);
        uint64_t got;

        sprintf(text, i % 2 ? "%llu" : "0x%llx", (unsigned long long)want);
        assert_int_equal(parse_u64(text, &got), OK);
        assert_true(got == want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_u32),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
