/*
 * test_format.c - kernel/base/format.c against the C library's snprintf.
 *
 * Most of the work is done by random formats: every combination of flags,
 * width, precision, length and conversion comes up, with values that favour
 * the edges, and the two libraries must agree to the byte.
 */
#include "unit/test.h"

#include <limits.h>

#include "kernel/base/format.h"

#define ROUNDS          200000
#define TEXT_MAX        512

/* Both libraries on the same arguments; the length must agree too. */
#define CHECK(...)                                                        \
    do {                                                                  \
        char want_[TEXT_MAX], got_[TEXT_MAX];                             \
        int n_ = snprintf(want_, sizeof(want_), __VA_ARGS__);             \
        size_t m_ = format_buf(got_, sizeof(got_), __VA_ARGS__);          \
        assert_string_equal(got_, want_);                                 \
        assert_int_equal(m_, n_);                                         \
    } while (0)

static void
test_plain(void **state)
{
    (void)state;
    CHECK("nothing to do%s", "");
    CHECK("%d%%", 100);
    CHECK("%s=%u, %c", "mpn", 42u, 'x');
    CHECK("%08x %#x %#X %#o", 0xbeefu, 0xbeefu, 0xbeefu, 0755u);
    CHECK("%+d % d %-6d|%06d", 5, 5, 5, -5);
    CHECK("%.0d|%.0x|%#.0o|%+.0d", 0, 0u, 0u, 0);
    CHECK("%.3s|%10.2s|%-10s|", "abcdef", "abcdef", "abc");
    CHECK("%*d|%-*d|%*d|%.*d|%.*d", 6, 1, 6, 2, -6, 3, 4, 5, -1, 6);
    CHECK("%p", (void *)&state);
    CHECK("%30p|%-30p|", (void *)&state, (void *)&state);
    CHECK("%5c|%-5c|", 'a', 'b');
}

static void
test_lengths(void **state)
{
    (void)state;
    CHECK("%hhd %hhu %hd %hu", -1, 300, 70000, -1);
    CHECK("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
    CHECK("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 1ull << 63);
    CHECK("%zu %zd %td", SIZE_MAX, (ssize_t)-1, (ptrdiff_t)-1);
    CHECK("%jd %ju %jo", INTMAX_MIN, UINTMAX_MAX, UINTMAX_MAX);
    CHECK("%d %d %u", INT32_MIN, INT32_MAX, UINT32_MAX);
    /* A length of the wrong size would fetch the wrong arguments here. */
    CHECK("%zx %jx %hhx %lx %tx %llx %d", (size_t)1, (uintmax_t)2, 3, 4ul,
          (ptrdiff_t)5, 6ull, 7);
}

/*
 * What the contract says and the C library does otherwise or not at all; so
 * the compiler, which knows only the C library, has to be kept quiet.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-security"
static void
test_contract(void **state)
{
    char buf[TEXT_MAX];
    const char *none = NULL;
    const char *unknown = "a%yb%5qc%";

    (void)state;
    format_buf(buf, sizeof(buf), "[%s]", none);
    assert_string_equal(buf, "[(null)]");
    format_buf(buf, sizeof(buf), "[%p]", (void *)NULL);
    assert_string_equal(buf, "[0x0]");
    assert_int_equal(format_buf(buf, sizeof(buf), unknown), 9);
    assert_string_equal(buf, "a%yb%5qc%");
    assert_int_equal(format_buf(buf, sizeof(buf), "%*d", INT32_MAX, 1),
                     FORMAT_WIDTH_MAX);
    assert_int_equal(format_buf(buf, sizeof(buf), "%*d", INT32_MIN, 1),
                     FORMAT_WIDTH_MAX);
    assert_int_equal(format_buf(buf, sizeof(buf), "%.*d", INT32_MAX, 1),
                     FORMAT_WIDTH_MAX);
}
#pragma GCC diagnostic pop

/* A text with a precision need not end: ASan watches the byte behind it. */
static void
test_string_not_terminated(void **state)
{
    char *three = malloc(3);
    char buf[8];

    (void)state;
    memcpy(three, "abc", 3);
    assert_int_equal(format_buf(buf, sizeof(buf), "%.3s", three), 3);
    assert_string_equal(buf, "abc");
    free(three);
}

static void
test_cut(void **state)
{
    char buf[8];

    (void)state;
    for (size_t size = 1; size <= sizeof(buf); size++) {
        memset(buf, '#', sizeof(buf));
        assert_int_equal(format_buf(buf, size, "%s%d", "abcdef", 123), 9);
        assert_int_equal(strlen(buf), size - 1);
        assert_memory_equal(buf, "abcdef123", size - 1);
        for (size_t i = size; i < sizeof(buf); i++)
            assert_int_equal(buf[i], '#');
    }
    assert_int_equal(format_buf(NULL, 0, "%d", 12345), 5);
}

/* --- Random formats ------------------------------------------------------ */

static uint64_t
random_value(struct test_random *r)
{
    uint64_t wide = (uint64_t)test_random_next(r) << 32 |
                    test_random_next(r);

    switch (test_random_below(r, 4)) {
    case 0: return test_random_below(r, 3);
    case 1: return 0 - (uint64_t)test_random_below(r, 3);
    case 2: return (1ull << test_random_below(r, 64)) -
                   test_random_below(r, 2);
    default: return wide >> test_random_below(r, 64);
    }
}

/* Flags, width and precision for CONVERSION, with `%` before them. */
static char *
random_spec(struct test_random *r, char *p, char conversion)
{
    const char *flags = conversion == 's' || conversion == 'c' ? "-" :
                        conversion == 'o' || conversion == 'x' ||
                        conversion == 'X' ? "0-#" :
                        conversion == 'u' ? "0-" : "0-+ ";

    *p++ = '%';
    while (test_random_below(r, 2) == 0)
        *p++ = flags[test_random_below(r, (uint32_t)strlen(flags))];
    if (test_random_below(r, 2) == 0)
        p += sprintf(p, "%u", 1 + test_random_below(r, 40));
    if (test_random_below(r, 2) == 0 && conversion != 'c')
        p += sprintf(p, ".%u", test_random_below(r, 30));
    return p;
}

static void
check_number(const char *format, const char *length, uint64_t value)
{
    if (strcmp(length, "j") == 0)
        CHECK(format, (uintmax_t)value, 7);
    else if (strcmp(length, "ll") == 0)
        CHECK(format, (unsigned long long)value, 7);
    else if (strcmp(length, "l") == 0)
        CHECK(format, (unsigned long)value, 7);
    else if (strcmp(length, "z") == 0)
        CHECK(format, (size_t)value, 7);
    else if (strcmp(length, "t") == 0)
        CHECK(format, (ptrdiff_t)value, 7);
    else
        CHECK(format, (unsigned)value, 7);
}

static void
test_random_numbers(void **state)
{
    static const char *const lengths[] =
        { "hh", "h", "", "l", "ll", "z", "t", "j" };
    struct test_random r = { 20011 };

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        char format[256] = "<";
        char conversion = "diuxXo"[test_random_below(&r, 6)];
        const char *length = lengths[test_random_below(&r, 8)];
        char *p = random_spec(&r, format + 1, conversion);

        /* The %d behind tells whether the right amount was fetched. */
        sprintf(p, "%s%c>%%d", length, conversion);
        check_number(format, length, random_value(&r));
    }
}

static void
test_random_texts(void **state)
{
    struct test_random r = { 4711 };
    char text[64];

    (void)state;
    for (int i = 0; i < ROUNDS / 10; i++) {
        char format[256] = "<";
        uint32_t length = 1 + test_random_below(&r, sizeof(text) - 1);

        for (uint32_t k = 0; k < length; k++)
            text[k] = (char)(' ' + test_random_below(&r, 90));
        text[length] = '\0';
        strcpy(random_spec(&r, format + 1, 's'), "s>%d");
        CHECK(format, text, 7);
        strcpy(random_spec(&r, format + 1, 'c'), "c>%d");
        CHECK(format, text[0], 7);
    }
}
int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_contract),
        cmocka_unit_test(test_string_not_terminated),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_random_numbers),
        cmocka_unit_test(test_random_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
