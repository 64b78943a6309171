/*
 * test_acpi_madt.c - MADTs built entry by entry, good and bad.
 */
#include "unit/test.h"

#include "drivers/acpi_madt.h"
#include "unit/fake_acpi.h"
#include "unit/fake_image.h"

#define BODY_MAX        4096

static struct fake_acpi acpi;
static struct platform_info info;
static uint8_t body[BODY_MAX];
static size_t used;

static void
put(const void *bytes, size_t size)
{
    assert_true(used + size <= sizeof body);
    memcpy(body + used, bytes, size);
    used += size;
}

#define PUT(...)                                                          \
    do {                                                                  \
        const uint8_t bytes_[] = { __VA_ARGS__ };                         \
        put(bytes_, sizeof bytes_);                                       \
    } while (0)

#define LE16(x)         (uint8_t)(x), (uint8_t)((x) >> 8)
#define LE32(x)         LE16(x), LE16((uint32_t)(x) >> 16)
#define LE64(x)         LE32(x), LE32((uint64_t)(x) >> 32)

/* Entries, as ACPI 6.5, 5.2.12.2 and following have them. */
#define LOCAL_APIC(acpi_id, id, flags) PUT(0, 8, acpi_id, id, LE32(flags))
#define IO_APIC(id, address, gsi) PUT(1, 12, id, 0, LE32(address), LE32(gsi))
#define OVERRIDE(bus, irq, gsi, flags)                                    \
    PUT(2, 10, bus, irq, LE32(gsi), LE16(flags))
#define LOCAL_NMI(acpi_id, flags, lint) PUT(4, 6, acpi_id, LE16(flags), lint)
#define ADDRESS(address) PUT(5, 12, 0, 0, LE64(address))
#define X2APIC(id, flags, acpi_id)                                        \
    PUT(9, 16, 0, 0, LE32(id), LE32(flags), LE32(acpi_id))
#define X2APIC_NMI(acpi_id, lint)                                         \
    PUT(10, 12, 0, 0, LE32(acpi_id), lint, 0, 0, 0)

static int
start(void **state)
{
    (void)state;
    used = 0;
    memset(&info, 0xa5, sizeof info);
    PUT(LE32(0xfee00000), LE32(1));
    return 0;
}

static status_t
parse(void)
{
    struct mem_reader reader = fake_memory_reader(&acpi.memory);
    struct acpi_root root;
    status_t status;

    fake_log_reset();
    fake_acpi_init(&acpi);
    fake_acpi_add(&acpi, "APIC", 1, body, used);
    fake_acpi_finish(&acpi, false);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    status = acpi_read_madt(&root, &info);
    fake_memory_free(&acpi.memory);
    return status;
}

/* One line says how many entries were skipped, if any were. */
static void
check_skipped(unsigned count)
{
    char message[64];

    snprintf(message, sizeof message, "MADT: %u impossible entries ignored",
             count);
    assert_int_equal(fake_log.warnings, count > 0);
    assert_string_equal(fake_log.last, count > 0 ? message : "");
}

/* The MADT is refused, and the machine is described as having no tables. */
static void
check_refused(void)
{
    assert_int_equal(parse(), ERR_CORRUPT);
    assert_int_equal(fake_log.warnings, 1);
    assert_int_equal(info.source, PLATFORM_DEFAULT);
    assert_int_equal(info.cpu_count, 0);
    assert_int_equal(info.ioapic_count, 0);
    assert_int_equal(info.isa_irqs[0].gsi, 0);
    assert_true(info.has_8259);
    assert_true(maddr_raw(info.lapic) == 0xfee00000);
}

static void
test_usual_machine(void **state)
{
    (void)state;
    LOCAL_APIC(1, 0, 1);
    LOCAL_APIC(2, 4, 1);
    LOCAL_APIC(3, 6, 0);                        /* not there */
    LOCAL_APIC(4, 8, 2);                        /* can be plugged in */
    IO_APIC(9, 0xfec00000, 0);
    IO_APIC(10, 0xfec10000, 24);
    OVERRIDE(0, 0, 2, 0);
    OVERRIDE(0, 9, 9, 0xd);
    OVERRIDE(0, 11, 20, 0xf);
    LOCAL_NMI(0xff, 5, 1);
    assert_int_equal(parse(), OK);
    check_skipped(0);
    assert_int_equal(info.source, PLATFORM_ACPI);
    assert_int_equal(info.cpu_count, 3);
    assert_true(info.cpus[0].enabled && info.cpus[0].bsp);
    assert_true(info.cpus[1].enabled && !info.cpus[1].bsp);
    assert_true(!info.cpus[2].enabled && !info.cpus[2].bsp);
    assert_int_equal(info.cpus[1].apic_id, 4);
    assert_int_equal(info.cpus[1].acpi_id, 2);
    assert_int_equal(info.cpus[2].apic_id, 8);
    assert_int_equal(info.cpus[0].nmi_lint, 1);
    assert_int_equal(info.cpus[2].nmi_lint, 1);
    assert_int_equal(info.ioapic_count, 2);
    assert_int_equal(info.ioapics[1].id, 10);
    assert_true(maddr_raw(info.ioapics[1].maddr) == 0xfec10000);
    assert_int_equal(info.ioapics[1].gsi_base, 24);
    assert_true(info.has_8259);
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
test_overrides(void **state)
{
    (void)state;
    LOCAL_APIC(0, 0, 1);
    OVERRIDE(0, 0, 2, 0);
    OVERRIDE(0, 9, 9, 0xd);
    OVERRIDE(0, 10, 10, 0x5);
    OVERRIDE(0, 11, 20, 0xf);
    assert_int_equal(parse(), OK);
    check_isa(0, 2, false, false);
    check_isa(1, 1, false, false);
    assert_false(info.isa_irqs[2].connected);
    check_isa(9, 9, true, false);
    check_isa(10, 10, false, false);
    check_isa(11, 20, true, true);
    check_isa(15, 15, false, false);
}

static void
test_no_8259(void **state)
{
    (void)state;
    used = 0;
    PUT(LE32(0xfee00000), LE32(0));
    LOCAL_APIC(0, 0, 1);
    assert_int_equal(parse(), OK);
    assert_false(info.has_8259);
}

static void
test_local_addresses(void **state)
{
    (void)state;
    used = 0;
    PUT(LE32(0xfed00000), LE32(1));
    LOCAL_APIC(0, 0, 1);
    assert_int_equal(parse(), OK);
    assert_true(maddr_raw(info.lapic) == 0xfed00000);
    ADDRESS(0x8fee01000ull);
    assert_int_equal(parse(), OK);
    assert_true(maddr_raw(info.lapic) == 0x8fee01000ull);
    check_skipped(0);
    ADDRESS(0x123);                             /* impossible: ignored */
    assert_int_equal(parse(), OK);
    check_skipped(1);
    assert_true(maddr_raw(info.lapic) == 0x8fee01000ull);
    body[0] = 1;
    used = 8;
    LOCAL_APIC(0, 0, 1);
    assert_int_equal(parse(), OK);
    check_skipped(1);
    assert_true(maddr_raw(info.lapic) == PLATFORM_LAPIC_DEFAULT);
}

static void
test_x2apic_entries(void **state)
{
    (void)state;
    X2APIC(0, 1, 0);
    X2APIC(254, 1, 300);
    X2APIC(255, 1, 301);
    X2APIC(256, 1, 302);
    X2APIC(0x80000002, 1, 303);
    X2APIC_NMI(300, 0);
    assert_int_equal(parse(), OK);
    check_skipped(3);
    assert_int_equal(info.cpu_count, 2);
    assert_int_equal(info.cpus[1].apic_id, 254);
    assert_int_equal(info.cpus[1].acpi_id, 300);
    assert_int_equal(info.cpus[0].nmi_lint, PLATFORM_LINT_NONE);
    assert_int_equal(info.cpus[1].nmi_lint, 0);
    X2APIC_NMI(UINT32_MAX, 1);
    assert_int_equal(parse(), OK);
    assert_int_equal(info.cpus[0].nmi_lint, 1);
}

/* A local NMI may come before the processor that it speaks of. */
static void
test_local_nmi_order(void **state)
{
    (void)state;
    LOCAL_NMI(7, 0, 1);
    LOCAL_NMI(8, 0, 2);                         /* no such pin */
    LOCAL_APIC(7, 0, 1);
    LOCAL_APIC(8, 1, 1);
    assert_int_equal(parse(), OK);
    check_skipped(1);
    assert_int_equal(info.cpus[0].nmi_lint, 1);
    assert_int_equal(info.cpus[1].nmi_lint, PLATFORM_LINT_NONE);
}

static void
test_impossible_entries_are_skipped(void **state)
{
    (void)state;
    LOCAL_APIC(0, 5, 1);
    LOCAL_APIC(1, 5, 1);                        /* id twice */
    LOCAL_APIC(2, 255, 1);                      /* broadcast id */
    IO_APIC(1, 0xfec00000, 0);
    IO_APIC(1, 0xfec01000, 24);                 /* id twice */
    IO_APIC(2, 0, 48);                          /* no address */
    OVERRIDE(1, 4, 20, 0);                      /* not ISA */
    OVERRIDE(0, 16, 20, 0);                     /* no such line */
    assert_int_equal(parse(), OK);
    check_skipped(6);
    assert_int_equal(info.cpu_count, 1);
    assert_int_equal(info.ioapic_count, 1);
    assert_int_equal(info.isa_irqs[4].gsi, 4);
}

static void
test_unknown_types_are_passed_over(void **state)
{
    (void)state;
    PUT(0x80, 2);
    PUT(3, 8, 0, 0, LE32(17));                  /* NMI source */
    PUT(0x0d, 5, 1, 2, 3);
    LOCAL_APIC(0, 3, 1);
    assert_int_equal(parse(), OK);
    check_skipped(0);
    assert_int_equal(info.cpus[0].apic_id, 3);
}

static void
test_limits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLATFORM_CPU_MAX; i++)
        LOCAL_APIC((uint8_t)i, (uint8_t)i, 1);
    for (unsigned i = 0; i < PLATFORM_IOAPIC_MAX + 3; i++)
        IO_APIC((uint8_t)i, 0xfec00000 + i * 0x1000, i * 24);
    assert_int_equal(parse(), OK);
    check_skipped(3);
    assert_int_equal(info.cpu_count, PLATFORM_CPU_MAX);
    assert_int_equal(info.ioapic_count, PLATFORM_IOAPIC_MAX);
}

static void
test_malformed(void **state)
{
    size_t good;

    (void)state;
    LOCAL_APIC(0, 0, 1);
    good = used;
    PUT(0, 0);                                  /* would never end */
    check_refused();
    used = good;
    PUT(0, 1);
    check_refused();
    used = good;
    PUT(0x80);                                  /* half a header */
    check_refused();
    used = good;
    PUT(0, 7, 0, 1, 1, 0, 0);                   /* too short for its type */
    check_refused();
    used = good;
    PUT(0, 8, 0, 1, 1, 0, 0);                   /* longer than the table */
    check_refused();
    used = good;
    PUT(0x80, 255);
    check_refused();
    used = good;
    assert_int_equal(parse(), OK);
}

static void
test_too_little(void **state)
{
    (void)state;
    check_refused();                            /* no processor */
    LOCAL_APIC(0, 0, 0);
    LOCAL_APIC(0, 1, 2);
    check_refused();                            /* none enabled */
    used = 7;                                   /* half the fixed part */
    check_refused();
    used = 0;
    check_refused();
}

static void
test_no_madt(void **state)
{
    struct mem_reader reader = fake_memory_reader(&acpi.memory);
    struct acpi_root root;

    (void)state;
    fake_acpi_init(&acpi);
    fake_acpi_finish(&acpi, true);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    assert_int_equal(acpi_read_madt(&root, &info), ERR_NOT_FOUND);
    assert_int_equal(info.cpu_count, 0);
    fake_memory_free(&acpi.memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_usual_machine, start),
        cmocka_unit_test_setup(test_overrides, start),
        cmocka_unit_test_setup(test_no_8259, start),
        cmocka_unit_test_setup(test_local_addresses, start),
        cmocka_unit_test_setup(test_x2apic_entries, start),
        cmocka_unit_test_setup(test_local_nmi_order, start),
        cmocka_unit_test_setup(test_impossible_entries_are_skipped, start),
        cmocka_unit_test_setup(test_unknown_types_are_passed_over, start),
        cmocka_unit_test_setup(test_limits, start),
        cmocka_unit_test_setup(test_malformed, start),
        cmocka_unit_test_setup(test_too_little, start),
        cmocka_unit_test_setup(test_no_madt, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
