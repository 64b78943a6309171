/*
 * test_rtc_time.c - clock registers and the calendar, drivers/rtc_time.c,
 * against the C library's timegm and gmtime.
 */
#include "unit/test.h"

#include <time.h>

#include "drivers/rtc_time.h"

#define DAY             86400
#define DAYS_CHECKED    (200 * 366)

/* 64-bit seconds do not fit the C library's time_t in 32-bit programs. */
#define SECONDS_MAX     INT32_MAX

static const struct rtc_raw bcd = {
    .second = 0x56, .minute = 0x34, .hour = 0x12, .day = 0x29, .month = 0x02,
    .year = 0x24, .century = 0x20, .has_century = true,
    .status_b = RTC_B_24_HOURS
};

static void
check_raw(struct rtc_raw raw, const char *want)
{
    struct rtc_time t;
    char got[64];

    if (rtc_decode(&raw, &t) != OK)
        snprintf(got, sizeof(got), "bad");
    else
        snprintf(got, sizeof(got), "%04u-%02u-%02u %02u:%02u:%02u", t.year,
                 t.month, t.day, t.hour, t.minute, t.second);
    assert_string_equal(got, want);
}

/* BCD registers with one field changed. */
#define CHECK(want, field, value)                                         \
    do {                                                                  \
        struct rtc_raw raw_ = bcd;                                        \
        raw_.field = (value);                                             \
        check_raw(raw_, (want));                                          \
    } while (0)

static void
test_bcd(void **state)
{
    (void)state;
    check_raw(bcd, "2024-02-29 12:34:56");
    CHECK("2024-02-29 23:34:56", hour, 0x23);
    CHECK("bad", hour, 0x24);
    CHECK("bad", hour, 0x1a);
    CHECK("bad", second, 0x60);
    CHECK("bad", second, 0xff);
    CHECK("bad", minute, 0x5a);
    CHECK("bad", day, 0x30);
    CHECK("bad", day, 0);
    CHECK("bad", month, 0);
    CHECK("bad", month, 0x13);
    CHECK("bad", year, 0x23);           /* 29 February */
    CHECK("bad", year, 0xa0);
}

static void
test_binary(void **state)
{
    struct rtc_raw raw = {
        .second = 56, .minute = 34, .hour = 12, .day = 29, .month = 2,
        .year = 24, .status_b = RTC_B_24_HOURS | RTC_B_BINARY
    };

    (void)state;
    check_raw(raw, "2024-02-29 12:34:56");
    raw.second = 60;
    check_raw(raw, "bad");
}

static void
test_12_hours(void **state)
{
    static const struct { uint8_t reg; const char *want; } hours[] = {
        { 0x12, "2024-02-29 00:34:56" }, { 0x01, "2024-02-29 01:34:56" },
        { 0x11, "2024-02-29 11:34:56" }, { 0x92, "2024-02-29 12:34:56" },
        { 0x81, "2024-02-29 13:34:56" }, { 0x91, "2024-02-29 23:34:56" },
        { 0x00, "bad" }, { 0x13, "bad" }, { 0x80, "bad" }, { 0x93, "bad" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
        struct rtc_raw raw = bcd;

        raw.status_b = 0;
        raw.hour = hours[i].reg;
        check_raw(raw, hours[i].want);
    }
}

static void
test_century(void **state)
{
    struct rtc_raw raw = bcd;

    (void)state;
    CHECK("2124-02-29 12:34:56", century, 0x21);
    CHECK("2024-02-29 12:34:56", century, 0x00);
    CHECK("2024-02-29 12:34:56", century, 0xff);
    CHECK("bad", century, 0x19);        /* before our time begins */
    raw.has_century = false;
    raw.year = 0x96;
    check_raw(raw, "1996-02-29 12:34:56");
    raw.year = 0x72;
    check_raw(raw, "1972-02-29 12:34:56");
    raw.year = 0x68;
    check_raw(raw, "2068-02-29 12:34:56");
}

static void
check_seconds(uint64_t seconds)
{
    struct rtc_time t;

    rtc_from_seconds(seconds, &t);
    assert_int_equal(rtc_to_seconds(&t), seconds);
    if (seconds <= SECONDS_MAX || sizeof(time_t) > 4) {
        time_t when = (time_t)seconds;
        struct tm *tm = gmtime(&when);

        assert_int_equal(t.year, tm->tm_year + 1900);
        assert_int_equal(t.month, tm->tm_mon + 1);
        assert_int_equal(t.day, tm->tm_mday);
        assert_int_equal(t.hour, tm->tm_hour);
        assert_int_equal(t.minute, tm->tm_min);
        assert_int_equal(t.second, tm->tm_sec);
    }
}

static void
test_calendar(void **state)
{
    struct test_random r = { 1970 };

    (void)state;
    for (uint64_t day = 0; day < DAYS_CHECKED; day++)
        check_seconds(day * DAY + test_random_below(&r, DAY));
    /* 2400 is a leap year, 2300 is not. */
    check_seconds(13574563199);
    check_seconds(10417852800);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bcd),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_12_hours),
        cmocka_unit_test(test_century),
        cmocka_unit_test(test_calendar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
