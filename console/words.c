/*
 * words.c - a line, cut into words as shells do it (words.h).
 *
 * One pass over the line that copies what belongs to words and ends each by a
 * NUL.  The copy is never longer than the line: every word but the last is
 * followed by a space there, whose place the NUL takes.
 *
 * Pure; input is hostile.
 */
#include "console/words.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"

struct splitter {
    struct words *words;
    const char *at, *end;
    char *to;
    char quote;                 /* ' or " while within, else NUL */
};

static void
skip_spaces(struct splitter *s)
{
    while (s->at < s->end && char_is_space(*s->at))
        s->at++;
    if (s->at < s->end && *s->at == '#')
        s->at = s->end;
}

/* One character of a word; false at the word's end, and for a lone `\`. */
static bool
copy_char(struct splitter *s)
{
    char c = *s->at;

    if (s->quote == '\0' && char_is_space(c))
        return false;
    if (c == s->quote) {
        s->quote = '\0';
    } else if (s->quote == '\0' && (c == '\'' || c == '"')) {
        s->quote = c;
    } else if (c == '\\' && s->quote != '\'') {
        if (s->at + 1 == s->end)
            return false;
        *s->to++ = *++s->at;
    } else {
        *s->to++ = c;
    }
    s->at++;
    return true;
}

static status_t
copy_word(struct splitter *s)
{
    struct words *w = s->words;

    if (w->count == WORDS_MAX) {
        w->why = "too many words, expected at most 32";
        return ERR_SYNTAX;
    }
    STATIC_ASSERT(WORDS_MAX == 32);
    w->word[w->count++] = s->to;
    while (s->at < s->end && copy_char(s))
        ;
    *s->to++ = '\0';
    return OK;
}

static status_t
split(struct splitter *s)
{
    s->words->open = false;
    for (;;) {
        skip_spaces(s);
        if (s->at == s->end)
            return OK;
        if (copy_word(s) != OK)
            return ERR_SYNTAX;
        s->words->open = s->at == s->end || *s->at == '\\';
        if (s->words->open)
            return OK;
    }
}

static struct splitter
start(struct words *w, const char *line, size_t size)
{
    ASSERT(size <= LINE_MAX);
    w->count = 0;
    w->why = "";
    return (struct splitter){
        .words = w, .at = line, .end = line + size, .to = w->text
    };
}

status_t
words_split(struct words *w, const char *line, size_t size)
{
    struct splitter s = start(w, line, size);

    if (split(&s) != OK)
        return ERR_SYNTAX;
    if (s.quote == '\'')
        w->why = "a quote is not closed, expected another '";
    else if (s.quote == '"')
        w->why = "a quote is not closed, expected another \"";
    else if (s.at < s.end)
        w->why = "nothing behind the backslash, expected a character";
    else
        return OK;
    return ERR_SYNTAX;
}

status_t
words_split_unfinished(struct words *w, const char *line, size_t size)
{
    struct splitter s = start(w, line, size);

    if (split(&s) != OK)
        return ERR_SYNTAX;
    return w->open || copy_word(&s) == OK ? OK : ERR_SYNTAX;
}
