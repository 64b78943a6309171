/*
 * memmap.h - a set of machine pages, kept as sorted ranges.
 *
 * This is how memory is described before there are frame records, and what is
 * left of it for sections whose records do not exist yet (mm/frame.h).  The
 * loader's map is not trusted: ranges may come in any order, overlap, be empty
 * or lie beyond what we support.
 *
 * Ranges are sorted, not empty, and do not touch each other.  There is room
 * for MEMMAP_RANGES; what would need more is left out of the set (memory is
 * lost, never invented) and counted.  Pure.
 */
#ifndef MM_MEMMAP_H
#define MM_MEMMAP_H

#include "kernel/base/types.h"

#define MEMMAP_RANGES   128u

/* Pages from `first` up to, not including, `end`. */
struct page_range {
    uint32_t first, end;
};

struct memmap {
    unsigned count;
    uint32_t lost;              /* pages left out for want of a range */
    struct page_range ranges[MEMMAP_RANGES];
};

/* Put pages in, or take them out; R may be empty or overlap others. */
void memmap_add(struct memmap *m, struct page_range r);
void memmap_remove(struct memmap *m, struct page_range r);

/* How many pages of WITHIN are in the set. */
uint32_t memmap_count(const struct memmap *m, struct page_range within);

/* The lowest run of pages in WITHIN; false if there is none. */
bool memmap_find(const struct memmap *m, struct page_range within,
                 struct page_range *run);

/* Take the highest page of WITHIN out of the set; false if there is none. */
bool memmap_take_page(struct memmap *m, struct page_range within,
                      uint32_t *mpn);

#endif
