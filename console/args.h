/*
 * args.h - what a command was given: options and arguments.
 *
 * A command declares its option letters as a string; a letter with a colon
 * behind it takes a value (`-n 5` or `-n5`).  Options may stand anywhere, also
 * combined (`-fv`), up to a word `--`.  A lone `-` is an argument.
 *
 * So handlers ask for what they declared, and never look at a dash.
 */
#ifndef CONSOLE_ARGS_H
#define CONSOLE_ARGS_H

#include "kernel/base/status.h"

#define ARGS_LETTERS    26u
#define ARGS_WHY_SIZE   96u

/* What a command accepts. */
struct args_rule {
    const char *options;                /* NULL: dashes mean nothing */
    unsigned least, most;               /* how many arguments */
};

struct args {
    const char *command;                /* its name, for error messages */
    unsigned count;                     /* arguments, options not counted */
    char **word;                        /* the arguments */
    const char *option[ARGS_LETTERS];   /* the value, "" for a flag, or NULL */
    char why[ARGS_WHY_SIZE];            /* after an error: what was wrong */
};

/*
 * Make *ARGS out of COUNT words, which are moved about: first the command's
 * name, then what it is given.  ERR_SYNTAX, with ->why, if RULE forbids it.
 */
MUST_CHECK status_t args_parse(struct args *args,
                               const struct args_rule *rule, char **word,
                               unsigned count);

/* The value of option -LETTER: NULL if it was not given, "" for a flag. */
const char *args_option(const struct args *args, char letter);

#endif
