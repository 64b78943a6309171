/*
 * command.c - commands: looked up, checked, completed (command.h).
 *
 * Pure; called by the shell's world.  The text is a person's, so hostile.
 */
#include "console/command.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"

#define NAME_MAX        16u     /* longer words are nobody's misspelling */
#define SHOWN_MAX       64u     /* of a word that is not a command */
#define DISTANCE_MAX    2u      /* mistakes that a suggestion may correct */

const struct command *
command_find(const struct command_table *table, const char *name)
{
    for (unsigned i = 0; i < table->count; i++)
        if (strcmp(table->commands[i].name, name) == 0)
            return &table->commands[i];
    return NULL;
}

/* --- What was meant ------------------------------------------------------- */

/*
 * How many mistakes turn A into B: a letter too many, missing, wrong, or two
 * exchanged.  (The optimal string alignment distance, by rows of its table.)
 */
static unsigned
distance(const char *a, const char *b)
{
    unsigned row[3][NAME_MAX + 1];
    unsigned *before = row[0], *last = row[1], *now = row[2], *spare;
    size_t width = strlen(b);

    for (unsigned j = 0; j <= width; j++)
        last[j] = j;
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= width; j++) {
            unsigned wrong = a[i - 1] != b[j - 1];
            now[j] = MIN(MIN(last[j], now[j - 1]) + 1, last[j - 1] + wrong);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
        spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[width];
}

const struct command *
command_nearest(const struct command_table *table, const char *name)
{
    const struct command *nearest = NULL;
    unsigned least = DISTANCE_MAX + 1;
    size_t size = strlen(name);

    if (size > NAME_MAX)
        return NULL;
    for (unsigned i = 0; i < table->count; i++) {
        const struct command *c = &table->commands[i];
        unsigned d;

        if (c->hidden || strlen(c->name) > NAME_MAX)
            continue;
        d = distance(name, c->name);
        if (d < least && 2 * d <= size) {     /* most of it is right */
            least = d;
            nearest = c;
        }
    }
    return nearest;
}

/* --- Parsing -------------------------------------------------------------- */

static status_t
unknown(const struct command_table *table, struct command_line *line)
{
    const char *name = line->words.word[0];
    const struct command *nearest = command_nearest(table, name);
    const char *more = strlen(name) > SHOWN_MAX ? "..." : "";

    if (nearest != NULL)
        format_buf(line->error, sizeof(line->error),
                   "unknown command '%s'; did you mean '%s'?  "
                   "'help' lists all", name, nearest->name);
    else
        format_buf(line->error, sizeof(line->error),
                   "unknown command '%.*s%s'; 'help' lists all",
                   (int)SHOWN_MAX, name, more);
    return ERR_NOT_FOUND;
}

status_t
command_parse(const struct command_table *table, const char *text,
              struct command_line *line)
{
    struct words *w = &line->words;
    size_t size = strlen(text);
    const struct command *c;

    line->command = NULL;
    if (words_split(w, text, MIN(size, LINE_MAX)) != OK) {
        (void)str_copy(line->error, w->why, sizeof(line->error));
        return ERR_SYNTAX;
    }
    if (w->count == 0)
        return OK;
    c = command_find(table, w->word[0]);
    if (c == NULL)
        return unknown(table, line);
    if (args_parse(&line->args, &c->rule, w->word, w->count) != OK) {
        format_buf(line->error, sizeof(line->error),
                   "%s: %s; expected: %s%s%s", c->name, line->args.why,
                   c->name, c->usage[0] != '\0' ? " " : "", c->usage);
        return ERR_SYNTAX;
    }
    line->command = c;
    return OK;
}

/* --- Completion ----------------------------------------------------------- */

void
command_complete(struct command_completer *completer, const char *text,
                 size_t size, struct completion *completion)
{
    const struct command_table *table = completer->table;
    struct words *w = &completer->words;
    const struct command *c;
    const char *last;

    if (words_split_unfinished(w, text, MIN(size, LINE_MAX)) != OK)
        return;
    last = w->word[w->count - 1];
    completion_init(completion, last, strlen(last));
    if (w->count == 1) {
        for (unsigned i = 0; i < table->count; i++)
            if (!table->commands[i].hidden)
                completion_offer(completion, table->commands[i].name);
        return;
    }
    c = command_find(table, w->word[0]);
    if (c != NULL && c->complete != NULL)
        c->complete(w, completion);
}
