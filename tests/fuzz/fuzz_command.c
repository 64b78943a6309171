/*
 * fuzz_command.c - any line at all, as a command and as the beginning of one.
 *
 * A line is either run with no more arguments than its command accepts, or
 * refused with one line of text.
 */
#include <stdlib.h>
#include <string.h>

#include "console/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

static void
offer(const struct words *words, struct completion *c)
{
    completion_offer(c, words->word[words->count - 1]);
    completion_offer(c, "warn");
}

static const struct command commands[] = {
    { .name = "log", .rule = { "fn:", 0, 2 }, .usage = "[-f] [-n N] [LEVEL]",
      .complete = offer },
    { .name = "kill", .rule = { "", 1, 1 }, .usage = "ID" },
    { .name = "echo", .rule = { NULL, 0, WORDS_MAX }, .usage = "[WORD...]" },
};
static const struct command_table table = { commands, ARRAY_LEN(commands) };

static void
check_line(const struct command_line *line, status_t status)
{
    if (status != OK) {
        REQUIRE(line->command == NULL && line->error[0] != '\0');
        REQUIRE(strlen(line->error) < sizeof(line->error));
        REQUIRE(strchr(line->error, '\n') == NULL);
    } else if (line->command != NULL) {
        REQUIRE(line->args.count >= line->command->rule.least);
        REQUIRE(line->args.count <= line->command->rule.most);
        for (unsigned i = 0; i < line->args.count; i++)
            REQUIRE(strlen(line->args.word[i]) <= LINE_MAX);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct command_line line;
    static struct command_completer completer = { .table = &table };
    static struct completion completion;
    char text[LINE_MAX + 1];
    char row[80];

    size = MIN(size, LINE_MAX);
    for (size_t i = 0; i < size; i++)   /* what the line editor lets through */
        text[i] = data[i] >= ' ' && data[i] <= '~' ? (char)data[i] : ' ';
    text[size] = '\0';
    check_line(&line, command_parse(&table, text, &line));

    completion_init(&completion, "", 0);
    command_complete(&completer, text, size, &completion);
    for (unsigned i = 0; completion_row(&completion, i, 79, row); i++)
        REQUIRE(strlen(row) <= 79);
    return 0;
}
