/*
 * pit.c - the 8254: its six modes, formats and ways to read, and port 61h.
 *
 * 8254 data sheet, "Mode definitions", "Read operations", figures 7 to 13;
 * 82371AB 4.2.6.3 for port 61h.  Channel 2 has a gate and an output that one
 * can see; where OUT is low for one period only, channel 0 shows it by IRQ 0.
 *
 * Between two of our instructions any time may pass: what has to be seen before
 * a count has ended is tried several times.
 */
#include "guest/devices.h"

#define CHANNEL_2(mode) (PIT_CHANNEL_2 | PIT_LOW_HIGH | PIT_MODE(mode))
#define READ_BACK_2     0xc8            /* count and status */
#define STATUS_2        0xe8
#define COUNT_2         0xd8
#define READ_BACK_ALL   0xce
#define STATUS_NULL     BIT(6)
#define STATUS_FORMAT   0x3f            /* access, mode, BCD */
#define LONG_COUNT      60000           /* of 1.19 MHz: 50 ms */
#define SHORT_COUNT     100
#define A_WHILE         20000
#define BCD_COUNT       0x2000
#define TRIES           10

static uint32_t
read_word(uint16_t port)
{
    uint32_t low = in8(port);

    return low | (uint32_t)in8(port) << 8;
}

static uint32_t
latched_2(void)
{
    out8(PIT_COMMAND, PIT_CHANNEL_2 | PIT_LATCH);
    return read_word(PIT_2);
}

static uint32_t
status_2(void)
{
    out8(PIT_COMMAND, STATUS_2);
    return in8(PIT_2);
}

static void
set_2(unsigned mode, uint16_t count)
{
    pit_set(PIT_2, (uint8_t)CHANNEL_2(mode), count);
}

static void
gate_2(bool is_high)
{
    uint8_t port_61 = in8(PORT_61) & ~(P61_GATE_2 | P61_SPEAKER);

    out8(PORT_61, is_high ? port_61 | P61_GATE_2 : port_61);
}

static uint32_t
out_2(void)
{
    return in8(PORT_61) & P61_OUT_2;
}

static bool
wait_out_2(bool is_high)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if ((out_2() != 0) == is_high)
            return true;
    return false;
}

/* It is low for one period, if at all. */
static bool
is_out_high(void)
{
    return out_2() != 0 || out_2() != 0;
}

static void
let_time_pass(void)
{
    for (uint32_t n = 0; n < 100; n++)
        (void)in8(PORT_61);
}

static bool
counts_down(void)
{
    uint32_t first = latched_2();

    let_time_pass();
    return first <= LONG_COUNT && latched_2() < first;
}

static bool
stands_still(void)
{
    uint32_t first = latched_2();

    let_time_pass();
    return latched_2() == first;
}

/* A gate that rises: is what is latched then near the count? */
static bool
begins_anew(void)
{
    gate_2(false);
    let_time_pass();
    gate_2(true);
    return latched_2() > LONG_COUNT / 2;
}

static bool
counts_behind_zero(void)
{
    set_2(0, SHORT_COUNT);
    if (!wait_out_2(true))
        return false;
    let_time_pass();
    return latched_2() > SHORT_COUNT;
}

static bool
pulse_begins(void)
{
    gate_2(false);
    gate_2(true);
    return out_2() == 0;
}

static bool
pulse_counts(void)
{
    pulse_begins();
    gate_2(false);
    return counts_down();
}

static bool
wave_begins_high(void)
{
    set_2(3, LONG_COUNT);
    return out_2() != 0;
}

static bool
eventually(bool (*attempt)(void))
{
    for (unsigned n = 0; n < TRIES; n++)
        if (attempt())
            return true;
    return false;
}

static void
check_mode_0(void)
{
    gate_2(false);
    set_2(0, LONG_COUNT);
    check("status: access and mode", status_2() & STATUS_FORMAT,
          PIT_LOW_HIGH | PIT_MODE(0));
    check("mode 0: OUT is low", out_2(), 0);
    check("mode 0: without its gate it does not count", stands_still(), true);
    gate_2(true);
    check("mode 0: it counts", eventually(counts_down), true);
    check("mode 0: OUT goes high", wait_out_2(true), true);
    let_time_pass();
    check("mode 0: OUT stays high", out_2(), P61_OUT_2);
    check("mode 0: it counts on from FFFF", eventually(counts_behind_zero),
          true);
    out8(PIT_2, 0);
    check("mode 0: half a count makes OUT low", out_2(), 0);
    out8(PIT_2, 0x10);
    check("mode 0: and the other half counts", wait_out_2(true), true);
}

static void
check_mode_1(void)
{
    gate_2(false);
    set_2(1, LONG_COUNT);
    check("mode 1: OUT is high", out_2(), P61_OUT_2);
    let_time_pass();
    check("mode 1: without a trigger nothing happens", out_2(), P61_OUT_2);
    check("mode 1: triggered, OUT is low", eventually(pulse_begins), true);
    check("mode 1: it counts without its gate", eventually(pulse_counts),
          true);
    check("mode 1: OUT goes high", wait_out_2(true), true);
    check("mode 1: triggered, it begins anew", eventually(begins_anew), true);
}

static void
check_mode_2(void)
{
    gate_2(true);
    set_2(2, LONG_COUNT);
    check("mode 2: it counts", eventually(counts_down), true);
    check("mode 2: OUT is high but for one period", is_out_high(), true);
    gate_2(false);
    check("mode 2: without its gate OUT is high", out_2(), P61_OUT_2);
    check("mode 2: a gate begins anew", eventually(begins_anew), true);
    set_2(6, LONG_COUNT);
    check("mode 6: it reads back as written", status_2() & STATUS_FORMAT,
          PIT_LOW_HIGH | PIT_MODE(6));
    check("mode 6 is mode 2", is_out_high(), true);
}

static void
check_mode_3(void)
{
    unsigned odd = 0, high = 0;

    gate_2(true);
    check("mode 3: OUT is high first", eventually(wave_begins_high), true);
    check("mode 3: then low", wait_out_2(false), true);
    check("mode 3: then high", wait_out_2(true), true);
    for (unsigned n = 0; n < TRIES; n++) {
        let_time_pass();
        odd += latched_2() & 1;
    }
    check("mode 3: it counts by twos", odd, 0);
    for (unsigned n = 0; n < TRIES; n++) {
        (void)wait_out_2(false);
        gate_2(false);
        high += out_2() != 0;
        gate_2(true);
    }
    check("mode 3: without its gate OUT is high", high, TRIES);
    set_2(7, LONG_COUNT);
    check("mode 7: it reads back as written", status_2() & STATUS_FORMAT,
          PIT_LOW_HIGH | PIT_MODE(7));
    check("mode 7 is mode 3", wait_out_2(false) && wait_out_2(true), true);
}

/* Does channel 0 ask for an interrupt, and how often? */
static unsigned
strobes(uint8_t mode)
{
    unsigned count = 0;

    out8(PIT_COMMAND, (uint8_t)(PIT_LOW_HIGH | PIT_MODE(mode)));
    pic_init(PIC1, VEC_IRQ0, BIT(IRQ_CASCADE), ICW4_8086);
    out8(PIT_0, 0);
    out8(PIT_0, 0x10);
    for (unsigned n = 0; n < 4; n++) {
        pass_time(A_WHILE / 2);
        if (pic_read(PIC1, OCW3_READ_IRR) & BIT(IRQ_TIMER))
            count++;
        pic_init(PIC1, VEC_IRQ0, BIT(IRQ_CASCADE), ICW4_8086);
    }
    return count;
}

static void
check_strobes(void)
{
    check("mode 4: one interrupt", strobes(4), 1);
    check("mode 5: none without a trigger", strobes(5), 0);
    gate_2(true);
    set_2(4, LONG_COUNT);
    check("mode 4: OUT is high", is_out_high(), true);
    check("mode 4: it counts", eventually(counts_down), true);
    gate_2(false);
    check("mode 4: without its gate it does not count", stands_still(), true);
    set_2(5, LONG_COUNT);
    check("mode 5: OUT is high", out_2(), P61_OUT_2);
    check("mode 5: triggered, it begins anew", eventually(begins_anew), true);
    check("mode 5: it counts", eventually(counts_down), true);
    check("mode 5: OUT stays high", is_out_high(), true);
}

/* Digits of what is read, or false. */
static bool
is_bcd(uint32_t value)
{
    for (unsigned shift = 0; shift < 16; shift += 4)
        if ((value >> shift & 0xf) > 9)
            return false;
    return true;
}

/* What a counter shows that has but one byte; it comes by all of them. */
static uint32_t
largest(unsigned access, uint8_t count)
{
    uint32_t most = 0;

    out8(PIT_COMMAND, (uint8_t)(PIT_CHANNEL_2 | access | PIT_MODE(2)));
    out8(PIT_2, count);
    for (unsigned n = 0; n < 1000; n++)
        most = MAX(most, in8(PIT_2));
    return most;
}

static void
check_formats(void)
{
    bool is_right = true;

    gate_2(true);
    pit_set(PIT_2, (uint8_t)(CHANNEL_2(2) | PIT_BCD), 0);
    for (unsigned n = 0; n < 20 * TRIES; n++)
        is_right &= is_bcd(latched_2());
    check("BCD: all digits are", is_right, true);
    pit_set(PIT_2, (uint8_t)(CHANNEL_2(0) | PIT_BCD), BCD_COUNT);
    (void)wait_out_2(true);
    check("BCD: it counts on from 9999", is_bcd(latched_2()), true);
    gate_2(false);
    check("the low byte only", largest(PIT_LOW, 0x34) <= 0x34, true);
    check("the high byte only", largest(PIT_HIGH, 0x12) <= 0x12, true);
}

static void
check_latches(void)
{
    uint32_t status;

    gate_2(false);
    set_2(4, 0x1234);
    out8(PIT_COMMAND, PIT_CHANNEL_2 | PIT_LATCH);
    set_2(4, 0x5678);
    check("a control word ends a latch", latched_2(), 0x5678);
    out8(PIT_COMMAND, READ_BACK_2);
    status = in8(PIT_2);
    check("read-back of both: the status first", status & STATUS_FORMAT,
          PIT_LOW_HIGH | PIT_MODE(4));
    check("then the count", read_word(PIT_2), 0x5678);
    out8(PIT_COMMAND, COUNT_2);
    check("read-back of the count", read_word(PIT_2), 0x5678);
    out8(PIT_COMMAND, READ_BACK_ALL);
    check("read-back of three counters", in8(PIT_2) & STATUS_FORMAT,
          PIT_LOW_HIGH | PIT_MODE(4));
    check("read-back of three counters: the count", read_word(PIT_2), 0x5678);
    (void)in8(PIT_0);
    (void)read_word(PIT_0);
    out8(PIT_COMMAND, (uint8_t)CHANNEL_2(1));
    check("null count: no count yet", status_2() & STATUS_NULL, STATUS_NULL);
}

static void
check_port_61(void)
{
    uint8_t before = in8(PORT_61), seen = 0;

    out8(PORT_61, before | P61_GATE_2 | P61_SPEAKER);
    check("port 61h: gate and speaker read back", in8(PORT_61) & 0x3, 3);
    out8(PORT_61, 0);
    check("port 61h: cleared", in8(PORT_61) & 0xf, 0);
    for (uint32_t n = 0; n < PATIENCE && seen != 3; n++)
        seen |= in8(PORT_61) & P61_REFRESH ? 1 : 2;
    check("port 61h: refresh toggles", seen, 3);
    check("port 61h: no errors", in8(PORT_61) & 0xc0, 0);
    out8(PORT_61, before & 0xf);
}

TOPIC(pit)
{
    check_mode_0();
    check_mode_1();
    check_mode_2();
    check_mode_3();
    check_strobes();
    check_formats();
    check_latches();
    check_port_61();
}
