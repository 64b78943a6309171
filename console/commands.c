/*
 * commands.c - the table of commands (commands.h), and `help` that explains
 * it.
 */
#include "console/commands.h"

#include "console/output.h"
#include "kernel/base/number.h"

#define COMMAND_ROW(n, options, least, most, args_, completer, line, more,    \
                    is_hidden)                                                \
    { .name = #n, .rule = { options, least, most }, .usage = args_,           \
      .summary = line, .details = more, .run = cmd_##n,                       \
      .complete = completer, .hidden = is_hidden },
#define COMMAND(...) COMMAND_ROW(__VA_ARGS__, false)
#define HIDDEN(...)  COMMAND_ROW(__VA_ARGS__, true)

static const struct command rows[] = {
#include "console/commands.def"
};

#undef HIDDEN
#undef COMMAND

const struct command_table commands = { rows, ARRAY_LEN(rows) };

bool
command_number(const struct args *args, const char *word,
               const struct number_range *range, uint32_t *value)
{
    uint32_t number;

    if (parse_u32(word, &number) == OK && number >= range->min &&
        number <= range->max) {
        *value = number;
        return true;
    }
    output_error(args->command, "'%s' is not %s: expected a number from %u to "
                 "%u", word, range->what, range->min, range->max);
    return false;
}

/* --- help ----------------------------------------------------------------- */

static void
list_commands(void)
{
    for (unsigned i = 0; i < commands.count; i++)
        if (!rows[i].hidden)
            output_print("  %-10s %s\n", rows[i].name, rows[i].summary);
    output_print("\n"
        "'help COMMAND' says more.  Tab completes, cursor up brings earlier "
        "lines back,\nCtrl-R searches them, Ctrl-C ends what runs.\n");
}

void
cmd_help(const struct args *args)
{
    const struct command *c;

    if (args->count == 0) {
        list_commands();
        return;
    }
    c = command_find(&commands, args->word[0]);
    if (c == NULL)
        c = command_nearest(&commands, args->word[0]);
    if (c == NULL) {
        output_error(args->command, "unknown command '%s': expected one of "
                     "those that 'help' lists", args->word[0]);
        return;
    }
    output_print("%s%s%s - %s\n%s", c->name, c->usage[0] != '\0' ? " " : "",
                 c->usage, c->summary, c->details);
}

void
complete_help(const struct words *words, struct completion *c)
{
    if (words->count != 2)
        return;
    for (unsigned i = 0; i < commands.count; i++)
        if (!rows[i].hidden)
            completion_offer(c, rows[i].name);
}
