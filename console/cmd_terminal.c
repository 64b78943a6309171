/*
 * cmd_terminal.c - `terminal`, `clear` and `echo`: what is done to the
 * terminal itself.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/shell.h"
#include "kernel/base/string.h"

static const char *const policy_names[] = {
    [TERMINAL_LEARN] = "learn", [TERMINAL_PLAIN] = "plain",
    [TERMINAL_ANSI] = "ansi"
};

void
complete_terminal(const struct words *words UNUSED, struct completion *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(policy_names); i++)
        completion_offer(c, policy_names[i]);
}

static bool
find_policy(const char *word, enum terminal_policy *policy)
{
    for (unsigned i = 0; i < ARRAY_LEN(policy_names); i++) {
        if (strcmp(word, policy_names[i]) == 0) {
            *policy = (enum terminal_policy)i;
            return true;
        }
    }
    return false;
}

static bool
find_width(const struct args *args, const char *word, uint32_t *width)
{
    static const struct number_range range = {
        "a width in columns", TERMINAL_WIDTH_MIN, TERMINAL_WIDTH_MAX
    };

    return command_number(args, word, &range, width);
}

static void
show_terminal(const struct terminal *t)
{
    output_print("%s (%s), %u columns\n", t->ansi ? "ANSI terminal" :
                 "plain terminal, no escape sequences are sent",
                 policy_names[t->policy], t->width);
}

void
cmd_terminal(const struct args *args)
{
    struct terminal *t = shell_terminal();
    enum terminal_policy policy = t->policy;
    uint32_t width = 0;
    unsigned next = 0;

    if (args->count > 0 && find_policy(args->word[0], &policy))
        next = 1;
    if (args->count - next > 1) {
        output_error(args->command, "unknown kind '%s': expected learn, plain "
                     "or ansi", args->word[0]);
        return;
    }
    if (next < args->count && !find_width(args, args->word[next], &width))
        return;
    if (next > 0)
        terminal_init(t, policy, TERMINAL_WIDTH_DEFAULT);
    if (width > 0)
        terminal_set_width(t, width);
    show_terminal(t);
}

void
cmd_clear(const struct args *args UNUSED)
{
    if (!shell_terminal()->ansi) {
        output_print("a plain terminal cannot be cleared\n");
        return;
    }
    output_print("%s", LINE_VIEW_CLEAR);
}

void
cmd_echo(const struct args *args)
{
    for (unsigned i = 0; i < args->count; i++)
        output_print("%s%s", i > 0 ? " " : "", args->word[i]);
    output_print("\n");
}
