/*
 * cmd_cpu.c - `cpu` and `irq`: the processors, and what interrupts them.
 *
 * All processors are taken to be alike (kernel/x86/cpuid.h), so the model and
 * its features are told once.  Run in the shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "kernel/base/format.h"
#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"
#include "kernel/trap.h"
#include "kernel/x86/cpuid.h"
#include "sched/world.h"

#define FEATURES_SIZE   512u
#define KHZ_PER_MHZ     1000u

static void
show_model(void)
{
    const struct cpu_model *m = cpu_model();
    uint32_t khz = clock_tsc_khz();

    output_print("Model:     %s\n", m->brand[0] != '\0' ? m->brand :
                                                         "without a name");
    output_print("Vendor:    %s, family %u model %u stepping %u\n", m->vendor,
                 m->family, m->model, m->stepping);
    output_print("Clock:     %u.%03u MHz (time stamp counter)\n",
                 khz / KHZ_PER_MHZ, khz % KHZ_PER_MHZ);
    output_print("Addresses: %u bits of machine memory\n", m->physical_bits);
}

static void
show_features(void)
{
    char text[FEATURES_SIZE];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < CPU_FEATURE_COUNT; i++)
        if (cpu_has((enum cpu_feature)i) && used < sizeof(text))
            used += format_buf(text + used, sizeof(text) - used, "%s%s",
                               used > 0 ? " " : "",
                               cpu_feature_name((enum cpu_feature)i));
    output_folded("Features:  ", text);
}

static void
show_processor(unsigned cpu)
{
    const struct percpu *p = percpu_get(cpu);
    char load[UNITS_SIZE];

    output_print("%3u %8u  %-8s %8s\n", cpu, p->apic_id,
                 p->online ? "online" : "offline",
                 units_permille(load, sched_cpu_load_permille(cpu)));
}

void
cmd_cpu(const struct args *args UNUSED)
{
    show_model();
    show_features();
    output_print("\nCPU  APIC ID  STATE        LOAD\n");
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        show_processor(cpu);
}

/* Who asked for VECTOR: the names of all who share it. */
static void
show_vector(unsigned vector)
{
    const struct irq_action *a = irq_actions(vector);

    output_print("  %#04x %12llu  ", vector,
                 (unsigned long long)irq_count(vector));
    if (a == NULL)
        output_print("nobody");
    for (; a != NULL; a = a->next)
        output_print("%s%s", a->name, a->next != NULL ? ", " : "");
    output_print("\n");
}

void
cmd_irq(const struct args *args UNUSED)
{
    output_print("VECTOR        COUNT  FOR\n");
    for (unsigned v = VEC_DEVICE_FIRST; v < VECTOR_COUNT; v++)
        if (irq_count(v) > 0 || (v <= VEC_DEVICE_LAST &&
                                 irq_actions(v) != NULL))
            show_vector(v);
}
