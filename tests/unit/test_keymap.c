/*
 * test_keymap.c - scan codes to terminal input, drivers/keymap.c.
 */
#include "unit/test.h"

#include "drivers/keymap.h"

#define RANDOM_CODES    1000000

/* Feed SIZE codes to a fresh keymap; what came out is a string of LENGTH. */
static void
check(const uint8_t *codes, size_t size, const char *want, size_t length)
{
    struct keymap map = { 0 };
    char got[256];
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        assert_true(n + KEYMAP_OUT_MAX <= sizeof(got));
        n += keymap_feed(&map, codes[i], got + n);
    }
    assert_int_equal(n, length);
    assert_memory_equal(got, want, length);
}

#define CHECK(want, ...)                                                  \
    check((const uint8_t[]){ __VA_ARGS__ },                               \
          sizeof((const uint8_t[]){ __VA_ARGS__ }), (want),               \
          sizeof(want) - 1)

static void
test_characters(void **state)
{
    (void)state;
    CHECK("ab", 0x1e, 0x9e, 0x30, 0xb0);
    CHECK("10-=\177\t", 0x02, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f);
    CHECK("[]\r;'`\\,./ ", 0x1a, 0x1b, 0x1c, 0x27, 0x28, 0x29, 0x2b,
          0x33, 0x34, 0x35, 0x39);
    CHECK("\033", 0x01, 0x81);
    CHECK("", 0x3b, 0x58, 0x7f, 0x45, 0x46);
    CHECK("7", 0x08);
    CHECK("*-+", 0x37, 0x4a, 0x4e);
}

static void
test_shift_and_caps(void **state)
{
    (void)state;
    CHECK("Aa", 0x2a, 0x1e, 0xaa, 0x1e);
    CHECK("A:\"~|<>?", 0x36, 0x1e, 0x27, 0x28, 0x29, 0x2b, 0x33, 0x34, 0x35,
          0xb6);
    /* Both down, one up: still shifted. */
    CHECK("A", 0x2a, 0x36, 0xaa, 0x1e);
    CHECK("A1a!a", 0x3a, 0xba, 0x1e, 0x02, 0x2a, 0x1e, 0x02, 0xaa,
          0x3a, 0x1e);
}

static void
test_ctrl_and_alt(void **state)
{
    (void)state;
    CHECK("\003c", 0x1d, 0x2e, 0xae, 0x9d, 0x2e);
    CHECK("\003", 0xe0, 0x1d, 0x2e);
    CHECK("\0\033\034\035", 0x1d, 0x39, 0x1a, 0x2b, 0x1b);
    CHECK("\003", 0x1d, 0x2a, 0x2e);
    CHECK("1", 0x1d, 0x02);
    CHECK("\033b", 0x38, 0x30);
    CHECK("\033b", 0xe0, 0x38, 0x30);
    CHECK("\033\002", 0x38, 0x1d, 0x30);
}

static void
test_special_keys(void **state)
{
    (void)state;
    CHECK("\033[A\033[B\033[C\033[D", 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x50,
          0xe0, 0x4d, 0xe0, 0x4b);
    CHECK("\033[H\033[F\033[2~\033[3~\033[5~\033[6~", 0xe0, 0x47, 0xe0, 0x4f,
          0xe0, 0x52, 0xe0, 0x53, 0xe0, 0x49, 0xe0, 0x51);
    CHECK("\033[A\033[H", 0x48, 0x47);
    CHECK("\r/", 0xe0, 0x1c, 0xe0, 0x35);
    /* The false shifts around a cursor key are not shifts. */
    CHECK("\033[Aa", 0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0xaa, 0x1e);
    CHECK("a", 0xe0, 0x2a, 0x1e);
    /* Pause, and then a letter. */
    CHECK("a", 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e);
    CHECK("", 0xe0, 0x5b, 0xe0, 0x4a, 0xe0, 0x4e);
}

static void
test_random(void **state)
{
    struct test_random r = { 99 };
    struct keymap map = { 0 };

    (void)state;
    for (unsigned i = 0; i < RANDOM_CODES; i++) {
        char out[KEYMAP_OUT_MAX];
        uint8_t code = (uint8_t)test_random_below(&r, 256);

        assert_true(keymap_feed(&map, code, out) <= KEYMAP_OUT_MAX);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_shift_and_caps),
        cmocka_unit_test(test_ctrl_and_alt),
        cmocka_unit_test(test_special_keys),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
