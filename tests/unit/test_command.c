/*
 * test_command.c - console/command.c with words.c, args.c and completion.c:
 * what a line becomes, and what a person reads who got it wrong.
 */
#include "unit/test.h"

#include "console/command.h"

static void
run_nothing(const struct args *args)
{
    (void)args;
}

static void
complete_level(const struct words *words, struct completion *c)
{
    if (words->count > 3)
        return;
    completion_offer(c, "error");
    completion_offer(c, "warn");
    completion_offer(c, "info");
}

static const struct command commands[] = {
    { .name = "log", .rule = { "fn:", 0, 2 }, .usage = "[-f] [-n N] [LEVEL]",
      .run = run_nothing, .complete = complete_level },
    { .name = "mem", .rule = { "", 0, 0 }, .usage = "", .run = run_nothing },
    { .name = "kill", .rule = { "", 1, 1 }, .usage = "ID",
      .run = run_nothing },
    { .name = "pair", .rule = { "", 2, 2 }, .usage = "A B",
      .run = run_nothing },
    { .name = "echo", .rule = { NULL, 0, WORDS_MAX }, .usage = "[WORD...]",
      .run = run_nothing },
    { .name = "memory", .rule = { "", 0, 0 }, .usage = "",
      .run = run_nothing },
    { .name = "test", .rule = { "", 0, 9 }, .usage = "", .run = run_nothing,
      .hidden = true },
};
static const struct command_table table = { commands, ARRAY_LEN(commands) };

static struct command_line line;

/* --- Words ---------------------------------------------------------------- */

static void
assert_words(const char *text, const char *const *expected)
{
    static struct words w;
    unsigned n = 0;

    assert_int_equal(words_split(&w, text, strlen(text)), OK);
    for (; expected[n] != NULL; n++) {
        assert_true(n < w.count);
        assert_string_equal(w.word[n], expected[n]);
    }
    assert_int_equal(w.count, n);
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void
test_words(void **state)
{
    static struct words w;
    char many[2 * WORDS_MAX + 3];

    (void)state;
    assert_words("", (const char *const[]){ NULL });
    assert_words("  \t ", (const char *const[]){ NULL });
    assert_words("# all of it", (const char *const[]){ NULL });
    assert_words(" one  two\tthree ", WORDS("one", "two", "three"));
    assert_words("a#b #c", WORDS("a#b"));
    assert_words("'a b' \"c d\"e", WORDS("a b", "c de"));
    assert_words("'' \"\" x", WORDS("", "", "x"));
    assert_words("a\\ b \\\\ \"\\\"\" '\\'", WORDS("a b", "\\", "\"", "\\"));

    for (unsigned i = 0; i < sizeof(many) - 1; i++)
        many[i] = i % 2 ? ' ' : 'x';
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(words_split(&w, many, strlen(many)), ERR_SYNTAX);
    assert_int_equal(words_split(&w, many, 2 * WORDS_MAX), OK);
    assert_int_equal(w.count, WORDS_MAX);
}

static void
test_unfinished(void **state)
{
    static struct words w;

    (void)state;
    assert_int_equal(words_split_unfinished(&w, "", 0), OK);
    assert_int_equal(w.count, 1);
    assert_string_equal(w.word[0], "");
    assert_int_equal(words_split_unfinished(&w, "log wa", 6), OK);
    assert_int_equal(w.count, 2);
    assert_string_equal(w.word[1], "wa");
    assert_int_equal(words_split_unfinished(&w, "log ", 4), OK);
    assert_int_equal(w.count, 2);
    assert_string_equal(w.word[1], "");
    assert_int_equal(words_split_unfinished(&w, "log 'a b", 8), OK);
    assert_string_equal(w.word[1], "a b");
    assert_int_equal(words_split_unfinished(&w, "log a\\", 6), OK);
    assert_string_equal(w.word[1], "a");
}

/* --- Arguments ------------------------------------------------------------ */

static void
test_options(void **state)
{
    (void)state;
    assert_int_equal(command_parse(&table, "log warn -f -n 5 pci", &line), OK);
    assert_ptr_equal(line.command, &commands[0]);
    assert_string_equal(line.args.command, "log");
    assert_string_equal(args_option(&line.args, 'f'), "");
    assert_string_equal(args_option(&line.args, 'n'), "5");
    assert_int_equal(line.args.count, 2);
    assert_string_equal(line.args.word[0], "warn");
    assert_string_equal(line.args.word[1], "pci");

    assert_int_equal(command_parse(&table, "log -fn7 -", &line), OK);
    assert_string_equal(args_option(&line.args, 'f'), "");
    assert_string_equal(args_option(&line.args, 'n'), "7");
    assert_string_equal(line.args.word[0], "-");

    assert_int_equal(command_parse(&table, "log -- -f", &line), OK);
    assert_null(args_option(&line.args, 'f'));
    assert_string_equal(line.args.word[0], "-f");

    assert_int_equal(command_parse(&table, "echo -x -- -y", &line), OK);
    assert_int_equal(line.args.count, 3);
}

static void
assert_wrong(const char *text, const char *error)
{
    assert_int_not_equal(command_parse(&table, text, &line), OK);
    assert_null(line.command);
    assert_string_equal(line.error, error);
}

static void
test_errors(void **state)
{
    (void)state;
    assert_int_equal(command_parse(&table, "   ", &line), OK);
    assert_null(line.command);
    assert_wrong("mem x", "mem: unexpected argument 'x'; expected: mem");
    assert_wrong("kill", "kill: no argument; expected: kill ID");
    assert_wrong("pair 1", "pair: too few arguments; expected: pair A B");
    assert_wrong("log -x", "log: unknown option '-x'; "
                 "expected: log [-f] [-n N] [LEVEL]");
    assert_wrong("log -fn", "log: no value behind option '-n'; "
                 "expected: log [-f] [-n N] [LEVEL]");
    assert_wrong("log -:", "log: unknown option '-:'; "
                 "expected: log [-f] [-n N] [LEVEL]");
    assert_wrong("mem -\x01", "mem: unknown option '-?'; expected: mem");
    assert_wrong("echo 'a", "a quote is not closed, expected another '");
    assert_wrong("echo \"a", "a quote is not closed, expected another \"");
    assert_wrong("echo \\",
                 "nothing behind the backslash, expected a character");
}

static void
test_suggestions(void **state)
{
    (void)state;
    assert_wrong("mme", "unknown command 'mme'; did you mean 'mem'?  "
                 "'help' lists all");
    assert_wrong("lgo", "unknown command 'lgo'; did you mean 'log'?  "
                 "'help' lists all");
    assert_wrong("memry", "unknown command 'memry'; did you mean 'memory'?  "
                 "'help' lists all");
    assert_wrong("xyzzy", "unknown command 'xyzzy'; 'help' lists all");
    assert_wrong("tes", "unknown command 'tes'; 'help' lists all");
    assert_wrong("x", "unknown command 'x'; 'help' lists all");
    assert_wrong("''", "unknown command ''; 'help' lists all");
    assert_null(command_nearest(&table, "aVeryLongWordThatIsNothing"));
    assert_int_equal(command_parse(&table, "test", &line), OK);
}

/* --- Completion ----------------------------------------------------------- */

static struct completion *
complete(const char *text)
{
    static struct command_completer completer = { .table = &table };
    static struct completion c;

    completion_init(&c, "", 0);
    command_complete(&completer, text, strlen(text), &c);
    return &c;
}

static void
assert_extension(const char *text, const char *expected, unsigned matches)
{
    struct completion *c = complete(text);
    size_t size;
    const char *more = completion_extension(c, &size);

    assert_int_equal(size, strlen(expected));
    assert_memory_equal(more, expected, size);
    assert_int_equal(c->matches, matches);
}

static void
test_completion(void **state)
{
    (void)state;
    assert_extension("", "", 6);
    assert_extension("l", "og", 1);
    assert_extension("m", "em", 2);
    assert_extension("mem", "", 2);
    assert_extension("te", "", 0);              /* hidden */
    assert_extension("log w", "arn", 1);
    assert_extension("log ", "", 3);
    assert_extension("log -f 'in", "fo", 1);
    assert_extension("log -f warn e", "", 0);
    assert_extension("mem x", "", 0);
    assert_extension("nothing x", "", 0);
}

static void
test_columns(void **state)
{
    static const char *const words[] = { "a", "bb", "ccc", "dd", "e", NULL };
    struct completion c;
    char row[81];

    (void)state;
    completion_init(&c, "", 0);
    for (unsigned i = 0; words[i] != NULL; i++)
        completion_offer(&c, words[i]);
    assert_true(completion_row(&c, 0, 10, row));
    assert_string_equal(row, "a    dd");
    assert_true(completion_row(&c, 1, 10, row));
    assert_string_equal(row, "bb   e");
    assert_true(completion_row(&c, 2, 10, row));
    assert_string_equal(row, "ccc");
    assert_false(completion_row(&c, 3, 10, row));
    assert_true(completion_row(&c, 2, 2, row));
    assert_string_equal(row, "cc");
    assert_true(completion_row(&c, 4, 1, row));
    assert_false(completion_row(&c, 5, 1, row));
    completion_offer(&c, "ccc");                /* again */
    assert_int_equal(c.matches, 5);
    completion_init(&c, "z", 1);
    assert_false(completion_row(&c, 0, 10, row));
}

/* More words than are kept, and longer ones than exist. */
static void
test_many(void **state)
{
    struct completion c;
    char word[COMPLETION_WORD_MAX + 8];
    char row[81];

    (void)state;
    completion_init(&c, "w", 1);
    for (unsigned i = 0; i < 500; i++) {
        snprintf(word, sizeof(word), "word%03u-%032u", i, i);
        completion_offer(&c, word);
    }
    assert_int_equal(c.matches, 500);
    assert_true(c.count <= COMPLETION_MAX);
    assert_int_equal(c.common_size, 4);
    for (unsigned i = 0; completion_row(&c, i, 79, row); i++)
        assert_true(strlen(row) <= 79);
    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    completion_offer(&c, word);
    assert_int_equal(c.matches, 500);
    completion_init(&c, word, strlen(word));
    completion_offer(&c, "www");
    assert_int_equal(c.matches, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
