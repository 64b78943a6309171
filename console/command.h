/*
 * command.h - commands: one table, looked up, checked, completed, explained.
 *
 * A command says in its row of the table what it accepts, so all commands are
 * wrong in the same words, and its handler sees only lines that are right in
 * form.  Handlers print what they did, or why not, and return nothing.
 */
#ifndef CONSOLE_COMMAND_H
#define CONSOLE_COMMAND_H

#include "console/args.h"
#include "console/completion.h"
#include "console/words.h"

#define COMMAND_ERROR_SIZE  200u

struct command {
    const char *name;
    struct args_rule rule;
    const char *usage;          /* its arguments: "[-f] [LEVEL]" */
    const char *summary;        /* what it does, for the list of commands */
    const char *details;        /* further lines of its help, or "" */
    void (*run)(const struct args *args);
    /* Offer what may stand in the last of the words; or NULL. */
    void (*complete)(const struct words *words, struct completion *c);
    bool hidden;                /* not in the list, not completed */
};

struct command_table {
    const struct command *commands;
    unsigned count;
};

/* A line that is ready to run. */
struct command_line {
    const struct command *command;      /* NULL: an empty line */
    struct args args;
    struct words words;
    char error[COMMAND_ERROR_SIZE];     /* one line without its newline */
};

/* The command called NAME, or NULL. */
const struct command *command_find(const struct command_table *table,
                                   const char *name);

/* The one that NAME was probably meant to be, or NULL. */
const struct command *command_nearest(const struct command_table *table,
                                      const char *name);

/*
 * Make TEXT into a command with its arguments.  ERR_SYNTAX or ERR_NOT_FOUND,
 * with ->error for the person.
 */
MUST_CHECK status_t command_parse(const struct command_table *table,
                                  const char *text,
                                  struct command_line *line);

/* How the unfinished line of SIZE bytes could go on; WORDS is scratch. */
struct command_completer {
    const struct command_table *table;
    struct words words;
};
void command_complete(struct command_completer *completer, const char *text,
                      size_t size, struct completion *c);

#endif
