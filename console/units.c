/*
 * units.c - sizes and times as people read them (units.h).
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

const char *
units_duration(char *buf, uint64_t ns)
{
    uint64_t seconds = ns / NSEC_PER_SEC;
    unsigned days = (unsigned)(seconds / DAY);
    unsigned rest = (unsigned)(seconds % DAY);
    size_t used = 0;

    if (days > 0)
        used = format_buf(buf, UNITS_SIZE, "%u day%s ", days,
                          days == 1 ? "" : "s");
    format_buf(buf + used, UNITS_SIZE - used, "%02u:%02u:%02u", rest / HOUR,
               rest % HOUR / MINUTE, rest % MINUTE);
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

const char *
units_permille(char *buf, unsigned permille)
{
    format_buf(buf, UNITS_SIZE, "%u.%u %%", permille / 10, permille % 10);
    return buf;
}
