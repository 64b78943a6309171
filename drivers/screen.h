/*
 * screen.h - what an 80 x 25 text screen shows, kept in memory.
 *
 * Takes a stream of text and the small part of the VT100's control sequences
 * (ECMA-48) that a line editor needs, and keeps the characters, the cursor and
 * a record of which rows changed.  Knows no hardware: drivers/vga_console.c
 * paints it.  Pure.
 *
 *      BS CR LF TAB, ESC [ n A B C D (move), ESC [ n G, ESC [ r ; c H or f,
 *      ESC [ n J and K (erase), ESC [ n ; .. m (8 colours, bold, inverse)
 *
 * As on a VT100 a character in the last column leaves the cursor there, and
 * the line wraps when the next one comes.  Other sequences are swallowed.
 */
#ifndef DRIVERS_SCREEN_H
#define DRIVERS_SCREEN_H

#include "kernel/base/types.h"

#define SCREEN_COLS     80u
#define SCREEN_ROWS     25u
#define SCREEN_PARAMS   4u

/* As text-mode VGA has it: the character, then the colours. */
#define SCREEN_CELL(c, attr) ((uint16_t)((uint8_t)(c) | (attr) << 8))
#define SCREEN_ATTR     0x07u           /* light grey on black */
#define SCREEN_BLANK    SCREEN_CELL(' ', SCREEN_ATTR)

enum screen_state { SCREEN_TEXT, SCREEN_ESC, SCREEN_CSI };

struct screen {
    /* Rows are a ring, so scrolling moves nothing: use screen_row(). */
    uint16_t cells[SCREEN_ROWS][SCREEN_COLS];
    unsigned top;               /* where row 0 is in cells */
    unsigned row, col;
    bool wrap;                  /* the next character starts a new line */
    uint8_t attr;
    uint32_t dirty;             /* a bit for each row that changed */
    unsigned scrolled;          /* rows that left at the top since painted */

    enum screen_state state;
    unsigned params[SCREEN_PARAMS];
    unsigned param_count;       /* of the sequence, at most SCREEN_PARAMS */
    bool ignore;                /* private sequence, or too many parameters */
};

/* A blank screen with everything to be painted. */
void screen_init(struct screen *s);

void screen_put(struct screen *s, const char *text, size_t size);

/* The SCREEN_COLS cells of ROW < SCREEN_ROWS. */
const uint16_t *screen_row(const struct screen *s, unsigned row);

#endif
