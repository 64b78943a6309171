/*
 * fake_acpi.h - a machine's ACPI tables, built table by table in fake memory.
 *
 *      fake_acpi_init(&acpi);
 *      fake_acpi_add(&acpi, "APIC", 1, body, sizeof body);
 *      fake_acpi_finish(&acpi, false);
 *
 * Afterwards a test breaks what it wants to through fake_memory_at().
 */
#ifndef TESTS_UNIT_FAKE_ACPI_H
#define TESTS_UNIT_FAKE_ACPI_H

#include "unit/fake_memory.h"

#define FAKE_ACPI_RSDP      0xe1230u
#define FAKE_ACPI_TABLES    0x7fe0000u
#define FAKE_ACPI_MAX       24

struct fake_acpi {
    struct fake_memory memory;
    uint64_t next;                      /* where the next table goes */
    unsigned count;
    uint64_t listed[FAKE_ACPI_MAX];     /* tables in the root table */
    uint64_t root;                      /* set by fake_acpi_finish() */
};

void fake_acpi_init(struct fake_acpi *acpi);

/* Put a table there, header and checksum made; BODY is what follows those. */
uint64_t fake_acpi_put(struct fake_acpi *acpi, const char *signature,
                       uint8_t revision, const void *body, size_t size);

/* The same, and list it in the root table. */
uint64_t fake_acpi_add(struct fake_acpi *acpi, const char *signature,
                       uint8_t revision, const void *body, size_t size);

/* Write root table and RSDP: an XSDT as in ACPI 2.0, or an RSDT as in 1.0. */
void fake_acpi_finish(struct fake_acpi *acpi, bool xsdt);

/* Make SIZE bytes at MADDR sum up to 0 by changing the one at CHECKSUM. */
void fake_acpi_seal(struct fake_acpi *acpi, uint64_t maddr, size_t size,
                    size_t checksum);

/* The same for a table with a header that was changed. */
void fake_acpi_seal_table(struct fake_acpi *acpi, uint64_t maddr);

#endif
