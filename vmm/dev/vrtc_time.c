/*
 * vrtc_time.c - the calendar of the real-time clock, and its alarm
 * (vrtc_int.h).
 *
 * Days are counted in years that begin in March, so that the leap day is the
 * last one: a month's first day is then a linear function of its number.
 * YEAR_BIAS, one whole cycle of the calendar, keeps January of year 0 positive.
 *
 * Pure.  Called by vrtc.c.  MC146818A, "Time, calendar and alarm locations".
 */
#include "vmm/dev/vrtc_int.h"

#define SECONDS_PER_MINUTE 60u
#define SECONDS_PER_HOUR 3600u
#define MINUTES_PER_HOUR 60u
#define HOURS_PER_DAY   24u
#define NOON            12u
#define HOUR_PM         BIT(7)
#define DAYS_PER_WEEK   7u
#define FIRST_WEEKDAY   6u              /* 0000-01-01 was a Saturday */
#define DAYS_PER_MONTH  31u             /* at most */
#define MONTHS_PER_YEAR 12u
#define YEARS_PER_CENTURY 100u
#define YEARS           10000u

#define CYCLE_YEARS     400u
#define CYCLE_DAYS      146097u
#define YEAR_BIAS       CYCLE_YEARS
#define DAYS_PER_YEAR   365u
#define MARCH           3u
#define JAN_AND_FEB     60u             /* in the leap year 0 */

/* An alarm register with these two bits matches always. */
#define ALARM_ANY       BITS(7, 6)

#define BCD_TENS        BITS(7, 4)
#define BCD_ONES        BITS(3, 0)

struct date {
    unsigned year, month, day;          /* month and day from 1 */
};

static unsigned
decode(const uint8_t *cmos, uint8_t value)
{
    if (cmos[RTC_B] & RTC_B_BINARY)
        return value;
    return FIELD_GET(value, BCD_TENS) * 10 + FIELD_GET(value, BCD_ONES);
}

static uint8_t
encode(const uint8_t *cmos, unsigned value)
{
    if (cmos[RTC_B] & RTC_B_BINARY)
        return (uint8_t)value;
    return (uint8_t)(FIELD_SET(0, BCD_TENS, value / 10) | value % 10);
}

static unsigned
decode_hour(const uint8_t *cmos, uint8_t value)
{
    unsigned hour;

    if (cmos[RTC_B] & RTC_B_24_HOUR)
        return decode(cmos, value);
    hour = decode(cmos, value & (uint8_t)~HOUR_PM) % NOON;
    return value & HOUR_PM ? hour + NOON : hour;
}

static uint8_t
encode_hour(const uint8_t *cmos, unsigned hour)
{
    unsigned of_half = hour % NOON;

    if (cmos[RTC_B] & RTC_B_24_HOUR)
        return encode(cmos, hour);
    return (uint8_t)(encode(cmos, of_half == 0 ? NOON : of_half) |
                     (hour >= NOON ? HOUR_PM : 0));
}

/* Days before YEAR, which begins in March, and is biased. */
static uint64_t
days_before(unsigned year)
{
    return (uint64_t)year * DAYS_PER_YEAR + year / 4 -
           year / YEARS_PER_CENTURY + year / CYCLE_YEARS;
}

/* Days of the year before MONTH, which is 0 for March. */
static unsigned
days_before_month(unsigned month)
{
    return (153 * month + 2) / 5;
}

/* The number of a date; 0000-01-01 is 0. */
static uint64_t
day_number(struct date d)
{
    unsigned year = d.year + YEAR_BIAS - (d.month < MARCH);
    unsigned month = (d.month + MONTHS_PER_YEAR - MARCH) % MONTHS_PER_YEAR;

    return days_before(year) + days_before_month(month) + d.day - 1 +
           JAN_AND_FEB - CYCLE_DAYS;
}

static struct date
date_of(uint64_t number)
{
    uint64_t days = number + CYCLE_DAYS - JAN_AND_FEB;
    unsigned year = (unsigned)(days * CYCLE_YEARS / CYCLE_DAYS);
    unsigned day, month;

    while (days_before(year + 1) <= days)
        year++;
    while (days_before(year) > days)
        year--;
    day = (unsigned)(days - days_before(year));
    month = (5 * day + 2) / 153;
    day -= days_before_month(month);
    month = (month + MARCH - 1) % MONTHS_PER_YEAR + 1;
    return (struct date){ year - YEAR_BIAS + (month < MARCH), month, day + 1 };
}

uint64_t
vrtc_time_decode(const uint8_t *cmos)
{
    unsigned century = decode(cmos, cmos[RTC_CENTURY]) % YEARS_PER_CENTURY;
    unsigned year = decode(cmos, cmos[RTC_YEAR]) % YEARS_PER_CENTURY;
    unsigned month = decode(cmos, cmos[RTC_MONTH]);
    unsigned day = decode(cmos, cmos[RTC_DAY]);
    struct date d = {
        .year = century * YEARS_PER_CENTURY + year,
        .month = MIN(MAX(month, 1u), MONTHS_PER_YEAR),
        .day = MIN(MAX(day, 1u), DAYS_PER_MONTH),
    };

    return day_number(d) * SECONDS_PER_DAY +
           decode_hour(cmos, cmos[RTC_HOURS]) % HOURS_PER_DAY *
               SECONDS_PER_HOUR +
           decode(cmos, cmos[RTC_MINUTES]) % MINUTES_PER_HOUR *
               SECONDS_PER_MINUTE +
           decode(cmos, cmos[RTC_SECONDS]) % SECONDS_PER_MINUTE;
}

void
vrtc_time_encode(uint8_t *cmos, uint64_t seconds)
{
    uint64_t number = seconds / SECONDS_PER_DAY;
    unsigned second = (unsigned)(seconds % SECONDS_PER_DAY);
    struct date d = date_of(number);

    cmos[RTC_SECONDS] = encode(cmos, second % SECONDS_PER_MINUTE);
    cmos[RTC_MINUTES] = encode(cmos, second / SECONDS_PER_MINUTE %
                                         MINUTES_PER_HOUR);
    cmos[RTC_HOURS] = encode_hour(cmos, second / SECONDS_PER_HOUR);
    cmos[RTC_WEEKDAY] = (uint8_t)((number + FIRST_WEEKDAY) % DAYS_PER_WEEK +
                                  1);
    cmos[RTC_DAY] = encode(cmos, d.day);
    cmos[RTC_MONTH] = encode(cmos, d.month);
    cmos[RTC_YEAR] = encode(cmos, d.year % YEARS_PER_CENTURY);
    cmos[RTC_CENTURY] = encode(cmos, d.year % YEARS / YEARS_PER_CENTURY);
}

/* The chip compares what is in the registers, not what it means. */
static bool
matches(uint8_t alarm, uint8_t shown)
{
    return (alarm & ALARM_ANY) == ALARM_ANY || alarm == shown;
}

/* One of the three clocks of an alarm: hours, minutes or seconds. */
struct hand {
    enum rtc_register alarm;
    unsigned step;              /* seconds from one value to the next */
    unsigned values;
};

static const struct hand hands[] = {
    { RTC_HOURS_ALARM, SECONDS_PER_HOUR, HOURS_PER_DAY },
    { RTC_MINUTES_ALARM, SECONDS_PER_MINUTE, MINUTES_PER_HOUR },
    { RTC_SECONDS_ALARM, 1, SECONDS_PER_MINUTE },
};

static bool
hand_matches(const uint8_t *cmos, const struct hand *h, unsigned value)
{
    return matches(cmos[h->alarm], h->alarm == RTC_HOURS_ALARM ?
                                   encode_hour(cmos, value) :
                                   encode(cmos, value));
}

/* Does any value of the hand match?  Nonsense would be sought all day. */
static bool
can_match(const uint8_t *cmos, const struct hand *h)
{
    for (unsigned value = 0; value < h->values; value++)
        if (hand_matches(cmos, h, value))
            return true;
    return false;
}

/* How far on from SECOND of the day it is worth to look; 0: it matches. */
static unsigned
mismatch(const uint8_t *cmos, unsigned second)
{
    for (unsigned i = 0; i < ARRAY_LEN(hands); i++) {
        const struct hand *h = &hands[i];

        if (!hand_matches(cmos, h, second / h->step % h->values))
            return h->step - second % h->step;
    }
    return 0;
}

/*
 * In steps of an hour or minute where that does not match: at most a day's
 * hours, an hour's minutes and a minute's seconds, a few times.
 */
uint64_t
vrtc_time_next_alarm(const uint8_t *cmos, uint64_t seconds)
{
    uint64_t next = seconds + 1;
    unsigned step;

    for (unsigned i = 0; i < ARRAY_LEN(hands); i++)
        if (!can_match(cmos, &hands[i]))
            return VDEV_NEVER;
    while (next <= seconds + SECONDS_PER_DAY) {
        step = mismatch(cmos, (unsigned)(next % SECONDS_PER_DAY));
        if (step == 0)
            return next;
        next += step;
    }
    return VDEV_NEVER;
}
