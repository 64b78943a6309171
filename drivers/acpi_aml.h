/*
 * acpi_aml.h - the one thing that we want from ACPI's byte code: how to switch
 * the machine off.
 *
 * To enter S5 one writes SLP_TYP values to the PM1 control registers, and the
 * values are in a package named \_S5 in the DSDT (or an SSDT).  An interpreter
 * for all of AML would be larger than the rest of the drivers; but firmware
 * writes this package as plain constants, because it is also needed before
 * interpreters run, so it can be found by its name and read as it stands.
 *
 * Pure; at boot.  ACPI 6.5, 7.4.2.6 (_S5), 20.2 (AML).
 */
#ifndef DRIVERS_ACPI_AML_H
#define DRIVERS_ACPI_AML_H

#include "drivers/acpi_tables.h"

struct acpi_sleep_types {
    uint8_t a;                  /* for PM1a control: 0 to 7 */
    uint8_t b;                  /* for PM1b control */
};

/* False if TABLE has no \_S5 package that can be understood. */
bool acpi_find_s5(const struct acpi_table *table,
                  struct acpi_sleep_types *types);

#endif
