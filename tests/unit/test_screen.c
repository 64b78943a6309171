/*
 * test_screen.c - the text screen in memory, drivers/screen.c.
 */
#include "unit/test.h"

#include "drivers/screen.h"

#define ALL_DIRTY       ((1u << SCREEN_ROWS) - 1)
#define RANDOM_BYTES    2000000

static struct screen screen;

static void
put(const char *text)
{
    screen_put(&screen, text, strlen(text));
}

static int
fresh(void **state)
{
    (void)state;
    screen_init(&screen);
    return 0;
}

/* ROW from its start, without the blanks at its end. */
static const char *
row_text(unsigned row)
{
    static char text[SCREEN_COLS + 1];
    const uint16_t *cells = screen_row(&screen, row);
    size_t end = 0;

    for (size_t i = 0; i < SCREEN_COLS; i++) {
        text[i] = (char)cells[i];
        if (text[i] != ' ')
            end = i + 1;
    }
    text[end] = '\0';
    return text;
}

#define ASSERT_CURSOR(r, c)                                               \
    do {                                                                  \
        assert_int_equal(screen.row, (r));                                \
        assert_int_equal(screen.col, (c));                                \
    } while (0)

static void
test_text(void **state)
{
    (void)state;
    assert_int_equal(screen.dirty, ALL_DIRTY);
    screen.dirty = 0;
    put("hello\r\n\tworld\b!");
    assert_string_equal(row_text(0), "hello");
    assert_string_equal(row_text(1), "        worl!");
    ASSERT_CURSOR(1, 13);
    assert_int_equal(screen.dirty, 3);
}

static void
test_wrap_is_pending(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCREEN_COLS; i++)
        put("x");
    ASSERT_CURSOR(0, SCREEN_COLS - 1);
    put("\r");
    ASSERT_CURSOR(0, 0);
    for (unsigned i = 0; i < SCREEN_COLS; i++)
        put("y");
    put("z");
    ASSERT_CURSOR(1, 1);
    assert_string_equal(row_text(1), "z");
    put("\033[1;80Ha\nb");
    assert_string_equal(row_text(1) + SCREEN_COLS - 1, "b");
}

static void
test_scroll(void **state)
{
    char line[8];

    (void)state;
    for (unsigned i = 0; i < SCREEN_ROWS + 5; i++) {
        snprintf(line, sizeof(line), "%u\r\n", i);
        put(line);
    }
    assert_int_equal(screen.scrolled, 6);
    assert_string_equal(row_text(0), "6");
    assert_string_equal(row_text(SCREEN_ROWS - 2), "29");
    assert_string_equal(row_text(SCREEN_ROWS - 1), "");
    screen.dirty = 4;
    put("\n");
    assert_int_equal(screen.dirty, 2 | 1u << (SCREEN_ROWS - 1));
}

static void
test_cursor(void **state)
{
    (void)state;
    put("\033[5;10H");
    ASSERT_CURSOR(4, 9);
    put("\033[A\033[2D");
    ASSERT_CURSOR(3, 7);
    put("\033[3B\033[C");
    ASSERT_CURSOR(6, 8);
    put("\033[999A\033[999D");
    ASSERT_CURSOR(0, 0);
    put("\033[999B\033[99999999999C");
    ASSERT_CURSOR(SCREEN_ROWS - 1, SCREEN_COLS - 1);
    put("\033[H");
    ASSERT_CURSOR(0, 0);
    put("\033[;7f\033[G\033[4G");
    ASSERT_CURSOR(0, 3);
    put("\033[0;0H");
    ASSERT_CURSOR(0, 0);
}

static void
test_erase(void **state)
{
    (void)state;
    put("abcdef\r\nghijkl\r\nmnopqr\033[2;3H");
    put("\033[K");
    assert_string_equal(row_text(1), "gh");
    put("\033[1;4H\033[1K");
    assert_string_equal(row_text(0), "    ef");
    put("\033[2;2H\033[J");
    assert_string_equal(row_text(0), "    ef");
    assert_string_equal(row_text(1), "g");
    assert_string_equal(row_text(2), "");
    put("\033[2J");
    assert_string_equal(row_text(0), "");
    ASSERT_CURSOR(1, 1);
    put("xyz\033[3;1Habc\033[2;3H\033[1J");
    assert_string_equal(row_text(1), "   z");
    assert_string_equal(row_text(2), "abc");
}

static void
test_colours(void **state)
{
    (void)state;
    put("a\033[1;31mb\033[44mc\033[7md\033[me\033[22;39;49mf");
    assert_int_equal(screen_row(&screen, 0)[0], 'a' | 0x0700);
    assert_int_equal(screen_row(&screen, 0)[1], 'b' | 0x0c00);
    assert_int_equal(screen_row(&screen, 0)[2], 'c' | 0x1c00);
    assert_int_equal(screen_row(&screen, 0)[3], 'd' | 0x4900);
    assert_int_equal(screen_row(&screen, 0)[4], 'e' | 0x0700);
    assert_int_equal(screen_row(&screen, 0)[5], 'f' | 0x0700);
}

static void
test_unknown_is_swallowed(void **state)
{
    (void)state;
    put("a\033[?25lb\033[6nc\033[1;2;3;4;5Hd\033Me\033[>0qf\007");
    assert_string_equal(row_text(0), "abcdef");
    put("\r\n\303\251t\303\251\177");
    assert_string_equal(row_text(1), "?t?");
}

/* Whatever comes, the cursor stays on the screen; ASan watches the rest. */
static void
test_random(void **state)
{
    static const char likely[] = "\033\033[[;;0123456789ABCDGHJKfm\r\n\b\tx";
    struct test_random r = { 4711 };

    (void)state;
    for (unsigned i = 0; i < RANDOM_BYTES; i++) {
        char c = likely[test_random_below(&r, sizeof(likely) - 1)];

        if (test_random_below(&r, 8) == 0)
            c = (char)test_random_below(&r, 256);
        screen_put(&screen, &c, 1);
        assert_true(screen.row < SCREEN_ROWS && screen.col < SCREEN_COLS);
        assert_true(screen.dirty <= ALL_DIRTY);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_text, fresh),
        cmocka_unit_test_setup(test_wrap_is_pending, fresh),
        cmocka_unit_test_setup(test_scroll, fresh),
        cmocka_unit_test_setup(test_cursor, fresh),
        cmocka_unit_test_setup(test_erase, fresh),
        cmocka_unit_test_setup(test_colours, fresh),
        cmocka_unit_test_setup(test_unknown_is_swallowed, fresh),
        cmocka_unit_test_setup(test_random, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
