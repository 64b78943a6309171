/*
 * cmd_vm_stats.c - `vm stats`: where a VM's time goes.
 *
 * The numbers are the monitor's (vmm/vmm_stats.h), counted in cycles of the
 * time stamp counter and copied while it runs.  They are not believed: nothing
 * here depends on their making sense.  Run in the shell's world.
 */
#include "console/output.h"
#include "console/units.h"
#include "console/vm_commands.h"
#include "kernel/base/addr.h"
#include "kernel/clock.h"

#define PERMILLE        1000u
#define MS_PER_SEC      1000u

/* A row of a table of what took time. */
struct row {
    const char *name;
    uint64_t count, cycles;
};

static const char *const time_names[TIME_COUNT] = {
    [TIME_DIRECT] = "user code, directly",
    [TIME_BT] = "translated code",
    [TIME_INTERP] = "interpreter",
    [TIME_MONITOR] = "monitor",
    [TIME_TRANSLATE] = "translator",
    [TIME_VMK] = "VMkernel for the VM",
    [TIME_IDLE] = "halted",
};

static const char *const exit_names[EXIT_COUNT] = {
#define EXIT(name, text) [EXIT_##name] = text,
#include "vmm/exits.def"
#undef EXIT
};

static const char *const call_names[VMKCALL_COUNT] = {
#define VMKCALL(name, arguments, text) [VMKCALL_##name] = text,
#include "vmm/vmkcall.def"
#undef VMKCALL
};

static const char *const comparison_names[COMPARISON_COUNT] = {
#define COMPARISON(name, text) [COMPARISON_##name] = text,
#include "vmm/vmm_comparisons.def"
#undef COMPARISON
};

static unsigned
permille(uint64_t part, uint64_t whole)
{
    /* Whatever the monitor counted, nothing overflows. */
    while (part > UINT64_MAX / PERMILLE) {
        part /= 2;
        whole /= 2;
    }
    return whole != 0 ? (unsigned)MIN(part * PERMILLE / whole, PERMILLE) : 0;
}

static uint64_t
mean(uint64_t sum, uint64_t count)
{
    return count != 0 ? sum / count : 0;
}

/* The VM's whole time but for where it was halted. */
static uint64_t
busy_cycles(const struct vmm_stats *s)
{
    uint64_t sum = 0;

    for (unsigned n = 0; n < TIME_COUNT; n++)
        sum += n != TIME_IDLE ? s->time[n] : 0;
    return sum;
}

static void
show_time_row(const char *name, uint64_t cycles, const char *share)
{
    uint64_t ms = clock_tsc_to_ns(cycles) / NSEC_PER_MSEC;

    output_print("%-24s %8u.%03u %9s\n", name, (unsigned)(ms / MS_PER_SEC),
                 (unsigned)(ms % MS_PER_SEC), share);
}

static void
show_time(const struct vmm_stats *s)
{
    uint64_t busy = busy_cycles(s);
    char share[UNITS_SIZE];

    output_print("TIME                          SECONDS   OF WORK\n");
    for (unsigned n = 0; n < TIME_COUNT; n++)
        if (n != TIME_IDLE)
            show_time_row(time_names[n], s->time[n],
                          units_permille(share, permille(s->time[n], busy)));
    show_time_row("all work", busy, "-");
    show_time_row(time_names[TIME_IDLE], s->time[TIME_IDLE], "-");
}

/* Most expensive first: ROWS are few. */
static void
sort(struct row *rows, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct row row = rows[i];
        unsigned at = i;

        for (; at > 0 && rows[at - 1].cycles < row.cycles; at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

static void
show_exits(const struct vmm_stats *s)
{
    uint64_t busy = busy_cycles(s);
    struct row rows[EXIT_COUNT];
    char share[UNITS_SIZE];
    unsigned count = 0;

    for (unsigned n = 0; n < EXIT_COUNT; n++)
        if (s->exits[n].count > 0)
            rows[count++] = (struct row){ exit_names[n], s->exits[n].count,
                                          s->exits[n].cycles };
    if (count == 0)
        return;
    sort(rows, count);
    output_print("\nEXITS                                 COUNT  MEAN CYCLES   "
                 "OF WORK\n");
    for (unsigned n = 0; n < count; n++)
        output_print("%-32s %10llu %12llu %9s\n", rows[n].name,
                     (unsigned long long)rows[n].count,
                     (unsigned long long)mean(rows[n].cycles, rows[n].count),
                     units_permille(share, permille(rows[n].cycles, busy)));
}

static void
show_calls(const struct vmm_stats *s)
{
    output_print("\nCALLS OF THE VMKERNEL                 COUNT\n");
    for (unsigned n = 0; n < VMKCALL_COUNT; n++)
        if (s->vmkcalls[n] > 0)
            output_print("%-32s %10llu\n", call_names[n],
                         (unsigned long long)s->vmkcalls[n]);
}

static void
show_comparisons(const struct vmm_stats *s)
{
    uint64_t stays = 0, cycles = 0;

    for (unsigned n = 0; n < COMPARISON_COUNT; n++) {
        stays += s->comparisons[n].stays;
        cycles += s->comparisons[n].cycles;
    }
    if (stays == 0)
        return;
    output_print("\nSTAYS IN TRANSLATED CODE              COUNT  "
                 "OF STAYS   OF TIME  INTERPRETED\n");
    for (unsigned n = 0; n < COMPARISON_COUNT; n++) {
        uint64_t count = s->comparisons[n].stays;
        char share[UNITS_SIZE], time[UNITS_SIZE];

        units_permille(share, permille(count, stays));
        units_permille(time, permille(s->comparisons[n].cycles, cycles));
        output_print("%-32s %10llu %9s %9s %12llu\n", comparison_names[n],
                     (unsigned long long)count, share, time,
                     (unsigned long long)s->comparisons[n].instructions);
    }
}

static void
show_memory(const struct vmm_stats *s, const struct vm_info *info)
{
    char used[UNITS_SIZE], size[UNITS_SIZE];

    output_print("\nTranslation cache: %s of %s, %u units; emptied %u times\n",
                 units_bytes(used, s->tc_used), units_bytes(size, s->tc_size),
                 s->tc_units, s->tc_flushes);
    output_print("Shadow: %u of at most %u tables; %u reclaimed",
                 s->shadow_used, s->shadow_pages, s->shadow_reclaimed);
    if (s->audits > 0)
        output_print("; %u audits", s->audits);
    output_print("\n");
    if (info->state > VM_OFF)
        output_print("Memory: %s of %s touched\n",
                     units_bytes(used, info->pages_used *
                                           (uint64_t)PAGE_SIZE),
                     units_bytes(size, info->memory_mb * (uint64_t)MB(1)));
}

void
vm_cmd_stats(struct vm *vm, const struct args *args UNUSED)
{
    static struct vmm_stats stats;      /* too large for the shell's stack */
    char duration[UNITS_SIZE];
    struct vm_info info;
    uint64_t run_ns;

    vm_get_info(vm, &info);
    if (!vm_get_stats(vm, &stats, &run_ns)) {
        output_print("VM %s was not on yet.\n", info.name);
        return;
    }
    output_print("VM %s, %s, %s since it was switched on or reset\n\n",
                 info.name, info.state > VM_OFF ? "on" : "off",
                 units_duration(duration, run_ns));
    show_time(&stats);
    show_exits(&stats);
    show_calls(&stats);
    show_comparisons(&stats);
    show_memory(&stats, &info);
    output_print("Interpreted: %llu instructions\n",
                 (unsigned long long)stats.interpreted);
    output_print("Delivered: %llu interrupts, %llu faults\n",
                 (unsigned long long)stats.interrupts,
                 (unsigned long long)stats.faults);
}
