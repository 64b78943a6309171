/*
 * pit.c - the 8254 (pit.h).
 *
 * Counter 2 has a gate and an output that software can reach (port 0x61), so
 * it measures without any interrupt: it counts down in mode 0 and is latched
 * and read on the fly, with the TSC read just before and after.  Counter 0
 * interrupts by line 0 when it reaches 0 in mode 0, once.
 *
 * Measuring happens once, at start; the timer is used with interrupts masked
 * on one processor.  So there are no locks.
 */
#include "drivers/pit.h"

#include "kernel/base/bits.h"
#include "kernel/irq.h"
#include "kernel/x86/cpu.h"

#define PIT_COUNTER_0   0x40u
#define PIT_COUNTER_2   0x42u
#define PIT_CONTROL     0x43u

/* Control word: counter in bits 7:6, access 5:4, mode 3:1. */
#define CW_COUNTER_0    0x00u
#define CW_COUNTER_2    0x80u
#define CW_LATCH        0x00u
#define CW_LOW_HIGH     0x30u
#define CW_MODE_0       0x00u           /* interrupt on terminal count */

#define PORT_B          0x61u
#define PORT_B_GATE_2   BIT(0)
#define PORT_B_SPEAKER  BIT(1)

#define COUNT_MAX       0xffffu
#define USEC_MIN        100u
#define USEC_PER_SEC    1000000u
#define HZ_PER_KHZ      1000u

/*
 * Reads of a counter that does not move before it counts as missing.  One read
 * is three I/O cycles, more than a tick on real buses, some per tick at most
 * in emulators.
 */
#define STILL_READS     10000u

/* A new count is taken with the next clock: these many are on the safe side. */
#define SETTLE_TICKS    2u
#define PRECISE_READS   8u
#define MEASURE_TRIES   5u

static void
load_counter(uint8_t counter_bits, uint16_t port, unsigned count)
{
    out8(PIT_CONTROL, (uint8_t)(counter_bits | CW_LOW_HIGH | CW_MODE_0));
    out8(port, (uint8_t)count);
    out8(port, (uint8_t)(count >> 8));
}

/* Counter 2 now, the TSC in the middle of the latch command, its length. */
static unsigned
read_counter_2(uint64_t *tsc, uint64_t *width)
{
    uint64_t before = rdtsc();
    unsigned low;

    out8(PIT_CONTROL, CW_COUNTER_2 | CW_LATCH);
    *width = rdtsc() - before;
    *tsc = before + *width / 2;
    low = in8(PIT_COUNTER_2);
    return low | (unsigned)in8(PIT_COUNTER_2) << 8;
}

/* Wait until TICKS have passed since START; false if the counter is no 8254. */
static bool
wait_ticks(unsigned start, unsigned ticks)
{
    unsigned last = start;
    unsigned still = 0;

    while (still < STILL_READS) {
        uint64_t tsc, width;
        unsigned now = read_counter_2(&tsc, &width);

        if (now > start)
            return false;               /* it wrapped */
        if (start - now >= ticks)
            return true;
        still = now == last ? still + 1 : 0;
        last = now;
    }
    return false;
}

/*
 * The count and the TSC at the same time.  A reading that an SMI or the host
 * of a virtual machine cut in two took long: the quickest of some is right.
 */
static unsigned
read_precisely(uint64_t *tsc)
{
    uint64_t narrowest = UINT64_MAX;
    unsigned count = 0;

    for (unsigned i = 0; i < PRECISE_READS; i++) {
        uint64_t width, when;
        unsigned now = read_counter_2(&when, &width);

        if (width < narrowest) {
            narrowest = width;
            count = now;
            *tsc = when;
        }
    }
    return count;
}

/* The TSC's rate in kHz over TICKS of the PIT; 0 if that did not work. */
static uint32_t
measure(unsigned ticks)
{
    uint64_t tsc_first, tsc_last;
    unsigned first, last;

    load_counter(CW_COUNTER_2, PIT_COUNTER_2, COUNT_MAX);
    (void)read_precisely(&tsc_first);
    if (!wait_ticks(COUNT_MAX, SETTLE_TICKS))
        return 0;
    first = read_precisely(&tsc_first);
    if (!wait_ticks(first, ticks))
        return 0;
    last = read_precisely(&tsc_last);
    if (last >= first)
        return 0;
    return (uint32_t)((tsc_last - tsc_first) * PIT_HZ /
                      ((uint64_t)(first - last) * HZ_PER_KHZ));
}

/* A pause of 55 ms makes the counter wrap: that may happen, but not often. */
status_t
pit_measure_tsc(unsigned usec, uint32_t *tsc_khz)
{
    unsigned window = MIN(MAX(usec, USEC_MIN), PIT_USEC_MAX);
    unsigned ticks = (unsigned)((uint64_t)window * PIT_HZ / USEC_PER_SEC);
    uint8_t port_b = in8(PORT_B) & (uint8_t)~PORT_B_SPEAKER;
    uint32_t khz = 0;

    out8(PORT_B, port_b | PORT_B_GATE_2);
    for (unsigned i = 0; i < MEASURE_TRIES && khz == 0; i++)
        khz = measure(ticks);
    out8(PORT_B, port_b & (uint8_t)~PORT_B_GATE_2);
    if (khz == 0)
        return TRACE_ERR(ERR_NO_DEVICE);
    *tsc_khz = khz;
    return OK;
}

/* --- Counter 0 as a one-shot timer --------------------------------------- */

static void
pit_start(uint64_t ns)
{
    uint64_t limit = (uint64_t)COUNT_MAX * NSEC_PER_SEC / PIT_HZ;
    uint64_t ticks = MIN(ns, limit) * PIT_HZ / NSEC_PER_SEC;

    load_counter(CW_COUNTER_0, PIT_COUNTER_0, (unsigned)MAX(ticks, 1u));
}

/* A control word without a count: the output goes low and nothing counts. */
static void
pit_stop(void)
{
    out8(PIT_CONTROL, CW_COUNTER_0 | CW_LOW_HIGH | CW_MODE_0);
}

static bool
pit_irq(void *arg)
{
    (void)arg;
    timer_interrupt();
    return true;
}

static struct irq_action pit_action = { .handler = pit_irq, .name = "pit" };

status_t
pit_timer_init(void)
{
    pit_stop();
    return irq_register_isa(0, &pit_action);
}

const struct timer_source pit_timer = {
    .name = "8254", .start = pit_start, .stop = pit_stop,
};
