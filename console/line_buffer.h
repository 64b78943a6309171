/*
 * line_buffer.h - a line of text with a cursor, and what one does to it.
 *
 * Invariant: length <= LINE_MAX, cursor <= length, text[length] is NUL, and
 * all of text is printable ASCII.  Words are runs of characters that are not
 * spaces.  What kill takes out, yank puts back.
 */
#ifndef CONSOLE_LINE_BUFFER_H
#define CONSOLE_LINE_BUFFER_H

#include "kernel/base/types.h"

#define LINE_MAX    1024u

struct line_buffer {
    char text[LINE_MAX + 1];
    unsigned length;
    unsigned cursor;
    char killed[LINE_MAX + 1];
    unsigned killed_size;
};

/* TEXT instead of all, cut to LINE_MAX; the cursor at its end. */
void line_buffer_set(struct line_buffer *b, const char *text);

/* Insert at the cursor, as much as there is room for, and go behind it. */
void line_buffer_insert(struct line_buffer *b, const char *text, size_t size);

/* Take out [FROM, TO), for good or for yank; the cursor goes to FROM. */
void line_buffer_delete(struct line_buffer *b, unsigned from, unsigned to);
void line_buffer_kill(struct line_buffer *b, unsigned from, unsigned to);

void line_buffer_yank(struct line_buffer *b);

/* Exchange the characters around the cursor (at the end, the last two). */
void line_buffer_transpose(struct line_buffer *b);

/* The beginning of the word to the left, the end of the one to the right. */
unsigned line_buffer_word_left(const struct line_buffer *b);
unsigned line_buffer_word_right(const struct line_buffer *b);

#endif
