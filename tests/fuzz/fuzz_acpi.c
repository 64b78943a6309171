/*
 * fuzz_acpi.c - ACPI tables whose inside is the fuzzer's.
 *
 * A fuzzer does not find checksums, so the input is a list of tables that get
 * their headers here:
 *
 *      1 byte   kind of table (modulo), 2 bytes size, then the body
 *
 * An input that begins with 0xff is instead all of 0xE0000 and up, as it is.
 */
#include <string.h>

#include "fuzz/check_platform.h"
#include "unit/fake_acpi.h"

#define RAW             0xffu
#define ROM_START       0xe0000u
#define ROM_SIZE        0x20000u
#define ENTRY_HEADER    3
#define TABLES_MAX      16
#define FADT_DSDT       4           /* offset in the body */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind { KIND_FADT, KIND_MADT, KIND_DSDT, KIND_SSDT, KIND_COUNT };

static const char *const signatures[KIND_COUNT] = {
    [KIND_FADT] = "FACP", [KIND_MADT] = "APIC",
    [KIND_DSDT] = "DSDT", [KIND_SSDT] = "SSDT",
};

static struct platform_info info;

/* Point the FADT at MADDR, if it is long enough to point at anything. */
static void
point_at_dsdt(struct fake_acpi *acpi, uint64_t fadt, uint64_t maddr)
{
    uint32_t dsdt = (uint32_t)maddr;
    uint32_t length;

    memcpy(&length, fake_memory_at(&acpi->memory, fadt + 4), sizeof length);
    if (length < 44)
        return;
    memcpy(fake_memory_at(&acpi->memory, fadt + 36 + FADT_DSDT), &dsdt,
           sizeof dsdt);
    fake_acpi_seal_table(acpi, fadt);
}

static void
build(struct fake_acpi *acpi, const uint8_t *data, size_t size)
{
    uint64_t fadt = 0, dsdt = 0;

    fake_acpi_init(acpi);
    for (unsigned n = 0; n < TABLES_MAX && size >= ENTRY_HEADER; n++) {
        enum kind kind = data[0] % KIND_COUNT;
        size_t body = MIN(data[1] | (size_t)data[2] << 8,
                          size - ENTRY_HEADER);
        uint64_t maddr = fake_acpi_add(acpi, signatures[kind],
                                       data[0] / KIND_COUNT,
                                       data + ENTRY_HEADER, body);

        if (kind == KIND_FADT)
            fadt = maddr;
        if (kind == KIND_DSDT)
            dsdt = maddr;
        data += ENTRY_HEADER + body;
        size -= ENTRY_HEADER + body;
    }
    if (fadt != 0 && dsdt != 0)
        point_at_dsdt(acpi, fadt, dsdt);
    fake_acpi_finish(acpi, true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake_acpi acpi;
    struct mem_reader reader = fake_memory_reader(&acpi.memory);

    if (size > 0 && data[0] == RAW) {
        memset(&acpi, 0, sizeof acpi);
        fake_memory_put(&acpi.memory, ROM_START, NULL, ROM_SIZE);
        memcpy(fake_memory_at(&acpi.memory, ROM_START), data + 1,
               MIN(size - 1, ROM_SIZE));
    } else {
        build(&acpi, data, size);
    }
    platform_discover(&reader, true, &info);
    check_platform(&info);
    fake_memory_free(&acpi.memory);
    return 0;
}
