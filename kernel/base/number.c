/*
 * number.c - numbers out of text that a person or a boot loader wrote.
 *
 * scan() reads the digits, whatever the number is for; the public functions
 * then say what may follow and how large the result may be.  A text that is
 * both too large and followed by rubbish is a syntax error: that is the
 * mistake which was made first.
 */
#include "kernel/base/number.h"

#include "kernel/base/string.h"

#define BASE_DECIMAL    10u
#define BASE_HEX        16u

struct scan {
    const char *rest;       /* what follows the digits */
    uint64_t value;
    bool overflow;
};

/* The value of the digit C; BASE_HEX or more if it is none. */
static unsigned
digit_value(char c)
{
    char lower = char_to_lower(c);

    if (char_is_digit(c))
        return (unsigned)(c - '0');
    if (lower >= 'a' && lower <= 'f')
        return (unsigned)(lower - 'a') + BASE_DECIMAL;
    return BASE_HEX;
}

static status_t
scan(const char *text, struct scan *s)
{
    unsigned base = BASE_DECIMAL;
    const char *p = text;
    const char *digits;

    if (p[0] == '0' && char_to_lower(p[1]) == 'x') {
        base = BASE_HEX;
        p += strlen("0x");
    }
    *s = (struct scan){ 0 };
    for (digits = p; digit_value(*p) < base; p++) {
        if (__builtin_mul_overflow(s->value, base, &s->value) ||
            __builtin_add_overflow(s->value, digit_value(*p), &s->value))
            s->overflow = true;
    }
    s->rest = p;
    return p == digits ? ERR_SYNTAX : OK;
}

status_t
parse_u64(const char *text, uint64_t *value)
{
    struct scan s;

    if (scan(text, &s) != OK || *s.rest != '\0')
        return ERR_SYNTAX;
    if (s.overflow)
        return ERR_RANGE;
    *value = s.value;
    return OK;
}

status_t
parse_u32(const char *text, uint32_t *value)
{
    uint64_t wide;
    status_t status = parse_u64(text, &wide);

    if (status != OK)
        return status;
    if (wide > UINT32_MAX)
        return ERR_RANGE;
    *value = (uint32_t)wide;
    return OK;
}

/* The number that the unit C multiplies by; 0 if there is no such unit. */
static uint64_t
unit_size(char c)
{
    switch (c) {
    case 'K': case 'k': return KB(1ull);
    case 'M': case 'm': return MB(1ull);
    case 'G': case 'g': return GB(1ull);
    default: return 0;
    }
}

status_t
parse_size(const char *text, uint64_t *bytes)
{
    struct scan s;
    uint64_t unit = 1;
    uint64_t product;

    if (scan(text, &s) != OK)
        return ERR_SYNTAX;
    if (*s.rest != '\0') {
        unit = unit_size(*s.rest++);
        if (unit == 0 || *s.rest != '\0')
            return ERR_SYNTAX;
    }
    if (s.overflow || __builtin_mul_overflow(s.value, unit, &product))
        return ERR_RANGE;
    *bytes = product;
    return OK;
}
