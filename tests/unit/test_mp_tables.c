/*
 * test_mp_tables.c - MP tables built entry by entry, and the default machines.
 */
#include "unit/test.h"

#include "drivers/mp_spec.h"
#include "drivers/mp_tables.h"
#include "unit/fake_image.h"
#include "unit/fake_memory.h"

#define ROM             0xf0000u
#define ROM_SIZE        0x10000u
#define FLOATING        0xf6a90u
#define CONFIG          0x9f000u
#define CONFIG_SIZE     0x2000u
#define BDA             0x400u

static struct fake_memory memory;
static struct platform_info info;
static struct mp_floating floating;
static struct mp_config config;
static uint8_t entries[CONFIG_SIZE];
static size_t used;

static void
put(uint8_t type, const void *entry)
{
    size_t size = type == MP_PROCESSOR ? MP_PROCESSOR_SIZE : MP_OTHER_SIZE;

    entries[used] = type;
    memcpy(entries + used + 1, (const uint8_t *)entry + 1, size - 1);
    used += size;
    config.entry_count++;
}

static void
cpu(uint8_t id, uint8_t flags)
{
    struct mp_entry entry = { .processor = { .apic_id = id, .flags = flags } };

    put(MP_PROCESSOR, &entry);
}

static void
bus(uint8_t id, const char *name)
{
    struct mp_entry entry = { .bus = { .id = id } };

    memcpy(entry.bus.name, name, sizeof entry.bus.name);
    put(MP_BUS, &entry);
}

static void
ioapic(uint8_t id, uint8_t flags, uint32_t address)
{
    struct mp_entry entry = {
        .io_apic = { .id = id, .flags = flags, .address = address }
    };

    put(MP_IO_APIC, &entry);
}

/* FROM is bus << 8 | line, TO is id of the APIC << 8 | pin. */
static void
interrupt(uint8_t entry_type, uint8_t type, uint16_t flags, unsigned from,
          unsigned to)
{
    struct mp_entry entry = { .interrupt = {
        .type = type, .flags = flags,
        .source_bus = (uint8_t)(from >> 8), .source_irq = (uint8_t)from,
        .apic_id = (uint8_t)(to >> 8), .pin = (uint8_t)to
    } };

    put(entry_type, &entry);
}

#define IO_INT(flags, from, to) \
    interrupt(MP_IO_INTERRUPT, MP_INT, flags, from, to)

static uint8_t
sum(const void *bytes, size_t size)
{
    const uint8_t *b = bytes;
    uint8_t s = 0;

    while (size-- > 0)
        s = (uint8_t)(s + b[size]);
    return s;
}

static int
start(void **state)
{
    (void)state;
    fake_memory_free(&memory);
    fake_memory_put(&memory, ROM, NULL, ROM_SIZE);
    fake_memory_put(&memory, CONFIG, NULL, CONFIG_SIZE);
    memset(&info, 0, sizeof info);
    floating = (struct mp_floating){
        .signature = { '_', 'M', 'P', '_' }, .config_address = CONFIG,
        .length = 1, .spec_revision = 4
    };
    config = (struct mp_config){
        .signature = { 'P', 'C', 'M', 'P' }, .spec_revision = 4,
        .local_apic_address = 0xfee00000
    };
    used = 0;
    return 0;
}

/* Write the tables with right lengths and checksums. */
static void
finish(void)
{
    uint8_t *table = fake_memory_at(&memory, CONFIG);

    config.base_length = (uint16_t)(sizeof config + used);
    config.checksum = 0;
    config.checksum = (uint8_t)-(sum(&config, sizeof config) +
                                 sum(entries, used));
    memcpy(table, &config, sizeof config);
    memcpy(table + sizeof config, entries, used);
    floating.checksum = 0;
    floating.checksum = (uint8_t)-sum(&floating, sizeof floating);
    memcpy(fake_memory_at(&memory, FLOATING), &floating, sizeof floating);
}

static status_t
read_tables(void)
{
    struct mem_reader reader = fake_memory_reader(&memory);

    fake_log_reset();
    return mp_tables_read(&reader, &info);
}

/* One line says how many entries were skipped, if any were. */
static void
check_skipped(unsigned count)
{
    char message[64];

    snprintf(message, sizeof message,
             "MP tables: %u impossible entries ignored", count);
    assert_int_equal(fake_log.warnings, count > 0);
    assert_string_equal(fake_log.last, count > 0 ? message : "");
}

static status_t
parse(void)
{
    finish();
    info.source = PLATFORM_DEFAULT;
    return read_tables();
}

static void
check_isa(unsigned line, uint32_t gsi, bool level, bool active_low)
{
    assert_true(info.isa_irqs[line].connected);
    assert_int_equal(info.isa_irqs[line].gsi, gsi);
    assert_int_equal(info.isa_irqs[line].mode.level, level);
    assert_int_equal(info.isa_irqs[line].mode.active_low, active_low);
}

static void
two_cpu_machine(void)
{
    cpu(0, MP_CPU_EN | MP_CPU_BP);
    cpu(1, MP_CPU_EN);
    cpu(2, 0);
    bus(0, "PCI   ");
    bus(7, "ISA   ");
    ioapic(2, MP_IO_APIC_EN, 0xfec00000);
    ioapic(3, 0, 0xfec01000);
    ioapic(4, MP_IO_APIC_EN, 0xfec02000);
}

static void
test_two_cpus(void **state)
{
    (void)state;
    two_cpu_machine();
    interrupt(MP_LOCAL_INTERRUPT, MP_EXTINT, 0, 0x700, 0x0000);
    interrupt(MP_LOCAL_INTERRUPT, MP_NMI, 0, 0x700, 0xff01);
    floating.features = MP_FEATURE_IMCRP;
    assert_int_equal(parse(), OK);
    check_skipped(0);
    assert_int_equal(info.source, PLATFORM_MP);
    assert_true(maddr_raw(info.lapic) == 0xfee00000);
    assert_int_equal(info.cpu_count, 2);
    assert_true(info.cpus[0].bsp && !info.cpus[1].bsp);
    assert_true(info.cpus[0].enabled && info.cpus[1].enabled);
    assert_int_equal(info.cpus[1].apic_id, 1);
    assert_int_equal(info.cpus[1].nmi_lint, 1);
    assert_int_equal(info.ioapic_count, 2);
    assert_int_equal(info.ioapics[1].id, 4);
    assert_true(maddr_raw(info.ioapics[1].maddr) == 0xfec02000);
    assert_int_equal(info.ioapics[1].gsi_base, 24);
    assert_true(info.has_imcr);
    assert_true(info.has_8259);
}

static void
test_interrupts(void **state)
{
    (void)state;
    two_cpu_machine();
    interrupt(MP_IO_INTERRUPT, MP_EXTINT, 0, 0x700, 0x200);
    IO_INT(0x0, 0x700, 0x202);                  /* timer at pin 2 */
    IO_INT(0x0, 0x701, 0x201);
    IO_INT(0xf, 0x705, 0x205);                  /* level, low */
    IO_INT(0xd, 0x709, 0x409);                  /* at the second I/O APIC */
    IO_INT(0x5, 0x70c, 0xff0c);                 /* at any */
    IO_INT(0x0, 0x000 | 31 << 2 | 3, 0x213);    /* 31.INTD */
    IO_INT(0x5, 0x000 | 2 << 2 | 0, 0x410);     /* 2.INTA: edge, high */
    IO_INT(0x0, 0x703, 0x303);                  /* disabled I/O APIC */
    IO_INT(0x0, 0x503, 0x203);                  /* no such bus */
    IO_INT(0x0, 0x710, 0x203);                  /* no such line */
    assert_int_equal(parse(), OK);
    check_skipped(3);
    check_isa(0, 2, false, false);
    check_isa(1, 1, false, false);
    assert_false(info.isa_irqs[2].connected);
    check_isa(3, 3, false, false);
    check_isa(5, 5, true, true);
    check_isa(9, 24 + 9, true, false);
    check_isa(12, 12, false, false);
    assert_int_equal(info.pci_irq_count, 2);
    assert_int_equal(info.pci_irqs[0].device, 31);
    assert_int_equal(info.pci_irqs[0].pin, 3);
    assert_int_equal(info.pci_irqs[0].gsi, 0x13);
    assert_true(info.pci_irqs[0].mode.level);
    assert_true(info.pci_irqs[0].mode.active_low);
    assert_int_equal(info.pci_irqs[1].device, 2);
    assert_int_equal(info.pci_irqs[1].gsi, 24 + 0x10);
    assert_false(info.pci_irqs[1].mode.level);
}

static void
test_with_acpi_only_pci_counts(void **state)
{
    (void)state;
    two_cpu_machine();
    IO_INT(0x0, 0x700, 0x202);
    IO_INT(0x0, 0x000 | 3 << 2, 0x211);
    IO_INT(0x0, 0x000 | 4 << 2, 0x412);         /* id unknown to ACPI */
    interrupt(MP_LOCAL_INTERRUPT, MP_NMI, 0, 0x700, 0xff01);
    finish();
    info.source = PLATFORM_ACPI;
    info.cpu_count = 5;
    info.ioapic_count = 1;
    info.ioapics[0] = (struct platform_ioapic){ .id = 2, .gsi_base = 40 };
    info.cpus[0].nmi_lint = PLATFORM_LINT_NONE;
    assert_int_equal(read_tables(), OK);
    check_skipped(1);
    assert_int_equal(info.cpus[0].nmi_lint, PLATFORM_LINT_NONE);
    assert_int_equal(info.source, PLATFORM_ACPI);
    assert_int_equal(info.cpu_count, 5);
    assert_int_equal(info.ioapic_count, 1);
    assert_int_equal(info.isa_irqs[0].gsi, 0);
    assert_int_equal(info.pci_irq_count, 1);
    assert_int_equal(info.pci_irqs[0].gsi, 40 + 0x11);
}

static void
check_default(uint8_t number)
{
    start(NULL);
    floating.config_address = 0;
    floating.default_config = number;
    assert_int_equal(parse(), OK);
    assert_int_equal(info.source, PLATFORM_MP);
    assert_int_equal(info.cpu_count, 2);
    assert_true(info.cpus[0].bsp && info.cpus[1].enabled);
    assert_int_equal(info.ioapic_count, 1);
    assert_true(maddr_raw(info.ioapics[0].maddr) == 0xfec00000);
    assert_false(info.isa_irqs[2].connected);
}

static void
test_default_configurations(void **state)
{
    (void)state;
    check_default(1);
    check_isa(0, 2, false, false);
    check_isa(13, 13, false, false);
    check_default(2);
    assert_false(info.isa_irqs[0].connected);
    assert_false(info.isa_irqs[13].connected);
    check_isa(1, 1, false, false);
    check_default(4);
    check_isa(0, 2, false, false);
    check_isa(1, 1, true, true);
    check_default(7);
    check_isa(15, 15, true, true);
    floating.default_config = 8;
    assert_int_equal(parse(), ERR_CORRUPT);
    assert_int_equal(info.cpu_count, 0);
}

static void
test_places(void **state)
{
    uint16_t ebda = 0x9e00, base_kb = 600;

    (void)state;
    two_cpu_machine();
    finish();
    memset(fake_memory_at(&memory, FLOATING), 0, sizeof floating);
    assert_int_equal(read_tables(), ERR_NOT_FOUND);
    fake_memory_put(&memory, BDA, NULL, 0x100);
    fake_memory_put(&memory, 0x9e000, NULL, 0x400);
    fake_memory_put(&memory, (600 - 1) * 1024, NULL, 0x400);
    memcpy(fake_memory_at(&memory, 0x9e3f0), &floating, sizeof floating);
    assert_int_equal(read_tables(), ERR_NOT_FOUND);
    memcpy(fake_memory_at(&memory, BDA + 0x0e), &ebda, sizeof ebda);
    assert_int_equal(read_tables(), OK);
    memset(fake_memory_at(&memory, 0x9e3f0), 0, sizeof floating);
    memcpy(fake_memory_at(&memory, (600 - 1) * 1024 + 0x10), &floating,
           sizeof floating);
    info.source = PLATFORM_DEFAULT;
    assert_int_equal(read_tables(), ERR_NOT_FOUND);
    memcpy(fake_memory_at(&memory, BDA + 0x13), &base_kb, sizeof base_kb);
    assert_int_equal(read_tables(), OK);
}

static void
check_refused(void)
{
    assert_int_equal(read_tables(), ERR_CORRUPT);
    assert_int_equal(fake_log.warnings, 1);
    assert_int_equal(info.source, PLATFORM_DEFAULT);
    assert_int_equal(info.cpu_count, 0);
    assert_int_equal(info.ioapic_count, 0);
    assert_int_equal(info.pci_irq_count, 0);
    assert_false(info.has_imcr);
}

static void
test_broken_floating_pointer(void **state)
{
    (void)state;
    two_cpu_machine();
    finish();
    *fake_memory_at(&memory, FLOATING + 15) ^= 1;       /* checksum */
    assert_int_equal(read_tables(), ERR_NOT_FOUND);
    floating.length = 2;
    finish();
    assert_int_equal(read_tables(), ERR_NOT_FOUND);
    floating.length = 1;
    floating.config_address = 0x70000000;
    finish();
    check_refused();
    floating.config_address = 0;
    finish();
    check_refused();
}

static void
test_broken_table(void **state)
{
    (void)state;
    two_cpu_machine();
    finish();
    *fake_memory_at(&memory, CONFIG + 50) ^= 1;         /* checksum */
    check_refused();
    config.entry_count++;                               /* one too many */
    finish();
    check_refused();
    config.entry_count = UINT16_MAX;
    finish();
    check_refused();
    config.entry_count = 8;
    entries[0] = MP_ENTRY_TYPE_COUNT;                   /* unknown type */
    finish();
    check_refused();
    entries[0] = MP_PROCESSOR;
    config.signature[0] = 'X';
    finish();
    check_refused();
    config.signature[0] = 'P';
    finish();
    assert_int_equal(read_tables(), OK);
}

static void
test_no_enabled_cpu(void **state)
{
    (void)state;
    cpu(0, MP_CPU_BP);
    ioapic(2, MP_IO_APIC_EN, 0xfec00000);
    finish();
    check_refused();
}

static void
test_impossible_entries_are_skipped(void **state)
{
    (void)state;
    cpu(0, MP_CPU_EN | MP_CPU_BP);
    cpu(0, MP_CPU_EN);
    cpu(255, MP_CPU_EN);
    ioapic(2, MP_IO_APIC_EN, 0);
    IO_INT(0, 0x000, 0x200);                    /* no I/O APIC at all */
    IO_INT(0, 0x000, 0xff00);
    interrupt(MP_LOCAL_INTERRUPT, MP_NMI, 0, 0x700, 0x0002);
    config.local_apic_address = 0x123;
    assert_int_equal(parse(), OK);
    check_skipped(6);
    assert_int_equal(info.cpu_count, 1);
    assert_int_equal(info.ioapic_count, 0);
    assert_int_equal(info.cpus[0].nmi_lint, PLATFORM_LINT_NONE);
    assert_true(maddr_raw(info.lapic) == PLATFORM_LAPIC_DEFAULT);
    config.local_apic_address = 0;
    assert_int_equal(parse(), OK);
    assert_true(maddr_raw(info.lapic) == PLATFORM_LAPIC_DEFAULT);
}

/* An NMI at one processor's pin is not one at the others'. */
static void
test_local_nmi_of_one(void **state)
{
    (void)state;
    two_cpu_machine();
    cpu(254, MP_CPU_EN);
    interrupt(MP_LOCAL_INTERRUPT, MP_NMI, 0, 0x700, 0x0100);
    assert_int_equal(parse(), OK);
    check_skipped(0);
    assert_int_equal(info.cpu_count, 3);
    assert_int_equal(info.cpus[0].nmi_lint, PLATFORM_LINT_NONE);
    assert_int_equal(info.cpus[1].nmi_lint, 0);
    assert_int_equal(info.cpus[2].apic_id, 254);
}

static void
test_limits(void **state)
{
    (void)state;
    cpu(0, MP_CPU_EN);
    bus(0, "PCI   ");
    for (unsigned i = 0; i < PLATFORM_IOAPIC_MAX + 4; i++)
        ioapic((uint8_t)i, MP_IO_APIC_EN, 0xfec00000 + i * 0x1000);
    for (unsigned i = 0; i < PLATFORM_PCI_IRQ_MAX + 9; i++)
        IO_INT(0, i % 0x7f, 0x010);
    assert_int_equal(parse(), OK);
    assert_int_equal(info.ioapic_count, PLATFORM_IOAPIC_MAX);
    assert_int_equal(info.pci_irq_count, PLATFORM_PCI_IRQ_MAX);
    check_skipped(4 + 9);
}

static int
end(void **state)
{
    (void)state;
    fake_memory_free(&memory);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_two_cpus, start),
        cmocka_unit_test_setup(test_interrupts, start),
        cmocka_unit_test_setup(test_with_acpi_only_pci_counts, start),
        cmocka_unit_test_setup(test_default_configurations, start),
        cmocka_unit_test_setup(test_places, start),
        cmocka_unit_test_setup(test_broken_floating_pointer, start),
        cmocka_unit_test_setup(test_broken_table, start),
        cmocka_unit_test_setup(test_no_enabled_cpu, start),
        cmocka_unit_test_setup(test_impossible_entries_are_skipped, start),
        cmocka_unit_test_setup(test_local_nmi_of_one, start),
        cmocka_unit_test_setup(test_limits, start),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
