/*
 * test_units.c - console/units.c: sizes and times as people read them.
 */
#include "unit/test.h"

#include "console/units.h"

static void
test_bytes(void **state)
{
    static const struct { uint64_t bytes; const char *text; } cases[] = {
        { 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1 KB" },
        { 1536, "1.5 KB" }, { 4095, "3.9 KB" }, { KB(640), "640 KB" },
        { MB(512), "512 MB" }, { MB(512) - 1, "511 MB" }, { GB(16), "16 GB" },
        { GB(1) + GB(1) / 2, "1.5 GB" }, { UINT64_MAX, "16383 PB" },
    };
    char buf[UNITS_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(units_bytes(buf, cases[i].bytes), cases[i].text);
}

static void
test_times(void **state)
{
    char buf[UNITS_SIZE];
    uint64_t day = 86400 * NSEC_PER_SEC;

    (void)state;
    assert_string_equal(units_duration(buf, 0), "00:00:00");
    assert_string_equal(units_duration(buf, day - 1), "23:59:59");
    assert_string_equal(units_duration(buf, day), "1 day 00:00:00");
    assert_string_equal(units_duration(buf, 49 * day + 61 * NSEC_PER_SEC),
                        "49 days 00:01:01");
    assert_string_equal(units_seconds(buf, 1234567), "    0.001234");
    assert_string_equal(units_seconds(buf, day), "86400.000000");
    assert_string_equal(units_permille(buf, 1000), "100.0 %");
    assert_string_equal(units_permille(buf, 7), "0.7 %");
    units_duration(buf, UINT64_MAX);
    assert_true(strlen(buf) < UNITS_SIZE);
    units_seconds(buf, UINT64_MAX);
    assert_true(strlen(buf) < UNITS_SIZE);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
