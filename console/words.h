/*
 * words.h - a line, cut into words as shells do it.
 *
 * Words are separated by spaces.  'single quotes' keep everything, "double
 * quotes" everything but a backslash, and a backslash makes the next character
 * an ordinary one.  A word that begins with # begins a comment.
 */
#ifndef CONSOLE_WORDS_H
#define CONSOLE_WORDS_H

#include "console/line_buffer.h"
#include "kernel/base/status.h"

#define WORDS_MAX   32u

struct words {
    unsigned count;
    char *word[WORDS_MAX];      /* into text, each ended by a NUL */
    char text[LINE_MAX + 1];
    bool open;                  /* the line ends within its last word */
    const char *why;            /* what was wrong, and what was expected */
};

/* Split SIZE bytes, at most LINE_MAX.  ERR_SYNTAX, with ->why. */
MUST_CHECK status_t words_split(struct words *w, const char *line,
                                size_t size);

/*
 * The same for a line that is still being written: quotes need not be closed,
 * and the last word, perhaps empty, is the unfinished one.
 */
MUST_CHECK status_t words_split_unfinished(struct words *w, const char *line,
                                           size_t size);

#endif
