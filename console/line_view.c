/*
 * line_view.c - one row of the screen that shows a prompt and a line
 * (line_view.h).
 *
 * Invariant between calls: row[0 .. length) is what the terminal shows in its
 * current row, the rest of it is blank (here and there), and its cursor is in
 * `column`.
 * No character is ever put into the last column, so the terminal never wraps;
 * the cursor itself may stand there.
 *
 * Every output is chosen for what it costs on a serial line: BS or CR or a
 * cursor sequence to go left, writing again what is there to go right.
 *
 * Pure; called by whoever holds the console (console/screen.c).
 */
#include "console/line_view.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"

#define MORE_LEFT       '<'
#define MORE_RIGHT      '>'
#define ROOM_MIN        10u         /* less for the line: no prompt */
#define ERASE_TO_END    "\x1b[K"

#define CURSOR_LEFT_MAX sizeof("\x1b[999D")

/* --- Output --------------------------------------------------------------- */

static void
flush(struct line_view *v)
{
    if (v->out_size > 0)
        v->write(v->arg, v->out, v->out_size);
    v->out_size = 0;
}

static void
put_char(struct line_view *v, char c)
{
    if (v->out_size == sizeof(v->out))
        flush(v);
    v->out[v->out_size++] = c;
}

static void
put(struct line_view *v, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(v, *text);
}

static void
put_repeated(struct line_view *v, char c, unsigned count)
{
    for (; count > 0; count--)
        put_char(v, c);
}

/* Columns that may hold a character; the prompt's included. */
static unsigned
columns(const struct line_view *v)
{
    return v->terminal->width - 1;
}

/* --- Moving --------------------------------------------------------------- */

static void
go_left(struct line_view *v, unsigned column)
{
    unsigned steps = v->column - column;
    char sequence[CURSOR_LEFT_MAX];
    size_t size = SIZE_MAX;

    if (v->terminal->ansi)
        size = format_buf(sequence, sizeof(sequence), "\x1b[%uD", steps);
    if (column == 0) {
        put_char(v, '\r');
    } else if (size < steps) {
        put(v, sequence);
    } else if (column + 1 < steps) {
        put_char(v, '\r');
        for (unsigned i = 0; i < column; i++)
            put_char(v, v->row[i]);
    } else {
        put_repeated(v, '\b', steps);
    }
}

/* To COLUMN, which is not behind the row's end. */
static void
go(struct line_view *v, unsigned column)
{
    if (column < v->column)
        go_left(v, column);
    for (unsigned i = v->column; i < column; i++)
        put_char(v, v->row[i]);
    v->column = column;
}

/* --- Drawing -------------------------------------------------------------- */

/*
 * Choose which part of the line is seen: all of it if it fits, else as before
 * as long as the cursor is on a visible character; else so that the cursor
 * comes to the middle, where half a row can be typed before the next scroll.
 */
static void
scroll(struct line_view *v, const struct line_picture *p, unsigned room)
{
    unsigned first, last;               /* where the cursor may be */

    if (p->length <= room) {
        v->left = 0;
        return;
    }
    first = v->left == 0 ? 0 : v->left + 1;
    last = p->length <= v->left + room ? p->length : v->left + room - 2;
    if (p->cursor < first || p->cursor > last)
        v->left = p->cursor > room / 2 ? p->cursor - room / 2 : 0;
}

/* The row for P into ROW; returns its length, and the cursor's column. */
static unsigned
compose(struct line_view *v, const struct line_picture *p, char *row,
        unsigned *column)
{
    unsigned size = (unsigned)strlen(p->prompt);
    unsigned room, shown;

    if (size + ROOM_MIN > columns(v))
        size = 0;
    room = columns(v) - size;
    scroll(v, p, room);
    shown = MIN(p->length - v->left, room);
    memcpy(row, p->prompt, size);
    memcpy(row + size, p->text + v->left, shown);
    if (v->left > 0)
        row[size] = MORE_LEFT;
    if (v->left + shown < p->length)
        row[size + shown - 1] = MORE_RIGHT;
    *column = size + p->cursor - v->left;
    return size + shown;
}

/* The row that was drawn before the terminal turned out to be narrower. */
static bool
has_wrapped(const struct line_view *v)
{
    return v->length > columns(v);
}

void
line_view_draw(struct line_view *v, const struct line_picture *picture)
{
    char row[TERMINAL_WIDTH_MAX];
    unsigned column, length, same = 0, end;

    if (has_wrapped(v))
        line_view_leave(v, "");
    memset(row, ' ', sizeof(row));
    length = compose(v, picture, row, &column);
    end = MAX(length, v->length);
    while (same < end && row[same] == v->row[same])
        same++;
    while (end > same && row[end - 1] == v->row[end - 1])
        end--;
    if (end > same) {
        bool erase = v->terminal->ansi && end > length;
        go(v, same);
        memcpy(v->row, row, sizeof(row));
        v->length = length;
        go(v, erase ? MAX(same, length) : end);
        if (erase)
            put(v, ERASE_TO_END);
    }
    go(v, column);
    flush(v);
}

/* --- Rows ----------------------------------------------------------------- */

static void
forget(struct line_view *v)
{
    memset(v->row, ' ', sizeof(v->row));
    v->length = 0;
    v->column = 0;
    v->left = 0;
}

void
line_view_init(struct line_view *v, struct terminal *terminal,
               line_write_t write, void *arg)
{
    *v = (struct line_view){ .terminal = terminal, .write = write,
                             .arg = arg };
    forget(v);
}

void
line_view_erase(struct line_view *v)
{
    static const struct line_picture nothing = { .prompt = "", .text = "" };
    unsigned left = v->left;

    line_view_draw(v, &nothing);
    v->left = left;
}

void
line_view_leave(struct line_view *v, const char *note)
{
    go(v, v->length);
    put(v, note);
    put_char(v, '\n');
    forget(v);
    flush(v);
}

void
line_view_clear_screen(struct line_view *v)
{
    if (!v->terminal->ansi) {
        line_view_leave(v, "");
        return;
    }
    put(v, LINE_VIEW_CLEAR);
    forget(v);
    flush(v);
}

void
line_view_ask_width(struct line_view *v)
{
    if (!terminal_take_query(v->terminal))
        return;
    put(v, TERMINAL_WIDTH_QUERY);
    v->column = 0;
    flush(v);
}
