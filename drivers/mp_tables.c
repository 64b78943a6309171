/*
 * mp_tables.c - the Intel MP floating pointer, configuration table and default
 * configurations, into struct platform_info.
 *
 * The floating pointer is in the first KB of the extended BIOS data area, the
 * last KB of base memory, or 0xF0000-0xFFFFF.  It either points to a table or
 * names one of seven default machines with two processors and one I/O APIC.
 *
 * A table is walked twice: first for processors, buses and I/O APICs, then for
 * interrupts, which refer to those by id.  Entries that say something
 * impossible are skipped and counted; one that does not fit the table, or of
 * unknown type, makes the table unbelievable.
 *
 * Pure; at boot.  Section numbers are those of the specification, version 1.4.
 */
#include "drivers/mp_tables.h"

#include "drivers/firmware.h"
#include "drivers/mp_spec.h"
#include "drivers/platform_int.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

#define ROM_AREA_START      0xf0000u
#define ROM_AREA_SIZE       0x10000u

#define BUS_MAX             256u        /* ids are bytes */
#define APIC_ID_MAX         254u
#define LINT_MAX            1u
#define IO_APIC_LINES       24u         /* of the 82093AA */

/* Chapter 5. */
#define DEFAULT_CONFIG_MAX  7u
#define DEFAULT_CPUS        2u
#define DEFAULT_IO_APIC_ID  2u
#define DEFAULT_IO_APIC     0xfec00000u
#define TIMER_IRQ           0u
#define CASCADE_IRQ         2u
#define DMA_IRQ             13u
#define TIMER_PIN           2u

enum bus_kind { BUS_UNKNOWN, BUS_ISA, BUS_MCA, BUS_PCI };

struct mp_parser {
    const struct mem_reader *reader;
    maddr_t table;
    struct mp_config config;
    struct platform_info *info;
    bool pci_only;              /* ACPI has told the rest */
    unsigned declined;
    uint8_t buses[BUS_MAX];     /* enum bus_kind by id */
};

/* As usual on the bus: ISA edge and high, MCA level and low, PCI too. */
static struct irq_mode
interrupt_mode(uint16_t flags, enum bus_kind bus)
{
    unsigned polarity = FIELD_GET(flags, MP_INTERRUPT_PO);
    unsigned trigger = FIELD_GET(flags, MP_INTERRUPT_EL);
    struct irq_mode mode = {
        .level = bus != BUS_ISA, .active_low = bus != BUS_ISA
    };

    if (polarity == MP_PO_HIGH || polarity == MP_PO_LOW)
        mode.active_low = polarity == MP_PO_LOW;
    if (trigger == MP_EL_EDGE || trigger == MP_EL_LEVEL)
        mode.level = trigger == MP_EL_LEVEL;
    return mode;
}

/* A processor that is not enabled is as good as absent (4.3.1). */
static bool
add_cpu(struct platform_info *info, const struct mp_entry *entry)
{
    struct platform_cpu cpu = {
        .apic_id = entry->processor.apic_id,
        .acpi_id = entry->processor.apic_id,
        .enabled = (entry->processor.flags & MP_CPU_EN) != 0,
        .bsp = (entry->processor.flags & MP_CPU_BP) != 0,
        .nmi_lint = PLATFORM_LINT_NONE
    };

    if (!cpu.enabled)
        return true;
    return cpu.apic_id <= APIC_ID_MAX && platform_add_cpu(info, &cpu);
}

/* GSIs are ACPI's idea; here they are pins, counted through all chips. */
static bool
add_ioapic(struct platform_info *info, uint8_t id, uint32_t address)
{
    struct platform_ioapic ioapic = {
        .id = id, .maddr = make_maddr(address),
        .gsi_base = info->ioapic_count * IO_APIC_LINES
    };

    return platform_add_ioapic(info, &ioapic);
}

/* EISA's lines are ISA's; what else there was is not on machines with PAE. */
static void
note_bus(struct mp_parser *p, const struct mp_entry *entry)
{
    static const struct {
        const char *name;
        enum bus_kind kind;
    } kinds[] = {
        { "ISA   ", BUS_ISA }, { "EISA  ", BUS_ISA },
        { "MCA   ", BUS_MCA }, { "PCI   ", BUS_PCI },
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (memcmp(entry->bus.name, kinds[i].name, MP_BUS_NAME_SIZE) == 0)
            p->buses[entry->bus.id] = (uint8_t)kinds[i].kind;
}

/* What a slot's pin is wired to: GSI. */
static bool
add_pci_irq(struct platform_info *info, const struct mp_entry *entry,
            uint32_t gsi)
{
    if (info->pci_irq_count == PLATFORM_PCI_IRQ_MAX)
        return false;
    info->pci_irqs[info->pci_irq_count++] = (struct platform_pci_irq){
        .bus = entry->interrupt.source_bus,
        .device = FIELD_GET(entry->interrupt.source_irq, MP_PCI_DEVICE),
        .pin = FIELD_GET(entry->interrupt.source_irq, MP_PCI_PIN),
        .gsi = gsi,
        .mode = interrupt_mode(entry->interrupt.flags, BUS_PCI)
    };
    return true;
}

/* A line of a bus to a pin of an I/O APIC (4.3.4). */
static bool
add_interrupt(struct mp_parser *p, const struct mp_entry *entry)
{
    enum bus_kind bus = p->buses[entry->interrupt.source_bus];
    const struct platform_ioapic *ioapic;
    uint32_t gsi;

    if (entry->interrupt.type != MP_INT)
        return true;
    /* "All" serves one bus line at several chips: the first will do. */
    ioapic = entry->interrupt.apic_id == MP_ALL_APICS && !p->pci_only
                 ? &p->info->ioapics[0]
                 : platform_find_ioapic(p->info, entry->interrupt.apic_id);
    if (ioapic == NULL || p->info->ioapic_count == 0)
        return false;
    gsi = ioapic->gsi_base + entry->interrupt.pin;
    if (bus == BUS_PCI)
        return add_pci_irq(p->info, entry, gsi);
    if (p->pci_only)
        return true;
    if (bus == BUS_UNKNOWN ||
        entry->interrupt.source_irq >= PLATFORM_ISA_IRQS)
        return false;
    platform_route_isa(p->info, entry->interrupt.source_irq, gsi,
                       interrupt_mode(entry->interrupt.flags, bus));
    return true;
}

/* An NMI at a processor's LINT0 or LINT1 (4.3.5). */
static bool
add_local_interrupt(struct mp_parser *p, const struct mp_entry *entry)
{
    if (p->pci_only || entry->interrupt.type != MP_NMI)
        return true;
    if (entry->interrupt.pin > LINT_MAX)
        return false;
    for (unsigned i = 0; i < p->info->cpu_count; i++)
        if (entry->interrupt.apic_id == MP_ALL_APICS ||
            entry->interrupt.apic_id == p->info->cpus[i].apic_id)
            p->info->cpus[i].nmi_lint = entry->interrupt.pin;
    return true;
}

/* First pass.  False if the entry says something impossible. */
static bool
use_machine_entry(struct mp_parser *p, const struct mp_entry *entry)
{
    if (entry->type == MP_BUS)
        note_bus(p, entry);
    if (p->pci_only)
        return true;
    if (entry->type == MP_PROCESSOR)
        return add_cpu(p->info, entry);
    if (entry->type == MP_IO_APIC && (entry->io_apic.flags & MP_IO_APIC_EN))
        return add_ioapic(p->info, entry->io_apic.id,
                          entry->io_apic.address);
    return true;
}

/* Second pass. */
static bool
use_interrupt_entry(struct mp_parser *p, const struct mp_entry *entry)
{
    if (entry->type == MP_IO_INTERRUPT)
        return add_interrupt(p, entry);
    if (entry->type == MP_LOCAL_INTERRUPT)
        return add_local_interrupt(p, entry);
    return true;
}

/* Hand all entries to USE; false if one is malformed. */
static bool
walk(struct mp_parser *p,
     bool (*use)(struct mp_parser *, const struct mp_entry *))
{
    uint32_t at = sizeof(struct mp_config);
    struct mp_entry entry;

    for (unsigned n = 0; n < p->config.entry_count; n++) {
        uint32_t size;

        if (at >= p->config.base_length ||
            !mem_read(p->reader, maddr_add(p->table, at), &entry.type,
                      sizeof entry.type) ||
            entry.type >= MP_ENTRY_TYPE_COUNT)
            return false;
        size = entry.type == MP_PROCESSOR ? MP_PROCESSOR_SIZE : MP_OTHER_SIZE;
        if (size > p->config.base_length - at ||
            !mem_read(p->reader, maddr_add(p->table, at), &entry, size))
            return false;
        if (!use(p, &entry))
            p->declined++;
        at += size;
    }
    return true;
}

/* Signature, length and sum first; then both passes. */
static bool
read_config(struct mp_parser *p)
{
    struct mp_config *config = &p->config;

    if (!mem_read(p->reader, p->table, config, sizeof *config) ||
        memcmp(config->signature, MP_CONFIG_SIGNATURE,
               sizeof config->signature) != 0 ||
        config->base_length < sizeof *config ||
        !firmware_sums_to_zero(p->reader, p->table, config->base_length) ||
        !walk(p, use_machine_entry) || !walk(p, use_interrupt_entry))
        return false;
    if (p->pci_only)
        return true;
    if (config->local_apic_address % PAGE_SIZE == 0 &&
        config->local_apic_address != 0)
        p->info->lapic = make_maddr(config->local_apic_address);
    return platform_has_enabled_cpu(p->info);
}

/*
 * Default configurations (chapter 5): ISA line n at pin n, but the timer at
 * pin 2, the cascade nowhere.  In number 2 timer and DMA chaining stay with the
 * 8259s.  4 and 7 have an MCA bus.
 */
static void
use_default(struct platform_info *info, unsigned number)
{
    enum bus_kind bus = number == 4 || number == 7 ? BUS_MCA : BUS_ISA;

    for (unsigned id = 0; id < DEFAULT_CPUS; id++) {
        struct platform_cpu cpu = {
            .apic_id = (uint8_t)id, .acpi_id = id, .enabled = true,
            .bsp = id == 0, .nmi_lint = LINT_MAX
        };

        platform_add_cpu(info, &cpu);
    }
    add_ioapic(info, DEFAULT_IO_APIC_ID, DEFAULT_IO_APIC);
    for (unsigned line = 0; line < PLATFORM_ISA_IRQS; line++)
        if (line != TIMER_IRQ)
            platform_route_isa(info, line, line, interrupt_mode(0, bus));
    platform_route_isa(info, TIMER_IRQ, TIMER_PIN, interrupt_mode(0, BUS_ISA));
    info->isa_irqs[CASCADE_IRQ].connected = false;
    if (number == 2) {
        info->isa_irqs[TIMER_IRQ].connected = false;
        info->isa_irqs[DMA_IRQ].connected = false;
    }
}

/* Copy the floating pointer at AT; false if it is none. */
static bool
read_floating(const struct mem_reader *reader, maddr_t at,
              struct mp_floating *floating)
{
    return mem_read(reader, at, floating, sizeof *floating) &&
           floating->length == sizeof *floating / MP_PARAGRAPH &&
           firmware_sums_to_zero(reader, at, sizeof *floating);
}

static bool
find_floating(const struct mem_reader *reader, struct mp_floating *floating)
{
    struct firmware_area areas[] = {
        firmware_ebda(reader),
        firmware_base_end(reader),
        { .start = ROM_AREA_START, .size = ROM_AREA_SIZE },
    };
    maddr_t at;

    for (size_t i = 0; i < ARRAY_LEN(areas); i++)
        while (firmware_search(reader, &areas[i], MP_FLOATING_SIGNATURE, &at))
            if (read_floating(reader, at, floating))
                return true;
    return false;
}

/* Everything but PCI wiring, from a default or a table; false if broken. */
static bool
read_any(struct mp_parser *p, const struct mp_floating *floating)
{
    if (floating->default_config == 0) {
        p->table = make_maddr(floating->config_address);
        return floating->config_address != 0 && read_config(p);
    }
    if (p->pci_only)
        return true;
    if (floating->default_config > DEFAULT_CONFIG_MAX)
        return false;
    use_default(p->info, floating->default_config);
    return true;
}

status_t
mp_tables_read(const struct mem_reader *reader, struct platform_info *info)
{
    struct mp_parser p = {
        .reader = reader, .info = info,
        .pci_only = info->source == PLATFORM_ACPI
    };
    struct mp_floating floating;

    info->pci_irq_count = 0;
    if (!p.pci_only)
        platform_reset_wiring(info);
    if (!find_floating(reader, &floating))
        return ERR_NOT_FOUND;
    if (!read_any(&p, &floating)) {
        log_warn(MOD_CPU, "MP tables refused: malformed, or no processor");
        info->pci_irq_count = 0;
        if (!p.pci_only)
            platform_reset_wiring(info);
        return TRACE_ERR(ERR_CORRUPT);
    }
    if (p.declined > 0)
        log_warn(MOD_CPU, "MP tables: %u impossible entries ignored",
                 p.declined);
    if (p.pci_only)
        return OK;
    info->source = PLATFORM_MP;
    info->has_imcr = (floating.features & MP_FEATURE_IMCRP) != 0;
    return OK;
}
