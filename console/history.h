/*
 * history.h - the lines that were entered before.
 *
 * The newest HISTORY_BYTES of text are kept, each line ended by a NUL, the
 * oldest first; when room is needed the oldest lines go.  So short commands
 * are remembered by the hundred, and no line costs more than its length.
 */
#ifndef CONSOLE_HISTORY_H
#define CONSOLE_HISTORY_H

#include "kernel/base/types.h"

#define HISTORY_BYTES   8192u

struct history {
    char text[HISTORY_BYTES];
    unsigned used;
    unsigned count;         /* lines */
};

void history_init(struct history *h);

/*
 * Remember LINE.  Lines that are empty, that repeat the newest one or that are
 * longer than the whole history are not kept.
 */
void history_add(struct history *h, const char *line);

/* The Nth newest line, from 1; NULL if there is none. */
const char *history_get(const struct history *h, unsigned n);

/* The first N > AFTER whose line contains PATTERN; 0 if there is none. */
unsigned history_find(const struct history *h, const char *pattern,
                      unsigned after);

#endif
