/*
 * acpi_madt.h - processors and interrupt controllers out of ACPI's multiple
 * APIC description table (ACPI 6.5, 5.2.12).
 */
#ifndef DRIVERS_ACPI_MADT_H
#define DRIVERS_ACPI_MADT_H

#include "drivers/acpi_tables.h"
#include "drivers/platform.h"

/*
 * Fill in INFO's processors, I/O APICs, ISA wiring, local APIC address and
 * whether there are 8259s.  ERR_NOT_FOUND if there is no such table,
 * ERR_CORRUPT after a warning; INFO then has no processors.
 */
MUST_CHECK status_t acpi_read_madt(const struct acpi_root *root,
                                   struct platform_info *info);

#endif
