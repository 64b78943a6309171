/*
 * rtc.c - the MC146818: time in its four formats, updates, and interrupts.
 *
 * MC146818A data sheet, "Time, calendar and alarm locations", "Update cycle",
 * "Interrupts", "Registers"; 82371AB 4.2.5 for the ports.  Seconds are waited
 * for by HLT; nothing is said about when an emulator begins one.
 */
#include "guest/devices.h"

#define SECONDS         0x00
#define SECONDS_ALARM   0x01
#define MINUTES         0x02
#define MINUTES_ALARM   0x03
#define HOURS           0x04
#define HOURS_ALARM     0x05
#define DAY             0x07
#define MONTH           0x08
#define YEAR            0x09
#define RTC_A           0x0a
#define RTC_B           0x0b
#define RTC_C           0x0c
#define RTC_D           0x0d
#define CMOS_RAM        0x60            /* a byte of nobody's */

#define A_UIP           BIT(7)
#define A_RATE_8K       0x23            /* with the usual divider */
#define A_RATE_4        0x2e
#define B_SET           BIT(7)
#define B_PIE           BIT(6)
#define B_AIE           BIT(5)
#define B_UIE           BIT(4)
#define B_BINARY        BIT(2)
#define B_24_HOUR       BIT(1)
#define C_IRQF          BIT(7)
#define C_PF            BIT(6)
#define C_AF            BIT(5)
#define C_UF            BIT(4)
#define D_VRT           BIT(7)
#define ALARM_ANY       0xff
#define TICKS_MAX       70              /* of 55 ms */
#define VEC_RTC         (VEC_IRQ0 + IRQ_RTC)

static void
stop_interrupts(void)
{
    rtc_write(RTC_B, B_24_HOUR);
    (void)rtc_read(RTC_C);
    out8(PIC2, OCW2_EOI);
    out8(PIC1, OCW2_EOI);
}

/* The clock's interrupt comes for what ENABLES of register B say. */
static void
start_interrupts(uint8_t enables)
{
    stop_interrupts();
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_CASCADE));
    out8(PIC2 + 1, (uint8_t)~BIT(IRQ_RTC - 8));
    rtc_write(RTC_B, B_24_HOUR | enables);
}

/* Sleep until the clock's interrupt; the timer's ticks tell when to give up. */
static bool
wait_rtc(void)
{
    uint32_t vector = VEC_DONE;

    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(2), 0);
    out8(PIC1 + 1, (uint8_t)~(BIT(IRQ_TIMER) | BIT(IRQ_CASCADE)));
    for (unsigned n = 0; n < TICKS_MAX && vector != VEC_RTC; n++) {
        vector = vector_waited_for();
        if (vector != VEC_RTC)
            out8(PIC1, OCW2_EOI);
    }
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_CASCADE));
    return vector == VEC_RTC;
}

/* Hours, minutes, seconds, as they stand in the registers. */
static uint32_t
time_now(void)
{
    return (uint32_t)rtc_read(HOURS) << 16 | (uint32_t)rtc_read(MINUTES) << 8 |
           rtc_read(SECONDS);
}

/* The time is HH:MM:SS of 1999-12-31, in FORMAT of register B. */
static void
set_time(uint8_t format, uint32_t time)
{
    bool is_binary = (format & B_BINARY) != 0;

    rtc_write(RTC_B, B_SET | format);
    rtc_write(HOURS, (uint8_t)(time >> 16));
    rtc_write(MINUTES, (uint8_t)(time >> 8));
    rtc_write(SECONDS, (uint8_t)time);
    rtc_write(DAY, is_binary ? 31 : 0x31);
    rtc_write(MONTH, is_binary ? 12 : 0x12);
    rtc_write(YEAR, is_binary ? 99 : 0x99);
    rtc_write(RTC_B, format);
}

/* Sleep until the end of an update, and leave the format as it is. */
static void
wait_update(uint8_t format)
{
    (void)rtc_read(RTC_C);
    rtc_write(RTC_B, format | B_UIE);
    (void)wait_rtc();
    rtc_write(RTC_B, format);
    (void)rtc_read(RTC_C);
    out8(PIC2, OCW2_EOI);
    out8(PIC1, OCW2_EOI);
}

/* The second after TIME; again if more than one has passed. */
static uint32_t
second_after(uint8_t format, uint32_t time, uint32_t expected)
{
    uint32_t found = 0;

    for (unsigned tries = 0; tries < 3 && found != expected; tries++) {
        set_time(format, time);
        wait_update(format);
        found = time_now();
    }
    return found;
}

static void
check_memory(void)
{
    uint8_t ram = rtc_read(CMOS_RAM);

    check("the battery is good", rtc_read(RTC_D) & D_VRT, D_VRT);
    rtc_write(CMOS_RAM, ram ^ UINT8_MAX);
    check("CMOS RAM", rtc_read(CMOS_RAM), ram ^ UINT8_MAX);
    out8(RTC_INDEX, 0x80 | CMOS_RAM);
    check("the NMI mask is no part of the index", in8(RTC_DATA),
          ram ^ UINT8_MAX);
    rtc_write(CMOS_RAM, ram);
    rtc_write(RTC_D, 0);
    check("register D cannot be written", rtc_read(RTC_D) & D_VRT, D_VRT);
}

static void
check_periodic(void)
{
    uint8_t a = rtc_read(RTC_A) & (uint8_t)~A_UIP;

    rtc_write(RTC_A, A_RATE_8K);
    start_interrupts(B_PIE);
    check("a periodic interrupt waits", pic_wait(PIC2, IRQ_RTC - 8), true);
    check("its vector", vector_taken(), VEC_RTC);
    check("in service at the master", pic_read(PIC1, OCW3_READ_ISR),
          BIT(IRQ_CASCADE));
    check("in service at the slave", pic_read(PIC2, OCW3_READ_ISR),
          BIT(IRQ_RTC - 8));
    check("register C tells why", rtc_read(RTC_C) & (C_PF | C_IRQF),
          C_PF | C_IRQF);
    stop_interrupts();
    check("register C is clear when it was read", rtc_read(RTC_C) & C_IRQF, 0);
    pass_time(2000);
    check("the flag comes without the interrupt", rtc_read(RTC_C) &
          (C_PF | C_IRQF), C_PF);
    rtc_write(RTC_A, A_RATE_4);
    start_interrupts(B_PIE);
    check("HLT until the next", wait_rtc(), true);
    stop_interrupts();
    rtc_write(RTC_A, a);
}

static void
check_updates(void)
{
    start_interrupts(B_UIE);
    check("an update ends", wait_rtc(), true);
    check("UIP: not behind it", rtc_read(RTC_A) & A_UIP, 0);
    check("register C: UF", rtc_read(RTC_C) & (C_UF | C_IRQF), C_UF | C_IRQF);
    stop_interrupts();
    rtc_write(RTC_B, B_24_HOUR | B_UIE);
    rtc_write(RTC_B, B_24_HOUR | B_UIE | B_SET);
    check("SET clears UIE", rtc_read(RTC_B), B_24_HOUR | B_SET);
    rtc_write(SECONDS, 0x30);
    check("SET: the registers stand still", rtc_read(SECONDS), 0x30);
    check("SET: no update is in progress", rtc_read(RTC_A) & A_UIP, 0);
    stop_interrupts();
}

/* UIP is there for 2 ms before a second is over, and never behind its end. */
static void
check_uip(void)
{
    bool is_seen = false;
    uint8_t a = rtc_read(RTC_A) & (uint8_t)~A_UIP;

    rtc_write(RTC_A, A_RATE_8K);
    for (unsigned n = 0; n < 2 * 8192 && !is_seen; n++) {
        start_interrupts(B_PIE);
        (void)wait_rtc();
        is_seen = (rtc_read(RTC_A) & A_UIP) != 0;
    }
    stop_interrupts();
    rtc_write(RTC_A, a);
    check("UIP announces the update", is_seen, true);
}

static uint32_t
alarm_cause(uint8_t hours, uint8_t minutes, uint8_t seconds)
{
    uint32_t cause;

    stop_interrupts();
    set_time(B_24_HOUR, 0x235958);
    rtc_write(HOURS_ALARM, hours);
    rtc_write(MINUTES_ALARM, minutes);
    rtc_write(SECONDS_ALARM, seconds);
    start_interrupts(B_AIE);
    (void)wait_rtc();
    cause = rtc_read(RTC_C) & (C_IRQF | C_AF);
    stop_interrupts();
    return cause;
}

static void
check_alarm(void)
{
    check("alarm at midnight", alarm_cause(0, 0, 0), C_IRQF | C_AF);
    check("midnight", time_now() < 0x10, true);
    check("a new century's first day", rtc_read(DAY), 1);
    check("its month", rtc_read(MONTH), 1);
    check("its year", rtc_read(YEAR), 0);
    check("alarm at any second", alarm_cause(ALARM_ANY, ALARM_ANY, ALARM_ANY),
          C_IRQF | C_AF);
}

static void
check_formats(void)
{
    start_interrupts(0);
    check("binary, 24 hours", second_after(B_24_HOUR | B_BINARY, 0x0c3b3b,
                                           0x0d0000), 0x0d0000);
    check("BCD, 12 hours: noon", second_after(0, 0x115959, 0x920000),
          0x920000);
    check("binary, 12 hours: midnight", second_after(B_BINARY, 0x8b3b3b,
                                                     0x0c0000), 0x0c0000);
}

TOPIC(rtc)
{
    uint8_t b = rtc_read(RTC_B);

    check_memory();
    check_periodic();
    check_updates();
    check_uip();
    check_alarm();
    check_formats();
    rtc_write(RTC_B, b);
    (void)rtc_read(RTC_C);
}
