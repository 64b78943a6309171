/*
 * acpi_tables.c - from the root pointer to a table of a given name.
 *
 * The root system description pointer (RSDP) lies at a multiple of 16 in the
 * first KB of the extended BIOS data area or in 0xE0000-0xFFFFF (5.2.5.1).  It
 * leads to the RSDT, and from ACPI 2.0 on also to the XSDT, which has 64-bit
 * addresses and is preferred.  A machine whose XSDT is broken but whose RSDT
 * is not still works, so that is tried too.
 *
 * Each refusal is one line in the log.  Pure; see acpi_tables.h.  Section
 * numbers are those of ACPI 6.5.
 */
#include "drivers/acpi_tables.h"

#include "drivers/firmware.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

#define RSDP_SIGNATURE      "RSD PTR "
#define ROM_AREA_START      0xe0000u
#define ROM_AREA_SIZE       0x20000u

/* More tables than this in a root table are not looked at. */
#define ROOT_ENTRIES_MAX    256u

/* Root system description pointer, 5.2.5.3. */
struct acpi_rsdp {
    char signature[8];
    uint8_t checksum;           /* of the first RSDP_V1_SIZE bytes */
    char oem_id[6];
    uint8_t revision;           /* 0: ACPI 1.0; 2: what follows is there */
    uint32_t rsdt_address;
    uint32_t length;
    uint64_t xsdt_address;
    uint8_t extended_checksum;  /* of `length` bytes */
    uint8_t reserved[3];
} PACKED;
STATIC_ASSERT(sizeof(struct acpi_rsdp) == 36);

#define RSDP_V1_SIZE        20u
#define RSDP_LENGTH_MAX     KB(4)
STATIC_ASSERT(offsetof(struct acpi_rsdp, length) == RSDP_V1_SIZE);

/* Signatures come from outside and go to the log. */
static char
printable(char c)
{
    return char_is_print(c) ? c : '?';
}

static status_t
refuse(const char *signature, maddr_t maddr, const char *why)
{
    log_warn(MOD_ACPI, "%.4s at " PRI_maddr " refused: %s", signature,
             (unsigned long long)maddr_raw(maddr), why);
    return TRACE_ERR(ERR_CORRUPT);
}

/* The length is checked before the sum is taken: it bounds the work. */
status_t
acpi_open_table(const struct mem_reader *reader, maddr_t maddr,
                const char *signature, struct acpi_table *table)
{
    struct acpi_header header;

    if (!mem_read(reader, maddr, &header, sizeof header))
        return refuse(signature, maddr, "cannot be read");
    if (memcmp(header.signature, signature, ACPI_SIGNATURE_SIZE) != 0) {
        log_warn(MOD_ACPI, "%.4s expected at " PRI_maddr ", found %c%c%c%c",
                 signature, (unsigned long long)maddr_raw(maddr),
                 printable(header.signature[0]),
                 printable(header.signature[1]),
                 printable(header.signature[2]),
                 printable(header.signature[3]));
        return TRACE_ERR(ERR_CORRUPT);
    }
    if (header.length < sizeof header || header.length > ACPI_TABLE_MAX)
        return refuse(signature, maddr, "absurd length");
    if (!firmware_sums_to_zero(reader, maddr, header.length))
        return refuse(signature, maddr, "wrong checksum");
    table->reader = reader;
    table->maddr = maddr;
    table->length = header.length;
    table->revision = header.revision;
    return OK;
}

bool
acpi_table_read(const struct acpi_table *table, uint32_t offset, void *buf,
                uint32_t size)
{
    if (offset > table->length || size > table->length - offset)
        return false;
    return mem_read(table->reader, maddr_add(table->maddr, offset), buf, size);
}

/* ADDRESS is of an RSDT or XSDT, as SIGNATURE says. */
static status_t
open_root(const struct mem_reader *reader, uint64_t address,
          const char *signature, struct acpi_root *root)
{
    status_t status = acpi_open_table(reader, make_maddr(address), signature,
                                      &root->table);

    if (status != OK)
        return status;
    root->address_size = signature[0] == 'X' ? sizeof(uint64_t)
                                             : sizeof(uint32_t);
    root->count = (root->table.length - sizeof(struct acpi_header)) /
                  root->address_size;
    if (root->count > ROOT_ENTRIES_MAX) {
        log_warn(MOD_ACPI, "%s lists %u tables, the first %u are used",
                 signature, root->count, ROOT_ENTRIES_MAX);
        root->count = ROOT_ENTRIES_MAX;
    }
    return OK;
}

/* Copy the RSDP at MADDR, as far as it goes; false if it is none. */
static bool
read_rsdp(const struct mem_reader *reader, maddr_t maddr,
          struct acpi_rsdp *rsdp)
{
    memset(rsdp, 0, sizeof *rsdp);
    if (!firmware_sums_to_zero(reader, maddr, RSDP_V1_SIZE) ||
        !mem_read(reader, maddr, rsdp, RSDP_V1_SIZE))
        return false;
    if (rsdp->revision < 2)
        return true;
    /* The first part has a sum of its own, so only the XSDT is at stake. */
    if (!mem_read(reader, maddr, rsdp, sizeof *rsdp) ||
        rsdp->length < sizeof *rsdp || rsdp->length > RSDP_LENGTH_MAX ||
        !firmware_sums_to_zero(reader, maddr, rsdp->length)) {
        log_warn(MOD_ACPI, "extended part of the RSDP refused");
        rsdp->xsdt_address = 0;
    }
    return true;
}

static bool
find_rsdp(const struct mem_reader *reader, struct acpi_rsdp *rsdp)
{
    struct firmware_area areas[] = {
        firmware_ebda(reader),
        { .start = ROM_AREA_START, .size = ROM_AREA_SIZE },
    };
    maddr_t at;

    for (size_t i = 0; i < ARRAY_LEN(areas); i++)
        while (firmware_search(reader, &areas[i], RSDP_SIGNATURE, &at))
            if (read_rsdp(reader, at, rsdp))
                return true;
    return false;
}

status_t
acpi_find_root(const struct mem_reader *reader, struct acpi_root *root)
{
    struct acpi_rsdp rsdp;

    if (!find_rsdp(reader, &rsdp))
        return ERR_NOT_FOUND;
    if (rsdp.xsdt_address != 0 &&
        open_root(reader, rsdp.xsdt_address, "XSDT", root) == OK)
        return OK;
    return open_root(reader, rsdp.rsdt_address, "RSDT", root);
}

status_t
acpi_find_table(const struct acpi_root *root, const char *signature,
                unsigned nth, struct acpi_table *table)
{
    for (unsigned i = 0; i < root->count; i++) {
        uint32_t offset = sizeof(struct acpi_header) + i * root->address_size;
        char found[ACPI_SIGNATURE_SIZE];    /* checked only if wanted */
        uint64_t address = 0;       /* little-endian: 4 bytes will do */

        if (!acpi_table_read(&root->table, offset, &address,
                             root->address_size))
            return TRACE_ERR(ERR_CORRUPT);
        if (!mem_read(root->table.reader, make_maddr(address), found,
                      sizeof found) ||
            memcmp(found, signature, sizeof found) != 0)
            continue;
        if (nth-- == 0)
            return acpi_open_table(root->table.reader, make_maddr(address),
                                   signature, table);
    }
    return ERR_NOT_FOUND;
}
