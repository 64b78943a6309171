/*
 * units.c - sizes, times and dates as people read them (units.h).
 *
 * Pure.
 */
#include "console/units.h"

#include "kernel/base/format.h"

#define STEP            1024u       /* from one unit of size to the next */
#define TENTHS_BELOW    10u         /* smaller numbers get a decimal */
#define MINUTE          60u
#define HOUR            (60u * MINUTE)
#define DAY             (24u * HOUR)

const char *
units_bytes(char *buf, uint64_t bytes)
{
    static const char *const names[] = { "B", "KB", "MB", "GB", "TB", "PB" };
    unsigned unit = 0;
    uint64_t whole = bytes, tenths = 0;

    /* Rounded down, so that what is free never looks more than it is. */
    while (whole >= STEP && unit + 1 < ARRAY_LEN(names)) {
        tenths = whole % STEP * 10 / STEP;
        whole /= STEP;
        unit++;
    }
    if (tenths > 0 && whole < TENTHS_BELOW)
        format_buf(buf, UNITS_SIZE, "%llu.%llu %s",
                   (unsigned long long)whole, (unsigned long long)tenths,
                   names[unit]);
    else
        format_buf(buf, UNITS_SIZE, "%llu %s", (unsigned long long)whole,
                   names[unit]);
    return buf;
}

/* The time of the day, HH:MM:SS. */
static void
format_clock(char *buf, size_t size, unsigned seconds)
{
    format_buf(buf, size, "%02u:%02u:%02u", seconds / HOUR,
               seconds % HOUR / MINUTE, seconds % MINUTE);
}

const char *
units_duration(char *buf, uint64_t ns)
{
    uint64_t seconds = ns / NSEC_PER_SEC;
    unsigned days = (unsigned)(seconds / DAY);
    size_t used = 0;

    if (days > 0)
        used = format_buf(buf, UNITS_SIZE, "%u day%s ", days,
                          days == 1 ? "" : "s");
    format_clock(buf + used, UNITS_SIZE - used, (unsigned)(seconds % DAY));
    return buf;
}

const char *
units_seconds(char *buf, uint64_t ns)
{
    format_buf(buf, UNITS_SIZE, "%5llu.%06llu",
               (unsigned long long)(ns / NSEC_PER_SEC),
               (unsigned long long)(ns % NSEC_PER_SEC / NSEC_PER_USEC));
    return buf;
}

static bool
is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Take whole years, then whole months, off the days since 1970-01-01. */
const char *
units_date(char *buf, uint64_t seconds)
{
    static const uint8_t lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    unsigned days = (unsigned)(seconds / DAY);
    unsigned year = 1970, month = 0, length;
    size_t used;

    for (; days >= (length = is_leap(year) ? 366 : 365); year++)
        days -= length;
    for (;; month++) {
        length = lengths[month] + (month == 1 && is_leap(year) ? 1u : 0u);
        if (days < length)
            break;
        days -= length;
    }
    used = format_buf(buf, UNITS_SIZE, "%04u-%02u-%02u ", year, month + 1,
                      days + 1);
    format_clock(buf + used, UNITS_SIZE - used, (unsigned)(seconds % DAY));
    return buf;
}

const char *
units_permille(char *buf, unsigned permille)
{
    format_buf(buf, UNITS_SIZE, "%u.%u %%", permille / 10, permille % 10);
    return buf;
}
