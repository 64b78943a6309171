/*
 * line_view.h - one row of the screen that shows a prompt and a line.
 *
 * A line longer than the row scrolls sideways, with `<` and `>` where it goes
 * on, so nothing depends on how a terminal wraps; the last column stays empty
 * for the same reason.  The view knows what is on the screen, compares it with
 * what should be, and sends the difference: a character typed at the end is
 * echoed as that character and nothing else.
 *
 * To a plain terminal only printable characters, CR, LF and BS are sent.
 */
#ifndef CONSOLE_LINE_VIEW_H
#define CONSOLE_LINE_VIEW_H

#include "console/terminal.h"

/* What clears an ANSI terminal. */
#define LINE_VIEW_CLEAR     "\x1b[H\x1b[2J"

/* Where the bytes for the terminal go. */
typedef void (*line_write_t)(void *arg, const char *text, size_t size);

struct line_view {
    struct terminal *terminal;
    line_write_t write;
    void *arg;

    char row[TERMINAL_WIDTH_MAX];   /* what the screen shows */
    unsigned length;
    unsigned column;                /* where its cursor is */
    unsigned left;                  /* the first character of the line shown */

    char out[TERMINAL_WIDTH_MAX];   /* gathered for one write */
    unsigned out_size;
};

/* What to show. */
struct line_picture {
    const char *prompt;             /* left out where there is no room */
    const char *text;
    unsigned length;
    unsigned cursor;                /* 0 .. length */
};

void line_view_init(struct line_view *v, struct terminal *terminal,
                    line_write_t write, void *arg);

/* Make the row show PICTURE. */
void line_view_draw(struct line_view *v, const struct line_picture *picture);

/* Clear the row, cursor at its beginning, as if nothing had been drawn. */
void line_view_erase(struct line_view *v);

/* Leave the row as it is, with NOTE behind it, and go to a new one. */
void line_view_leave(struct line_view *v, const char *note);

/* Go to a new row at the top of an empty screen, where that is possible. */
void line_view_clear_screen(struct line_view *v);

/* Ask for the width if that is due; the row stays as it is. */
void line_view_ask_width(struct line_view *v);

#endif
