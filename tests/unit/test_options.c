/*
 * test_options.c - the parser, with a table of its own that has every type.
 */
#include "unit/test.h"

#include "kernel/options.h"

#define MESSAGES_MAX    4
#define MESSAGE_SIZE    300

struct record {
    bool flag;
    uint32_t number;
    uint64_t size;
    uint32_t color;
    uint32_t parts;
    char text[OPTION_TEXT_MAX];
};

static const struct option_choice colors[] = {
    { "red", 10 }, { "green", 20 }, { "blue", 30 },
};

static const struct option_choice parts[] = {
    { "a", 1 }, { "b", 2 }, { "c", 4 },
};

static const struct option_key keys[] = {
    { .name = "flag", .type = OPTION_BOOL,
      .offset = offsetof(struct record, flag) },
    { .name = "n", .type = OPTION_UINT, .min = 2, .max = 4000000000u,
      .offset = offsetof(struct record, number) },
    { .name = "vm.size", .type = OPTION_SIZE, .min = 1536, .max = GB(64),
      .offset = offsetof(struct record, size) },
    { .name = "color", .type = OPTION_CHOICE,
      .offset = offsetof(struct record, color),
      .choices = colors, .choice_count = ARRAY_LEN(colors) },
    { .name = "parts", .type = OPTION_FLAGS,
      .offset = offsetof(struct record, parts),
      .choices = parts, .choice_count = ARRAY_LEN(parts) },
    { .name = "text", .type = OPTION_TEXT,
      .offset = offsetof(struct record, text) },
};

static const struct option_table table = { keys, ARRAY_LEN(keys) };

static const struct record initial = {
    .flag = true, .number = 7, .size = 8, .color = 9, .parts = 10,
    .text = "initial"
};

static struct record record;
static unsigned message_count;
static char messages[MESSAGES_MAX][MESSAGE_SIZE];

static void
keep_message(void *ctx, const char *message)
{
    assert_ptr_equal(ctx, &record);
    assert_true(message_count < MESSAGES_MAX);
    assert_true(strlen(message) < MESSAGE_SIZE);
    strcpy(messages[message_count++], message);
}

static unsigned
parse(const char *text)
{
    struct option_reporter to = { .report = keep_message, .ctx = &record };
    unsigned wrong;

    record = initial;
    message_count = 0;
    wrong = options_parse(&table, &record, text, &to);
    assert_int_equal(wrong, message_count);
    return wrong;
}

/* TEXT is one wrong word: it changes nothing, and MESSAGE is said. */
static void
check_wrong(const char *text, const char *message)
{
    assert_int_equal(parse(text), 1);
    assert_string_equal(messages[0], message);
    assert_memory_equal(&record, &initial, sizeof record);
}

static void
test_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse(""), 0);
    assert_int_equal(parse(" \t  \n"), 0);
    assert_memory_equal(&record, &initial, sizeof record);
}

static void
test_every_type(void **state)
{
    (void)state;
    assert_int_equal(parse("flag=off n=2 vm.size=1536 color=blue parts=c,a "
                           "text=a=b,c"), 0);
    assert_false(record.flag);
    assert_int_equal(record.number, 2);
    assert_int_equal(record.size, 1536);
    assert_int_equal(record.color, 30);
    assert_int_equal(record.parts, 5);
    assert_string_equal(record.text, "a=b,c");
}

static void
test_limits_are_included(void **state)
{
    (void)state;
    assert_int_equal(parse("  n=0xee6b2800\tvm.size=64G  flag=on "), 0);
    assert_true(record.number == 4000000000u);
    assert_true(record.size == GB(64));
    assert_true(record.flag);
}

static void
test_last_one_wins(void **state)
{
    (void)state;
    assert_int_equal(parse("color=red parts=a,b color=green parts=c"), 0);
    assert_int_equal(record.color, 20);
    assert_int_equal(record.parts, 4);
}

static void
test_wrong_values(void **state)
{
    (void)state;
    check_wrong("flag=yes", "option \"flag=yes\": flag= takes on or off");
    check_wrong("flag", "option \"flag\": flag= takes on or off");
    check_wrong("n=1", "option \"n=1\": n= takes a number from 2 to "
                "4000000000");
    check_wrong("n=", "option \"n=\": n= takes a number from 2 to "
                "4000000000");
    check_wrong("n=5000000000", "option \"n=5000000000\": n= takes a number "
                "from 2 to 4000000000");
    check_wrong("vm.size=1535", "option \"vm.size=1535\": vm.size= takes a "
                "size from 1536 to 64G");
    check_wrong("vm.size=4MB", "option \"vm.size=4MB\": vm.size= takes a "
                "size from 1536 to 64G");
    check_wrong("vm.size=65G", "option \"vm.size=65G\": vm.size= takes a "
                "size from 1536 to 64G");
    check_wrong("color=Red", "option \"color=Red\": color= takes one of "
                "red, green, blue");
    check_wrong("text=", "option \"text=\": text= takes 1 to 127 characters");
}

static void
test_wrong_lists(void **state)
{
    const char *const wrong[] = { "parts=", "parts=,", "parts=a,", "parts=,a",
                                  "parts=a,,b", "parts=a,d", "parts=a;b" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(parse(wrong[i]), 1);
        assert_non_null(strstr(messages[0],
                               "parts= takes a list, with commas, of "
                               "a, b, c"));
        assert_non_null(strstr(messages[0], wrong[i]));
        assert_int_equal(record.parts, initial.parts);
    }
}

static void
test_unknown(void **state)
{
    const char *const wrong[] = { "colors=red", "colo=red", "COLOR=red",
                                  "=red", "quiet", "vm=1", "=" };

    (void)state;
    check_wrong("quiet", "unknown option \"quiet\"; the options are flag=, "
                "n=, vm.size=, color=, parts=, text=");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(parse(wrong[i]), 1);
        assert_non_null(strstr(messages[0], "unknown option"));
    }
}

static void
test_goes_on_after_a_mistake(void **state)
{
    (void)state;
    assert_int_equal(parse("n=0 color=red what parts=b"), 2);
    assert_int_equal(record.color, 10);
    assert_int_equal(record.parts, 2);
    assert_int_equal(record.number, initial.number);
}

static void
test_long_texts(void **state)
{
    char line[1000] = "text=";
    size_t key = strlen("text=");

    (void)state;
    memset(line + key, 'x', OPTION_TEXT_MAX - 1);
    assert_int_equal(parse(line), 0);
    assert_int_equal(strlen(record.text), OPTION_TEXT_MAX - 1);

    line[key + OPTION_TEXT_MAX - 1] = 'x';
    assert_int_equal(parse(line), 1);
    assert_string_equal(record.text, "initial");
}

/* A list that is right as far as it is looked at must not be taken so. */
static void
test_very_long_word(void **state)
{
    char line[1000] = "parts=";

    (void)state;
    for (unsigned i = 0; i < 300; i++)
        strcat(line, i < 299 ? "a," : "b");
    strcat(line, " color=blue");
    assert_int_equal(parse(line), 1);
    assert_string_equal(messages[0], "option \"parts=a,a,a,a,a,a,a,a,a,a,a,a,"
                        "a,a,a,a,a,\"... is longer than 255 characters");
    assert_int_equal(record.parts, initial.parts);
    assert_int_equal(record.color, 30);
}

/* The longest word that is looked at, and one character more. */
static void
test_word_at_the_limit(void **state)
{
    char line[300] = { 0 };

    (void)state;
    memset(line, 'x', 255);
    assert_int_equal(parse(line), 1);
    assert_non_null(strstr(messages[0], "unknown option"));
    line[255] = 'x';
    assert_int_equal(parse(line), 1);
    assert_non_null(strstr(messages[0], "is longer than 255 characters"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_limits_are_included),
        cmocka_unit_test(test_last_one_wins),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_lists),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_goes_on_after_a_mistake),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_very_long_word),
        cmocka_unit_test(test_word_at_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
