/*
 * memory_map.h - which machine addresses are RAM, and whose.
 *
 * Firmware describes memory in a list that may be unsorted, overlapping or
 * plain wrong.  memory_map_add() collects such statements, each a claim about a
 * range; memory_map_flatten() turns them into a flat map, which everybody else
 * works with:
 *
 *   - ranges ascend, do not overlap, are not empty and do not wrap;
 *   - where claims disagree, the later kind in enum memory_kind wins: memory is
 *     usable only if nobody says otherwise;
 *   - usable ranges consist of whole pages below MEMORY_LIMIT;
 *   - neighbours of the same kind are one range.
 *
 * What no claim covers is in no range: a hole, or device memory.
 *
 * Pure; called at boot by one processor.
 */
#ifndef KERNEL_BASE_MEMORY_MAP_H
#define KERNEL_BASE_MEMORY_MAP_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

/* Firmware seldom makes more than 30. */
#define MEMORY_MAP_MAX  128u

/* What PAE's 36 address bits reach. */
#define MEMORY_LIMIT    GB(64)

/* From weak to strong: see above. */
enum memory_kind {
    MEMORY_USABLE,          /* RAM that is free for any use */
    MEMORY_ACPI,            /* RAM with ACPI tables */
    MEMORY_NVS,             /* RAM that the firmware keeps using */
    MEMORY_RESERVED,        /* leave alone */
    MEMORY_BAD,             /* RAM that does not work */
    MEMORY_MODULE,          /* RAM with a module that the boot loader loaded */
    MEMORY_KERNEL,          /* RAM with the VMkernel's own image */
    MEMORY_KIND_COUNT
};

struct memory_range {
    uint64_t base;
    uint64_t length;
    enum memory_kind kind;
};

struct memory_map {
    unsigned count;
    struct memory_range ranges[MEMORY_MAP_MAX];
};

/* "usable", "ACPI"...; "unknown" for other numbers. */
const char *memory_kind_name(enum memory_kind kind);

/*
 * Append a claim.  Usable memory that wraps around the end of the address
 * space is refused (ERR_RANGE); of other kinds, what is below the end counts.
 * Empty ranges are accepted and left out.  ERR_FULL if there is no room.
 */
MUST_CHECK status_t memory_map_add(struct memory_map *claims, uint64_t base,
                                   uint64_t length, enum memory_kind kind);

/*
 * Fill FLAT from CLAIMS (another object).  If FLAT has not enough room the
 * ranges at the highest addresses are left out and the result is ERR_FULL; the
 * map can still be used.
 */
MUST_CHECK status_t memory_map_flatten(struct memory_map *flat,
                                       const struct memory_map *claims);

/* Flat maps only: is all of the (not empty) range inside memory of KIND? */
bool memory_map_contains(const struct memory_map *flat, uint64_t base,
                         uint64_t length, enum memory_kind kind);

/* Flat maps only: the sum of the lengths of all ranges of KIND. */
uint64_t memory_map_total(const struct memory_map *flat,
                          enum memory_kind kind);

/* Flat maps only: take usable memory at and above LIMIT out of the map. */
void memory_map_limit(struct memory_map *flat, uint64_t limit);

#endif
