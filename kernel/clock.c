/*
 * clock.c - time from the time stamp counter.
 *
 * The boot processor measures the TSC's rate once against a reference with a
 * known rate (the PIT's 1.193182 MHz); from then on time is one multiplication:
 *
 *      ns = (tsc - tsc_at_entry) * mult >> shift
 *
 * with mult chosen as large as 32 bits allow.  Other processors whose counter
 * does not agree get an offset when they are started (percpu's tsc_offset,
 * sched/ap_start.c).
 */
#include "kernel/clock.h"

#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/percpu.h"
#include "kernel/x86/cpu.h"

#define KHZ_TO_NS       1000000ull      /* ns in a ms */
#define SHIFT_MAX       31u

static uint64_t entry_tsc;
static uint32_t khz;
static uint32_t mult;
static unsigned shift;

void
clock_set_entry(uint64_t tsc)
{
    entry_tsc = tsc;
}

/* (v * mult) >> shift without losing the bits above 64. */
static uint64_t
scale(uint64_t v)
{
    uint64_t low = (v & UINT32_MAX) * mult;
    uint64_t high = (v >> 32) * mult;

    return (high << (32 - shift)) + (low >> shift);
}

void
clock_calibrate(uint32_t tsc_khz)
{
    ASSERT(tsc_khz != 0);
    khz = tsc_khz;
    for (shift = SHIFT_MAX; shift > 0; shift--)
        if ((KHZ_TO_NS << shift) / khz <= UINT32_MAX)
            break;
    mult = (uint32_t)((KHZ_TO_NS << shift) / khz);
    log_info(MOD_TIME, "TSC at %u.%03u MHz", khz / 1000, khz % 1000);
}

uint64_t
clock_tsc_to_ns(uint64_t cycles)
{
    return scale(cycles);
}

uint64_t
clock_ns_to_tsc(uint64_t ns)
{
    uint64_t ms = ns / NSEC_PER_MSEC;

    return ms * khz + (ns % NSEC_PER_MSEC) * khz / NSEC_PER_MSEC;
}

/* Counter and offset of the same processor: no switch in between. */
static uint64_t
common_tsc(void)
{
    uint32_t flags = irq_save();
    uint64_t tsc = rdtsc() + PERCPU(tsc_offset);

    irq_restore(flags);
    return tsc;
}

uint64_t
clock_now(void)
{
    return scale(common_tsc() - entry_tsc);
}

uint32_t
clock_tsc_khz(void)
{
    return khz;
}

void
clock_delay_us(unsigned usec)
{
    uint64_t end = common_tsc() + (uint64_t)usec * khz / 1000;

    while ((int64_t)(end - common_tsc()) > 0)
        cpu_pause();
}
