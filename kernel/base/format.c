/*
 * format.c - printf's format language for freestanding code.
 *
 * A format is walked once.  Text goes to the sink in the longest pieces there
 * are; each conversion is first parsed into a `struct spec`, then carried out.
 * A number has four parts, and C's rules on flags decide only their lengths:
 *
 *      spaces | sign or 0x | zeros | digits | spaces
 *
 * The sink is called a few times per conversion, with pieces of any size, so
 * padding is sent from constant strings and nothing is bounded by a buffer
 * here, save the digits of one 64-bit number.
 *
 * Reference: ISO C11 7.21.6.1.  Pure and re-entrant: any context may call it.
 */
#include "kernel/base/format.h"

#include "kernel/base/string.h"

/* Digits of a 64-bit number in base 8, the longest there is. */
#define DIGITS_MAX      22

#define BASE_OCTAL      8u
#define BASE_DECIMAL    10u
#define BASE_HEX        16u

/* A length modifier by the size of what it stands for. */
enum length {
    LENGTH_CHAR,
    LENGTH_SHORT,
    LENGTH_INT,
    LENGTH_LONG,
    LENGTH_LLONG,
};

struct spec {
    bool left;              /* - */
    bool zero;              /* 0 */
    bool plus;              /* + */
    bool space;             /* a space */
    bool alternate;         /* # */
    bool has_precision;
    unsigned width;
    unsigned precision;
    enum length length;
    char conversion;
};

/* One call of format_to_sink(): where it reads and where it writes. */
struct formatter {
    format_sink_t sink;
    void *arg;
    size_t sent;
    const char *at;         /* the next character of the format */
    va_list args;
};

static void
send(struct formatter *f, const char *text, size_t size)
{
    if (size == 0)
        return;
    f->sink(f->arg, text, size);
    f->sent += size;
}

static void
send_padding(struct formatter *f, char fill, size_t size)
{
    static const char spaces[] = "                ";
    static const char zeros[] = "0000000000000000";
    const char *piece = fill == '0' ? zeros : spaces;
    size_t n;

    for (; size > 0; size -= n) {
        n = MIN(size, sizeof(zeros) - 1);
        send(f, piece, n);
    }
}

/* --- Parsing ------------------------------------------------------------ */

static void
parse_flags(struct formatter *f, struct spec *s)
{
    for (;; f->at++) {
        switch (*f->at) {
        case '-': s->left = true; break;
        case '0': s->zero = true; break;
        case '+': s->plus = true; break;
        case ' ': s->space = true; break;
        case '#': s->alternate = true; break;
        default: return;
        }
    }
}

static unsigned
parse_digits(struct formatter *f)
{
    unsigned n = 0;

    for (; char_is_digit(*f->at); f->at++)
        n = MIN(n * BASE_DECIMAL + (unsigned)(*f->at - '0'),
                FORMAT_WIDTH_MAX);
    return n;
}

static void
parse_width(struct formatter *f, struct spec *s)
{
    int n;

    if (*f->at != '*') {
        s->width = parse_digits(f);
        return;
    }
    f->at++;
    n = va_arg(f->args, int);
    if (n < 0)
        s->left = true;
    s->width = MIN(n < 0 ? 0u - (unsigned)n : (unsigned)n, FORMAT_WIDTH_MAX);
}

static void
parse_precision(struct formatter *f, struct spec *s)
{
    int n;

    if (*f->at != '.')
        return;
    f->at++;
    s->has_precision = true;
    if (*f->at != '*') {
        s->precision = parse_digits(f);
        return;
    }
    f->at++;
    n = va_arg(f->args, int);
    s->has_precision = n >= 0;
    s->precision = n < 0 ? 0 : MIN((unsigned)n, FORMAT_WIDTH_MAX);
}

/* The length that a type of SIZE bytes has, for z, t and j. */
static enum length
length_of_size(size_t size)
{
    return size == sizeof(long) ? LENGTH_LONG : LENGTH_LLONG;
}

static enum length
parse_length(struct formatter *f)
{
    char c = *f->at;
    bool twice;

    if (c == '\0' || strchr("hlztj", c) == NULL)
        return LENGTH_INT;
    f->at++;
    twice = (c == 'h' || c == 'l') && *f->at == c;
    if (twice)
        f->at++;
    switch (c) {
    case 'h': return twice ? LENGTH_CHAR : LENGTH_SHORT;
    case 'l': return twice ? LENGTH_LLONG : LENGTH_LONG;
    case 'z': return length_of_size(sizeof(size_t));
    case 't': return length_of_size(sizeof(ptrdiff_t));
    default:  return length_of_size(sizeof(intmax_t));
    }
}

/* --- Conversions -------------------------------------------------------- */

static uint64_t
fetch_unsigned(struct formatter *f, enum length length)
{
    switch (length) {
    case LENGTH_CHAR:  return (unsigned char)va_arg(f->args, unsigned);
    case LENGTH_SHORT: return (unsigned short)va_arg(f->args, unsigned);
    case LENGTH_INT:   return va_arg(f->args, unsigned);
    case LENGTH_LONG:  return va_arg(f->args, unsigned long);
    default:           return va_arg(f->args, unsigned long long);
    }
}

static int64_t
fetch_signed(struct formatter *f, enum length length)
{
    switch (length) {
    case LENGTH_CHAR:  return (signed char)va_arg(f->args, int);
    case LENGTH_SHORT: return (short)va_arg(f->args, int);
    case LENGTH_INT:   return va_arg(f->args, int);
    case LENGTH_LONG:  return va_arg(f->args, long);
    default:           return va_arg(f->args, long long);
    }
}

/* Write the digits of VALUE so that they end at END; returns how many. */
static size_t
write_digits(char *end, uint64_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char *p = end;

    for (; value > 0; value /= base)
        *--p = digits[value % base];
    return (size_t)(end - p);
}

/* A number by its absolute VALUE and what stands before it (sign or 0x). */
static void
convert_number(struct formatter *f, const struct spec *s, uint64_t value,
               const char *prefix)
{
    unsigned base = s->conversion == 'o' ? BASE_OCTAL :
                    s->conversion == 'd' ? BASE_DECIMAL : BASE_HEX;
    char buf[DIGITS_MAX];
    char *end = buf + sizeof(buf);
    size_t digits = write_digits(end, value, base, s->conversion == 'X');
    size_t least = s->has_precision ? s->precision : 1;
    size_t zeros, used;

    if (base == BASE_OCTAL && s->alternate)
        least = MAX(least, digits + 1);
    zeros = least > digits ? least - digits : 0;
    used = strlen(prefix) + zeros + digits;
    if (s->zero && !s->left && !s->has_precision && s->width > used) {
        zeros += s->width - used;
        used = s->width;
    }
    if (!s->left && s->width > used)
        send_padding(f, ' ', s->width - used);
    send(f, prefix, strlen(prefix));
    send_padding(f, '0', zeros);
    send(f, end - digits, digits);
    if (s->left && s->width > used)
        send_padding(f, ' ', s->width - used);
}

static void
convert_signed(struct formatter *f, struct spec *s)
{
    int64_t n = fetch_signed(f, s->length);
    const char *sign = n < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

    s->conversion = 'd';
    convert_number(f, s, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, sign);
}

static void
convert_unsigned(struct formatter *f, struct spec *s)
{
    uint64_t n = fetch_unsigned(f, s->length);
    const char *prefix = "";

    if (s->alternate && n != 0 && s->conversion == 'x')
        prefix = "0x";
    else if (s->alternate && n != 0 && s->conversion == 'X')
        prefix = "0X";
    if (s->conversion == 'u')
        s->conversion = 'd';
    convert_number(f, s, n, prefix);
}

static void
convert_text(struct formatter *f, const struct spec *s, const char *text,
             size_t size)
{
    size_t padding = s->width > size ? s->width - size : 0;

    if (!s->left)
        send_padding(f, ' ', padding);
    send(f, text, size);
    if (s->left)
        send_padding(f, ' ', padding);
}

static void
convert_string(struct formatter *f, const struct spec *s)
{
    const char *text = va_arg(f->args, const char *);
    size_t size = 0;

    if (text == NULL)
        text = "(null)";
    /* With a precision the text need not end by a NUL: never look further. */
    while ((!s->has_precision || size < s->precision) && text[size] != '\0')
        size++;
    convert_text(f, s, text, size);
}

static void
convert_char(struct formatter *f, const struct spec *s)
{
    char c = (char)va_arg(f->args, int);

    convert_text(f, s, &c, 1);
}

/* One conversion; f->at is behind its '%'. */
static void
convert(struct formatter *f)
{
    const char *start = f->at - 1;
    struct spec s = { 0 };

    parse_flags(f, &s);
    parse_width(f, &s);
    parse_precision(f, &s);
    s.length = parse_length(f);
    s.conversion = *f->at;
    if (s.conversion != '\0')
        f->at++;
    switch (s.conversion) {
    case 'd': case 'i':
        convert_signed(f, &s);
        break;
    case 'u': case 'x': case 'X': case 'o':
        convert_unsigned(f, &s);
        break;
    case 'p':
        convert_number(f, &s, (uintptr_t)va_arg(f->args, void *), "0x");
        break;
    case 's':
        convert_string(f, &s);
        break;
    case 'c':
        convert_char(f, &s);
        break;
    case '%':
        send(f, "%", 1);
        break;
    default:
        send(f, start, (size_t)(f->at - start));
    }
}

size_t
format_to_sink(format_sink_t sink, void *arg, const char *format,
               va_list args)
{
    struct formatter f = { .sink = sink, .arg = arg, .at = format };
    const char *text;

    va_copy(f.args, args);
    while (*f.at != '\0') {
        for (text = f.at; *f.at != '\0' && *f.at != '%'; f.at++)
            ;
        send(&f, text, (size_t)(f.at - text));
        if (*f.at == '%') {
            f.at++;
            convert(&f);
        }
    }
    va_end(f.args);
    return f.sent;
}

/* --- Into memory -------------------------------------------------------- */

struct buffer {
    char *next;
    size_t room;            /* bytes left at `next`, the NUL's place included */
};

static void
buffer_sink(void *arg, const char *text, size_t size)
{
    struct buffer *b = arg;
    size_t n = b->room > 0 ? MIN(size, b->room - 1) : 0;

    if (n == 0)
        return;
    memcpy(b->next, text, n);
    b->next += n;
    b->room -= n;
}

size_t
format_buf_args(char *buf, size_t size, const char *format, va_list args)
{
    struct buffer b = { buf, size };
    size_t length = format_to_sink(buffer_sink, &b, format, args);

    if (size > 0)
        *b.next = '\0';
    return length;
}

size_t
format_buf(char *buf, size_t size, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = format_buf_args(buf, size, format, args);
    va_end(args);
    return length;
}
