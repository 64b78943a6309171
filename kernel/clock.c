/*
 * clock.c - time from the time stamp counter.
 *
 * The boot processor measures the TSC's rate once against a reference with a
 * known rate (the PIT's 1.193182 MHz); from then on time is one multiplication
 * (kernel/base/time_scale.h) of the cycles since the loader's jump.  Other
 * processors whose counter does not agree get an offset when they are started
 * (percpu's tsc_offset, sched/ap_start.c).
 */
#include "kernel/clock.h"

#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/base/time_scale.h"
#include "kernel/percpu.h"
#include "kernel/x86/cpu.h"

#define HZ_PER_KHZ      1000u

static uint64_t entry_tsc;
static uint32_t khz;
static struct time_scale scale;     /* 0 before calibration */

void
clock_set_entry(uint64_t tsc)
{
    entry_tsc = tsc;
}

void
clock_calibrate(uint32_t tsc_khz)
{
    ASSERT(tsc_khz != 0);
    khz = tsc_khz;
    time_scale_init(&scale, (uint64_t)khz * HZ_PER_KHZ);
    log_info(MOD_TIME, "TSC at %u.%03u MHz", khz / 1000, khz % 1000);
}

uint64_t
clock_tsc_to_ns(uint64_t cycles)
{
    return time_scale_ns(&scale, cycles);
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
    return time_scale_ns(&scale, common_tsc() - entry_tsc);
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
