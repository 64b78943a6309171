/*
 * regex.c - a matcher of regular expressions, by backtracking.
 *
 * Knows literals, `.`, `[a-z]`, `^`, `$`, and `*`, `+`, `?` behind one
 * character or class.  Short calls, much recursion, many branches.
 */
#include "tests/bench/programs/program.h"

#include <stdbool.h>

#define TEXT_SIZE   (64u << 10)

const unsigned default_rounds = 70;

static char text[TEXT_SIZE + 1];

static bool match_here(const char *pattern, const char *at);

/* Behind the character or class that PATTERN begins with. */
static const char *
skip_one(const char *pattern)
{
    if (*pattern++ == '[') {
        while (*pattern++ != ']')
            continue;
    }
    return pattern;
}

static bool
is_in_class(const char *set, char c)
{
    bool negative = *set == '^', found = false;

    for (set += negative; *set != ']'; set++) {
        if (set[1] == '-' && set[2] != ']') {
            found |= set[0] <= c && c <= set[2];
            set += 2;
        } else {
            found |= *set == c;
        }
    }
    return found != negative;
}

static bool
match_one(const char *pattern, char c)
{
    if (c == '\0' || c == '\n')
        return false;
    if (*pattern == '[')
        return is_in_class(pattern + 1, c);
    return *pattern == '.' || *pattern == c;
}

/* Greedy: as many as there are, then fewer, but not fewer than LEAST. */
static bool
match_many(const char *pattern, const char *rest, const char *at, int least)
{
    int count = 0;

    while (match_one(pattern, at[count]))
        count++;
    for (; count >= least; count--) {
        if (match_here(rest, at + count))
            return true;
    }
    return false;
}

static bool
match_here(const char *pattern, const char *at)
{
    const char *next;

    if (*pattern == '\0')
        return true;
    if (pattern[0] == '$' && pattern[1] == '\0')
        return *at == '\n' || *at == '\0';
    next = skip_one(pattern);
    switch (*next) {
    case '*':
        return match_many(pattern, next + 1, at, 0);
    case '+':
        return match_many(pattern, next + 1, at, 1);
    case '?':
        return (match_one(pattern, *at) && match_here(next + 1, at + 1)) ||
               match_here(next + 1, at);
    default:
        return match_one(pattern, *at) && match_here(next, at + 1);
    }
}

static bool
match_line(const char *pattern, const char *line)
{
    if (*pattern == '^')
        return match_here(pattern + 1, line);
    do {
        if (match_here(pattern, line))
            return true;
    } while (*line != '\0' && *line++ != '\n');
    return false;
}

/* How many lines match. */
static uint32_t
count_lines(const char *pattern)
{
    const char *line = text;
    uint32_t count = 0;

    while (*line != '\0') {
        count += match_line(pattern, line);
        while (*line != '\0' && *line++ != '\n')
            continue;
    }
    return count;
}

uint32_t
work(unsigned rounds)
{
    static const char *const patterns[] = {
        "g[a-z]*t", "^the.*page", "[aeiou][^aeiou ]+[aeiou] register.$",
        "virtual +machine", "k.r?n.l in.*frame,? [a-d]", "z", "([0-9]+)",
        "memory.*memory.*memory", "[m-p][a-i]+o?r",
    };
    uint32_t sum = 0;

    random_text(text, TEXT_SIZE);
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
            sum = checksum_add(sum, count_lines(patterns[i]));
    }
    return sum;
}
