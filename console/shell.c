/*
 * shell.c - the console: a person types commands (shell.h).
 *
 * One world reads bytes, makes keys of them, feeds the line editor, and runs
 * the command of each line that comes out, one after the other.  The editor is
 * used in turns with whoever else writes (output.h); what is static here is
 * that world's alone, or used in its turn.
 */
#include "console/shell.h"

#include "console/commands.h"
#include "console/line_editor.h"
#include "console/mirror.h"
#include "console/output.h"
#include "drivers/console.h"
#include "kernel/base/log.h"
#include "kernel/clock.h"
#include "kernel/config.h"
#include "sched/wait.h"
#include "sched/world.h"

#define PROMPT      "socle> "

static struct terminal terminal;
static struct history history;
static struct line_editor editor;
static struct command_line line;
static struct command_completer completer = { .table = &commands };

/* --- What the editor needs ------------------------------------------------ */

static void
write_text(void *arg UNUSED, const char *text, size_t size)
{
    console_write(text, size);
}

static void
complete_line(void *arg UNUSED, const char *text, size_t size,
              struct completion *completion)
{
    command_complete(&completer, text, size, completion);
}

/* --- Lines ---------------------------------------------------------------- */

/* The next key; ERR_KILLED when the shell is to end. */
static status_t
read_key(int *key)
{
    uint64_t deadline = WAIT_FOREVER;
    status_t status;
    char c;

    if (terminal_in_sequence(&terminal))
        deadline = clock_now() + TERMINAL_ESCAPE_NS;
    status = console_read(&c, deadline);
    terminal.deaf = !console_escapes_known();
    if (status == OK)
        *key = terminal_feed(&terminal, (uint8_t)c);
    else if (status == ERR_TIMEOUT)
        *key = terminal_timeout(&terminal);
    else
        return status;
    return OK;
}

/* Let the person make a line; *RESULT is how it ended. */
static status_t
edit_line(enum line_result *result)
{
    status_t status = OK;
    int key = KEY_NONE;

    *result = LINE_EDITING;
    if (!output_begin())
        return ERR_KILLED;
    output_fresh_row();
    mirror_catch_up();
    line_editor_begin(&editor, PROMPT);
    output_end();
    while (*result == LINE_EDITING && status == OK) {
        status = read_key(&key);
        if (status != OK || !output_begin())
            return ERR_KILLED;
        *result = line_editor_key(&editor, key);
        output_end();
    }
    return status;
}

static void
run_line(const char *text)
{
    status_t status = command_parse(&commands, text, &line);

    if (status == ERR_SYNTAX)
        output_folded("", line.error);
    else if (status != OK)
        output_print("%s\n", line.error);
    else if (line.command != NULL)
        line.command->run(&line.args);
}

static void
shell_world(void *arg UNUSED)
{
    enum line_result result;

    output_print("Type 'help' for the list of commands.\n");
    while (edit_line(&result) == OK)
        if (result == LINE_DONE)
            run_line(line_editor_text(&editor));
}

/* --- Starting ------------------------------------------------------------- */

void
shell_show_log(void)
{
    mirror_start_direct();
}

static enum terminal_policy
configured_policy(void)
{
    if (config->console & CONSOLE_PLAIN)
        return TERMINAL_PLAIN;
    /* Our own screen (drivers/screen.h) understands what we send. */
    return config->console & CONSOLE_SERIAL ? TERMINAL_LEARN : TERMINAL_ANSI;
}

status_t
shell_start(void)
{
    static const struct line_editor_setup setup = {
        .terminal = &terminal, .history = &history,
        .write = write_text, .complete = complete_line
    };
    struct world_params params = {
        .name = "shell", .fn = shell_world, .is_system = true
    };
    status_t status;

    /* All consoles show the same, and the VGA one has 80 columns. */
    terminal_init(&terminal, configured_policy(), TERMINAL_WIDTH_DEFAULT);
    history_init(&history);
    line_editor_init(&editor, &setup);
    output_init(&editor);
    status = mirror_start_world();
    if (status != OK)
        return status;
    return world_create(&params, NULL);
}

struct terminal *
shell_terminal(void)
{
    return &terminal;
}
