/*
 * test_acpi_tables.c - finding the root pointer and the tables behind it.
 */
#include "unit/test.h"

#include "drivers/acpi_tables.h"
#include "unit/fake_acpi.h"

#define BDA             0x400u
#define BDA_EBDA        0x40eu
#define EBDA            0x9fc00u
#define RSDP_V1_SIZE    20
#define RSDP_CHECKSUM   8
#define RSDP_EXT_SUM    32

static struct fake_acpi acpi;
static struct mem_reader reader;
static struct acpi_root root;
static struct acpi_table table;

static int
start(void **state)
{
    (void)state;
    fake_acpi_init(&acpi);
    reader = fake_memory_reader(&acpi.memory);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    fake_memory_free(&acpi.memory);
    return 0;
}

/* Two SSDTs, so that the order can be seen, around another table. */
static void
three_tables(bool xsdt)
{
    fake_acpi_add(&acpi, "SSDT", 1, "first", 5);
    fake_acpi_add(&acpi, "APIC", 3, "apic body", 9);
    fake_acpi_add(&acpi, "SSDT", 2, "second one", 10);
    fake_acpi_finish(&acpi, xsdt);
}

static uint8_t *
at(uint64_t maddr)
{
    return fake_memory_at(&acpi.memory, maddr);
}

static void
check_all_found(void)
{
    char body[16] = { 0 };

    assert_int_equal(acpi_find_root(&reader, &root), OK);
    assert_int_equal(root.count, 3);
    assert_int_equal(acpi_find_table(&root, "SSDT", 0, &table), OK);
    assert_int_equal(table.length, sizeof(struct acpi_header) + 5);
    assert_int_equal(table.revision, 1);
    assert_int_equal(acpi_find_table(&root, "SSDT", 1, &table), OK);
    assert_int_equal(table.revision, 2);
    assert_true(acpi_table_read(&table, sizeof(struct acpi_header), body,
                                10));
    assert_string_equal(body, "second one");
    assert_int_equal(acpi_find_table(&root, "SSDT", 2, &table),
                     ERR_NOT_FOUND);
    assert_int_equal(acpi_find_table(&root, "APIC", 0, &table), OK);
    assert_int_equal(acpi_find_table(&root, "FACP", 0, &table),
                     ERR_NOT_FOUND);
}

static void
test_rsdt(void **state)
{
    (void)state;
    three_tables(false);
    check_all_found();
    assert_int_equal(root.address_size, 4);
}

static void
test_xsdt(void **state)
{
    (void)state;
    acpi.next = 0x9ffff0000ull;
    three_tables(true);
    check_all_found();
    assert_int_equal(root.address_size, 8);
}

static void
test_no_acpi(void **state)
{
    (void)state;
    assert_int_equal(acpi_find_root(&reader, &root), ERR_NOT_FOUND);
    fake_memory_free(&acpi.memory);
    assert_int_equal(acpi_find_root(&reader, &root), ERR_NOT_FOUND);
}

static void
move_rsdp(uint64_t to)
{
    memcpy(at(to), at(FAKE_ACPI_RSDP), 36);
    memset(at(FAKE_ACPI_RSDP), 0, 36);
}

static void
test_rsdp_places(void **state)
{
    (void)state;
    three_tables(true);
    move_rsdp(0xe0000);
    check_all_found();
    stop(state);
    start(state);
    three_tables(true);
    move_rsdp(0xfffe0 - 16);
    check_all_found();
    stop(state);
    start(state);
    three_tables(true);
    move_rsdp(0xf0008);                         /* not a multiple of 16 */
    assert_int_equal(acpi_find_root(&reader, &root), ERR_NOT_FOUND);
}

static void
test_rsdp_in_ebda(void **state)
{
    uint16_t segment = EBDA >> 4;

    (void)state;
    three_tables(false);
    fake_memory_put(&acpi.memory, BDA, NULL, 0x100);
    fake_memory_put(&acpi.memory, EBDA, NULL, 0x400);
    move_rsdp(EBDA + 0x3d0);
    assert_int_equal(acpi_find_root(&reader, &root), ERR_NOT_FOUND);
    memcpy(at(BDA_EBDA), &segment, sizeof segment);
    check_all_found();
    memset(at(BDA_EBDA), 0xff, sizeof segment); /* above base memory */
    assert_int_equal(acpi_find_root(&reader, &root), ERR_NOT_FOUND);
}

static void
test_wrong_rsdp_checksum_is_passed_over(void **state)
{
    (void)state;
    three_tables(false);
    memcpy(at(0xe0000), at(FAKE_ACPI_RSDP), RSDP_V1_SIZE);
    *at(0xe0000 + RSDP_CHECKSUM) ^= 1;
    check_all_found();
    *at(FAKE_ACPI_RSDP + RSDP_CHECKSUM) ^= 1;
    assert_int_equal(acpi_find_root(&reader, &root), ERR_NOT_FOUND);
}

/* Where the extended part is broken the RSDT still serves. */
static void
test_broken_extension(void **state)
{
    uint32_t rsdt;

    (void)state;
    three_tables(false);
    rsdt = (uint32_t)acpi.root;
    fake_acpi_finish(&acpi, true);
    memcpy(at(FAKE_ACPI_RSDP + 16), &rsdt, sizeof rsdt);
    fake_acpi_seal(&acpi, FAKE_ACPI_RSDP, RSDP_V1_SIZE, RSDP_CHECKSUM);
    fake_acpi_seal(&acpi, FAKE_ACPI_RSDP, 36, RSDP_EXT_SUM);
    check_all_found();
    assert_int_equal(root.address_size, 8);
    *at(FAKE_ACPI_RSDP + RSDP_EXT_SUM) ^= 1;
    check_all_found();
    assert_int_equal(root.address_size, 4);
    *at(FAKE_ACPI_RSDP + RSDP_EXT_SUM) ^= 1;
    *at(acpi.root + 9) ^= 1;                    /* XSDT's checksum */
    check_all_found();
    assert_int_equal(root.address_size, 4);
}

static void
test_wrong_rsdp_lengths(void **state)
{
    const uint32_t wrong[] = { 0, 20, 35, 4097, UINT32_MAX };

    (void)state;
    three_tables(true);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        memcpy(at(FAKE_ACPI_RSDP + 20), &wrong[i], sizeof wrong[i]);
        fake_acpi_seal(&acpi, FAKE_ACPI_RSDP, MIN(wrong[i], 4097u),
                       RSDP_EXT_SUM);
        assert_int_equal(acpi_find_root(&reader, &root), ERR_CORRUPT);
    }
}

static void
test_broken_root(void **state)
{
    uint32_t nowhere = 0x3000000;

    (void)state;
    three_tables(false);
    *at(acpi.root + 9) ^= 1;
    assert_int_equal(acpi_find_root(&reader, &root), ERR_CORRUPT);
    memcpy(at(FAKE_ACPI_RSDP + 16), &nowhere, sizeof nowhere);
    fake_acpi_seal(&acpi, FAKE_ACPI_RSDP, RSDP_V1_SIZE, RSDP_CHECKSUM);
    assert_int_equal(acpi_find_root(&reader, &root), ERR_CORRUPT);
}

static void
set_length(uint64_t maddr, uint32_t length)
{
    memcpy(at(maddr + 4), &length, sizeof length);
}

static void
test_table_lengths(void **state)
{
    const uint32_t wrong[] = { 0, 35, 37, ACPI_TABLE_MAX, ACPI_TABLE_MAX + 1,
                               0x80000000u, UINT32_MAX };
    uint64_t maddr;

    (void)state;
    maddr = fake_acpi_add(&acpi, "APIC", 1, NULL, 0);
    fake_acpi_finish(&acpi, false);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    assert_int_equal(acpi_find_table(&root, "APIC", 0, &table), OK);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        set_length(maddr, wrong[i]);
        fake_acpi_seal(&acpi, maddr, 36, 9);
        assert_int_equal(acpi_find_table(&root, "APIC", 0, &table),
                         ERR_CORRUPT);
    }
}

static void
test_table_checksum(void **state)
{
    (void)state;
    three_tables(false);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    *at(acpi.listed[1] + 40) ^= 4;
    assert_int_equal(acpi_find_table(&root, "APIC", 0, &table), ERR_CORRUPT);
    assert_int_equal(acpi_find_table(&root, "SSDT", 1, &table), OK);
    *at(acpi.listed[0] + 40) ^= 4;
    assert_int_equal(acpi_find_table(&root, "SSDT", 0, &table), ERR_CORRUPT);
    assert_int_equal(acpi_find_table(&root, "SSDT", 1, &table), OK);
}

/* The root may list itself, or what cannot be read. */
static void
test_root_lists_itself(void **state)
{
    (void)state;
    fake_acpi_add(&acpi, "APIC", 1, NULL, 0);
    acpi.listed[acpi.count++] = acpi.next;      /* where the root will be */
    acpi.listed[acpi.count++] = 0;
    acpi.listed[acpi.count++] = UINT64_MAX - 2;
    fake_acpi_finish(&acpi, true);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    assert_int_equal(root.count, 4);
    assert_int_equal(acpi_find_table(&root, "XSDT", 0, &table), OK);
    assert_int_equal(acpi_find_table(&root, "SSDT", 0, &table),
                     ERR_NOT_FOUND);
}

static void
test_root_with_very_many_entries(void **state)
{
    enum { ENTRIES = 10000 };
    uint32_t *body = calloc(ENTRIES, sizeof *body);
    uint64_t maddr;

    (void)state;
    maddr = fake_acpi_put(&acpi, "APIC", 1, NULL, 0);
    fake_acpi_finish(&acpi, false);
    acpi.root = fake_acpi_put(&acpi, "RSDT", 1, body,
                              ENTRIES * sizeof *body);
    body[0] = (uint32_t)acpi.root;
    memcpy(at(FAKE_ACPI_RSDP + 16), body, sizeof *body);
    fake_acpi_seal(&acpi, FAKE_ACPI_RSDP, RSDP_V1_SIZE, RSDP_CHECKSUM);
    memcpy(at(acpi.root + 36 + 255 * sizeof *body), &maddr, sizeof *body);
    fake_acpi_seal_table(&acpi, acpi.root);
    assert_int_equal(acpi_find_root(&reader, &root), OK);
    assert_int_equal(root.count, 256);
    assert_int_equal(acpi_find_table(&root, "APIC", 0, &table), OK);
    free(body);
}

static void
test_open_table(void **state)
{
    uint64_t maddr;

    (void)state;
    maddr = fake_acpi_put(&acpi, "DSDT", 1, "x", 1);
    assert_int_equal(acpi_open_table(&reader, make_maddr(maddr), "DSDT",
                                     &table), OK);
    assert_int_equal(acpi_open_table(&reader, make_maddr(maddr), "SSDT",
                                     &table), ERR_CORRUPT);
    assert_int_equal(acpi_open_table(&reader, make_maddr(0x123), "DSDT",
                                     &table), ERR_CORRUPT);
}

static void
test_table_read_stays_inside(void **state)
{
    uint8_t byte[2];
    uint64_t maddr;

    (void)state;
    maddr = fake_acpi_put(&acpi, "DSDT", 1, "xyz", 3);
    fake_acpi_put(&acpi, "DSDT", 1, NULL, 0);
    set_length(maddr, 38);                      /* less than there is */
    fake_acpi_seal_table(&acpi, maddr);
    assert_int_equal(acpi_open_table(&reader, make_maddr(maddr), "DSDT",
                                     &table), OK);
    assert_true(acpi_table_read(&table, 36, byte, 2));
    assert_true(acpi_table_read(&table, 38, byte, 0));
    assert_false(acpi_table_read(&table, 37, byte, 2));
    assert_false(acpi_table_read(&table, 38, byte, 1));
    assert_false(acpi_table_read(&table, UINT32_MAX, byte, 2));
    assert_false(acpi_table_read(&table, 37, byte, UINT32_MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rsdt, start, stop),
        cmocka_unit_test_setup_teardown(test_xsdt, start, stop),
        cmocka_unit_test_setup_teardown(test_no_acpi, start, stop),
        cmocka_unit_test_setup_teardown(test_rsdp_places, start, stop),
        cmocka_unit_test_setup_teardown(test_rsdp_in_ebda, start, stop),
        cmocka_unit_test_setup_teardown(
            test_wrong_rsdp_checksum_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(test_broken_extension, start, stop),
        cmocka_unit_test_setup_teardown(test_wrong_rsdp_lengths, start, stop),
        cmocka_unit_test_setup_teardown(test_broken_root, start, stop),
        cmocka_unit_test_setup_teardown(test_table_lengths, start, stop),
        cmocka_unit_test_setup_teardown(test_table_checksum, start, stop),
        cmocka_unit_test_setup_teardown(test_root_lists_itself, start, stop),
        cmocka_unit_test_setup_teardown(test_root_with_very_many_entries,
                                        start, stop),
        cmocka_unit_test_setup_teardown(test_open_table, start, stop),
        cmocka_unit_test_setup_teardown(test_table_read_stays_inside, start,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
