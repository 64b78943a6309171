/*
 * vmx.c - reads .vmx files (vmx.h), in place.
 *
 * A line is cut into key and value by NULs; escapes make a value shorter, never
 * longer.  The value is checked against the key's row of the table at once,
 * while the line's number is known.
 *
 * Called by whoever creates a VM; no locks.
 */
#include "vmm/config/vmx.h"

#include "kernel/base/format.h"
#include "kernel/base/number.h"
#include "kernel/base/string.h"

#define INDEX_MAX       15u
#define DECIMAL         10u
#define HEX             16u
#define ESCAPE          '|'
#define SHOWN_MAX       24          /* characters of a value in a message */

enum kind { KIND_TEXT, KIND_FILE, KIND_BOOL, KIND_UINT, KIND_WORD, KIND_MIXED };

struct vmx_key {
    const char *name;
    enum kind kind;
    const char *value;              /* default; NULL: there is none */
    const char *words;              /* | between them */
    uint32_t low, high, step;
};

#define TEXT_KEY(n, v)              { n, KIND_TEXT, v, NULL, 0, 0, 0 },
#define FILE_KEY(n)                 { n, KIND_FILE, NULL, NULL, 0, 0, 0 },
#define BOOL_KEY(n, v)              { n, KIND_BOOL, v, "TRUE|FALSE", 0, 0, 0 },
#define UINT_KEY(n, v, lo, hi, s)   { n, KIND_UINT, v, NULL, lo, hi, s },
#define WORD_KEY(n, v, w)           { n, KIND_WORD, v, w, 0, 0, 0 },
#define MIXED_KEY(n, v, w, lo, hi)  { n, KIND_MIXED, v, w, lo, hi, 1 },
static const struct vmx_key keys[] = {
#include "vmm/config/vmx_keys.def"
};

/* --- Words -----------------------------------------------------------------*/

/* A number from 0 to INDEX_MAX at *KEY, which moves behind it. */
static bool
match_index(const char **key)
{
    unsigned number = 0;
    const char *first = *key;

    while (char_is_digit(**key) && number <= INDEX_MAX)
        number = number * DECIMAL + (unsigned)(*(*key)++ - '0');
    return *key > first && number <= INDEX_MAX &&
           (*first != '0' || *key == first + 1);
}

/* Does KEY fit PATTERN, in which # stands for an index? */
static bool
match_key(const char *pattern, const char *key)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '#') {
            if (!match_index(&key))
                return false;
        } else if (char_to_lower(*pattern) != char_to_lower(*key++)) {
            return false;
        }
    }
    return *key == '\0';
}

bool
vmx_is_same_key(const char *a, const char *b)
{
    while (*a != '\0' && char_to_lower(*a) == char_to_lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Which of WORDS is VALUE, from 0?  VMX_NO_WORD: none.  Case does not count. */
static unsigned
find_word(const char *words, const char *value)
{
    const char *v = value;
    bool fits = true;
    unsigned index = 0;

    for (; *words != '\0'; words++) {
        if (*words == '|') {
            if (fits && *v == '\0')
                return index;
            index++;
            v = value;
            fits = true;
        } else if (fits) {
            fits = char_to_lower(*words) == char_to_lower(*v);
            v += fits;
        }
    }
    return fits && *v == '\0' ? index : VMX_NO_WORD;
}

static bool
match_word(const char *words, const char *value)
{
    return find_word(words, value) != VMX_NO_WORD;
}

static const struct vmx_key *
find_key(const char *name)
{
    for (size_t n = 0; n < ARRAY_LEN(keys); n++)
        if (match_key(keys[n].name, name))
            return &keys[n];
    return NULL;
}

/* --- Values ----------------------------------------------------------------*/

static status_t
refuse(struct vmx *v, unsigned line, const char *what, const char *detail)
{
    format_buf(v->message, sizeof(v->message), "line %u: %s%s", line, what,
               detail);
    return ERR_SYNTAX;
}

/* "memsize is "33"; expected a multiple of 4 from 4 to 3584". */
static status_t
refuse_value(struct vmx *v, const struct vmx_entry *e)
{
    const struct vmx_key *k = e->known;
    char expected[VMX_MESSAGE_MAX];

    if (k->kind == KIND_FILE)
        format_buf(expected, sizeof(expected),
                   "a file name without a folder");
    else if (k->kind == KIND_UINT && k->step > 1)
        format_buf(expected, sizeof(expected),
                   "a multiple of %u from %u to %u", k->step, k->low,
                   k->high);
    else if (k->kind == KIND_UINT)
        format_buf(expected, sizeof(expected), "%u to %u", k->low, k->high);
    else if (k->kind == KIND_MIXED)
        format_buf(expected, sizeof(expected), "%s or %u to %u", k->words,
                   k->low, k->high);
    else
        format_buf(expected, sizeof(expected), "%s", k->words);
    format_buf(v->message, sizeof(v->message),
               "line %u: %.*s is \"%.*s\"; expected %s", e->line, SHOWN_MAX,
               e->key, SHOWN_MAX, e->value, expected);
    return ERR_INVALID;
}

static bool
is_number(const struct vmx_key *k, const char *value)
{
    uint32_t number;

    return parse_u32(value, &number) == OK && number >= k->low &&
           number <= k->high && number % k->step == 0;
}

/* Beside the .vmx: no folders, and neither "." nor "..". */
static bool
is_file_name(const char *value)
{
    return *value != '\0' && strchr(value, '/') == NULL &&
           strcmp(value, ".") != 0 && strcmp(value, "..") != 0;
}

static bool
is_good(const struct vmx_key *k, const char *value)
{
    switch (k->kind) {
    case KIND_FILE:
        return is_file_name(value);
    case KIND_UINT:
        return is_number(k, value);
    case KIND_BOOL:
    case KIND_WORD:
        return match_word(k->words, value);
    case KIND_MIXED:
        return match_word(k->words, value) || is_number(k, value);
    default:
        return true;
    }
}

/* --- Lines -----------------------------------------------------------------*/

static char *
skip_spaces(char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\r')
        s++;
    return s;
}

static bool
is_key_char(char c)
{
    return char_is_print(c) && !char_is_space(c) && c != '=' && c != '"' &&
           c != '#';
}

static int
hex_digit(char c)
{
    if (char_is_digit(c))
        return c - '0';
    c = char_to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + (int)DECIMAL : -1;
}

/*
 * The text behind an opening quote, unescaped in place.  Returns what follows
 * the closing one; NULL: there is none, or a wrong escape, or a NUL in it.
 */
static char *
read_value(char *s)
{
    char *to = s;

    for (; *s != '"'; s++) {
        if (*s == '\0')
            return NULL;
        if (*s == ESCAPE) {
            int high = hex_digit(s[1]);
            int low = high < 0 ? -1 : hex_digit(s[2]);

            if (low < 0 || high + low == 0)
                return NULL;
            *to++ = (char)(high * (int)HEX + low);
            s += 2;
            continue;
        }
        *to++ = *s;
    }
    *to = '\0';
    return s + 1;
}

static status_t
add_entry(struct vmx *v, struct vmx_entry *e)
{
    for (unsigned n = 0; n < v->count; n++)
        if (vmx_is_same_key(v->entry[n].key, e->key))
            return refuse(v, e->line, "the key is there already: ", e->key);
    if (v->count == VMX_ENTRIES_MAX) {
        (void)refuse(v, e->line, "too many keys", "");
        return ERR_FULL;
    }
    e->known = find_key(e->key);
    if (e->known != NULL && !is_good(e->known, e->value))
        return refuse_value(v, e);
    v->entry[v->count++] = *e;
    return OK;
}

/* One line, ended by a NUL: nothing, a comment, or key = "value". */
static status_t
read_line(struct vmx *v, char *s, unsigned line)
{
    struct vmx_entry e = { .line = line };
    char *key_end;

    s = skip_spaces(s);
    if (*s == '\0' || *s == '#')
        return OK;
    e.key = s;
    while (is_key_char(*s))
        s++;
    key_end = s;
    s = skip_spaces(s);
    if (key_end == e.key || *s != '=')
        return refuse(v, line, "expected key = \"value\"", "");
    *key_end = '\0';
    s = skip_spaces(s + 1);
    if (*s != '"')
        return refuse(v, line, "expected a value in quotes", "");
    e.value = s + 1;
    s = read_value(s + 1);
    if (s == NULL)
        return refuse(v, line, "the value does not end, or a wrong | in it",
                      "");
    s = skip_spaces(s);
    if (*s != '\0' && *s != '#')
        return refuse(v, line, "something behind the value", "");
    return add_entry(v, &e);
}

status_t
vmx_parse(struct vmx *v, char *text, size_t size)
{
    char *end = text + size, *line_end;
    status_t status = OK;
    unsigned line = 1;

    v->count = 0;
    v->message[0] = '\0';
    if (size > VMX_SIZE_MAX) {
        (void)refuse(v, line, "the file is too large", "");
        return ERR_FULL;
    }
    *end = '\0';
    for (; status == OK && text < end; text = line_end + 1, line++) {
        line_end = text;
        while (line_end < end && *line_end != '\n' && *line_end != '\0')
            line_end++;
        if (line_end < end && *line_end == '\0')
            return refuse(v, line, "a byte 0: this is no text", "");
        *line_end = '\0';
        status = read_line(v, text, line);
    }
    return status;
}

/* --- Asking ----------------------------------------------------------------*/

const char *
vmx_text(const struct vmx *v, const char *key)
{
    const struct vmx_key *known;

    for (unsigned n = 0; n < v->count; n++)
        if (vmx_is_same_key(v->entry[n].key, key))
            return v->entry[n].value;
    known = find_key(key);
    return known != NULL ? known->value : NULL;
}

uint32_t
vmx_uint(const struct vmx *v, const char *key)
{
    const char *text = vmx_text(v, key);
    uint32_t value;

    return text != NULL && parse_u32(text, &value) == OK ? value : 0;
}

bool
vmx_bool(const struct vmx *v, const char *key)
{
    const char *text = vmx_text(v, key);

    return text != NULL && match_word("TRUE", text);
}

unsigned
vmx_word(const struct vmx *v, const char *key)
{
    const struct vmx_key *known = find_key(key);
    const char *text = vmx_text(v, key);

    if (known == NULL || known->words == NULL || text == NULL)
        return VMX_NO_WORD;
    return find_word(known->words, text);
}
