/*
 * history.c - the lines that were entered before (history.h).
 *
 * Lines are found by walking back over the NULs from the end: the newest are
 * the ones asked for, and the whole is 8 KB.
 *
 * Pure; called by the shell's world only.
 */
#include "console/history.h"

#include "kernel/base/string.h"

void
history_init(struct history *h)
{
    h->used = 0;
    h->count = 0;
}

static void
drop_oldest(struct history *h)
{
    unsigned size = (unsigned)strlen(h->text) + 1;

    memmove(h->text, h->text + size, h->used - size);
    h->used -= size;
    h->count--;
}

void
history_add(struct history *h, const char *line)
{
    size_t size = strlen(line) + 1;
    const char *newest = history_get(h, 1);

    if (size == 1 || size > HISTORY_BYTES)
        return;
    if (newest != NULL && strcmp(newest, line) == 0)
        return;
    while (h->used + size > HISTORY_BYTES)
        drop_oldest(h);
    memcpy(h->text + h->used, line, size);
    h->used += (unsigned)size;
    h->count++;
}

const char *
history_get(const struct history *h, unsigned n)
{
    const char *line = h->text + h->used;

    if (n == 0 || n > h->count)
        return NULL;
    for (; n > 0; n--) {
        line--;                         /* onto the NUL that ends it */
        while (line > h->text && line[-1] != '\0')
            line--;
    }
    return line;
}

static bool
contains(const char *line, const char *pattern)
{
    for (; *line != '\0'; line++)
        if (str_starts_with(line, pattern))
            return true;
    return false;
}

unsigned
history_find(const struct history *h, const char *pattern, unsigned after)
{
    for (unsigned n = after + 1; n <= h->count; n++)
        if (contains(history_get(h, n), pattern))
            return n;
    return 0;
}
