/*
 * completion.h - the ways in which an unfinished word could go on.
 *
 * Whoever knows the possible words offers each of them; those that begin as
 * the unfinished one does are kept, with the text that all of them share.
 * Words hold no spaces or quotes, so what is inserted needs none either.
 */
#ifndef CONSOLE_COMPLETION_H
#define CONSOLE_COMPLETION_H

#include "kernel/base/types.h"

#define COMPLETION_MAX      64u     /* words kept; further ones only count */
#define COMPLETION_BYTES    1024u
#define COMPLETION_WORD_MAX 64u

struct completion {
    char prefix[COMPLETION_WORD_MAX];   /* the unfinished word */
    unsigned prefix_size;
    char common[COMPLETION_WORD_MAX];   /* what all matches begin with */
    unsigned common_size;

    unsigned matches;                   /* all of them */
    unsigned count;                     /* those kept */
    const char *word[COMPLETION_MAX];   /* into text */
    unsigned width;                     /* of the longest one kept */
    char text[COMPLETION_BYTES];
    unsigned text_used;
};

/* Begin, with the SIZE bytes at WORD as the unfinished word. */
void completion_init(struct completion *c, const char *word, size_t size);

/* WORD is possible in this place; saying so twice is harmless. */
void completion_offer(struct completion *c, const char *word);

/* What can be inserted without a choice: SIZE bytes, perhaps none. */
const char *completion_extension(const struct completion *c, size_t *size);

/*
 * Row ROW, from 0, of the list of words in columns, at most WIDTH wide, into
 * BUF of WIDTH + 1 bytes.  Returns false when there are no more rows.
 */
bool completion_row(const struct completion *c, unsigned row, unsigned width,
                    char *buf);

#endif
