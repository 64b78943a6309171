/*
 * screen.h - a model of a terminal of one row, for tests of what is drawn.
 *
 * It understands CR, LF (with the CR that console_write adds), BS and the few
 * sequences that console/ sends, and fails the test on anything else, on
 * characters that would make the row wrap, and on any sequence if it is plain.
 */
#ifndef TESTS_UNIT_SCREEN_H
#define TESTS_UNIT_SCREEN_H

#include "console/terminal.h"
#include "unit/test.h"

#define SCREEN_ROWS 64

struct screen {
    unsigned width;
    bool plain;                         /* fails the test on ESC */
    char row[TERMINAL_WIDTH_MAX + 1];
    unsigned column;
    char above[SCREEN_ROWS][TERMINAL_WIDTH_MAX + 1];
    unsigned rows;                      /* that scrolled away, in above */
    unsigned clears;
    bool asked;                         /* for the cursor's position */
    char escape[16];
    unsigned escape_size;
    size_t received;
};

static inline void
screen_clear_row(struct screen *s)
{
    memset(s->row, ' ', s->width);
    s->row[s->width] = '\0';
    s->column = 0;
}

static inline void
screen_sequence(struct screen *s, const char *parameters, char final)
{
    unsigned n = (unsigned)strtoul(parameters, NULL, 10);

    n = n > 0 ? n : 1;
    switch (final) {
    case 'D':
        assert_true(n <= s->column);
        s->column -= n;
        break;
    case 'C':
        s->column = MIN(s->column + n, s->width - 1);
        break;
    case 'K':
        memset(s->row + s->column, ' ', s->width - s->column);
        break;
    case 'n':
        assert_string_equal(parameters, "6");
        assert_int_equal(s->column, s->width - 1);
        s->asked = true;
        break;
    case 'H':
        s->column = 0;
        break;
    case 'J':
        screen_clear_row(s);
        s->clears++;
        break;
    default:
        fail_msg("unknown sequence ...%c", final);
    }
}

static inline void
screen_show(struct screen *s, char c)
{
    if (s->escape_size > 0) {
        s->escape[s->escape_size++] = c;
        assert_true(s->escape_size < sizeof(s->escape));
        if (s->escape_size == 2) {
            assert_int_equal(c, '[');
        } else if (c >= '@') {
            s->escape[s->escape_size - 1] = '\0';
            s->escape_size = 0;
            screen_sequence(s, s->escape + 2, c);
        }
    } else if (c == '\x1b') {
        assert_false(s->plain);
        s->escape[s->escape_size++] = c;
    } else if (c == '\r') {
        s->column = 0;
    } else if (c == '\n') {
        memcpy(s->above[s->rows++ % SCREEN_ROWS], s->row, sizeof(s->row));
        screen_clear_row(s);
    } else if (c == '\b') {
        assert_true(s->column > 0);
        s->column--;
    } else {
        assert_true(c >= ' ' && c <= '~');
        assert_true(s->column < s->width - 1);
        s->row[s->column++] = c;
    }
}

#endif
