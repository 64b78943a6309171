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

/* Reads until a new count has certainly been taken, by the next clock. */
#define SETTLE_READS    2u

static void
load_counter(uint8_t counter_bits, uint16_t port, unsigned count)
{
    out8(PIT_CONTROL, (uint8_t)(counter_bits | CW_LOW_HIGH | CW_MODE_0));
    out8(port, (uint8_t)count);
    out8(port, (uint8_t)(count >> 8));
}

/* Counter 2 now, and the TSC in the middle of the latch command. */
static unsigned
read_counter_2(uint64_t *tsc)
{
    uint64_t before = rdtsc();
    unsigned low;

    out8(PIT_CONTROL, CW_COUNTER_2 | CW_LATCH);
    *tsc = before + (rdtsc() - before) / 2;
    low = in8(PIT_COUNTER_2);
    return low | (unsigned)in8(PIT_COUNTER_2) << 8;
}

/* Count until TICKS have passed since START; the count then, or START. */
static unsigned
count_down(unsigned start, unsigned ticks, uint64_t *tsc)
{
    unsigned last = start;
    unsigned still = 0;

    while (still < STILL_READS) {
        unsigned now = read_counter_2(tsc);

        if (now > start)
            return start;               /* wrapped: this is no 8254 */
        if (start - now >= ticks)
            return now;
        still = now == last ? still + 1 : 0;
        last = now;
    }
    return start;
}

status_t
pit_measure_tsc(unsigned usec, uint32_t *tsc_khz)
{
    unsigned window = MIN(MAX(usec, USEC_MIN), PIT_USEC_MAX);
    unsigned ticks = (unsigned)((uint64_t)window * PIT_HZ / USEC_PER_SEC);
    uint8_t port_b = in8(PORT_B) & (uint8_t)~PORT_B_SPEAKER;
    uint64_t tsc_first = 0, tsc_last = 0;
    unsigned first, last;

    out8(PORT_B, port_b | PORT_B_GATE_2);
    load_counter(CW_COUNTER_2, PIT_COUNTER_2, COUNT_MAX);
    for (unsigned i = 0; i < SETTLE_READS; i++)
        (void)read_counter_2(&tsc_first);
    first = count_down(COUNT_MAX, 1, &tsc_first);
    last = count_down(first, ticks, &tsc_last);
    out8(PORT_B, port_b & (uint8_t)~PORT_B_GATE_2);
    if (first == COUNT_MAX || last == first)
        return TRACE_ERR(ERR_NO_DEVICE);
    *tsc_khz = (uint32_t)((tsc_last - tsc_first) * PIT_HZ /
                          ((uint64_t)(first - last) * HZ_PER_KHZ));
    return *tsc_khz != 0 ? OK : TRACE_ERR(ERR_NO_DEVICE);
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
