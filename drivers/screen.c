/*
 * screen.c - the text screen in memory and its control sequences (screen.h).
 *
 * Invariant: row < SCREEN_ROWS and col < SCREEN_COLS at all times, whatever
 * bytes come in; every parameter is clamped where it is used.  A row is dirty
 * from the moment a cell of it changes until the painter clears its bit; when
 * the screen scrolls the bits move along with the rows.
 *
 * The caller has a lock, or is alone.
 */
#include "drivers/screen.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"

#define ESC             '\033'
#define DEL             '\177'
#define TAB_WIDTH       8u
#define PARAM_MAX       1000u           /* more is not told apart */
#define ALL_ROWS        BITS(SCREEN_ROWS - 1, 0)

/* Of a byte that is not ASCII: UTF-8 continuation bytes show nothing. */
#define UTF8_CONT_MASK  0xc0u
#define UTF8_CONT       0x80u
#define REPLACEMENT     '?'

/* Attribute byte of the VGA: IBGR colours of background and foreground. */
#define ATTR_FG         BITS(2, 0)
#define ATTR_BRIGHT     BIT(3)
#define ATTR_BG         BITS(6, 4)

/* SGR parameters (ECMA-48 8.3.117). */
enum sgr {
    SGR_RESET = 0,
    SGR_BOLD = 1,
    SGR_INVERSE = 7,
    SGR_NORMAL = 22,
    SGR_FG = 30,
    SGR_FG_DEFAULT = 39,
    SGR_BG = 40,
    SGR_BG_DEFAULT = 49,
    SGR_COLOURS = 8
};

/* ANSI counts colours in RGB order, the VGA in BGR. */
static const uint8_t vga_colour[SGR_COLOURS] = { 0, 4, 2, 6, 1, 5, 3, 7 };

static uint16_t *
row_cells(struct screen *s, unsigned row)
{
    return s->cells[(s->top + row) % SCREEN_ROWS];
}

const uint16_t *
screen_row(const struct screen *s, unsigned row)
{
    return s->cells[(s->top + row) % SCREEN_ROWS];
}

static void
blank(struct screen *s, unsigned row, unsigned from, unsigned to)
{
    uint16_t *cells = row_cells(s, row);

    for (unsigned col = from; col < to; col++)
        cells[col] = SCREEN_BLANK;
    s->dirty |= BIT(row);
}

void
screen_init(struct screen *s)
{
    memset(s, 0, sizeof(*s));
    s->attr = SCREEN_ATTR;
    for (unsigned row = 0; row < SCREEN_ROWS; row++)
        blank(s, row, 0, SCREEN_COLS);
}

/* Down a row; at the bottom the row at the top becomes the new last one. */
static void
line_feed(struct screen *s)
{
    s->wrap = false;
    if (s->row < SCREEN_ROWS - 1) {
        s->row++;
        return;
    }
    s->top = (s->top + 1) % SCREEN_ROWS;
    s->dirty >>= 1;
    s->scrolled++;
    blank(s, SCREEN_ROWS - 1, 0, SCREEN_COLS);
}

/* In the last column the cursor stays, and only `wrap` knows (VT100). */
static void
put_char(struct screen *s, char c)
{
    if (s->wrap) {
        s->col = 0;
        line_feed(s);
    }
    row_cells(s, s->row)[s->col] = SCREEN_CELL(c, s->attr);
    s->dirty |= BIT(s->row);
    if (s->col < SCREEN_COLS - 1)
        s->col++;
    else
        s->wrap = true;
}

/* --- Control sequences --------------------------------------------------- */

/* Parameter N; where it is missing or 0, DEFAULT. */
static unsigned
param(const struct screen *s, unsigned n, unsigned dflt)
{
    return s->params[n] != 0 ? s->params[n] : dflt;
}

/* Every move of the cursor ends here and is clamped here. */
static void
move_to(struct screen *s, unsigned row, unsigned col)
{
    s->row = MIN(row, SCREEN_ROWS - 1);
    s->col = MIN(col, SCREEN_COLS - 1);
    s->wrap = false;
}

/* 0: from the cursor on; 1: up to and with the cursor; 2: all of it. */
static void
erase_line(struct screen *s, unsigned what)
{
    unsigned from = what == 0 ? s->col : 0;
    unsigned to = what == 1 ? s->col + 1 : SCREEN_COLS;

    blank(s, s->row, from, to);
}

static void
erase_screen(struct screen *s, unsigned what)
{
    unsigned from = what == 0 ? s->row + 1 : 0;
    unsigned to = what == 1 ? s->row : SCREEN_ROWS;

    for (unsigned row = from; row < to; row++)
        blank(s, row, 0, SCREEN_COLS);
    if (what < 2)
        erase_line(s, what);
}

/* Inverse swaps the colours as they are now and keeps the brightness. */
static void
set_attr(struct screen *s, unsigned sgr)
{
    if (sgr == SGR_RESET)
        s->attr = SCREEN_ATTR;
    else if (sgr == SGR_BOLD)
        s->attr |= ATTR_BRIGHT;
    else if (sgr == SGR_NORMAL)
        s->attr &= (uint8_t)~ATTR_BRIGHT;
    else if (sgr == SGR_INVERSE)
        s->attr = (uint8_t)FIELD_SET(FIELD_SET(s->attr & ATTR_BRIGHT,
                      ATTR_FG, FIELD_GET(s->attr, ATTR_BG)),
                      ATTR_BG, FIELD_GET(s->attr, ATTR_FG));
    else if (sgr >= SGR_FG && sgr < SGR_FG + SGR_COLOURS)
        s->attr = (uint8_t)FIELD_SET(s->attr, ATTR_FG,
                                     vga_colour[sgr - SGR_FG]);
    else if (sgr >= SGR_BG && sgr < SGR_BG + SGR_COLOURS)
        s->attr = (uint8_t)FIELD_SET(s->attr, ATTR_BG,
                                     vga_colour[sgr - SGR_BG]);
    else if (sgr == SGR_FG_DEFAULT)
        s->attr |= ATTR_FG;
    else if (sgr == SGR_BG_DEFAULT)
        s->attr &= (uint8_t)~ATTR_BG;
}

/* Rows and columns count from 1 on the line, from 0 here. */
static void
control_sequence(struct screen *s, char final)
{
    unsigned n = param(s, 0, 1);

    switch (final) {
    case 'A':
        move_to(s, s->row - MIN(n, s->row), s->col);
        break;
    case 'B':
        move_to(s, s->row + n, s->col);
        break;
    case 'C':
        move_to(s, s->row, s->col + n);
        break;
    case 'D':
        move_to(s, s->row, s->col - MIN(n, s->col));
        break;
    case 'G':
        move_to(s, s->row, n - 1);
        break;
    case 'H':
    case 'f':
        move_to(s, n - 1, param(s, 1, 1) - 1);
        break;
    case 'J':
        erase_screen(s, s->params[0]);
        break;
    case 'K':
        erase_line(s, s->params[0]);
        break;
    case 'm':
        for (unsigned i = 0; i < MAX(s->param_count, 1u); i++)
            set_attr(s, s->params[i]);
        break;
    default:
        break;
    }
}

/* A byte after ESC [ .  Parameters are 0..9 ; and the end is @ .. ~ . */
static void
csi_byte(struct screen *s, char c)
{
    if (char_is_digit(c)) {
        unsigned *p = &s->params[MAX(s->param_count, 1u) - 1];

        s->param_count = MAX(s->param_count, 1u);
        *p = MIN(*p * 10 + (unsigned)(c - '0'), PARAM_MAX);
    } else if (c == ';') {
        s->param_count = MAX(s->param_count, 1u) + 1;
        if (s->param_count > SCREEN_PARAMS) {
            s->param_count = SCREEN_PARAMS;
            s->ignore = true;
        }
    } else if (c >= '@' && c <= '~') {
        s->state = SCREEN_TEXT;
        if (!s->ignore)
            control_sequence(s, c);
    } else {
        s->ignore = true;
    }
}

/* Of the sequences without `[` none is known: two bytes are swallowed. */
static void
escape_byte(struct screen *s, char c)
{
    s->state = SCREEN_TEXT;
    if (c != '[')
        return;
    memset(s->params, 0, sizeof(s->params));
    s->param_count = 0;
    s->ignore = false;
    s->state = SCREEN_CSI;
}

/* Control characters work in the middle of a sequence too, as on a VT100. */
static void
control_char(struct screen *s, char c)
{
    switch (c) {
    case '\r':
        move_to(s, s->row, 0);
        break;
    case '\n':
        line_feed(s);
        break;
    case '\b':
        move_to(s, s->row, s->col - MIN(1u, s->col));
        break;
    case '\t':
        move_to(s, s->row, ROUND_DOWN(s->col, TAB_WIDTH) + TAB_WIDTH);
        break;
    case ESC:
        s->state = SCREEN_ESC;
        break;
    default:
        break;
    }
}

/* The character set of the VGA is not ours: ASCII only. */
static void
text_byte(struct screen *s, char c)
{
    uint8_t byte = (uint8_t)c;

    if (byte > DEL) {
        if ((byte & UTF8_CONT_MASK) != UTF8_CONT)
            put_char(s, REPLACEMENT);
    } else if (byte != DEL) {
        put_char(s, c);
    }
}

void
screen_put(struct screen *s, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if ((uint8_t)c < ' ')
            control_char(s, c);
        else if (s->state == SCREEN_TEXT)
            text_byte(s, c);
        else if (s->state == SCREEN_ESC)
            escape_byte(s, c);
        else
            csi_byte(s, c);
    }
}
