/*
 * cmd_time.c - `time`, `uptime` and `version`.
 *
 * The date is read from the clock chip each time; the time since start is the
 * VMkernel's own.  Run in the shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "drivers/rtc.h"
#include "kernel/clock.h"
#include "kernel/percpu.h"
#include "kernel/x86/cpuid.h"
#include "mm/mm_info.h"
#include "sched/world.h"
#include "version.h"

void
cmd_time(const struct args *args)
{
    struct rtc_time t;
    status_t status = rtc_read(&t);

    if (status != OK) {
        output_error(args->command, "the machine's clock cannot be read: %s",
                     status_text(status));
        return;
    }
    output_print("%04u-%02u-%02u %02u:%02u:%02u UTC\n", t.year, t.month,
                 t.day, t.hour, t.minute, t.second);
}

/* The load of all processors together, in permille of all of them. */
static unsigned
mean_load(void)
{
    unsigned sum = 0;

    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        sum += sched_cpu_load_permille(cpu);
    return sum / cpu_count();
}

void
cmd_uptime(const struct args *args UNUSED)
{
    char up[UNITS_SIZE], load[UNITS_SIZE];

    output_print("up %s, load %s of %u processor%s\n",
                 units_duration(up, clock_now()),
                 units_permille(load, mean_load()), cpu_count(),
                 cpu_count() == 1 ? "" : "s");
}

void
cmd_version(const struct args *args UNUSED)
{
    struct mm_info info;
    char size[UNITS_SIZE];

    mm_get_info(&info);
    output_print("Socle %s (%s)\n", SOCLE_VERSION, SOCLE_COMMIT);
    output_print("on %u %s processor%s with %s of memory\n", cpu_count(),
                 cpu_model()->vendor, cpu_count() == 1 ? "" : "s",
                 units_bytes(size, (uint64_t)info.total_pages * PAGE_SIZE));
}
