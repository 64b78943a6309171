/*
 * fake_acpi.c - a machine's ACPI tables in fake memory (fake_acpi.h).
 */
#include "unit/fake_acpi.h"

#include <string.h>

#include "drivers/acpi_tables.h"

#define ROM_START           0xe0000u
#define ROM_SIZE            0x20000u
#define RSDP_CHECKSUM       8
#define RSDP_REVISION       15
#define RSDP_RSDT           16
#define RSDP_LENGTH         20
#define RSDP_XSDT           24
#define RSDP_EXT_CHECKSUM   32
#define RSDP_V1_SIZE        20
#define RSDP_V2_SIZE        36

void
fake_acpi_init(struct fake_acpi *acpi)
{
    memset(acpi, 0, sizeof *acpi);
    fake_memory_put(&acpi->memory, ROM_START, NULL, ROM_SIZE);
    acpi->next = FAKE_ACPI_TABLES;
}

void
fake_acpi_seal(struct fake_acpi *acpi, uint64_t maddr, size_t size,
               size_t checksum)
{
    uint8_t *bytes = fake_memory_at(&acpi->memory, maddr);
    uint8_t sum = 0;

    bytes[checksum] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[checksum] = (uint8_t)-sum;
}

void
fake_acpi_seal_table(struct fake_acpi *acpi, uint64_t maddr)
{
    struct acpi_header *header =
        (struct acpi_header *)fake_memory_at(&acpi->memory, maddr);

    fake_acpi_seal(acpi, maddr, header->length,
                   offsetof(struct acpi_header, checksum));
}

uint64_t
fake_acpi_put(struct fake_acpi *acpi, const char *signature, uint8_t revision,
              const void *body, size_t size)
{
    struct acpi_header header = {
        .length = (uint32_t)(sizeof header + size), .revision = revision,
    };
    uint64_t maddr = acpi->next;

    memcpy(header.signature, signature, sizeof header.signature);
    fake_memory_put(&acpi->memory, maddr, NULL, header.length);
    memcpy(fake_memory_at(&acpi->memory, maddr), &header, sizeof header);
    if (size > 0)
        memcpy(fake_memory_at(&acpi->memory, maddr + sizeof header), body,
               size);
    fake_acpi_seal_table(acpi, maddr);
    acpi->next += ROUND_UP(header.length, 256u);
    return maddr;
}

uint64_t
fake_acpi_add(struct fake_acpi *acpi, const char *signature, uint8_t revision,
              const void *body, size_t size)
{
    acpi->listed[acpi->count] = fake_acpi_put(acpi, signature, revision, body,
                                              size);
    return acpi->listed[acpi->count++];
}

void
fake_acpi_finish(struct fake_acpi *acpi, bool xsdt)
{
    uint8_t *rsdp = fake_memory_at(&acpi->memory, FAKE_ACPI_RSDP);
    size_t width = xsdt ? 8 : 4;
    uint32_t length = RSDP_V2_SIZE;
    uint8_t body[8 * FAKE_ACPI_MAX] = { 0 };

    for (unsigned i = 0; i < acpi->count; i++)
        memcpy(body + i * width, &acpi->listed[i], width);
    acpi->root = fake_acpi_put(acpi, xsdt ? "XSDT" : "RSDT", 1, body,
                               acpi->count * width);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[RSDP_REVISION] = xsdt ? 2 : 0;
    if (xsdt)
        memcpy(rsdp + RSDP_XSDT, &acpi->root, sizeof(uint64_t));
    else
        memcpy(rsdp + RSDP_RSDT, &acpi->root, sizeof(uint32_t));
    if (xsdt)
        memcpy(rsdp + RSDP_LENGTH, &length, sizeof length);
    fake_acpi_seal(acpi, FAKE_ACPI_RSDP, RSDP_V1_SIZE, RSDP_CHECKSUM);
    if (xsdt)
        fake_acpi_seal(acpi, FAKE_ACPI_RSDP, RSDP_V2_SIZE, RSDP_EXT_CHECKSUM);
}
