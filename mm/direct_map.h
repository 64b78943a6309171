/*
 * direct_map.h - machine memory below 2 GB at one fixed offset.
 *
 * Built once, at boot, from what is RAM.  Mapped are:
 *
 *      RAM below 2 GB      read-write, in 2 MB pages where possible
 *      our own image       each section with its own rights
 *      the rest of the first MB: BIOS data and ROM read-only, the VGA's
 *                          memory uncached, machine page 0 not at all
 */
#ifndef MM_DIRECT_MAP_H
#define MM_DIRECT_MAP_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"
#include "mm/memmap.h"

/* RAM is all of it, our image too.  SOURCE as for pagetable_prepare. */
MUST_CHECK status_t direct_map_build(const struct memmap *ram,
                                     status_t (*source)(mpn_t *mpn));

#endif
