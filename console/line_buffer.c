/*
 * line_buffer.c - a line of text with a cursor, and what one does to it
 * (line_buffer.h).
 *
 * Pure; called by the shell's world only.
 */
#include "console/line_buffer.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"

void
line_buffer_set(struct line_buffer *b, const char *text)
{
    (void)str_copy(b->text, text, sizeof(b->text));
    b->length = (unsigned)strlen(b->text);
    b->cursor = b->length;
}

void
line_buffer_insert(struct line_buffer *b, const char *text, size_t size)
{
    unsigned n = (unsigned)MIN(size, LINE_MAX - b->length);
    char *at = b->text + b->cursor;

    memmove(at + n, at, b->length - b->cursor + 1);
    memcpy(at, text, n);
    b->length += n;
    b->cursor += n;
}

void
line_buffer_delete(struct line_buffer *b, unsigned from, unsigned to)
{
    ASSERT(from <= to && to <= b->length);
    memmove(b->text + from, b->text + to, b->length - to + 1);
    b->length -= to - from;
    b->cursor = from;
}

void
line_buffer_kill(struct line_buffer *b, unsigned from, unsigned to)
{
    ASSERT(from <= to && to <= b->length);
    if (from == to)
        return;                         /* keep what yank has */
    b->killed_size = to - from;
    memcpy(b->killed, b->text + from, b->killed_size);
    line_buffer_delete(b, from, to);
}

void
line_buffer_yank(struct line_buffer *b)
{
    line_buffer_insert(b, b->killed, b->killed_size);
}

void
line_buffer_transpose(struct line_buffer *b)
{
    char c;

    if (b->cursor == 0 || b->length < 2)
        return;
    if (b->cursor == b->length)
        b->cursor--;
    c = b->text[b->cursor];
    b->text[b->cursor] = b->text[b->cursor - 1];
    b->text[b->cursor - 1] = c;
    b->cursor++;
}

unsigned
line_buffer_word_left(const struct line_buffer *b)
{
    unsigned i = b->cursor;

    while (i > 0 && b->text[i - 1] == ' ')
        i--;
    while (i > 0 && b->text[i - 1] != ' ')
        i--;
    return i;
}

unsigned
line_buffer_word_right(const struct line_buffer *b)
{
    unsigned i = b->cursor;

    while (i < b->length && b->text[i] == ' ')
        i++;
    while (i < b->length && b->text[i] != ' ')
        i++;
    return i;
}
