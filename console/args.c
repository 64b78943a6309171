/*
 * args.c - what a command was given: options and arguments (args.h).
 *
 * Pure; input is hostile.
 */
#include "console/args.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"

struct parser {
    struct args *args;
    const struct args_rule *rule;
    char **next, **end;                 /* the words not looked at yet */
};

static bool
is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

PRINTF_LIKE(2, 3)
static status_t
wrong(struct args *args, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    format_buf_args(args->why, sizeof(args->why), format, list);
    va_end(list);
    return ERR_SYNTAX;
}

/* The letters behind one dash; the last may have its value in what follows. */
static status_t
parse_letters(struct parser *p, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const char *known = strchr(p->rule->options, *letters);
        const char **value;

        if (known == NULL || !is_letter(*letters))
            return wrong(p->args, "unknown option '-%c'",
                         char_is_print(*letters) ? *letters : '?');
        value = &p->args->option[*letters - 'a'];
        *value = "";
        if (known[1] != ':')
            continue;
        *value = letters + 1;
        if (letters[1] == '\0' && p->next == p->end)
            return wrong(p->args, "no value behind option '-%c'", *letters);
        if (letters[1] == '\0')
            *value = *p->next++;
        return OK;
    }
    return OK;
}

static status_t
check_count(struct args *args, const struct args_rule *rule)
{
    if (args->count < rule->least)
        return wrong(args, "%s", args->count == 0 ? "no argument" :
                                                    "too few arguments");
    if (args->count > rule->most)
        return wrong(args, "unexpected argument '%s'",
                     args->word[rule->most]);
    return OK;
}

status_t
args_parse(struct args *args, const struct args_rule *rule, char **word,
           unsigned count)
{
    struct parser p = {
        .args = args, .rule = rule, .next = word + 1, .end = word + count
    };
    bool dashes = rule->options != NULL;

    memset(args, 0, sizeof(*args));
    args->command = word[0];
    args->word = word + 1;
    while (p.next < p.end) {
        char *w = *p.next++;

        if (dashes && strcmp(w, "--") == 0) {
            dashes = false;
        } else if (dashes && w[0] == '-' && w[1] != '\0') {
            if (parse_letters(&p, w + 1) != OK)
                return ERR_SYNTAX;
        } else {
            args->word[args->count++] = w;
        }
    }
    return check_count(args, rule);
}

const char *
args_option(const struct args *args, char letter)
{
    return args->option[letter - 'a'];
}
