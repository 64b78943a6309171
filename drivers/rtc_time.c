/*
 * rtc_time.c - real-time clock registers and the Gregorian calendar
 * (rtc_time.h).
 *
 * The calendar is counted in years that begin on 1 March, so that the leap day
 * is the last of its year, and in eras of 400 years, which all have the same
 * number of days.  Then the day of the year is a straight line with rounding:
 * months from March on start on day (153 * m + 2) / 5.
 */
#include "drivers/rtc_time.h"

#include "kernel/base/bits.h"

#define BCD_ONES        BITS(3, 0)
#define BCD_TENS        BITS(7, 4)
#define HOUR_PM         BIT(7)
#define NOT_A_NUMBER    0xffu           /* no field may hold that much */

#define EPOCH_YEAR      1970u
#define CENTURY_FIRST   19u
#define CENTURY_LAST    25u
#define PIVOT_YEAR      70u             /* of two-digit years */
#define YEARS_PER_CENTURY 100u

#define YEARS_PER_ERA   400u
#define DAYS_PER_ERA    146097u
#define DAYS_PER_YEAR   365u
#define DAYS_TO_EPOCH   719468u         /* from 0000-03-01 to 1970-01-01 */
#define MONTHS          12u
#define MARCH           3u

#define SECS_PER_MINUTE 60u
#define SECS_PER_HOUR   3600u
#define SECS_PER_DAY    86400u

static unsigned
decode_field(uint8_t value, bool binary)
{
    if (binary)
        return value;
    if (FIELD_GET(value, BCD_ONES) > 9 || FIELD_GET(value, BCD_TENS) > 9)
        return NOT_A_NUMBER;
    return FIELD_GET(value, BCD_TENS) * 10 + FIELD_GET(value, BCD_ONES);
}

/* With 12 hours there are 12 AM (0), 1 .. 11 AM, 12 PM (12), 1 .. 11 PM. */
static unsigned
decode_hour(const struct rtc_raw *raw, bool binary)
{
    unsigned hour;

    if (raw->status_b & RTC_B_24_HOURS)
        return decode_field(raw->hour, binary);
    hour = decode_field(raw->hour & (uint8_t)~HOUR_PM, binary);
    if (hour < 1 || hour > 12)
        return NOT_A_NUMBER;
    return hour % 12 + (raw->hour & HOUR_PM ? 12 : 0);
}

static unsigned
decode_year(const struct rtc_raw *raw, bool binary)
{
    unsigned year = decode_field(raw->year, binary);
    unsigned century = decode_field(raw->century, binary);

    if (year >= YEARS_PER_CENTURY)
        return 0;
    if (raw->has_century && century >= CENTURY_FIRST &&
        century <= CENTURY_LAST)
        return century * YEARS_PER_CENTURY + year;
    return (year < PIVOT_YEAR ? CENTURY_FIRST + 1 : CENTURY_FIRST) *
           YEARS_PER_CENTURY + year;
}

static unsigned
days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[MONTHS] =
        { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % YEARS_PER_CENTURY != 0 ||
                                  year % YEARS_PER_ERA == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool
is_valid(const struct rtc_time *t)
{
    return t->year >= EPOCH_YEAR && t->month >= 1 && t->month <= MONTHS &&
           t->day >= 1 && t->day <= days_in_month(t->year, t->month) &&
           t->hour < 24 && t->minute < 60 && t->second < 60;
}

status_t
rtc_decode(const struct rtc_raw *raw, struct rtc_time *time)
{
    bool binary = raw->status_b & RTC_B_BINARY;
    struct rtc_time t = {
        .year = decode_year(raw, binary),
        .month = decode_field(raw->month, binary),
        .day = decode_field(raw->day, binary),
        .hour = decode_hour(raw, binary),
        .minute = decode_field(raw->minute, binary),
        .second = decode_field(raw->second, binary)
    };

    if (!is_valid(&t))
        return TRACE_ERR(ERR_CORRUPT);
    *time = t;
    return OK;
}

static uint32_t
days_since_epoch(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month < MARCH ? year - 1 : year;
    unsigned m = (month + MONTHS - MARCH) % MONTHS;
    unsigned of_era = y % YEARS_PER_ERA;
    unsigned day_of_year = (153 * m + 2) / 5 + day - 1;

    return y / YEARS_PER_ERA * DAYS_PER_ERA + of_era * DAYS_PER_YEAR +
           of_era / 4 - of_era / YEARS_PER_CENTURY + day_of_year -
           DAYS_TO_EPOCH;
}

uint64_t
rtc_to_seconds(const struct rtc_time *t)
{
    return (uint64_t)days_since_epoch(t->year, t->month, t->day) *
           SECS_PER_DAY + t->hour * SECS_PER_HOUR +
           t->minute * SECS_PER_MINUTE + t->second;
}

/*
 * The year of the era from its day: each division takes away the leap days
 * that lie before, at the end of 4, 100 and 400 years.
 */
static void
date_from_days(uint32_t days, struct rtc_time *time)
{
    uint32_t since = days + DAYS_TO_EPOCH;
    uint32_t day = since % DAYS_PER_ERA;
    uint32_t year = (day - day / (4 * DAYS_PER_YEAR) +
                     day / (YEARS_PER_CENTURY * DAYS_PER_YEAR + 24) -
                     day / (DAYS_PER_ERA - 1)) / DAYS_PER_YEAR;
    uint32_t of_year = day - (year * DAYS_PER_YEAR + year / 4 -
                              year / YEARS_PER_CENTURY);
    uint32_t m = (5 * of_year + 2) / 153;

    time->day = of_year - (153 * m + 2) / 5 + 1;
    time->month = (m + MARCH - 1) % MONTHS + 1;
    time->year = since / DAYS_PER_ERA * YEARS_PER_ERA + year +
                 (time->month < MARCH ? 1 : 0);
}

void
rtc_from_seconds(uint64_t seconds, struct rtc_time *time)
{
    uint32_t of_day = (uint32_t)(seconds % SECS_PER_DAY);

    date_from_days((uint32_t)(seconds / SECS_PER_DAY), time);
    time->hour = of_day / SECS_PER_HOUR;
    time->minute = of_day % SECS_PER_HOUR / SECS_PER_MINUTE;
    time->second = of_day % SECS_PER_MINUTE;
}
