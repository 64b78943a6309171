/*
 * test_line_editor.c - console/line_editor.c with all that is below it, as a
 * person sees it: keys go in as bytes, and what comes out is drawn on a model
 * of a screen, which fails the test when it gets what a terminal of its kind
 * would not understand, or when it would have to wrap.
 *
 * The random test presses thousands of keys on terminals of every width, plain
 * and ANSI.  After each one the row must show the prompt and the part of the
 * line around the cursor, and the line must be what a model of the keys says,
 * which is a few lines of memmove and knows nothing of the editor.
 */
#include "unit/test.h"

#include "console/line_editor.h"
#include "unit/screen.h"

#define PROMPT      "socle> "
#define SENT_MAX    65536

struct rig {
    struct screen screen;
    struct terminal terminal;
    struct history history;
    struct line_editor editor;
    const char *const *words;           /* that completion offers */
    enum line_result result;
};

static struct rig rig;

static void
show(void *arg, const char *text, size_t size)
{
    struct rig *r = arg;

    r->screen.received += size;
    for (size_t i = 0; i < size; i++)
        screen_show(&r->screen, text[i]);
}

/* ROW shows TEXT and blanks behind it. */
static void
assert_shows(const char *row, const char *text)
{
    char padded[TERMINAL_WIDTH_MAX + 1];

    snprintf(padded, sizeof(padded), "%-*s", (int)rig.screen.width, text);
    assert_string_equal(row, padded);
}

static void
assert_above(unsigned back, const char *text)
{
    struct screen *s = &rig.screen;

    assert_true(back <= s->rows);
    assert_shows(s->above[(s->rows - back) % SCREEN_ROWS], text);
}

static void
assert_row(const char *text, unsigned column)
{
    assert_shows(rig.screen.row, text);
    assert_int_equal(rig.screen.column, column);
}

/* --- The person ----------------------------------------------------------- */

static void
offer_words(void *arg, const char *text, size_t size,
            struct completion *completion)
{
    struct rig *r = arg;
    size_t start = size;

    while (start > 0 && text[start - 1] != ' ')
        start--;
    completion_init(completion, text + start, size - start);
    for (unsigned i = 0; r->words[i] != NULL; i++)
        completion_offer(completion, r->words[i]);
}

static void
begin(unsigned width, enum terminal_policy policy)
{
    static const char *const words[] = { "memory", "memo", "log", NULL };
    struct line_editor_setup setup = {
        .terminal = &rig.terminal, .history = &rig.history,
        .write = show, .complete = offer_words, .arg = &rig
    };

    memset(&rig.screen, 0, sizeof(rig.screen));
    rig.screen.width = width;
    rig.screen.plain = policy == TERMINAL_PLAIN;
    screen_clear_row(&rig.screen);
    rig.words = words;
    terminal_init(&rig.terminal, policy, TERMINAL_WIDTH_MAX);
    if (policy == TERMINAL_PLAIN)
        rig.terminal.width = width;     /* it cannot be asked */
    history_init(&rig.history);
    line_editor_init(&rig.editor, &setup);
    line_editor_begin(&rig.editor, PROMPT);
}

static void
type_byte(char c)
{
    rig.result = line_editor_key(&rig.editor,
                                 terminal_feed(&rig.terminal, (uint8_t)c));
}

static void
type(const char *text)
{
    for (; *text != '\0'; text++) {
        char answer[16];
        type_byte(*text);
        if (!rig.screen.asked)
            continue;
        rig.screen.asked = false;
        snprintf(answer, sizeof(answer), "\x1b[25;%uR", rig.screen.width);
        type(answer);
    }
}

/* A whole line; the next one is begun. */
static void
enter(const char *text)
{
    type(text);
    type("\r");
    assert_int_equal(rig.result, LINE_DONE);
    line_editor_begin(&rig.editor, PROMPT);
}

/* --- Tests ---------------------------------------------------------------- */

static void
test_typing(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    assert_row(PROMPT, 7);
    assert_int_equal(rig.screen.received, strlen(PROMPT));
    type("hello");
    assert_row(PROMPT "hello", 12);
    assert_int_equal(rig.screen.received, strlen(PROMPT "hello"));
    type("\x7f\b");
    assert_row(PROMPT "hel", 10);
    type("p\r");
    assert_int_equal(rig.result, LINE_DONE);
    assert_string_equal(line_editor_text(&rig.editor), "help");
    assert_above(1, PROMPT "help");
    assert_row("", 0);
}

static void
test_ctrl_c(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    type("some thing\x01\x03");
    assert_int_equal(rig.result, LINE_ABORTED);
    assert_above(1, PROMPT "some thing^C");
    assert_int_equal(rig.history.count, 0);
}

static void
test_editing(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    type("one two three");
    type("\x01" "X");
    assert_row(PROMPT "Xone two three", 8);
    type("\x04\x05\x17\b");                 /* Ctrl-D -E -W Backspace */
    assert_row(PROMPT "Xne two", 14);
    type("\x1b" "b\x0b");                   /* Alt-B Ctrl-K */
    assert_row(PROMPT "Xne ", 11);
    type("\x19\x19");                       /* Ctrl-Y */
    assert_row(PROMPT "Xne twotwo", 17);
    type("\x02\x02\x14");                   /* Ctrl-B Ctrl-B Ctrl-T */
    assert_row(PROMPT "Xne twowto", 16);
    type("\x15");                           /* Ctrl-U */
    assert_row(PROMPT "o", 7);
    type("\x1b[3~\x1b[3~\x0b");
    assert_row(PROMPT, 7);
    type("\x19");                           /* still what Ctrl-U took */
    assert_row(PROMPT "Xne twowt", 16);
}

/* Cursor keys work on a plain terminal too, and prove an ANSI one. */
static void
test_learning(void **state)
{
    (void)state;
    begin(40, TERMINAL_LEARN);
    rig.screen.plain = true;
    type("abc\x02\x02");
    rig.screen.plain = false;
    assert_false(rig.terminal.ansi);
    type("\x1b[C");
    assert_true(rig.terminal.ansi);
    assert_int_equal(rig.terminal.width, 40);
    assert_row(PROMPT "abc", 9);
    type("\x0c");
    assert_int_equal(rig.screen.clears, 1);
    assert_row(PROMPT "abc", 9);
}

static void
test_history_keys(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    enter("first");
    enter("second");
    type("own\x1b[A");
    assert_row(PROMPT "second", 13);
    type("\x10\x10\x10");                   /* Ctrl-P, further than there is */
    assert_row(PROMPT "first", 12);
    type("\x1b[B\x0e");
    assert_row(PROMPT "own", 10);
    type("\x0e");
    assert_row(PROMPT "own", 10);
}

static void
test_search(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    enter("log -n 1");
    enter("mem");
    enter("log -f");
    type("x\x12l");
    assert_row("search 'l': log -f", 18);
    type("og\x12");
    assert_row("search 'log': log -n 1", 22);
    type("q");
    assert_row("not found 'logq': log -n 1", 26);
    type("\x7f");
    assert_row("search 'log': log -f", 20);
    type("\x01");
    assert_row(PROMPT "log -f", 7);
    type("\x12mem\x07");                    /* Ctrl-G gives the search up */
    assert_row(PROMPT "x", 8);
    type("\x12mem\r");
    assert_string_equal(line_editor_text(&rig.editor), "mem");
    assert_above(1, PROMPT "mem");
}

static void
test_completion(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    type("l\t");
    assert_row(PROMPT "log ", 11);
    assert_string_equal(rig.editor.buffer.text, "log ");
    type("m\t");
    assert_string_equal(rig.editor.buffer.text, "log memo");
    type("\t");
    assert_above(2, PROMPT "log memo");
    assert_above(1, "memory  memo");
    assert_row(PROMPT "log memo", 15);
    type("r\t");
    assert_string_equal(rig.editor.buffer.text, "log memory ");
    type("x\t");                            /* nothing fits */
    assert_string_equal(rig.editor.buffer.text, "log memory x");
}

/* Other output comes between, and the line is back as it was. */
static void
test_hiding(void **state)
{
    (void)state;
    for (int ansi = 0; ansi < 2; ansi++) {
        begin(80, ansi ? TERMINAL_ANSI : TERMINAL_PLAIN);
        type("abc def\x02");
        assert_true(line_editor_hide(&rig.editor));
        assert_false(line_editor_hide(&rig.editor));
        assert_row("", 0);
        show(&rig, "a message\n", 10);
        line_editor_show(&rig.editor);
        assert_above(1, "a message");
        assert_row(PROMPT "abc def", 13);
    }
}

static void
test_rubbish(void **state)
{
    (void)state;
    begin(80, TERMINAL_PLAIN);
    type("a\xc3\xa9\x1b[5~\x1b[[A\x01\x1c\x1d\x1e\x1f" "b");
    assert_string_equal(rig.editor.buffer.text, "ba");
    assert_row(PROMPT "ba", 8);
}

/* 64 KB at full speed: little more goes out than came in. */
static void
test_paste(void **state)
{
    size_t sent = 0;

    (void)state;
    begin(80, TERMINAL_PLAIN);
    while (sent < SENT_MAX) {
        for (unsigned i = 0; i < 40; i++, sent++)
            type_byte((char)('a' + i % 26));
        enter("");
        sent++;
    }
    assert_true(rig.screen.received < sent + sent / 4);

    begin(80, TERMINAL_PLAIN);
    for (sent = 0; sent < LINE_MAX + 100; sent++)
        type_byte((char)('a' + sent % 26));
    assert_int_equal(rig.editor.buffer.length, LINE_MAX);
    assert_true(rig.screen.received < 5 * sent);
}

/* --- Random keys ---------------------------------------------------------- */

struct model {
    char text[LINE_MAX + 1];
    unsigned length, cursor;
};

static void
model_delete(struct model *m, unsigned from, unsigned to)
{
    memmove(m->text + from, m->text + to, m->length - to + 1);
    m->length -= to - from;
    m->cursor = from;
}

/* Press a key that the model knows, on both. */
static void
press(struct test_random *random, struct model *m)
{
    static const char *const sent[] = {
        "\x1b[D", "\x1b[C", "\x01", "\x05", "\x7f", "\x1b[3~", "\x0b", "\x02",
        "\x06", "\x1bOH", "\x1bOF", "\x15"
    };
    unsigned key = test_random_below(random, 64);
    char c[2] = { (char)(' ' + test_random_below(random, 95)), '\0' };

    if (key >= ARRAY_LEN(sent) || (key == 11 && c[0] < '~' - 4)) {
        type(c);
        if (m->length == LINE_MAX)
            return;
        memmove(m->text + m->cursor + 1, m->text + m->cursor,
                m->length - m->cursor + 1);
        m->text[m->cursor++] = c[0];
        m->length++;
        return;
    }
    type(sent[key]);
    switch (key) {
    case 0: case 7: m->cursor -= m->cursor > 0; break;
    case 1: case 8: m->cursor += m->cursor < m->length; break;
    case 2: case 9: m->cursor = 0; break;
    case 3: case 10: m->cursor = m->length; break;
    case 4:
        if (m->cursor > 0)
            model_delete(m, m->cursor - 1, m->cursor);
        break;
    case 5:
        if (m->cursor < m->length)
            model_delete(m, m->cursor, m->cursor + 1);
        break;
    case 6: model_delete(m, m->cursor, m->length); break;
    case 11: model_delete(m, 0, m->cursor); break;
    }
}

/* The row shows the prompt, if it has room, and the line at the cursor. */
static void
check_row(const struct model *m)
{
    const struct screen *s = &rig.screen;
    unsigned prompt = strlen(PROMPT) + 10 < s->width ? strlen(PROMPT) : 0;
    unsigned room = s->width - 1 - prompt;
    unsigned left, shown;

    assert_memory_equal(s->row, PROMPT, prompt);
    assert_true(s->column >= prompt);
    assert_true(s->column - prompt <= m->cursor);
    left = m->cursor - (s->column - prompt);
    assert_true(m->length > room || left == 0);
    shown = MIN(m->length - left, room);
    for (unsigned i = 0; i < shown; i++) {
        char expected = m->text[left + i];
        if (i == 0 && left > 0)
            expected = '<';
        if (i == shown - 1 && left + shown < m->length)
            expected = '>';
        assert_int_equal(s->row[prompt + i], expected);
        if (left + i == m->cursor)
            assert_int_equal(expected, m->text[m->cursor]);
    }
    for (unsigned i = prompt + shown; i < s->width; i++)
        assert_int_equal(s->row[i], ' ');
}

static void
test_random_keys(void **state)
{
    struct test_random random = { 20 };

    (void)state;
    for (unsigned width = 12; width <= TERMINAL_WIDTH_MAX; width += 5) {
        for (int ansi = 0; ansi < 2; ansi++) {
            struct model model = { .length = 0 };
            begin(width, ansi ? TERMINAL_ANSI : TERMINAL_PLAIN);
            type("\x01");
            for (unsigned i = 0; i < 4000; i++) {
                press(&random, &model);
                assert_string_equal(rig.editor.buffer.text, model.text);
                check_row(&model);
            }
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typing),
        cmocka_unit_test(test_ctrl_c),
        cmocka_unit_test(test_editing),
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_history_keys),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_hiding),
        cmocka_unit_test(test_rubbish),
        cmocka_unit_test(test_paste),
        cmocka_unit_test(test_random_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
