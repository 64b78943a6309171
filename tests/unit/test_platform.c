/*
 * test_platform.c - what is found on machines whose tables were dumped
 * (tests/tools/firmware_dump.py), and what is done when tables are missing.
 *
 *      data/qemu_pc.mem        qemu-system-i386 -m 64 -smp 2
 *      data/qemu_q35.mem       qemu-system-x86_64 -M q35 -m 64 -smp 4
 *      data/qemu_isapc.mem     qemu-system-i386 -M isapc, a 486: no APIC
 *      data/bochs.mem          Bochs 2.7, count=2
 */
#include "unit/test.h"

#include "drivers/platform.h"
#include "unit/fake_acpi.h"
#include "unit/fake_memory.h"

#define DATA            "tests/unit/data/"

static struct platform_info info;

static void
discover_in(struct fake_memory *memory, bool use_acpi)
{
    struct mem_reader reader = fake_memory_reader(memory);

    memset(&info, 0xa5, sizeof info);
    platform_discover(&reader, use_acpi, &info);
}

static void
discover(const char *path, bool use_acpi)
{
    struct fake_memory memory = { 0 };

    fake_memory_load(&memory, path);
    discover_in(&memory, use_acpi);
    fake_memory_free(&memory);
}

static void
check_cpus(unsigned count)
{
    assert_int_equal(info.cpu_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(info.cpus[i].apic_id, i);
        assert_true(info.cpus[i].enabled);
        assert_int_equal(info.cpus[i].bsp, i == 0);
    }
}

static void
check_ioapic(uint8_t id)
{
    assert_int_equal(info.ioapic_count, 1);
    assert_int_equal(info.ioapics[0].id, id);
    assert_int_equal(info.ioapics[0].gsi_base, 0);
    assert_true(maddr_raw(info.ioapics[0].maddr) == 0xfec00000);
    assert_true(maddr_raw(info.lapic) == 0xfee00000);
}

/* The timer is at pin 2 on all PCs with an I/O APIC. */
static void
check_isa(unsigned sci_line, bool level)
{
    assert_int_equal(info.isa_irqs[0].gsi, 2);
    assert_false(info.isa_irqs[2].connected);
    assert_int_equal(info.isa_irqs[4].gsi, 4);
    assert_false(info.isa_irqs[4].mode.level);
    assert_int_equal(info.isa_irqs[sci_line].gsi, sci_line);
    assert_int_equal(info.isa_irqs[sci_line].mode.level, level);
    assert_false(info.isa_irqs[sci_line].mode.active_low);
}

static void
test_qemu_pc(void **state)
{
    (void)state;
    discover(DATA "qemu_pc.mem", true);
    assert_int_equal(info.source, PLATFORM_ACPI);
    check_cpus(2);
    check_ioapic(0);
    check_isa(9, true);
    assert_true(info.has_8259 && info.has_i8042 && !info.has_imcr);
    assert_int_equal(info.century_register, 0x32);
    assert_int_equal(info.power.pm1a_event, 0x600);
    assert_int_equal(info.power.pm1a_control, 0x604);
    assert_int_equal(info.power.pm1b_control, 0);
    assert_int_equal(info.power.smi_command, 0xb2);
    assert_int_equal(info.power.acpi_enable, 0xf1);
    assert_int_equal(info.power.pm_timer, 0x608);
    assert_true(info.power.has_s5);
    assert_int_equal(info.power.s5_type_a, 0);
    assert_int_equal(info.power.reset.space, SPACE_NONE);
    /* from the MP tables: the power management function's line */
    assert_int_equal(info.pci_irq_count, 1);
    assert_int_equal(info.pci_irqs[0].device, 1);
    assert_int_equal(info.pci_irqs[0].gsi, 9);
}

static void
test_qemu_q35(void **state)
{
    (void)state;
    discover(DATA "qemu_q35.mem", true);
    assert_int_equal(info.source, PLATFORM_ACPI);
    check_cpus(4);
    check_ioapic(0);
    check_isa(9, true);
    assert_true(info.has_i8042);
    assert_int_equal(info.power.pm1a_control, 0x604);
    assert_int_equal(info.power.acpi_enable, 2);
    assert_true(info.power.has_s5);
    assert_int_equal(info.power.reset.space, SPACE_IO);
    assert_true(info.power.reset.address == 0xcf9);
    assert_int_equal(info.power.reset.value, 0x0f);
}

static void
test_bochs(void **state)
{
    (void)state;
    discover(DATA "bochs.mem", true);
    assert_int_equal(info.source, PLATFORM_ACPI);
    check_cpus(2);
    check_ioapic(2);
    check_isa(9, false);
    assert_true(info.has_i8042);
    assert_int_equal(info.power.pm1a_control, 0xb004);
    assert_int_equal(info.power.pm_timer, 0xb008);
    assert_true(info.power.has_s5);
    assert_int_equal(info.power.s5_type_a, 0);
}

static void
test_without_acpi_mp_tables_serve(void **state)
{
    (void)state;
    discover(DATA "bochs.mem", false);
    assert_int_equal(info.source, PLATFORM_MP);
    check_cpus(2);
    check_ioapic(2);
    check_isa(9, false);
    assert_int_equal(info.power.pm1a_control, 0);
    assert_false(info.power.has_s5);
    assert_true(info.has_i8042);
    /* SeaBIOS lists one processor of each package. */
    discover(DATA "qemu_q35.mem", false);
    assert_int_equal(info.source, PLATFORM_MP);
    check_cpus(1);
    check_ioapic(0);
}

static void
check_default_pc(void)
{
    assert_int_equal(info.source, PLATFORM_DEFAULT);
    check_cpus(1);
    assert_int_equal(info.ioapic_count, 0);
    assert_int_equal(info.pci_irq_count, 0);
    assert_true(info.has_8259 && info.has_i8042);
    for (unsigned line = 0; line < PLATFORM_ISA_IRQS; line++) {
        assert_true(info.isa_irqs[line].connected);
        assert_int_equal(info.isa_irqs[line].gsi, line);
    }
}

static void
test_no_tables(void **state)
{
    struct fake_memory memory = { 0 };

    (void)state;
    discover_in(&memory, true);
    check_default_pc();
    assert_int_equal(info.power.pm1a_control, 0);
    discover(DATA "qemu_isapc.mem", true);
    check_default_pc();
}

/* A machine may have power in ACPI and its processors only in MP tables. */
static void
test_broken_madt_leaves_the_rest(void **state)
{
    struct fake_memory memory = { 0 };

    (void)state;
    fake_memory_load(&memory, DATA "bochs.mem");
    *fake_memory_at(&memory, 0x1ff0f80 + 40) ^= 1;
    discover_in(&memory, true);
    assert_int_equal(info.source, PLATFORM_MP);
    check_cpus(2);
    assert_int_equal(info.power.pm1a_control, 0xb004);
    assert_true(info.power.has_s5);
    fake_memory_free(&memory);
}

static void
test_s5_in_an_ssdt(void **state)
{
    static const uint8_t s5[] = "\x08_S5_\x12\x05\x02\x0a\x05\x01";
    static const uint8_t other[] = "\x08_S4_\x12\x05\x02\x0a\x05\x01";
    uint8_t fadt[80] = { 0 };
    struct fake_acpi acpi;
    uint32_t dsdt;

    (void)state;
    fake_acpi_init(&acpi);
    dsdt = (uint32_t)fake_acpi_put(&acpi, "DSDT", 1, other, sizeof other);
    memcpy(fadt + 40 - 36, &dsdt, sizeof dsdt);
    fake_acpi_add(&acpi, "FACP", 1, fadt, sizeof fadt);
    fake_acpi_add(&acpi, "SSDT", 1, other, sizeof other);
    fake_acpi_add(&acpi, "SSDT", 1, s5, sizeof s5);
    fake_acpi_finish(&acpi, true);
    discover_in(&acpi.memory, true);
    assert_true(info.power.has_s5);
    assert_int_equal(info.power.s5_type_a, 5);
    assert_int_equal(info.power.s5_type_b, 1);
    /* also if the one before it is broken */
    *fake_memory_at(&acpi.memory, acpi.listed[1] + 40) ^= 1;
    discover_in(&acpi.memory, true);
    assert_true(info.power.has_s5);
    *fake_memory_at(&acpi.memory, acpi.listed[2] + 40) ^= 1;
    discover_in(&acpi.memory, true);
    assert_false(info.power.has_s5);
    fake_memory_free(&acpi.memory);
}

/* Bits of a machine's tables flipped, one at a time: always a machine. */
static void
test_flipped_bits(void **state)
{
    static const char *const dumps[] = { DATA "bochs.mem", DATA "qemu_pc.mem" };
    enum { BITS_PER_BYTE = 8, STEP = 29 };

    (void)state;
    for (size_t d = 0; d < ARRAY_LEN(dumps); d++) {
        struct fake_memory memory = { 0 };

        fake_memory_load(&memory, dumps[d]);
        for (unsigned r = 0; r < memory.count; r++) {
            struct fake_run *run = &memory.runs[r];

            for (size_t bit = 0; bit < run->size * BITS_PER_BYTE;
                 bit += STEP) {
                uint8_t mask = (uint8_t)(1 << bit % BITS_PER_BYTE);

                run->bytes[bit / BITS_PER_BYTE] ^= mask;
                discover_in(&memory, true);
                assert_true(info.cpu_count >= 1);
                run->bytes[bit / BITS_PER_BYTE] ^= mask;
            }
        }
        fake_memory_free(&memory);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qemu_pc),
        cmocka_unit_test(test_qemu_q35),
        cmocka_unit_test(test_bochs),
        cmocka_unit_test(test_without_acpi_mp_tables_serve),
        cmocka_unit_test(test_no_tables),
        cmocka_unit_test(test_broken_madt_leaves_the_rest),
        cmocka_unit_test(test_s5_in_an_ssdt),
        cmocka_unit_test(test_flipped_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
