/*
 * commands.h - the commands of the console: the table made of commands.def,
 * and what the files behind it (cmd_*.c) share.
 *
 * A handler runs in the shell's world.  It prints with output.h, may block,
 * and looks at console_interrupted() when it does something long.
 */
#ifndef CONSOLE_COMMANDS_H
#define CONSOLE_COMMANDS_H

#include "console/command.h"

extern const struct command_table commands;

#define COMMAND(name, options, least, most, usage, complete, summary, details) \
    void cmd_##name(const struct args *args);
#define HIDDEN COMMAND
#include "console/commands.def"
#undef HIDDEN
#undef COMMAND

/* What may stand as an argument; for commands.def. */
void complete_help(const struct words *words, struct completion *c);
void complete_log(const struct words *words, struct completion *c);
void complete_stats(const struct words *words, struct completion *c);
void complete_terminal(const struct words *words, struct completion *c);
void complete_test(const struct words *words, struct completion *c);
void complete_vm(const struct words *words, struct completion *c);

/*
 * The word WORD as a number from MIN to MAX; if it is none, tells so and
 * returns false.
 */
struct number_range {
    const char *what;           /* "the number of lines" */
    uint32_t min, max;
};
bool command_number(const struct args *args, const char *word,
                    const struct number_range *range, uint32_t *value);

#endif
