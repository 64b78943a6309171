/*
 * test_terminal.c - console/terminal.c: the dialects of keys, what proves that
 * a terminal is ANSI, and that no input makes it lose Ctrl-C.
 */
#include "unit/test.h"

#include "console/terminal.h"

/* Feed all of TEXT; the last key that came out of it. */
static int
feed(struct terminal *t, const char *text)
{
    int key = KEY_NONE;

    for (; *text != '\0'; text++) {
        int k = terminal_feed(t, (uint8_t)*text);
        if (k != KEY_NONE)
            key = k;
    }
    return key;
}

static void
test_keys(void **state)
{
    static const struct {
        const char *sent;
        int key;
        bool proof;
    } cases[] = {
        { "a", 'a', false },            { "\r", '\r', false },
        { "\t", KEY_TAB, false },       { "\x7f", KEY_RUBOUT, false },
        { "\x03", CTRL('C'), false },   { "\x1b[A", KEY_UP, true },
        { "\x1bOB", KEY_DOWN, true },   { "\x1b[C", KEY_RIGHT, true },
        { "\x1b[D", KEY_LEFT, true },   { "\x1b[H", KEY_HOME, true },
        { "\x1bOF", KEY_END, true },    { "\x1b[1~", KEY_HOME, true },
        { "\x1b[7~", KEY_HOME, true },  { "\x1b[4~", KEY_END, true },
        { "\x1b[8~", KEY_END, true },   { "\x1b[3~", KEY_DELETE, true },
        { "\x1b[1;5C", KEY_WORD_RIGHT, true },
        { "\x1b[1;3D", KEY_WORD_LEFT, true },
        { "\x1b[1;2C", KEY_RIGHT, true },
        { "\x1bOd", KEY_WORD_LEFT, true },
        { "\x1bOM", '\r', true },       { "\x1b" "b", KEY_WORD_LEFT, false },
        { "\x1b" "f", KEY_WORD_RIGHT, false },
        { "\x1b" "d", KEY_WORD_DELETE, false },
        { "\x1b\x7f", KEY_WORD_RUBOUT, false },
        { "\x1b\b", KEY_WORD_RUBOUT, false },
        /* Understood by nobody here, and swallowed whole. */
        { "\x1b[2~", KEY_NONE, false }, { "\x1b[15~", KEY_NONE, false },
        { "\x1b[99~", KEY_NONE, false }, { "\x1b[[A", KEY_NONE, false },
        { "\x1bOP", KEY_NONE, false },  { "\x1b[?1;2c", KEY_NONE, false },
        { "\x1b[5;9R", KEY_NONE, false }, { "\x1b[1 q", KEY_NONE, false },
        { "\x1b]0;title\a", KEY_NONE, false },
        { "\x1bP1$r0m\x1b\\", KEY_NONE, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct terminal t;
        terminal_init(&t, TERMINAL_LEARN, 80);
        assert_int_equal(feed(&t, cases[i].sent), cases[i].key);
        assert_false(terminal_in_sequence(&t));
        assert_int_equal(t.ansi, cases[i].proof);
        assert_int_equal(feed(&t, "x"), 'x');
    }
}

static void
test_policy(void **state)
{
    struct terminal t;

    (void)state;
    terminal_init(&t, TERMINAL_PLAIN, 80);
    assert_int_equal(feed(&t, "\x1b[A"), KEY_UP);
    assert_false(t.ansi);
    assert_false(terminal_take_query(&t));

    terminal_init(&t, TERMINAL_ANSI, 80);
    assert_true(t.ansi);
    assert_true(terminal_take_query(&t));

    terminal_init(&t, TERMINAL_LEARN, 80);
    assert_false(terminal_take_query(&t));
    feed(&t, "\x1b[A");
    assert_true(terminal_take_query(&t));
    assert_false(terminal_take_query(&t));
}

static void
test_width(void **state)
{
    struct terminal t;

    (void)state;
    terminal_init(&t, TERMINAL_ANSI, 120);
    assert_int_equal(t.width, TERMINAL_WIDTH_DEFAULT);
    assert_int_equal(feed(&t, "\x1b[3;40R"), KEY_NONE);     /* not asked */
    assert_true(terminal_take_query(&t));
    assert_int_equal(feed(&t, "\x1b[3;40R"), KEY_RESIZED);
    assert_int_equal(t.width, 40);
    assert_int_equal(feed(&t, "\x1b[3;50R"), KEY_NONE);     /* answered */
    assert_int_equal(t.width, 40);

    terminal_forget_width(&t);
    assert_true(terminal_take_query(&t));
    assert_int_equal(feed(&t, "\x1b[1;99999999999R"), KEY_RESIZED);
    assert_int_equal(t.width, 120);
    terminal_forget_width(&t);
    assert_true(terminal_take_query(&t));
    assert_int_equal(feed(&t, "\x1b[1;0R"), KEY_RESIZED);
    assert_int_equal(t.width, TERMINAL_WIDTH_MIN);
    terminal_init(&t, TERMINAL_LEARN, 5000);
    assert_int_equal(t.width_max, TERMINAL_WIDTH_MAX);

    terminal_init(&t, TERMINAL_ANSI, 80);       /* a person knows better */
    terminal_set_width(&t, 100);
    assert_int_equal(t.width, 100);
    assert_false(terminal_take_query(&t));
}

static void
test_escape_key(void **state)
{
    struct terminal t;

    (void)state;
    terminal_init(&t, TERMINAL_LEARN, 80);
    assert_int_equal(feed(&t, "\x1b"), KEY_NONE);
    assert_true(terminal_in_sequence(&t));
    assert_int_equal(terminal_timeout(&t), KEY_ESCAPE);
    assert_int_equal(feed(&t, "A"), 'A');
    assert_int_equal(feed(&t, "\x1b[1;"), KEY_NONE);
    assert_int_equal(terminal_timeout(&t), KEY_NONE);
    assert_int_equal(feed(&t, "A"), 'A');
    assert_false(t.ansi);
}

static void
test_enter(void **state)
{
    struct terminal t;

    (void)state;
    terminal_init(&t, TERMINAL_LEARN, 80);
    assert_int_equal(terminal_feed(&t, '\r'), '\r');
    assert_int_equal(terminal_feed(&t, '\n'), KEY_NONE);
    assert_int_equal(terminal_feed(&t, '\n'), '\n');
    assert_int_equal(terminal_feed(&t, 'a'), 'a');
    assert_int_equal(terminal_feed(&t, '\n'), '\n');
}

/* Whatever came before, a control character inside counts, and so do keys. */
static void
test_hostile(void **state)
{
    struct test_random random = { 7 };
    struct terminal t;

    (void)state;
    terminal_init(&t, TERMINAL_LEARN, 80);
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned i = test_random_below(&random, 60); i > 0; i--) {
            static const char likely[] = "\x1b[O];?0123456789ABCD~R ";
            bool any = test_random_below(&random, 8) == 0;
            unsigned pick = test_random_below(&random, sizeof(likely) - 1);
            uint8_t byte = any
                ? (uint8_t)test_random_below(&random, 256)
                : (uint8_t)likely[pick];
            terminal_feed(&t, byte);
            assert_true(t.width >= TERMINAL_WIDTH_MIN && t.width <= 80);
        }
        assert_int_equal(terminal_feed(&t, CTRL('C')), CTRL('C'));
        assert_int_equal(terminal_feed(&t, 'x'), 'x');
    }
    assert_int_equal(feed(&t, "\x1b["), KEY_NONE);
    for (unsigned i = 0; i < 40; i++)
        terminal_feed(&t, '1');
    assert_int_equal(terminal_feed(&t, '1'), '1');
}

/* The PC's keyboard has cursor keys; the serial terminal may be dumb. */
static void
test_deaf(void **state)
{
    struct terminal t;

    (void)state;
    terminal_init(&t, TERMINAL_LEARN, TERMINAL_WIDTH_DEFAULT);
    t.deaf = true;
    (void)terminal_feed(&t, 0x1b);
    (void)terminal_feed(&t, '[');
    assert_int_equal(terminal_feed(&t, 'A'), KEY_UP);
    assert_false(t.ansi);
    t.deaf = false;
    (void)terminal_feed(&t, 0x1b);
    (void)terminal_feed(&t, '[');
    assert_int_equal(terminal_feed(&t, 'A'), KEY_UP);
    assert_true(t.ansi);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_escape_key),
        cmocka_unit_test(test_enter),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_deaf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
