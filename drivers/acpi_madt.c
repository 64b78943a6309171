/*
 * acpi_madt.c - processors and interrupt controllers out of the MADT.
 *
 * Behind a fixed part the table is a list of entries, each with a type and a
 * length.  An entry that does not fit the table, or is shorter than its type
 * needs, makes the whole table unbelievable.  One that is well-formed but says
 * something impossible (an id twice, an ISA line above 15) is skipped, and the
 * log says how many were.
 *
 * Local NMIs refer to processors, which may come later in the table; hence two
 * passes over the entries.
 *
 * Pure; at boot.  Section numbers are those of ACPI 6.5.
 */
#include "drivers/acpi_madt.h"

#include "drivers/platform_int.h"
#include "kernel/base/bits.h"
#include "kernel/base/log.h"

/* 5.2.12, table 5.19: the fixed part. */
struct madt {
    struct acpi_header header;
    uint32_t local_apic_address;
    uint32_t flags;
} PACKED;
STATIC_ASSERT(sizeof(struct madt) == 44);

#define MADT_PCAT_COMPAT        BIT(0)      /* there are 8259s */

/* Table 5.21: types of entries.  Others are for other hardware. */
enum {
    MADT_LOCAL_APIC = 0,
    MADT_IO_APIC = 1,
    MADT_INTERRUPT_OVERRIDE = 2,
    MADT_LOCAL_APIC_NMI = 4,
    MADT_LOCAL_APIC_ADDRESS = 5,
    MADT_LOCAL_X2APIC = 9,
    MADT_LOCAL_X2APIC_NMI = 10
};

/* An entry; `length` is of all of it.  One member per type, as named above. */
struct madt_entry {
    uint8_t type;
    uint8_t length;
    union {
        struct {
            uint8_t acpi_id;
            uint8_t apic_id;
            uint32_t flags;
        } PACKED local_apic;
        struct {
            uint8_t id;
            uint8_t reserved;
            uint32_t address;
            uint32_t gsi_base;
        } PACKED io_apic;
        struct {
            uint8_t bus;
            uint8_t source;
            uint32_t gsi;
            uint16_t flags;
        } PACKED override;
        struct {
            uint8_t acpi_id;
            uint16_t flags;
            uint8_t lint;
        } PACKED local_nmi;
        struct {
            uint16_t reserved;
            uint64_t address;
        } PACKED local_address;
        struct {
            uint16_t reserved;
            uint32_t apic_id;
            uint32_t flags;
            uint32_t acpi_id;
        } PACKED local_x2apic;
        struct {
            uint16_t flags;
            uint32_t acpi_id;
            uint8_t lint;
            uint8_t reserved[3];
        } PACKED local_x2apic_nmi;
    };
} PACKED;
STATIC_ASSERT(sizeof(struct madt_entry) == 16);

#define ENTRY_HEADER_SIZE       2u
#define ENTRY_SIZE(member)                                                \
    (ENTRY_HEADER_SIZE + sizeof(((struct madt_entry *)0)->member))

/* Tables 5.22 and 5.34. */
#define LOCAL_APIC_ENABLED      BIT(0)
#define LOCAL_APIC_ONLINE_CAPABLE BIT(1)

/* 5.2.12.5, table 5.26: the flags of interrupts, "MPS INTI". */
#define INTI_POLARITY           BITS(1, 0)
#define INTI_TRIGGER            BITS(3, 2)
#define INTI_ACTIVE_LOW         3u
#define INTI_LEVEL              3u

#define BUS_ISA                 0u          /* overrides know no other */
#define APIC_ID_MAX             254u        /* 255 is everybody */
#define ALL_PROCESSORS_8        0xffu
#define ALL_PROCESSORS_32       UINT32_MAX
#define LINT_MAX                1u

/* Bytes an entry of TYPE must have; 0: not a type that we read. */
static size_t
entry_size(uint8_t type)
{
    switch (type) {
    case MADT_LOCAL_APIC: return ENTRY_SIZE(local_apic);
    case MADT_IO_APIC: return ENTRY_SIZE(io_apic);
    case MADT_INTERRUPT_OVERRIDE: return ENTRY_SIZE(override);
    case MADT_LOCAL_APIC_NMI: return ENTRY_SIZE(local_nmi);
    case MADT_LOCAL_APIC_ADDRESS: return ENTRY_SIZE(local_address);
    case MADT_LOCAL_X2APIC: return ENTRY_SIZE(local_x2apic);
    case MADT_LOCAL_X2APIC_NMI: return ENTRY_SIZE(local_x2apic_nmi);
    default: return 0;
    }
}

/* Processors that can never be used are not worth a mention. */
static bool
add_cpu(struct platform_info *info, uint32_t apic_id, uint32_t acpi_id,
        uint32_t flags)
{
    struct platform_cpu cpu = {
        .apic_id = (uint8_t)apic_id,
        .acpi_id = acpi_id,
        .enabled = (flags & LOCAL_APIC_ENABLED) != 0,
        .nmi_lint = PLATFORM_LINT_NONE
    };

    if (!(flags & (LOCAL_APIC_ENABLED | LOCAL_APIC_ONLINE_CAPABLE)))
        return true;
    if (apic_id > APIC_ID_MAX)
        return false;
    /* The boot processor comes first (5.2.12.1). */
    cpu.bsp = cpu.enabled && !platform_has_enabled_cpu(info);
    return platform_add_cpu(info, &cpu);
}

/* How many GSIs it serves only the chip itself can tell. */
static bool
add_ioapic(struct platform_info *info, const struct madt_entry *entry)
{
    struct platform_ioapic ioapic = {
        .id = entry->io_apic.id,
        .maddr = make_maddr(entry->io_apic.address),
        .gsi_base = entry->io_apic.gsi_base
    };

    return platform_add_ioapic(info, &ioapic);
}

/* What "conforms to the bus" means on ISA is what ISA lines have anyway. */
static bool
add_override(struct platform_info *info, const struct madt_entry *entry)
{
    uint16_t flags = entry->override.flags;
    struct irq_mode mode = {
        .active_low = FIELD_GET(flags, INTI_POLARITY) == INTI_ACTIVE_LOW,
        .level = FIELD_GET(flags, INTI_TRIGGER) == INTI_LEVEL
    };

    if (entry->override.bus != BUS_ISA ||
        entry->override.source >= PLATFORM_ISA_IRQS)
        return false;
    platform_route_isa(info, entry->override.source, entry->override.gsi,
                       mode);
    return true;
}

/* The local APIC's registers are a page of their own (SDM 3A 10.4.1). */
static bool
set_local_address(struct platform_info *info, uint64_t address)
{
    if (address == 0 || address % PAGE_SIZE != 0)
        return false;
    info->lapic = make_maddr(address);
    return true;
}

/* ALL, or the one with this ACPI id. */
static bool
set_local_nmi(struct platform_info *info, bool all, uint32_t acpi_id,
              uint8_t lint)
{
    if (lint > LINT_MAX)
        return false;
    for (unsigned i = 0; i < info->cpu_count; i++)
        if (all || info->cpus[i].acpi_id == acpi_id)
            info->cpus[i].nmi_lint = lint;
    return true;
}

/* False if the entry says something impossible. */
static bool
use_entry(struct platform_info *info, const struct madt_entry *entry)
{
    switch (entry->type) {
    case MADT_LOCAL_APIC:
        return add_cpu(info, entry->local_apic.apic_id,
                       entry->local_apic.acpi_id, entry->local_apic.flags);
    case MADT_LOCAL_X2APIC:
        return add_cpu(info, entry->local_x2apic.apic_id,
                       entry->local_x2apic.acpi_id,
                       entry->local_x2apic.flags);
    case MADT_IO_APIC:
        return add_ioapic(info, entry);
    case MADT_INTERRUPT_OVERRIDE:
        return add_override(info, entry);
    case MADT_LOCAL_APIC_ADDRESS:
        return set_local_address(info, entry->local_address.address);
    default:
        return true;
    }
}

/* The second pass. */
static bool
use_nmi_entry(struct platform_info *info, const struct madt_entry *entry)
{
    switch (entry->type) {
    case MADT_LOCAL_APIC_NMI:
        return set_local_nmi(info,
                             entry->local_nmi.acpi_id == ALL_PROCESSORS_8,
                             entry->local_nmi.acpi_id, entry->local_nmi.lint);
    case MADT_LOCAL_X2APIC_NMI:
        return set_local_nmi(info, entry->local_x2apic_nmi.acpi_id ==
                                       ALL_PROCESSORS_32,
                             entry->local_x2apic_nmi.acpi_id,
                             entry->local_x2apic_nmi.lint);
    default:
        return true;
    }
}

/* Copy the entry at OFFSET; false if it is malformed. */
static bool
read_entry(const struct acpi_table *table, uint32_t offset,
           struct madt_entry *entry)
{
    size_t size;

    if (!acpi_table_read(table, offset, entry, ENTRY_HEADER_SIZE) ||
        entry->length < ENTRY_HEADER_SIZE ||
        entry->length > table->length - offset)
        return false;
    size = entry_size(entry->type);
    return entry->length >= size &&
           (size == 0 || acpi_table_read(table, offset, entry,
                                         (uint32_t)size));
}

/* Hand all entries to USE, count what it declines; false if malformed. */
static bool
walk(const struct acpi_table *table, struct platform_info *info,
     bool (*use)(struct platform_info *, const struct madt_entry *),
     unsigned *declined)
{
    struct madt_entry entry;

    for (uint32_t at = sizeof(struct madt); at < table->length;
         at += entry.length) {
        if (!read_entry(table, at, &entry))
            return false;
        if (!use(info, &entry))
            ++*declined;
    }
    return true;
}

/* False if the table as a whole cannot be believed. */
static bool
parse(const struct acpi_table *table, struct platform_info *info,
      unsigned *declined)
{
    struct madt madt;

    if (!acpi_table_read(table, 0, &madt, sizeof madt))
        return false;
    info->has_8259 = (madt.flags & MADT_PCAT_COMPAT) != 0;
    if (!set_local_address(info, madt.local_apic_address))
        ++*declined;
    return walk(table, info, use_entry, declined) &&
           walk(table, info, use_nmi_entry, declined) &&
           platform_has_enabled_cpu(info);
}

status_t
acpi_read_madt(const struct acpi_root *root, struct platform_info *info)
{
    struct acpi_table table;
    unsigned declined = 0;
    status_t status = acpi_find_table(root, "APIC", 0, &table);

    platform_reset_wiring(info);
    if (status != OK)
        return status;
    if (!parse(&table, info, &declined)) {
        log_warn(MOD_ACPI, "MADT refused: malformed, or no processor enabled");
        platform_reset_wiring(info);
        return TRACE_ERR(ERR_CORRUPT);
    }
    if (declined > 0)
        log_warn(MOD_ACPI, "MADT: %u impossible entries ignored", declined);
    info->source = PLATFORM_ACPI;
    return OK;
}
