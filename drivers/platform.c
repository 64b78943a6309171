/*
 * platform.c - who is asked about the machine, and in which order.
 *
 * ACPI comes first, as the newer of the two and on today's machines the only
 * one that is kept true.  Its parts are independent: a machine may have power
 * registers in ACPI and processors in MP tables.  With both there, MP tables
 * still add how PCI slots are wired (mp_tables.h).
 *
 * Pure; once, at boot.
 */
#include "drivers/platform.h"

#include "drivers/acpi_aml.h"
#include "drivers/acpi_fadt.h"
#include "drivers/acpi_madt.h"
#include "drivers/mp_tables.h"
#include "drivers/platform_int.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

/* Supplementary tables looked at for \_S5. */
#define SSDT_MAX            16u

static const char *const source_names[] = {
    [PLATFORM_DEFAULT] = "no tables",
    [PLATFORM_MP]      = "MP tables",
    [PLATFORM_ACPI]    = "ACPI",
};

/* --- Building up a platform_info (platform_int.h) ------------------------- */

void
platform_reset_wiring(struct platform_info *info)
{
    info->source = PLATFORM_DEFAULT;
    info->lapic = make_maddr(PLATFORM_LAPIC_DEFAULT);
    info->cpu_count = 0;
    info->ioapic_count = 0;
    info->has_8259 = true;
    info->has_imcr = false;
    for (unsigned line = 0; line < PLATFORM_ISA_IRQS; line++)
        info->isa_irqs[line] = (struct platform_isa_irq){
            .connected = true, .gsi = line
        };
}

bool
platform_add_cpu(struct platform_info *info, const struct platform_cpu *cpu)
{
    for (unsigned i = 0; i < info->cpu_count; i++)
        if (info->cpus[i].apic_id == cpu->apic_id)
            return false;
    if (info->cpu_count == PLATFORM_CPU_MAX)
        return false;
    info->cpus[info->cpu_count++] = *cpu;
    return true;
}

bool
platform_add_ioapic(struct platform_info *info,
                    const struct platform_ioapic *ioapic)
{
    if (maddr_raw(ioapic->maddr) == 0 ||
        platform_find_ioapic(info, ioapic->id) != NULL ||
        info->ioapic_count == PLATFORM_IOAPIC_MAX)
        return false;
    info->ioapics[info->ioapic_count++] = *ioapic;
    return true;
}

const struct platform_ioapic *
platform_find_ioapic(const struct platform_info *info, uint8_t id)
{
    for (unsigned i = 0; i < info->ioapic_count; i++)
        if (info->ioapics[i].id == id)
            return &info->ioapics[i];
    return NULL;
}

void
platform_route_isa(struct platform_info *info, unsigned line, uint32_t gsi,
                   struct irq_mode mode)
{
    /* The line that has the pin's number by default loses it. */
    if (gsi < PLATFORM_ISA_IRQS && gsi != line &&
        info->isa_irqs[gsi].gsi == gsi)
        info->isa_irqs[gsi].connected = false;
    info->isa_irqs[line] = (struct platform_isa_irq){
        .connected = true, .gsi = gsi, .mode = mode
    };
}

bool
platform_has_enabled_cpu(const struct platform_info *info)
{
    for (unsigned i = 0; i < info->cpu_count; i++)
        if (info->cpus[i].enabled)
            return true;
    return false;
}

/* --- Asking --------------------------------------------------------------- */

/* In the DSDT, where it belongs, or else in a supplement to it. */
static bool
find_s5(const struct acpi_root *root, maddr_t dsdt,
        struct acpi_sleep_types *types)
{
    struct acpi_table table;

    if (maddr_raw(dsdt) != 0 &&
        acpi_open_table(root->table.reader, dsdt, "DSDT", &table) == OK &&
        acpi_find_s5(&table, types))
        return true;
    for (unsigned i = 0; i < SSDT_MAX; i++) {
        status_t status = acpi_find_table(root, "SSDT", i, &table);

        if (status == ERR_NOT_FOUND)
            return false;
        if (status == OK && acpi_find_s5(&table, types))
            return true;
    }
    return false;
}

/* Each table is worth having without the others. */
static void
ask_acpi(const struct mem_reader *reader, struct platform_info *info)
{
    struct acpi_root root;
    struct acpi_sleep_types s5;
    maddr_t dsdt;

    if (acpi_find_root(reader, &root) != OK)
        return;
    if (acpi_read_fadt(&root, info, &dsdt) == OK &&
        find_s5(&root, dsdt, &s5)) {
        info->power.has_s5 = true;
        info->power.s5_type_a = s5.a;
        info->power.s5_type_b = s5.b;
    }
    if (acpi_read_madt(&root, info) != OK)
        log_debug(MOD_ACPI, "no processors from ACPI");
}

void
platform_discover(const struct mem_reader *reader, bool use_acpi,
                  struct platform_info *info)
{
    static const struct platform_cpu only_cpu = {
        .enabled = true, .bsp = true, .nmi_lint = PLATFORM_LINT_NONE
    };

    memset(info, 0, sizeof *info);
    info->has_i8042 = true;
    platform_reset_wiring(info);
    if (use_acpi)
        ask_acpi(reader, info);
    /* Also with ACPI: see mp_tables.h. */
    if (mp_tables_read(reader, info) != OK)
        log_debug(MOD_CPU, "nothing from MP tables");
    if (info->source == PLATFORM_DEFAULT)
        platform_add_cpu(info, &only_cpu);
    log_info(MOD_CPU, "platform: %s, cpus=%u ioapics=%u 8259=%s s5=%s",
             source_names[info->source], info->cpu_count, info->ioapic_count,
             info->has_8259 ? "yes" : "no",
             info->power.has_s5 ? "yes" : "no");
}
