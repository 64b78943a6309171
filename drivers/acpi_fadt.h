/*
 * acpi_fadt.h - power, reset and legacy hardware out of ACPI's fixed
 * description table (ACPI 6.5, 5.2.9).
 */
#ifndef DRIVERS_ACPI_FADT_H
#define DRIVERS_ACPI_FADT_H

#include "drivers/acpi_tables.h"
#include "drivers/platform.h"

/*
 * Fill in INFO's power registers (not the S5 values, which are in the DSDT),
 * has_i8042 and century_register; *DSDT is where that table should be, and may
 * be 0.  ERR_NOT_FOUND or, after a warning, ERR_CORRUPT; INFO is left alone.
 */
MUST_CHECK status_t acpi_read_fadt(const struct acpi_root *root,
                                   struct platform_info *info, maddr_t *dsdt);

#endif
