/*
 * test_vrtc.c - vmm/dev/vrtc.c and vrtc_time.c: the calendar against the C
 * library's, setting as Linux does it, and each interrupt.
 */
#include "unit/test.h"

#include <time.h>

#include "kernel/base/bits.h"
#include "vmm/dev/vpic.h"
#include "vmm/dev/vrtc_int.h"

#define DATE            1700000000ull   /* 2023-11-14 22:13:20, a Tuesday */

#define B_SET           0x80
#define B_PIE           0x40
#define B_AIE           0x20
#define B_UIE           0x10
#define B_24            0x02
#define C_IRQF          0x80

static struct pio_bus bus;
static struct vpic pic;
static struct irq_lines lines;
static struct vrtc rtc;
static struct vclock clock_;

static void
out(unsigned reg, unsigned value)
{
    pio_bus_out(&bus, 0x70, 1, reg);
    pio_bus_out(&bus, 0x71, 1, value);
}

static unsigned
in(unsigned reg)
{
    pio_bus_out(&bus, 0x70, 1, reg);
    return pio_bus_in(&bus, 0x71, 1);
}

static void
pass(uint64_t ns)
{
    clock_.now += ns;
    vrtc_type.run(&rtc);
}

static bool
irq(void)
{
    return lines.held[IRQ_RTC] != 0;
}

/* Wait for the deadline; must be what we think it is, from now. */
static void
pass_to_deadline(uint64_t expected)
{
    uint64_t at = vrtc_type.deadline(&rtc);

    assert_true(at > clock_.now && at != VDEV_NEVER);
    assert_in_range(at - clock_.now, expected - MIN(expected, 1000),
                    expected + 1000);
    assert_false(irq());
    pass(at - clock_.now);
    assert_true(irq());
}

static int
setup(void **state)
{
    const struct vdev devices[] = {
        { &vpic_type, &pic }, { &irq_lines_type, &lines },
        { &vrtc_type, &rtc },
    };

    (void)state;
    clock_.now = 3 * NSEC_PER_SEC;
    clock_.wall_base = (DATE - 3) * NSEC_PER_SEC;
    pio_bus_init(&bus);
    vpic_init(&pic, &bus);
    irq_lines_init(&lines, &pic);
    vrtc_init(&rtc, &bus, &clock_,
              (struct irq_wire){ &lines, IRQ_RTC, IRQ_SOURCE_ISA });
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
        vdev_power_on(&devices[i]);
    return 0;
}

static void
expect_time(unsigned hours, unsigned minutes, unsigned seconds)
{
    assert_int_equal(in(RTC_HOURS), hours);
    assert_int_equal(in(RTC_MINUTES), minutes);
    assert_int_equal(in(RTC_SECONDS), seconds);
}

static void
test_time_goes_on(void **state)
{
    (void)state;
    expect_time(0x22, 0x13, 0x20);
    assert_int_equal(in(RTC_WEEKDAY), 3);
    assert_int_equal(in(RTC_DAY), 0x14);
    assert_int_equal(in(RTC_MONTH), 0x11);
    assert_int_equal(in(RTC_YEAR), 0x23);
    assert_int_equal(in(RTC_CENTURY), 0x20);
    assert_int_equal(in(RTC_D), 0x80);
    pass(NSEC_PER_SEC - 1);
    expect_time(0x22, 0x13, 0x20);
    pass(1);
    expect_time(0x22, 0x13, 0x21);
    pass(3 * 3600 * NSEC_PER_SEC);
    expect_time(0x01, 0x13, 0x21);
    assert_int_equal(in(RTC_DAY), 0x15);
}

/* Every day of ten centuries, and the formats. */
static void
test_calendar(void **state)
{
    static const uint8_t formats[] = { 0, B_24, RTC_B_BINARY,
                                       B_24 | RTC_B_BINARY };
    uint8_t cmos[VRTC_CMOS_SIZE] = { 0 };
    struct test_random rnd = { 5 };

    (void)state;
    for (uint64_t day = 0; day < 365 * 1000; day++) {
        uint64_t second = day * 86400 + test_random_below(&rnd, 86400);
        time_t unix_second = (time_t)second;
        struct tm tm;

        if ((uint64_t)unix_second != second ||
            (sizeof(time_t) == 4 && second > INT32_MAX))
            break;
        gmtime_r(&unix_second, &tm);
        cmos[RTC_B] = RTC_B_BINARY | B_24;
        vrtc_time_encode(cmos, SECONDS_1970 + second);
        assert_int_equal(cmos[RTC_YEAR], tm.tm_year % 100);
        assert_int_equal(cmos[RTC_CENTURY], 19 + tm.tm_year / 100);
        assert_int_equal(cmos[RTC_MONTH], tm.tm_mon + 1);
        assert_int_equal(cmos[RTC_DAY], tm.tm_mday);
        assert_int_equal(cmos[RTC_WEEKDAY], tm.tm_wday + 1);
        assert_int_equal(cmos[RTC_HOURS], tm.tm_hour);
        assert_int_equal(cmos[RTC_MINUTES], tm.tm_min);
        assert_int_equal(cmos[RTC_SECONDS], tm.tm_sec);
        cmos[RTC_B] = formats[day % ARRAY_LEN(formats)];
        vrtc_time_encode(cmos, SECONDS_1970 + second);
        assert_true(vrtc_time_decode(cmos) == SECONDS_1970 + second);
    }
    cmos[RTC_B] = B_24;
    for (uint64_t s = 0; s < SECONDS_1970 * 5; s += 86400 * 97 + 1) {
        vrtc_time_encode(cmos, s);
        assert_true(vrtc_time_decode(cmos) == s);
    }
}

static void
test_12_hours(void **state)
{
    static const uint8_t shown[24] = {
        0x12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x10, 0x11, 0x92, 0x81, 0x82,
        0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91 };

    (void)state;
    out(RTC_B, B_24);
    out(RTC_HOURS, 0);
    out(RTC_B, 0);
    out(RTC_HOURS, 0x12);
    out(RTC_SECONDS, 0x00);
    for (unsigned hour = 0; hour < 48; hour++) {
        assert_int_equal(in(RTC_HOURS), shown[hour % 24]);
        pass(3600 * NSEC_PER_SEC);
    }
}

/* As Linux sets it: stop, hold the divider, write, let go. */
static void
test_setting(void **state)
{
    unsigned b = in(RTC_B), a = in(RTC_A);

    (void)state;
    pass(300 * NSEC_PER_MSEC);
    out(RTC_B, b | B_SET);
    out(RTC_A, a | 0x70);
    out(RTC_YEAR, 0x99);
    out(RTC_CENTURY, 0x19);
    out(RTC_MONTH, 0x12);
    out(RTC_DAY, 0x31);
    out(RTC_HOURS, 0x23);
    out(RTC_MINUTES, 0x59);
    out(RTC_SECONDS, 0x59);
    pass(10 * NSEC_PER_SEC);
    expect_time(0x23, 0x59, 0x59);
    out(RTC_B, b);
    pass(10 * NSEC_PER_SEC);
    expect_time(0x23, 0x59, 0x59);
    out(RTC_A, a);
    pass(500 * NSEC_PER_MSEC - 1);
    expect_time(0x23, 0x59, 0x59);
    pass(1);
    expect_time(0, 0, 0);
    assert_int_equal(in(RTC_CENTURY), 0x20);
    assert_int_equal(in(RTC_YEAR), 0);
    assert_int_equal(in(RTC_DAY), 1);
    assert_int_equal(in(RTC_MONTH), 1);
    /* A reset of the board does not touch the time. */
    vdev_reset(&(struct vdev){ &vrtc_type, &rtc });
    pass(2 * NSEC_PER_SEC);
    expect_time(0, 0, 2);
    /* SET alone keeps the phase of the second. */
    pass(400 * NSEC_PER_MSEC);
    out(RTC_B, b | B_SET);
    out(RTC_SECONDS, 0x30);
    pass(5 * NSEC_PER_SEC + 100 * NSEC_PER_MSEC);
    out(RTC_B, b);
    pass(500 * NSEC_PER_MSEC - 1);
    assert_int_equal(in(RTC_SECONDS), 0x30);
    pass(1);
    assert_int_equal(in(RTC_SECONDS), 0x31);
}

static void
test_update_in_progress(void **state)
{
    (void)state;
    assert_int_equal(in(RTC_A), 0x26);
    pass(NSEC_PER_SEC - 2229 * NSEC_PER_USEC);
    assert_int_equal(in(RTC_A), 0x26);
    pass(2 * NSEC_PER_USEC);
    assert_int_equal(in(RTC_A), 0xa6);
    pass(2227 * NSEC_PER_USEC);
    assert_int_equal(in(RTC_A), 0x26);
    out(RTC_B, B_SET | B_24);
    for (unsigned i = 0; i < 1000; i++) {
        pass(NSEC_PER_MSEC);
        assert_int_equal(in(RTC_A), 0x26);
    }
    out(RTC_A, 0xff);
    assert_int_equal(in(RTC_A), 0x7f);
}

static void
test_update_interrupt(void **state)
{
    (void)state;
    in(RTC_C);
    out(RTC_B, B_24 | B_UIE);
    pass(100);
    pass_to_deadline(NSEC_PER_SEC - 100);
    assert_true(vrtc_type.deadline(&rtc) == VDEV_NEVER);
    assert_int_equal(in(RTC_C) & ~0x40u, C_IRQF | 0x10);
    assert_false(irq());
    assert_int_equal(in(RTC_C), 0);
    pass_to_deadline(NSEC_PER_SEC);
    /* Polled: the flag comes without the interrupt. */
    out(RTC_B, B_24);
    assert_false(irq());
    in(RTC_C);
    pass(NSEC_PER_SEC);
    assert_false(irq());
    assert_int_equal(in(RTC_C) & 0x90, 0x10);
    /* SET clears the enable. */
    out(RTC_B, B_24 | B_UIE);
    out(RTC_B, B_24 | B_UIE | B_SET);
    assert_int_equal(in(RTC_B), B_24 | B_SET);
}

static void
test_alarm(void **state)
{
    (void)state;
    out(RTC_HOURS_ALARM, 0x22);
    out(RTC_MINUTES_ALARM, 0x14);
    out(RTC_SECONDS_ALARM, 0x05);
    in(RTC_C);
    out(RTC_B, B_24 | B_AIE);
    pass_to_deadline(45 * NSEC_PER_SEC);
    expect_time(0x22, 0x14, 0x05);
    assert_int_equal(in(RTC_C) & 0xa0, C_IRQF | 0x20);
    pass_to_deadline(86400 * NSEC_PER_SEC);
    in(RTC_C);
    out(RTC_HOURS_ALARM, 0xff);         /* every hour */
    pass_to_deadline(3600 * NSEC_PER_SEC);
    in(RTC_C);
    out(RTC_MINUTES_ALARM, 0xc0);       /* every minute */
    pass_to_deadline(60 * NSEC_PER_SEC);
    in(RTC_C);
    out(RTC_SECONDS_ALARM, 0xc5);       /* every second */
    pass_to_deadline(NSEC_PER_SEC);
    in(RTC_C);
    /* Not a time: never. */
    out(RTC_SECONDS_ALARM, 0x60);
    assert_true(vrtc_type.deadline(&rtc) == VDEV_NEVER);
    pass(100000 * NSEC_PER_SEC);
    assert_false(irq());
    out(RTC_SECONDS_ALARM, 0x00);
    out(RTC_HOURS_ALARM, 0x3a);
    assert_true(vrtc_type.deadline(&rtc) == VDEV_NEVER);
}

static void
test_periodic(void **state)
{
    (void)state;
    for (unsigned rate = 1; rate < 16; rate++) {
        unsigned hz = rate < 3 ? 512 >> rate : 65536 >> rate;

        out(RTC_A, 0x20 | rate);
        out(RTC_B, B_24 | B_PIE);
        for (unsigned i = 0; i < 5; i++) {
            pass(vrtc_type.deadline(&rtc) - clock_.now);
            assert_true(irq());
            assert_int_equal(in(RTC_C) & 0xc0, 0xc0);
            if (i > 0)
                assert_in_range(vrtc_type.deadline(&rtc) - clock_.now,
                                NSEC_PER_SEC / hz - 1000,
                                NSEC_PER_SEC / hz + 1000);
        }
        out(RTC_B, B_24);
        in(RTC_C);
    }
    out(RTC_A, 0x20);
    out(RTC_B, B_24 | B_PIE);
    assert_true(vrtc_type.deadline(&rtc) == VDEV_NEVER);
}

/* 100 periods pass unseen; they come one by one, and years do not. */
static void
test_catch_up(void **state)
{
    unsigned count = 0;

    (void)state;
    out(RTC_A, 0x26);
    in(RTC_C);
    out(RTC_B, B_24 | B_PIE);
    in(RTC_C);
    pass(100 * NSEC_PER_SEC / 1024);
    while (irq()) {
        count++;
        in(RTC_C);
        if (rtc.backlog == 0)
            break;
        pass(vrtc_type.deadline(&rtc) - clock_.now);
        assert_true(count < 1000);
    }
    assert_in_range(count, 150, 201);
    in(RTC_C);
    pass(NSEC_PER_SEC * 86400 * 365);
    assert_int_equal(rtc.backlog, 1024);
    out(RTC_B, B_24);
    assert_int_equal(rtc.backlog, 0);
}

static void
test_memory_and_nmi(void **state)
{
    (void)state;
    for (unsigned reg = 0x0e; reg < VRTC_CMOS_SIZE; reg++)
        if (reg != RTC_CENTURY)
            out(reg, reg ^ 0x5a);
    vdev_reset(&(struct vdev){ &vrtc_type, &rtc });
    for (unsigned reg = 0x0e; reg < VRTC_CMOS_SIZE; reg++)
        if (reg != RTC_CENTURY)
            assert_int_equal(in(reg), reg ^ 0x5a);
    assert_int_equal(pio_bus_in(&bus, 0x70, 1), 0xff);
    assert_false(vrtc_is_nmi_masked(&rtc));
    assert_int_equal(in(0x80 | 0x0f), 0x0f ^ 0x5a);
    assert_true(vrtc_is_nmi_masked(&rtc));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_time_goes_on, setup),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test_setup(test_12_hours, setup),
        cmocka_unit_test_setup(test_setting, setup),
        cmocka_unit_test_setup(test_update_in_progress, setup),
        cmocka_unit_test_setup(test_update_interrupt, setup),
        cmocka_unit_test_setup(test_alarm, setup),
        cmocka_unit_test_setup(test_periodic, setup),
        cmocka_unit_test_setup(test_catch_up, setup),
        cmocka_unit_test_setup(test_memory_and_nmi, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
