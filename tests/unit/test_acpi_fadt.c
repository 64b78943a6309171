/*
 * test_acpi_fadt.c - FADTs of every age.  Offsets are those of ACPI 6.5, table
 * 5.9, from the beginning of the table.
 */
#include "unit/test.h"

#include "drivers/acpi_fadt.h"
#include "unit/fake_acpi.h"

#define SIZE_V1         116
#define SIZE_V3         244
#define SIZE_V6         276

static struct fake_acpi acpi;
static struct platform_info info;
static maddr_t dsdt;
static uint8_t fadt[SIZE_V6];

static void
set(size_t offset, uint64_t value, size_t size)
{
    memcpy(fadt + offset, &value, size);
}

/* A generic address at OFFSET. */
static void
set_gas(size_t offset, uint8_t space, uint64_t address)
{
    fadt[offset] = space;
    fadt[offset + 1] = 8;
    set(offset + 4, address, 8);
}

/* What ACPI 1.0 has, as a PIIX4 has it. */
static int
start(void **state)
{
    (void)state;
    memset(fadt, 0, sizeof fadt);
    memset(&info, 0, sizeof info);
    info.has_i8042 = true;
    dsdt = make_maddr(1);
    set(40, 0x7fe0040, 4);
    set(46, 9, 2);
    set(48, 0xb2, 4);
    set(52, 0xf1, 1);
    set(53, 0xf0, 1);
    set(56, 0x600, 4);
    set(60, 0x680, 4);
    set(64, 0x604, 4);
    set(68, 0x684, 4);
    set(76, 0x608, 4);
    set(88, 4, 1);
    set(108, 0x32, 1);
    set(112, 0x80a5, 4);
    return 0;
}

static status_t
parse(uint8_t revision, size_t size)
{
    struct mem_reader reader = fake_memory_reader(&acpi.memory);
    size_t header = sizeof(struct acpi_header);
    struct acpi_root root;
    status_t status;

    fake_acpi_init(&acpi);
    fake_acpi_add(&acpi, "FACP", revision, fadt + header, size - header);
    fake_acpi_finish(&acpi, true);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    status = acpi_read_fadt(&root, &info, &dsdt);
    fake_memory_free(&acpi.memory);
    return status;
}

static void
test_version_1(void **state)
{
    (void)state;
    assert_int_equal(parse(1, SIZE_V1), OK);
    assert_int_equal(info.power.pm1a_event, 0x600);
    assert_int_equal(info.power.pm1b_event, 0x680);
    assert_int_equal(info.power.pm1_event_length, 4);
    assert_int_equal(info.power.pm1a_control, 0x604);
    assert_int_equal(info.power.pm1b_control, 0x684);
    assert_int_equal(info.power.smi_command, 0xb2);
    assert_int_equal(info.power.acpi_enable, 0xf1);
    assert_int_equal(info.power.acpi_disable, 0xf0);
    assert_int_equal(info.power.sci_irq, 9);
    assert_int_equal(info.power.pm_timer, 0x608);
    assert_false(info.power.pm_timer_32bit);
    assert_int_equal(info.power.reset.space, SPACE_NONE);
    assert_int_equal(info.century_register, 0x32);
    assert_true(info.has_i8042);
    assert_true(maddr_raw(dsdt) == 0x7fe0040);
}

/* The flags that could deny it mean something only since ACPI 2.0. */
static void
test_version_1_has_an_8042(void **state)
{
    (void)state;
    set(109, 0, 2);                             /* reserved in 1.0 */
    assert_int_equal(parse(1, SIZE_V1), OK);
    assert_true(info.has_i8042);
}

static void
test_version_3(void **state)
{
    (void)state;
    set(109, 0x2, 2);
    set(112, 0x5a5, 4);                         /* timer 32 bits, reset */
    set_gas(116, 1, 0xcf9);
    set(128, 0x0f, 1);
    set(140, 0x123456780ull, 8);
    set_gas(148, 1, 0x700);
    set_gas(172, 1, 0x704);
    set_gas(184, 1, 0x10604);                   /* no port: the other counts */
    set_gas(208, 0, 0x708);                     /* in memory: likewise */
    assert_int_equal(parse(3, SIZE_V3), OK);
    assert_int_equal(info.power.pm1a_event, 0x700);
    assert_int_equal(info.power.pm1b_event, 0x680);
    assert_int_equal(info.power.pm1a_control, 0x704);
    assert_int_equal(info.power.pm1b_control, 0x684);
    assert_int_equal(info.power.pm_timer, 0x608);
    assert_true(info.power.pm_timer_32bit);
    assert_int_equal(info.power.reset.space, SPACE_IO);
    assert_true(info.power.reset.address == 0xcf9);
    assert_int_equal(info.power.reset.value, 0x0f);
    assert_true(info.has_i8042);
    assert_true(maddr_raw(dsdt) == 0x123456780ull);
    set(109, 0, 2);
    assert_int_equal(parse(3, SIZE_V3), OK);
    assert_false(info.has_i8042);
    info.has_i8042 = true;
    assert_int_equal(parse(6, SIZE_V6), OK);
    assert_false(info.has_i8042);
}

static void
test_highest_ports(void **state)
{
    (void)state;
    set(48, 0xffff, 4);
    set(76, 0xffff, 4);
    set_gas(148, 1, 0xffff);
    assert_int_equal(parse(3, SIZE_V3), OK);
    assert_int_equal(info.power.smi_command, 0xffff);
    assert_int_equal(info.power.pm_timer, 0xffff);
    assert_int_equal(info.power.pm1a_event, 0xffff);
}

static void
check_reset(uint8_t space, uint64_t address, enum platform_space expected)
{
    start(NULL);
    set(112, 0x400, 4);
    set_gas(116, space, address);
    assert_int_equal(parse(3, SIZE_V3), OK);
    assert_int_equal(info.power.reset.space, expected);
}

static void
test_reset_registers(void **state)
{
    (void)state;
    check_reset(0, 0xfed00000, SPACE_MEMORY);
    check_reset(1, 0xffff, SPACE_IO);
    check_reset(1, 0x10000, SPACE_NONE);
    check_reset(1, 0, SPACE_NONE);
    check_reset(2, 0x1f0000000044ull, SPACE_PCI);
    check_reset(7, 0x44, SPACE_NONE);
    start(NULL);
    set_gas(116, 1, 0xcf9);                     /* not said to be supported */
    assert_int_equal(parse(3, SIZE_V3), OK);
    assert_int_equal(info.power.reset.space, SPACE_NONE);
}

static void
test_impossible_ports(void **state)
{
    (void)state;
    set(48, 0x10000, 4);
    set(64, 0xffffffff, 4);
    set(76, 0x10608, 4);
    assert_int_equal(parse(1, SIZE_V1), OK);
    assert_int_equal(info.power.smi_command, 0);
    assert_int_equal(info.power.pm1a_control, 0);
    assert_int_equal(info.power.pm_timer, 0);
}

static void
test_odd_lengths(void **state)
{
    (void)state;
    for (size_t size = sizeof(struct acpi_header); size <= SIZE_V6; size++) {
        start(state);
        set(140, 0x55, 1);
        assert_int_equal(parse(3, size), size < SIZE_V1 ? ERR_CORRUPT : OK);
        if (size < SIZE_V1)
            assert_int_equal(info.power.pm1a_control, 0);
        else
            assert_true(maddr_raw(dsdt) == (size > 140 ? 0x55 : 0x7fe0040));
    }
}

static void
test_no_fadt(void **state)
{
    struct mem_reader reader = fake_memory_reader(&acpi.memory);
    struct acpi_root root;

    (void)state;
    fake_acpi_init(&acpi);
    fake_acpi_finish(&acpi, true);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    assert_int_equal(acpi_read_fadt(&root, &info, &dsdt), ERR_NOT_FOUND);
    fake_memory_free(&acpi.memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_version_1, start),
        cmocka_unit_test_setup(test_version_1_has_an_8042, start),
        cmocka_unit_test_setup(test_version_3, start),
        cmocka_unit_test_setup(test_highest_ports, start),
        cmocka_unit_test_setup(test_reset_registers, start),
        cmocka_unit_test_setup(test_impossible_ports, start),
        cmocka_unit_test_setup(test_odd_lengths, start),
        cmocka_unit_test_setup(test_no_fadt, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
