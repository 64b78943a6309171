/*
 * fuzz_line_editor.c - any bytes at all, typed on a terminal.
 *
 * The first byte chooses the kind of terminal and its width.  Whatever comes
 * then: nothing but plain characters goes to a plain terminal, the cursor never
 * leaves the row, no row is longer than the terminal is wide, and Ctrl-C still
 * ends the line.
 */
#include <stdlib.h>
#include <string.h>

#include "console/line_editor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct line_editor editor;
static struct terminal terminal;
static struct history history;

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

static void
check_output(void *arg, const char *text, size_t size)
{
    (void)arg;
    for (size_t i = 0; i < size; i++)
        REQUIRE((text[i] >= ' ' && text[i] <= '~') || text[i] == '\r' ||
                text[i] == '\n' || text[i] == '\b' ||
                (text[i] == '\x1b' && terminal.ansi));
}

static void
offer(void *arg, const char *text, size_t size, struct completion *c)
{
    (void)arg;
    completion_init(c, text, size);
    completion_offer(c, "alpha");
    completion_offer(c, "alpine");
    completion_offer(c, "a much longer proposal than the others");
}

static void
check(void)
{
    const struct line_buffer *b = &editor.buffer;

    REQUIRE(b->length <= LINE_MAX && b->cursor <= b->length);
    REQUIRE(strlen(b->text) == b->length);
    for (unsigned i = 0; i < b->length; i++)
        REQUIRE(b->text[i] >= ' ' && b->text[i] <= '~');
    REQUIRE(editor.view.length < terminal.width);
    REQUIRE(editor.view.column < terminal.width);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct line_editor_setup setup = {
        .terminal = &terminal, .history = &history, .write = check_output,
        .complete = offer
    };

    if (size == 0)
        return 0;
    terminal_init(&terminal, (enum terminal_policy)(data[0] % 3), data[0]);
    history_init(&history);
    line_editor_init(&editor, &setup);
    line_editor_begin(&editor, "socle> ");
    for (size_t i = 1; i < size; i++) {
        int key = terminal_feed(&terminal, data[i]);
        if (line_editor_key(&editor, key) != LINE_EDITING)
            line_editor_begin(&editor, "socle> ");
        check();
    }
    REQUIRE(line_editor_key(&editor, terminal_feed(&terminal, CTRL('C'))) ==
            LINE_ABORTED);
    return 0;
}
