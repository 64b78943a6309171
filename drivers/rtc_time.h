/*
 * rtc_time.h - what the registers of the real-time clock mean, and the
 * calendar.  Pure; drivers/rtc.c reads the chip.
 */
#ifndef DRIVERS_RTC_TIME_H
#define DRIVERS_RTC_TIME_H

#include "kernel/base/status.h"

/* Broken-down time of the Gregorian calendar, UTC. */
struct rtc_time {
    unsigned year;              /* in full */
    unsigned month, day;        /* from 1 */
    unsigned hour, minute, second;
};

/* Registers as read (Motorola MC146818A data sheet, table 3). */
struct rtc_raw {
    uint8_t second, minute, hour, day, month, year;
    uint8_t century;            /* meaningful only if has_century */
    uint8_t status_b;
    bool has_century;
};

#define RTC_B_24_HOURS  0x02u   /* status B: else 12, with PM in bit 7 */
#define RTC_B_BINARY    0x04u   /* else BCD */

/*
 * ERR_CORRUPT where the registers hold no date and time.  Without a century, or
 * with a nonsensical one, two-digit years are 1970 to 2069.
 */
MUST_CHECK status_t rtc_decode(const struct rtc_raw *raw,
                               struct rtc_time *time);

/* Seconds since 1970-01-01 00:00:00; TIME is a valid one from then on. */
uint64_t rtc_to_seconds(const struct rtc_time *time);

void rtc_from_seconds(uint64_t seconds, struct rtc_time *time);

#endif
