/*
 * completion.c - the ways in which an unfinished word could go on
 * (completion.h).
 *
 * Pure; called by the shell's world only.
 */
#include "console/completion.h"

#include "kernel/base/string.h"

#define GAP     2u              /* between two columns of the list */

void
completion_init(struct completion *c, const char *word, size_t size)
{
    c->prefix_size = (unsigned)MIN(size, sizeof(c->prefix) - 1);
    memcpy(c->prefix, word, c->prefix_size);
    c->prefix[c->prefix_size] = '\0';
    c->common_size = 0;
    c->matches = 0;
    c->count = 0;
    c->width = 0;
    c->text_used = 0;
    if (size >= sizeof(c->prefix))      /* longer than any word that exists */
        c->prefix[0] = '\n';
}

/* Keep WORD for the list, as long as there is room. */
static void
keep(struct completion *c, const char *word)
{
    unsigned size = (unsigned)strlen(word) + 1;

    if (c->count == COMPLETION_MAX ||
        size > COMPLETION_BYTES - c->text_used)
        return;
    memcpy(c->text + c->text_used, word, size);
    c->word[c->count++] = c->text + c->text_used;
    c->text_used += size;
    c->width = MAX(c->width, size - 1);
}

static bool
is_kept(const struct completion *c, const char *word)
{
    for (unsigned i = 0; i < c->count; i++)
        if (strcmp(c->word[i], word) == 0)
            return true;
    return false;
}

void
completion_offer(struct completion *c, const char *word)
{
    unsigned same = 0;

    if (strlen(word) >= sizeof(c->common) ||
        !str_starts_with(word, c->prefix) || is_kept(c, word))
        return;
    if (c->matches++ == 0) {
        c->common_size = (unsigned)strlen(word);
        memcpy(c->common, word, c->common_size);
    }
    while (same < c->common_size && word[same] == c->common[same])
        same++;
    c->common_size = same;
    keep(c, word);
}

const char *
completion_extension(const struct completion *c, size_t *size)
{
    *size = c->matches > 0 ? c->common_size - c->prefix_size : 0;
    return c->common + c->prefix_size;
}

bool
completion_row(const struct completion *c, unsigned row, unsigned width,
               char *buf)
{
    unsigned per_row = MAX((width + GAP) / (c->width + GAP), 1u);
    unsigned rows = DIV_ROUND_UP(c->count, per_row);
    unsigned used = 0;

    /* Down the columns, as one reads a sorted list. */
    for (unsigned i = row; row < rows && i < c->count; i += rows) {
        unsigned column = i / rows * (c->width + GAP);
        size_t size = strlen(c->word[i]);

        size = MIN(size, width - column);
        memset(buf + used, ' ', column - used);
        memcpy(buf + column, c->word[i], size);
        used = column + (unsigned)size;
    }
    buf[used] = '\0';
    return row < rows;
}
