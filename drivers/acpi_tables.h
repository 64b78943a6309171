/*
 * acpi_tables.h - from the root pointer to a table of a given name (ACPI 6.5,
 * 5.2.5 to 5.2.8).
 *
 * Tables stay where the firmware put them and are read through a struct
 * mem_reader.  A struct acpi_table has been checked: its signature, its length
 * within bounds, its checksum; what it says inside has not.
 *
 * Nothing here follows a chain: the root table lists all others, so cycles are
 * harmless.  Pure; at boot, one processor.
 */
#ifndef DRIVERS_ACPI_TABLES_H
#define DRIVERS_ACPI_TABLES_H

#include "kernel/base/mem_reader.h"
#include "kernel/base/status.h"

#define ACPI_SIGNATURE_SIZE     4u

/* How every table begins (5.2.6); `length` includes this. */
struct acpi_header {
    char signature[ACPI_SIGNATURE_SIZE];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
} PACKED;
STATIC_ASSERT(sizeof(struct acpi_header) == 36);

/* The largest table believed: DSDTs of big servers have half a MB. */
#define ACPI_TABLE_MAX          MB(2)

struct acpi_table {
    const struct mem_reader *reader;
    maddr_t maddr;
    uint32_t length;            /* sizeof(struct acpi_header) or more */
    uint8_t revision;
};

/* The RSDT or XSDT: a header, then addresses of all tables but the DSDT. */
struct acpi_root {
    struct acpi_table table;
    unsigned address_size;      /* 4 or 8 bytes */
    unsigned count;
};

/*
 * Find the root of all tables.  ERR_NOT_FOUND if this machine has no ACPI;
 * ERR_CORRUPT, after a warning, if it has and it is broken.
 */
MUST_CHECK status_t acpi_find_root(const struct mem_reader *reader,
                                   struct acpi_root *root);

/*
 * The NTH (from 0) table with this SIGNATURE.  ERR_NOT_FOUND, or ERR_CORRUPT
 * after a warning.
 */
MUST_CHECK status_t acpi_find_table(const struct acpi_root *root,
                                    const char *signature, unsigned nth,
                                    struct acpi_table *table);

/* Check the table at MADDR.  ERR_CORRUPT, after a warning. */
MUST_CHECK status_t acpi_open_table(const struct mem_reader *reader,
                                    maddr_t maddr, const char *signature,
                                    struct acpi_table *table);

/* Copy SIZE bytes at OFFSET; false if they are not all inside the table. */
MUST_CHECK bool acpi_table_read(const struct acpi_table *table,
                                uint32_t offset, void *buf, uint32_t size);

#endif
