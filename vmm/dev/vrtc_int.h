/*
 * vrtc_int.h - between the clock's registers (vrtc.c) and what they mean
 * (vrtc_time.c).
 *
 * Time is in seconds since the first day of year 0 of the Gregorian calendar:
 * all that the registers can hold, without a sign.
 */
#ifndef VMM_DEV_VRTC_INT_H
#define VMM_DEV_VRTC_INT_H

#include "kernel/base/bits.h"
#include "vmm/dev/vrtc.h"

enum rtc_register {
    RTC_SECONDS = 0x00,
    RTC_SECONDS_ALARM = 0x01,
    RTC_MINUTES = 0x02,
    RTC_MINUTES_ALARM = 0x03,
    RTC_HOURS = 0x04,
    RTC_HOURS_ALARM = 0x05,
    RTC_WEEKDAY = 0x06,         /* Sunday is 1 */
    RTC_DAY = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_CENTURY = 0x32,
};

#define RTC_B_24_HOUR   BIT(1)          /* else 12, with PM in bit 7 */
#define RTC_B_BINARY    BIT(2)          /* else BCD */

#define SECONDS_1970    62167219200ull  /* from year 0 to then */
#define SECONDS_PER_DAY 86400u

/* What the registers say; nonsense is brought into its range. */
uint64_t vrtc_time_decode(const uint8_t *cmos);

/* Make the registers say SECONDS, in the format of register B. */
void vrtc_time_encode(uint8_t *cmos, uint64_t seconds);

/* The first second after SECONDS that the alarm matches; or VDEV_NEVER. */
uint64_t vrtc_time_next_alarm(const uint8_t *cmos, uint64_t seconds);

#endif
