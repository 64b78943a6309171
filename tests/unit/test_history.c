/*
 * test_history.c - console/history.c against a plain array of lines.
 */
#include "unit/test.h"

#include "console/history.h"

#define LINES       2000
#define LENGTH_MAX  300

static void
test_order(void **state)
{
    static struct history h;

    (void)state;
    history_init(&h);
    assert_null(history_get(&h, 0));
    assert_null(history_get(&h, 1));
    history_add(&h, "one");
    history_add(&h, "two");
    history_add(&h, "two");
    history_add(&h, "");
    history_add(&h, "three");
    assert_string_equal(history_get(&h, 1), "three");
    assert_string_equal(history_get(&h, 2), "two");
    assert_string_equal(history_get(&h, 3), "one");
    assert_null(history_get(&h, 4));
    assert_null(history_get(&h, UINT32_MAX));
}

static void
test_find(void **state)
{
    static struct history h;

    (void)state;
    history_init(&h);
    history_add(&h, "log -n 3");
    history_add(&h, "mem");
    history_add(&h, "log -f");
    assert_int_equal(history_find(&h, "log", 0), 1);
    assert_int_equal(history_find(&h, "log", 1), 3);
    assert_int_equal(history_find(&h, "log", 3), 0);
    assert_int_equal(history_find(&h, "em", 0), 2);
    assert_int_equal(history_find(&h, "memory", 0), 0);
    assert_int_equal(history_find(&h, "log", 99), 0);
}

static void
test_size(void **state)
{
    static struct history h;
    static char line[HISTORY_BYTES + 1];

    (void)state;
    history_init(&h);
    memset(line, 'x', HISTORY_BYTES);
    history_add(&h, "short");
    history_add(&h, line);                      /* with its NUL too long */
    assert_string_equal(history_get(&h, 1), "short");
    line[HISTORY_BYTES - 1] = '\0';
    history_add(&h, line);                      /* fills it exactly */
    assert_string_equal(history_get(&h, 1), line);
    assert_null(history_get(&h, 2));
    history_add(&h, "next");
    assert_string_equal(history_get(&h, 1), "next");
    assert_null(history_get(&h, 2));
}

/* The newest lines are there, in order, as many as fit. */
static void
test_random_lines(void **state)
{
    static char lines[LINES][LENGTH_MAX + 1];
    static struct history h;
    struct test_random random = { 3 };
    unsigned n, bytes = 0;

    (void)state;
    history_init(&h);
    for (n = 0; n < LINES; n++) {
        unsigned length = 8 + test_random_below(&random, LENGTH_MAX - 8);
        memset(lines[n], 'a' + (int)(n % 26), length);
        snprintf(lines[n], 8, "%07u", n);
        lines[n][7] = ' ';
        history_add(&h, lines[n]);
    }
    for (n = 1; history_get(&h, n) != NULL; n++) {
        assert_string_equal(history_get(&h, n), lines[LINES - n]);
        bytes += (unsigned)strlen(lines[LINES - n]) + 1;
    }
    assert_int_equal(n - 1, h.count);
    assert_int_equal(bytes, h.used);
    assert_true(bytes + strlen(lines[LINES - n]) + 1 > HISTORY_BYTES);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_random_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
