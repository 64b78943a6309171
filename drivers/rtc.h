/*
 * rtc.h - the battery-backed clock of the PC (Motorola MC146818A data sheet),
 * taken to hold UTC.
 */
#ifndef DRIVERS_RTC_H
#define DRIVERS_RTC_H

#include "drivers/rtc_time.h"

/* Where ACPI's FADT says that the century is kept, or 0. */
void rtc_init(uint8_t century_register);

/*
 * Read the date and time.  Takes some ms at most.  ERR_NO_DEVICE, ERR_TIMEOUT,
 * ERR_CORRUPT.  Any context but NMI; needs clock.h.
 */
MUST_CHECK status_t rtc_read(struct rtc_time *time);

#endif
