/*
 * options.c - the parser behind options.h.
 *
 * Each word is copied, cut at its '=', looked up, and read by its key's type.
 * What a person is told when that fails is made from the same table, so it is
 * always true.
 */
#include "kernel/options.h"

#include "kernel/base/format.h"
#include "kernel/base/number.h"
#include "kernel/base/string.h"

/* Longer words are wrong: any key with any value fits. */
#define WORD_MAX        (2 * OPTION_TEXT_MAX)

/* A message quotes this much of a word, and is this long at most. */
#define QUOTE_FORMAT    "\"%.40s\""
#define MESSAGE_MAX     240u

/* --- What was expected, in words ------------------------------------------ */

/* A text being put together; what does not fit is cut. */
struct sentence {
    char text[MESSAGE_MAX];
    size_t used;
};

PRINTF_LIKE(2, 3)
static void
say(struct sentence *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    s->used += format_buf_args(s->text + s->used, sizeof s->text - s->used,
                               format, args);
    va_end(args);
    s->used = MIN(s->used, sizeof s->text - 1);
}

/* "64M" where that is exact, else bytes. */
static void
say_size(struct sentence *s, uint64_t bytes)
{
    static const char units[] = { '\0', 'K', 'M', 'G' };
    unsigned unit = 0;

    while (unit + 1 < ARRAY_LEN(units) && bytes > 0 && bytes % KB(1) == 0) {
        bytes /= KB(1);
        unit++;
    }
    say(s, "%llu", (unsigned long long)bytes);
    if (unit > 0)
        say(s, "%c", units[unit]);
}

/* Their names, with commas. */
static void
say_choices(struct sentence *s, const struct option_key *key)
{
    for (size_t i = 0; i < key->choice_count; i++)
        say(s, "%s%s", i == 0 ? "" : ", ", key->choices[i].name);
}

/* What may be written behind the '='. */
static void
say_expected(struct sentence *s, const struct option_key *key)
{
    switch (key->type) {
    case OPTION_BOOL:
        say(s, "on or off");
        break;
    case OPTION_UINT:
        say(s, "a number from %llu to %llu", (unsigned long long)key->min,
            (unsigned long long)key->max);
        break;
    case OPTION_SIZE:
        say(s, "a size from ");
        say_size(s, key->min);
        say(s, " to ");
        say_size(s, key->max);
        break;
    case OPTION_CHOICE:
        say(s, "one of ");
        say_choices(s, key);
        break;
    case OPTION_FLAGS:
        say(s, "a list, with commas, of ");
        say_choices(s, key);
        break;
    case OPTION_TEXT:
        say(s, "1 to %u characters", OPTION_TEXT_MAX - 1);
        break;
    }
}

/* KEY is NULL if there is no such option. */
static void
report_wrong(const struct option_table *known, const struct option_key *key,
             const char *word, const struct option_reporter *to)
{
    struct sentence s = { .used = 0 };

    if (key != NULL) {
        say(&s, "option " QUOTE_FORMAT ": %s= takes ", word, key->name);
        say_expected(&s, key);
    } else {
        say(&s, "unknown option " QUOTE_FORMAT "; the options are", word);
        for (size_t i = 0; i < known->count; i++)
            say(&s, "%s %s=", i == 0 ? "" : ",", known->keys[i].name);
    }
    to->report(to->ctx, s.text);
}

static void
report_too_long(const char *word, const struct option_reporter *to)
{
    struct sentence s = { .used = 0 };

    say(&s, "option " QUOTE_FORMAT "... is longer than %u characters", word,
        WORD_MAX - 1);
    to->report(to->ctx, s.text);
}

/* --- Values --------------------------------------------------------------- */

static const struct option_choice *
find_choice(const struct option_key *key, const char *name)
{
    for (size_t i = 0; i < key->choice_count; i++)
        if (strcmp(key->choices[i].name, name) == 0)
            return &key->choices[i];
    return NULL;
}

/*
 * One function for each type: read TEXT, set the field, or return false and
 * leave the field alone.
 */

static bool
set_bool(bool *field, const char *text)
{
    bool on = strcmp(text, "on") == 0;

    if (!on && strcmp(text, "off") != 0)
        return false;
    *field = on;
    return true;
}

static bool
set_uint(const struct option_key *key, uint32_t *field, const char *text)
{
    uint32_t n;

    if (parse_u32(text, &n) != OK || n < key->min || n > key->max)
        return false;
    *field = n;
    return true;
}

static bool
set_size(const struct option_key *key, uint64_t *field, const char *text)
{
    uint64_t n;

    if (parse_size(text, &n) != OK || n < key->min || n > key->max)
        return false;
    *field = n;
    return true;
}

static bool
set_choice(const struct option_key *key, uint32_t *field, const char *text)
{
    const struct option_choice *choice = find_choice(key, text);

    if (choice == NULL)
        return false;
    *field = choice->value;
    return true;
}

/* TEXT is cut into its parts; an empty part is no choice. */
static bool
set_flags(const struct option_key *key, uint32_t *field, char *text)
{
    uint32_t flags = 0;

    for (char *comma; text != NULL; text = comma) {
        const struct option_choice *choice;

        comma = strchr(text, ',');
        if (comma != NULL)
            *comma++ = '\0';
        choice = find_choice(key, text);
        if (choice == NULL)
            return false;
        flags |= choice->value;
    }
    *field = flags;
    return true;
}

static bool
set_text(char *field, const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length >= OPTION_TEXT_MAX)
        return false;
    memcpy(field, text, length + 1);
    return true;
}

/* Read TEXT, which may be changed, into KEY's field; false if it is wrong. */
static bool
set_value(const struct option_key *key, void *record, char *text)
{
    void *field = (char *)record + key->offset;

    switch (key->type) {
    case OPTION_BOOL: return set_bool(field, text);
    case OPTION_UINT: return set_uint(key, field, text);
    case OPTION_SIZE: return set_size(key, field, text);
    case OPTION_CHOICE: return set_choice(key, field, text);
    case OPTION_FLAGS: return set_flags(key, field, text);
    case OPTION_TEXT: return set_text(field, text);
    }
    return false;
}

/* --- Words ---------------------------------------------------------------- */

static const struct option_key *
find_key(const struct option_table *known, const char *name, size_t length)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct option_key *key = &known->keys[i];

        if (strlen(key->name) == length &&
            strncmp(key->name, name, length) == 0)
            return key;
    }
    return NULL;
}

/* Obey WORD; false after a report if it is wrong. */
static bool
parse_word(const struct option_table *known, void *record, const char *word,
           const struct option_reporter *to)
{
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const struct option_key *key = find_key(known, word, length);
    char text[WORD_MAX];

    if (key != NULL && equals != NULL &&
        str_copy(text, equals + 1, sizeof text) &&
        set_value(key, record, text))
        return true;
    report_wrong(known, key, word, to);
    return false;
}

/* Copy the word at TEXT, cut to WORD_MAX; returns its whole length. */
static size_t
copy_word(char *word, const char *text)
{
    size_t length = 0;

    for (; text[length] != '\0' && !char_is_space(text[length]); length++)
        if (length < WORD_MAX - 1)
            word[length] = text[length];
    word[MIN(length, WORD_MAX - 1)] = '\0';
    return length;
}

unsigned
options_parse(const struct option_table *known, void *record, const char *text,
              const struct option_reporter *to)
{
    char word[WORD_MAX];
    unsigned wrong = 0;

    for (;;) {
        size_t length;

        while (char_is_space(*text))
            text++;
        if (*text == '\0')
            return wrong;
        length = copy_word(word, text);
        text += length;
        /* What was cut must not be taken for something shorter. */
        if (length >= WORD_MAX) {
            report_too_long(word, to);
            wrong++;
        } else if (!parse_word(known, record, word, to)) {
            wrong++;
        }
    }
}
