/*
 * gpa_map.h - what lies where in a VM's guest-physical memory.
 *
 * A short sorted list of ranges of pages: RAM, ROM, device memory; what no
 * range covers is a hole, which reads as all ones and takes no writes.  A page
 * of RAM or ROM is backed by a page of the VM's store (whatever that is: an
 * array, or machine pages found by their number), so a range can be moved,
 * shadowed and aliased.  The map changes while the guest runs: A20, shadow RAM,
 * BARs.  Whoever changes it flushes what was cached from it.
 *
 * Pure; one writer, who is the vcpu's thread, at a safe point.
 */
#ifndef VMM_MMU_GPA_MAP_H
#define VMM_MMU_GPA_MAP_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"

#define GPA_RANGES_MAX  64u

enum gpa_kind {
    GPA_HOLE,
    GPA_RAM,
    GPA_ROM,        /* writes go nowhere */
    GPA_DEVICE,     /* accesses go to a device; `backing` says what to it */
    GPA_KIND_COUNT
};

struct gpa_range {
    uint32_t first, count;      /* page numbers */
    uint32_t backing;           /* page of the store behind `first` */
    enum gpa_kind kind;
};

struct gpa_map {
    uint32_t page_mask;         /* A20: ANDed to every page number */
    unsigned count;
    struct gpa_range range[GPA_RANGES_MAX];
};

/* Nothing but a hole, and A20 open. */
void gpa_map_init(struct gpa_map *map);

/*
 * Make R's pages what R says, whatever was there before.  ERR_RANGE: R is
 * empty or wraps; ERR_FULL: too many ranges.  Then the map is as it was.
 */
MUST_CHECK status_t gpa_map_set(struct gpa_map *map,
                                const struct gpa_range *r);

/* The gate of address line 20: closed, odd megabytes are the even ones. */
void gpa_map_set_a20(struct gpa_map *map, bool is_open);

/* What is at PPN, and for RAM and ROM (and devices) which page of the store. */
enum gpa_kind gpa_map_find(const struct gpa_map *map, ppn_t ppn,
                           uint32_t *backing);

#endif
