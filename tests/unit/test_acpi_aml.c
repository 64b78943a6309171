/*
 * test_acpi_aml.c - finding \_S5 in AML, by the encodings that firmware uses,
 * and in all sorts of rubbish.
 */
#include "unit/test.h"

#include "drivers/acpi_aml.h"
#include "unit/fake_acpi.h"

/* NameOp and the name, as ASL compilers write it with and without '\'. */
#define S5              "\x08_S5_"
#define ROOT_S5         "\x08\\_S5_"

#define FIND(bytes, types) find(bytes, sizeof(bytes) - 1, types)

/* Look in a DSDT of SIZE bytes of AML. */
static bool
find(const void *aml, size_t size, struct acpi_sleep_types *types)
{
    static struct fake_acpi acpi;
    struct mem_reader reader = fake_memory_reader(&acpi.memory);
    struct acpi_table table;
    uint64_t maddr;
    bool found;

    fake_acpi_init(&acpi);
    maddr = fake_acpi_put(&acpi, "DSDT", 1, aml, size);
    assert_int_equal(acpi_open_table(&reader, make_maddr(maddr), "DSDT",
                                     &table), OK);
    found = acpi_find_s5(&table, types);
    fake_memory_free(&acpi.memory);
    return found;
}

#define CHECK(bytes, expected_a, expected_b)                              \
    do {                                                                  \
        struct acpi_sleep_types types = { 0xaa, 0xaa };                   \
        assert_true(FIND(bytes, &types));                                 \
        assert_int_equal(types.a, expected_a);                            \
        assert_int_equal(types.b, expected_b);                            \
    } while (0)

#define CHECK_NONE(bytes)                                                 \
    do {                                                                  \
        struct acpi_sleep_types types = { 0xaa, 0xaa };                   \
        assert_false(FIND(bytes, &types));                                \
        assert_int_equal(types.a, 0xaa);                                  \
    } while (0)

static void
test_as_firmware_writes_it(void **state)
{
    (void)state;
    /* QEMU: Package (4) { Zero, Zero, Zero, Zero } */
    CHECK(S5 "\x12\x06\x04\x00\x00\x00\x00", 0, 0);
    /* Bochs: Package (4) { 0x00, 0x00, 0x00, 0x00 }, bytes */
    CHECK(S5 "\x12\x0a\x04\x0a\x00\x0a\x00\x0a\x00\x0a\x00", 0, 0);
    /* many PCs: Package (4) { 0x07, 0x07, Zero, Zero } */
    CHECK(S5 "\x12\x08\x04\x0a\x07\x0a\x07\x00\x00", 7, 7);
    CHECK(ROOT_S5 "\x12\x08\x04\x0a\x05\x0a\x03\x00\x00", 5, 3);
    CHECK(S5 "\x12\x05\x02\x01\x0a\x02", 1, 2);
    /* 0x1a: a length of more than 4 bits in one byte */
    CHECK(S5 "\x12\x1a\x04\x0c\5\0\0\0\x0c\3\0\0\0\x0c\0\0\0\0"
             "\x0e\0\0\0\0\0\0\0\0", 5, 3);
}

static void
test_integer_encodings(void **state)
{
    (void)state;
    CHECK(S5 "\x12\x04\x02\x01\xff", 1, 7);
    CHECK(S5 "\x12\x08\x02\x0b\x03\x00\x0b\x04\x00", 3, 4);
    CHECK(S5 "\x12\x0c\x02\x0c\x05\0\0\0\x0c\x06\0\0\0", 5, 6);
    CHECK(S5 "\x12\x0c\x02\x0e\x02\0\0\0\0\0\0\0\x00", 2, 0);
    CHECK(S5 "\x12\x04\x01\x0a\x05", 5, 0);
}

/* PkgLength in two to four bytes, as some compilers write short ones too. */
static void
test_long_package_lengths(void **state)
{
    (void)state;
    CHECK(S5 "\x12\x46\x00\x02\x0a\x05\x01", 5, 1);
    CHECK(S5 "\x12\x87\x00\x00\x02\x0a\x05\x01", 5, 1);
    CHECK(S5 "\x12\xc8\x00\x00\x00\x02\x0a\x05\x01", 5, 1);
}

static void
test_what_is_not_s5(void **state)
{
    (void)state;
    CHECK_NONE("");
    CHECK_NONE("_S5_\x12\x06\x04\x00\x00\x00\x00");         /* no NameOp */
    CHECK_NONE("\x14_S5_\x12\x06\x04\x00\x00\x00\x00");
    CHECK_NONE("\x10\\_S5_\x12\x06\x04\x00\x00\x00\x00");
    CHECK_NONE("\x08_S4_\x12\x06\x04\x00\x00\x00\x00");
    CHECK_NONE(S5 "\x0a\x05");                              /* no package */
    CHECK_NONE(S5 "\x12\x02\x00");                          /* empty */
    CHECK_NONE(S5 "\x12\x06\x02\x70\x00\x00\x00");          /* not a number */
    CHECK_NONE(S5 "\x12\x05\x02\x0a\x08\x00");              /* above 7 */
    CHECK_NONE(S5 "\x12\x06\x02\x0b\x01\x01\x00");
}

static void
test_package_that_ends_early(void **state)
{
    (void)state;
    CHECK_NONE(S5);
    CHECK_NONE(S5 "\x12");
    CHECK_NONE(S5 "\x12\x06");
    CHECK_NONE(S5 "\x12\x06\x04");
    CHECK_NONE(S5 "\x12\x06\x04\x00\x00\x00");      /* longer than the table */
    CHECK_NONE(S5 "\x12\x00\x02\x01\x01\x01");
    CHECK_NONE(S5 "\x12\x01\x02\x01\x01\x01");
    CHECK_NONE(S5 "\x12\x03\x02\x01\x01\x01");      /* ends behind SLP_TYPa */
    CHECK_NONE(S5 "\x12\x04\x02\x01\x0b\x01");      /* ends in a number */
    CHECK_NONE(S5 "\x12\xcf\xff\xff\xff\x02\x01\x01");
}

static void
test_goes_on_behind_rubbish(void **state)
{
    (void)state;
    CHECK(S5 "\x12\x05\x02\x70\x00\x00" S5 "\x12\x04\x02\x01\x00", 1, 0);
    CHECK(S5 "\x12" S5 "\x12\x04\x02\x01\x00", 1, 0);
    CHECK("\x08\x08_S5" S5 "\x12\x04\x02\x01\x00", 1, 0);
}

/* The search reads through a window: every alignment to it must do. */
static void
test_any_position(void **state)
{
    enum { SIZE = 1200 };
    static const char s5[] = S5 "\x12\x08\x04\x0a\x05\x0a\x03\x00\x00";

    (void)state;
    for (size_t at = 0; at + sizeof s5 - 1 <= SIZE; at++) {
        struct acpi_sleep_types types = { 0, 0 };
        uint8_t aml[SIZE];

        memset(aml, 0x5c, sizeof aml);
        memcpy(aml + at, s5, sizeof s5 - 1);
        assert_true(find(aml, SIZE, &types));
        assert_int_equal(types.a, 5);
        assert_int_equal(types.b, 3);
    }
}

/* Memory that was there for the checksum may not be there for the search. */
static void
test_table_that_vanishes(void **state)
{
    static const char s5[] = S5 "\x12\x04\x02\x01\x00";
    struct acpi_sleep_types types = { 0xaa, 0xaa };
    struct fake_memory memory = { 0 };
    struct mem_reader reader = fake_memory_reader(&memory);
    struct acpi_table table = {
        .reader = &reader,
        .length = sizeof(struct acpi_header) + sizeof s5
    };

    (void)state;
    fake_memory_put(&memory, 0, NULL, table.length - 1);
    memcpy(fake_memory_at(&memory, sizeof(struct acpi_header)), s5,
           sizeof s5 - 1);
    assert_false(acpi_find_s5(&table, &types));
    table.length--;
    assert_true(acpi_find_s5(&table, &types));
    fake_memory_free(&memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_firmware_writes_it),
        cmocka_unit_test(test_integer_encodings),
        cmocka_unit_test(test_long_package_lengths),
        cmocka_unit_test(test_what_is_not_s5),
        cmocka_unit_test(test_package_that_ends_early),
        cmocka_unit_test(test_goes_on_behind_rubbish),
        cmocka_unit_test(test_any_position),
        cmocka_unit_test(test_table_that_vanishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
