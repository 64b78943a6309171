/*
 * mp_tables.h - processors, interrupt controllers and wiring out of the tables
 * of Intel's MultiProcessor Specification 1.4, chapters 4 and 5: what machines
 * from before ACPI have, and many later ones too.
 */
#ifndef DRIVERS_MP_TABLES_H
#define DRIVERS_MP_TABLES_H

#include "drivers/platform.h"

/*
 * Where ACPI has described processors and I/O APICs already (info->source),
 * only the wiring of PCI slots is added, which ACPI keeps in byte code that we
 * do not run; an error is then of no consequence.  Else all of INFO but its
 * power registers is filled in, and if that fails it has no processors.
 *
 * ERR_NOT_FOUND if there are no tables; ERR_CORRUPT after a warning.
 *
 * The tables do not say how many lines an I/O APIC has, so GSIs of the second
 * and later ones assume 24 for each before.
 */
MUST_CHECK status_t mp_tables_read(const struct mem_reader *reader,
                                   struct platform_info *info);

#endif
