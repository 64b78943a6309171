/*
 * line_editor.c - a line of text, made by a person (line_editor.h).
 *
 * Every key changes the buffer and nothing else, by one function of the table
 * below; then the view is told what to show.  So no key has to think about the
 * screen, and none can leave it wrong.
 *
 * Searching is a mode of its own: it borrows the row's prompt and shows what
 * it found; any key that is not part of the search accepts the line and then
 * does what it always does.
 *
 * Pure; called by the shell's world only.
 */
#include "console/line_editor.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"

struct binding {
    int key;
    void (*run)(struct line_editor *e);
};

static void
draw(struct line_editor *e)
{
    struct line_picture picture = {
        .prompt = e->searching ? e->search_prompt : e->prompt,
        .text = e->buffer.text,
        .length = e->buffer.length,
        .cursor = e->buffer.cursor
    };

    if (e->shown)
        line_view_draw(&e->view, &picture);
}

/* --- Moving and deleting -------------------------------------------------- */

static void
go_left(struct line_editor *e)
{
    if (e->buffer.cursor > 0)
        e->buffer.cursor--;
}

static void
go_right(struct line_editor *e)
{
    if (e->buffer.cursor < e->buffer.length)
        e->buffer.cursor++;
}

static void
go_word_left(struct line_editor *e)
{
    e->buffer.cursor = line_buffer_word_left(&e->buffer);
}

static void
go_word_right(struct line_editor *e)
{
    e->buffer.cursor = line_buffer_word_right(&e->buffer);
}

static void
go_home(struct line_editor *e)
{
    e->buffer.cursor = 0;
}

static void
go_end(struct line_editor *e)
{
    e->buffer.cursor = e->buffer.length;
}

static void
rub_out(struct line_editor *e)
{
    unsigned at = e->buffer.cursor;

    if (at > 0)
        line_buffer_delete(&e->buffer, at - 1, at);
}

static void
delete_char(struct line_editor *e)
{
    unsigned at = e->buffer.cursor;

    if (at < e->buffer.length)
        line_buffer_delete(&e->buffer, at, at + 1);
}

static void
kill_to_end(struct line_editor *e)
{
    line_buffer_kill(&e->buffer, e->buffer.cursor, e->buffer.length);
}

static void
kill_to_start(struct line_editor *e)
{
    line_buffer_kill(&e->buffer, 0, e->buffer.cursor);
}

static void
kill_word_left(struct line_editor *e)
{
    line_buffer_kill(&e->buffer, line_buffer_word_left(&e->buffer),
                     e->buffer.cursor);
}

static void
kill_word_right(struct line_editor *e)
{
    line_buffer_kill(&e->buffer, e->buffer.cursor,
                     line_buffer_word_right(&e->buffer));
}

static void
yank(struct line_editor *e)
{
    line_buffer_yank(&e->buffer);
}

static void
transpose(struct line_editor *e)
{
    line_buffer_transpose(&e->buffer);
}

/* --- History -------------------------------------------------------------- */

static void
go_back_to(struct line_editor *e, unsigned back)
{
    const char *line = history_get(e->setup.history, back);

    if (back > 0 && line == NULL)
        return;
    if (e->back == 0)
        (void)str_copy(e->newest, e->buffer.text, sizeof(e->newest));
    line_buffer_set(&e->buffer, back > 0 ? line : e->newest);
    e->back = back;
}

static void
older(struct line_editor *e)
{
    go_back_to(e, e->back + 1);
}

static void
newer(struct line_editor *e)
{
    if (e->back > 0)
        go_back_to(e, e->back - 1);
}

/* --- Searching the history ------------------------------------------------ */

/* Look for the pattern in lines older than number AFTER. */
static void
search(struct line_editor *e, unsigned after)
{
    unsigned found = history_find(e->setup.history, e->pattern, after);

    if (found > 0 && e->pattern[0] != '\0')
        go_back_to(e, found);
    e->found = found;
    format_buf(e->search_prompt, sizeof(e->search_prompt), "%s '%s': ",
               found > 0 ? "search" : "not found", e->pattern);
}

static void
search_start(struct line_editor *e)
{
    e->searching = true;
    e->pattern[0] = '\0';
    search(e, 0);
}

/* Whether KEY belonged to the search. */
static bool
search_key(struct line_editor *e, int key)
{
    size_t size = strlen(e->pattern);

    if (key == CTRL('R')) {
        search(e, e->back);
    } else if (key == KEY_RUBOUT || key == '\b') {
        e->pattern[size > 0 ? size - 1 : 0] = '\0';
        search(e, 0);
    } else if (key >= ' ' && key <= '~') {
        if (size < LINE_SEARCH_MAX) {
            e->pattern[size] = (char)key;
            e->pattern[size + 1] = '\0';
        }
        search(e, e->back > 0 ? e->back - 1 : 0);
    } else if (key == CTRL('G')) {
        go_back_to(e, 0);
        e->searching = false;
    } else {
        e->searching = false;
        return false;
    }
    return true;
}

/* --- Completion and the screen -------------------------------------------- */

static void
list_words(struct line_editor *e)
{
    char row[TERMINAL_WIDTH_MAX + 1];
    unsigned width = e->setup.terminal->width - 1;
    size_t size;

    line_view_leave(&e->view, "");
    for (unsigned i = 0; completion_row(&e->completion, i, width, row); i++) {
        size = strlen(row);
        row[size] = '\n';
        e->setup.write(e->setup.arg, row, size + 1);
    }
}

static void
complete(struct line_editor *e)
{
    struct completion *c = &e->completion;
    const char *more;
    size_t size;

    completion_init(c, "", 0);
    e->setup.complete(e->setup.arg, e->buffer.text, e->buffer.cursor, c);
    more = completion_extension(c, &size);
    line_buffer_insert(&e->buffer, more, size);
    if (c->matches == 1 && e->buffer.text[e->buffer.cursor] != ' ')
        line_buffer_insert(&e->buffer, " ", 1);
    else if (c->matches > 1 && size == 0)
        list_words(e);
}

static void
clear_screen(struct line_editor *e)
{
    line_view_clear_screen(&e->view);
    terminal_forget_width(e->setup.terminal);   /* the window may be new */
}

/* --- Keys ----------------------------------------------------------------- */

static const struct binding bindings[] = {
    { CTRL('A'), go_home },         { KEY_HOME, go_home },
    { CTRL('B'), go_left },         { KEY_LEFT, go_left },
    { CTRL('D'), delete_char },     { KEY_DELETE, delete_char },
    { CTRL('E'), go_end },          { KEY_END, go_end },
    { CTRL('F'), go_right },        { KEY_RIGHT, go_right },
    { CTRL('H'), rub_out },         { KEY_RUBOUT, rub_out },
    { CTRL('K'), kill_to_end },     { CTRL('U'), kill_to_start },
    { CTRL('L'), clear_screen },    { CTRL('R'), search_start },
    { CTRL('N'), newer },           { KEY_DOWN, newer },
    { CTRL('P'), older },           { KEY_UP, older },
    { CTRL('T'), transpose },       { CTRL('Y'), yank },
    { CTRL('W'), kill_word_left },  { KEY_WORD_RUBOUT, kill_word_left },
    { KEY_WORD_LEFT, go_word_left }, { KEY_WORD_RIGHT, go_word_right },
    { KEY_WORD_DELETE, kill_word_right }, { KEY_TAB, complete },
};

static void
edit(struct line_editor *e, int key)
{
    if (key >= ' ' && key <= '~') {
        char c = (char)key;
        line_buffer_insert(&e->buffer, &c, 1);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(bindings); i++)
        if (bindings[i].key == key)
            bindings[i].run(e);
}

static enum line_result
finish(struct line_editor *e, enum line_result result, const char *note)
{
    go_end(e);
    draw(e);
    line_view_leave(&e->view, note);
    e->shown = false;
    if (result == LINE_DONE)
        history_add(e->setup.history, e->buffer.text);
    return result;
}

enum line_result
line_editor_key(struct line_editor *e, int key)
{
    if (key == KEY_NONE)
        return LINE_EDITING;
    if (!e->searching || !search_key(e, key)) {
        if (key == '\r' || key == '\n')
            return finish(e, LINE_DONE, "");
        if (key == CTRL('C'))
            return finish(e, LINE_ABORTED, "^C");
        edit(e, key);
    }
    draw(e);
    line_view_ask_width(&e->view);
    return LINE_EDITING;
}

/* --- The owner's side ----------------------------------------------------- */

void
line_editor_init(struct line_editor *e, const struct line_editor_setup *setup)
{
    memset(e, 0, sizeof(*e));
    e->setup = *setup;
    line_view_init(&e->view, setup->terminal, setup->write, setup->arg);
}

void
line_editor_begin(struct line_editor *e, const char *prompt)
{
    e->prompt = prompt;
    e->back = 0;
    e->searching = false;
    line_buffer_set(&e->buffer, "");
    line_editor_show(e);
}

const char *
line_editor_text(const struct line_editor *e)
{
    return e->buffer.text;
}

bool
line_editor_hide(struct line_editor *e)
{
    bool shown = e->shown;

    if (shown)
        line_view_erase(&e->view);
    e->shown = false;
    return shown;
}

void
line_editor_show(struct line_editor *e)
{
    e->shown = true;
    line_view_ask_width(&e->view);
    draw(e);
}
