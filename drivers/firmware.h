/*
 * firmware.h - finding the tables that PC firmware leaves in low memory.
 *
 * ACPI's root pointer and the MP floating pointer are found alike: by a
 * signature at a multiple of 16 in one of a few areas, and believed if the
 * bytes of the structure sum up to 0.
 */
#ifndef DRIVERS_FIRMWARE_H
#define DRIVERS_FIRMWARE_H

#include "kernel/base/mem_reader.h"

/* A run of low memory to search; `size` 0: there is no such area. */
struct firmware_area {
    uint32_t start;
    uint32_t size;
};

/* The first KB of the extended BIOS data area, as the BIOS data area has it. */
struct firmware_area firmware_ebda(const struct mem_reader *reader);

/* The last KB of base memory, by the size that the BIOS data area has. */
struct firmware_area firmware_base_end(const struct mem_reader *reader);

/*
 * The next place in AREA where SIGNATURE stands; AREA becomes what is left
 * behind it.  False if there is none.
 */
bool firmware_search(const struct mem_reader *reader,
                     struct firmware_area *area, const char *signature,
                     maddr_t *found);

/* Whether SIZE bytes can be read at FROM and sum up to 0 modulo 256. */
bool firmware_sums_to_zero(const struct mem_reader *reader, maddr_t from,
                           uint32_t size);

#endif
