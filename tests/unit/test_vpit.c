/*
 * test_vpit.c - vmm/dev/vpit.c and vpit_counter.c: the waveforms of the data
 * sheet's figures 15 to 20, reading, and the interrupts when time jumps.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/dev/vpic.h"
#include "vmm/dev/vpit_int.h"

#define CONTROL         0x43
#define NSC             0x61
#define MODE(n, mode)   ((n) << 6 | 0x30 | (mode) << 1)
#define MODE_LOW(n, mode) ((n) << 6 | 0x10 | (mode) << 1)
#define LATCH(n)        ((n) << 6)

static struct pio_bus bus;
static struct vpic pic;
static struct irq_lines lines;
static struct vpit pit;
static struct vclock clock_;
static uint64_t ticks;

static void
out(uint16_t port, unsigned value)
{
    pio_bus_out(&bus, port, 1, value);
}

static uint8_t
in(uint16_t port)
{
    return (uint8_t)pio_bus_in(&bus, port, 1);
}

static void
pass(uint64_t periods)
{
    ticks += periods;
    clock_.now = vclock_time_of(ticks, VPIT_HZ);
    vpit_type.run(&pit);
}

static void
write_count(unsigned counter, unsigned count)
{
    out((uint16_t)(0x40 + counter), count & 0xff);
    out((uint16_t)(0x40 + counter), count >> 8);
}

static unsigned
read_count(unsigned counter)
{
    unsigned low;

    out(CONTROL, LATCH(counter));
    low = in((uint16_t)(0x40 + counter));
    return low | (unsigned)in((uint16_t)(0x40 + counter)) << 8;
}

static bool
speaker(void)
{
    return (in(NSC) & 0x20) != 0;
}

/* Is there a tick to take?  Takes it. */
static bool
tick(void)
{
    if (!vpic_is_pending(&pic))
        return false;
    vpic_acknowledge(&pic);
    pio_bus_out(&bus, 0x20, 1, 0x20);
    return true;
}

static int
setup(void **state)
{
    const struct vdev devices[] = {
        { &vpic_type, &pic }, { &irq_lines_type, &lines },
        { &vpit_type, &pit },
    };

    (void)state;
    ticks = 1000000;
    clock_.now = vclock_time_of(ticks, VPIT_HZ);
    pio_bus_init(&bus);
    vpic_init(&pic, &bus);
    irq_lines_init(&lines, &pic);
    vpit_init(&pit, &bus, &clock_,
              (struct irq_wire){ &lines, IRQ_TIMER, IRQ_SOURCE_ISA });
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
        vdev_power_on(&devices[i]);
    return 0;
}

/* OUT of the speaker's counter, one character per period: "-" high. */
static void
expect_wave(const char *wave)
{
    for (const char *w = wave; *w != '\0'; w++) {
        if (speaker() != (*w == '-'))
            fail_msg("at %u of %s", (unsigned)(w - wave), wave);
        pass(1);
    }
}

static void
test_clock_arithmetic(void **state)
{
    static const uint32_t rates[] = { VPIT_HZ, 3579545, 32768, 1, 16000000 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rates); i++)
        for (uint64_t n = 1; n < UINT64_MAX / MB(1); n = n * 3 + 1) {
            uint64_t at = vclock_time_of(n, rates[i]);

            if (at == VDEV_NEVER)
                break;
            assert_true(vclock_periods(at, rates[i]) == n);
            assert_true(vclock_periods(at - 1, rates[i]) == n - 1);
        }
    assert_true(vclock_time_of(UINT64_MAX, 1) == VDEV_NEVER);
}

/* Periods count from the write; the count is loaded with the first. */
static void
test_mode_0(void **state)
{
    (void)state;
    out(NSC, 1);
    out(CONTROL, MODE_LOW(2, 0));
    assert_false(speaker());
    out(0x42, 4);
    expect_wave("_____---");
    /* A new count starts again; the gate stops. */
    out(0x42, 3);
    expect_wave("__");
    out(NSC, 0);
    expect_wave("______");
    assert_int_equal(in(0x42), 2);
    out(NSC, 1);
    expect_wave("__-");
    /* Past the end it goes on counting. */
    assert_int_equal(in(0x42), 0xff);
    /* The first byte of two stops it. */
    out(CONTROL, MODE(2, 0));
    write_count(2, 2);
    expect_wave("___--");
    out(0x42, 2);
    expect_wave("_____");
    out(0x42, 0);
    expect_wave("___-");
}

static void
test_mode_1(void **state)
{
    (void)state;
    out(CONTROL, MODE_LOW(2, 1));
    out(0x42, 3);
    expect_wave("-----");
    out(NSC, 1);
    expect_wave("____--");
    /* Retriggered in the middle; a new count waits for a trigger. */
    out(NSC, 0);
    out(NSC, 1);
    expect_wave("__");
    out(0x42, 2);
    expect_wave("__-");
    out(NSC, 0);
    out(NSC, 1);
    expect_wave("___-");
}

static void
test_mode_2(void **state)
{
    (void)state;
    out(NSC, 1);
    out(CONTROL, MODE_LOW(2, 2));
    assert_true(speaker());
    out(0x42, 3);
    expect_wave("---_--_--_-");
    /* Written within a period: from the next on. */
    out(0x42, 4);
    expect_wave("-_---_---_");
    /* The gate: high at once, and afresh when it rises. */
    pass(3);
    assert_false(speaker());
    out(NSC, 0);
    expect_wave("-----");
    out(NSC, 1);
    expect_wave("----_---_");
    /* Mode 6 is mode 2. */
    out(CONTROL, MODE_LOW(2, 6));
    out(0x42, 2);
    expect_wave("--_-_-_");
}

static void
test_mode_3(void **state)
{
    (void)state;
    out(NSC, 1);
    out(CONTROL, MODE_LOW(2, 3));
    out(0x42, 4);
    expect_wave("---__--__");
    out(CONTROL, MODE_LOW(2, 3));
    out(0x42, 5);
    expect_wave("----__---__-");
    /* A new count takes over at the end of a half. */
    out(0x42, 2);
    expect_wave("--_-_-_");
    out(NSC, 0);
    assert_true(speaker());
    out(CONTROL, MODE(2, 7));
    write_count(2, 6);
    out(NSC, 1);
    pass(1);
    out(CONTROL, 0xe8);                 /* the status, as written */
    assert_int_equal(in(0x42) & 0x3f, 0x3e);
    assert_int_equal(read_count(2), 6);
    pass(2);
    assert_int_equal(read_count(2), 2);
    pass(1);
    assert_int_equal(read_count(2), 6);
}

static void
test_modes_4_and_5(void **state)
{
    (void)state;
    out(NSC, 1);
    out(CONTROL, MODE_LOW(2, 4));
    out(0x42, 3);
    expect_wave("----_---");
    out(0x42, 2);
    pass(2);
    out(NSC, 0);
    expect_wave("----");
    out(NSC, 1);
    expect_wave("-_--");

    out(NSC, 0);
    out(CONTROL, MODE_LOW(2, 5));
    out(0x42, 3);
    expect_wave("------");
    out(NSC, 1);
    expect_wave("----_--");
    out(NSC, 0);
    expect_wave("--");
    out(NSC, 1);
    expect_wave("----_--");
}

static void
test_reading(void **state)
{
    (void)state;
    out(CONTROL, MODE(0, 2));
    write_count(0, 0x1234);
    pass(1);
    assert_int_equal(in(0x40), 0x34);
    assert_int_equal(in(0x40), 0x12);
    pass(0x34);
    out(CONTROL, LATCH(0));
    pass(0x33);
    out(CONTROL, LATCH(0));             /* the first latch holds */
    assert_int_equal(in(0x40), 0x00);
    assert_int_equal(in(0x40), 0x12);
    assert_int_equal(read_count(0), 0x11cd);
    /* High byte only. */
    out(CONTROL, 0x24);
    out(0x40, 2);
    pass(1);
    assert_int_equal(in(0x40), 2);
    pass(1);
    assert_int_equal(in(0x40), 1);
    assert_int_equal(in(CONTROL), 0);
}

static void
test_read_back(void **state)
{
    (void)state;
    out(CONTROL, MODE(0, 2));
    out(CONTROL, 0xe2);                 /* status of 0 */
    assert_int_equal(in(0x40), 0xf4);   /* OUT, null count */
    write_count(0, 1000);
    pass(1);
    out(CONTROL, 0xc2);                 /* both */
    pass(10);
    assert_int_equal(in(0x40), 0xb4);
    assert_int_equal(in(0x40), 1000 & 0xff);
    assert_int_equal(in(0x40), 1000 >> 8);
    write_count(0, 2000);
    out(CONTROL, 0xe2);
    assert_int_equal(in(0x40) & 0x40, 0x40);
    /* Several counters at once, counts only. */
    out(CONTROL, MODE_LOW(1, 0));
    out(0x41, 100);
    pass(1);
    out(CONTROL, 0xd6);
    pass(50);
    assert_int_equal(in(0x41), 100);
    assert_int_equal(in(0x40), (1000 - 11) & 0xff);
    assert_int_equal(in(0x40), (1000 - 11) >> 8);
}

static void
test_bcd(void **state)
{
    (void)state;
    out(CONTROL, MODE(0, 2) | 1);
    write_count(0, 0x1000);
    pass(1);
    assert_int_equal(read_count(0), 0x1000);
    pass(1);
    assert_int_equal(read_count(0), 0x0999);
    write_count(0, 0);
    pass(999);
    assert_int_equal(read_count(0), 0);
    pass(1);
    assert_int_equal(read_count(0), 0x9999);
    /* No decimal number, but no harm either. */
    write_count(0, 0xffff);
    pass(100000);
    read_count(0);
}

static void
test_ticks(void **state)
{
    (void)state;
    out(CONTROL, MODE(0, 2));
    tick();
    write_count(0, 1000);
    assert_true(vpit_type.deadline(&pit) ==
                vclock_time_of(ticks + 1 + 1000, VPIT_HZ));
    pass(1000);
    assert_false(tick());
    pass(1);
    assert_true(tick());
    pass(999);
    assert_false(tick());
    pass(1);
    assert_true(tick());
    /* Nobody takes this one for a while; it stays, also in mode 3. */
    out(CONTROL, MODE(0, 3));
    write_count(0, 1000);
    pass(1001 + 700);
    assert_true(tick());
}

static void
test_one_shot_tick(void **state)
{
    (void)state;
    tick();
    out(CONTROL, MODE(0, 4));
    tick();
    write_count(0, 15);
    pass(16);
    assert_false(tick());
    pass(1);
    assert_true(tick());
    assert_true(vpit_type.deadline(&pit) == VDEV_NEVER);
    pass(1000000);
    assert_false(tick());
    write_count(0, 15);
    pass(17);
    assert_true(tick());
    /* How Linux shuts it down: a request that nobody took goes too. */
    write_count(0, 15);
    pass(17);
    out(CONTROL, MODE(0, 0));
    write_count(0, 0);
    assert_false(tick());
}

/* Ten periods at once: one tick now, nine at twice the rate. */
static void
test_catch_up(void **state)
{
    unsigned count = 0;

    (void)state;
    out(CONTROL, MODE(0, 2));
    tick();
    write_count(0, 10000);
    pass(100001);
    assert_true(tick());
    assert_false(tick());
    while (pit.backlog > 0) {
        uint64_t at = vpit_type.deadline(&pit);

        assert_true(at > clock_.now);
        pass(vclock_periods(at, VPIT_HZ) + 1 - ticks);
        count += tick();
        assert_true(count < 100);
    }
    assert_in_range(count, 17, 18);
    /* Years are not made up for. */
    pass(VPIT_HZ * 86400ull * 365);
    assert_in_range(pit.backlog, 100, 120);
    out(CONTROL, MODE(0, 2));
    assert_int_equal(pit.backlog, 0);
}

/* A late tick is not wasted on a guest that has not taken the last one. */
static void
test_catch_up_waits(void **state)
{
    (void)state;
    out(CONTROL, MODE(0, 2));
    tick();
    write_count(0, 10000);
    pass(30001);
    assert_int_equal(pit.backlog, 2);
    pass(6000);
    assert_int_equal(pit.backlog, 2);
    assert_true(tick());
    pass(3000);
    assert_int_equal(pit.backlog, 2);
    pass(2500);
    assert_true(tick());
    pass(5500);
    assert_true(tick());
    assert_int_equal(pit.backlog, 1);
    /* Nor is the one that was waiting when the VM lost its processor. */
    pass(7000);
    assert_true(vpic_is_pending(&pic));
    pit.backlog = 0;
    pass(20000);
    assert_int_equal(pit.backlog, 2);
}

/* Two clocks per tick would be 600,000 calls a second. */
static void
test_pace(void **state)
{
    (void)state;
    out(CONTROL, MODE(0, 2));
    tick();
    for (unsigned count = 1; count < 60; count++) {
        write_count(0, count);
        pass(100);
        assert_true(vpit_type.deadline(&pit) >= clock_.now + 99000);
        assert_true(tick());
        assert_int_equal(pit.backlog, 0);
    }
    pass(100);                          /* nobody takes the first two */
    pass(100);
    assert_true(vpit_type.deadline(&pit) >= clock_.now + 990000);
}

static void
test_port_61(void **state)
{
    unsigned toggles = 0, last = in(NSC) & 0x10;

    (void)state;
    out(NSC, 0xff);
    assert_int_equal(in(NSC) & ~0x30, 0x0f);
    for (unsigned i = 0; i < 1800; i++) {
        pass(1);
        toggles += (in(NSC) & 0x10) != last;
        last = in(NSC) & 0x10;
    }
    assert_in_range(toggles, 99, 101);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_arithmetic),
        cmocka_unit_test_setup(test_mode_0, setup),
        cmocka_unit_test_setup(test_mode_1, setup),
        cmocka_unit_test_setup(test_mode_2, setup),
        cmocka_unit_test_setup(test_mode_3, setup),
        cmocka_unit_test_setup(test_modes_4_and_5, setup),
        cmocka_unit_test_setup(test_reading, setup),
        cmocka_unit_test_setup(test_read_back, setup),
        cmocka_unit_test_setup(test_bcd, setup),
        cmocka_unit_test_setup(test_ticks, setup),
        cmocka_unit_test_setup(test_one_shot_tick, setup),
        cmocka_unit_test_setup(test_catch_up, setup),
        cmocka_unit_test_setup(test_catch_up_waits, setup),
        cmocka_unit_test_setup(test_pace, setup),
        cmocka_unit_test_setup(test_port_61, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
