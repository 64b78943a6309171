/*
 * rtc.c - reads the real-time clock (rtc.h).
 *
 * Once a second the chip updates its registers, for up to 2.2 ms, and says so
 * in UIP beforehand.  A reader that is held up after looking at UIP may still
 * get half of the old time and half of the new one; so everything is read
 * until two readings agree.
 *
 * rtc_lock makes one operation of the index and the data port.
 */
#include "drivers/rtc.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/x86/cpu.h"

#define CMOS_INDEX      0x70u           /* bit 7 set would mask NMI */
#define CMOS_DATA       0x71u
#define CMOS_SIZE       128u

enum rtc_reg {
    RTC_SECONDS = 0,
    RTC_MINUTES = 2,
    RTC_HOURS = 4,
    RTC_DAY = 7,
    RTC_MONTH = 8,
    RTC_YEAR = 9,
    RTC_STATUS_A = 10,
    RTC_STATUS_B = 11,
    RTC_STATUS_D = 13
};

#define STATUS_A_UIP    BIT(7)
#define STATUS_ABSENT   0xffu

#define LOOK_US         10u
#define LOOKS           1000u           /* 10 ms: an update and then some */
#define READINGS        5u

static struct lock rtc_lock = LOCK_INIT("rtc", RANK_CHIP);
static uint8_t century_reg;             /* 0: there is none */

/* Only a register of the memory part can be it: tables may say anything. */
void
rtc_init(uint8_t century_register)
{
    if (century_register > RTC_STATUS_D && century_register < CMOS_SIZE)
        century_reg = century_register;
}

static uint8_t
cmos_read(uint8_t reg)
{
    uint8_t value;

    lock_acquire(&rtc_lock);
    out8(CMOS_INDEX, reg);
    value = in8(CMOS_DATA);
    lock_release(&rtc_lock);
    return value;
}

static bool
wait_no_update(void)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        if (!(cmos_read(RTC_STATUS_A) & STATUS_A_UIP))
            return true;
        clock_delay_us(LOOK_US);
    }
    return false;
}

static void
read_raw(struct rtc_raw *raw)
{
    /* Cleared with its padding: two of them are compared as bytes. */
    memset(raw, 0, sizeof(*raw));
    raw->second = cmos_read(RTC_SECONDS);
    raw->minute = cmos_read(RTC_MINUTES);
    raw->hour = cmos_read(RTC_HOURS);
    raw->day = cmos_read(RTC_DAY);
    raw->month = cmos_read(RTC_MONTH);
    raw->year = cmos_read(RTC_YEAR);
    raw->status_b = cmos_read(RTC_STATUS_B);
    raw->has_century = century_reg != 0;
    if (raw->has_century)
        raw->century = cmos_read(century_reg);
}

status_t
rtc_read(struct rtc_time *time)
{
    struct rtc_raw raw, again;

    if (cmos_read(RTC_STATUS_A) == STATUS_ABSENT &&
        cmos_read(RTC_STATUS_B) == STATUS_ABSENT)
        return TRACE_ERR(ERR_NO_DEVICE);
    for (unsigned i = 0; i < READINGS; i++) {
        if (!wait_no_update())
            return TRACE_ERR(ERR_TIMEOUT);
        read_raw(&raw);
        read_raw(&again);
        if (memcmp(&raw, &again, sizeof(raw)) == 0)
            return rtc_decode(&raw, time);
    }
    return TRACE_ERR(ERR_TIMEOUT);
}
