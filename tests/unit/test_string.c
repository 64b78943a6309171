/*
 * test_string.c - kernel/base/str.c: our additions to the string functions.
 */
#include "unit/test.h"

#include <ctype.h>

#include "kernel/base/string.h"

static void
test_copy(void **state)
{
    char buf[6];

    (void)state;
    memset(buf, '#', sizeof(buf));
    assert_true(str_copy(buf, "abcd", 5));
    assert_memory_equal(buf, "abcd\0#", 6);
    assert_false(str_copy(buf, "abcd", 4));
    assert_memory_equal(buf, "abc\0\0#", 6);
    assert_true(str_copy(buf, "", 1));
    assert_memory_equal(buf, "\0bc", 3);
    assert_false(str_copy(buf, "x", 1));
    assert_int_equal(buf[0], '\0');
}

static void
test_starts_with(void **state)
{
    (void)state;
    assert_true(str_starts_with("console=plain", "console="));
    assert_true(str_starts_with("abc", ""));
    assert_true(str_starts_with("", ""));
    assert_true(str_starts_with("abc", "abc"));
    assert_false(str_starts_with("ab", "abc"));
    assert_false(str_starts_with("xabc", "abc"));
    assert_false(str_starts_with("aBc", "abc"));
}

/* All 256 characters, as the C locale has them; those above 127 are nothing. */
static void
test_characters(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;

        assert_int_equal(char_is_space(c), i < 128 && isspace(i) != 0);
        assert_int_equal(char_is_digit(c), i < 128 && isdigit(i) != 0);
        assert_int_equal(char_is_print(c), i < 128 && isprint(i) != 0);
        assert_int_equal(char_to_lower(c), (char)tolower(i));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_starts_with),
        cmocka_unit_test(test_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
