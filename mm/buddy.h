/*
 * buddy.h - blocks of 2^order pages out of a zone, by the buddy method.
 *
 * A block of order n begins at a multiple of 2^n; the two halves of a block
 * are buddies, and two free buddies are always merged.  So the free memory of
 * a zone has one form only: nothing depends on the order of frees but the
 * places in the lists.  Last freed is first used, which is good for caches.
 *
 * The state is in the frame records (mm/frame.h) and in struct buddy; free
 * lists are linked by page numbers.  Merging looks at the record of a block's
 * buddy, which lies in the same aligned 2^BUDDY_ORDER_MAX pages: records must
 * be readable there, FRAME_NONE for pages that are not this zone's.
 *
 * Pure and deterministic; the caller holds what guards the records.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"
#include "mm/frame.h"

#define BUDDY_ORDER_MAX 10u
#define BUDDY_ORDERS    (BUDDY_ORDER_MAX + 1)

struct buddy {
    struct frame *frames;           /* indexed by MPN */
    uint32_t free_pages;
    uint32_t heads[BUDDY_ORDERS];   /* first free block of each order */
};

void buddy_init(struct buddy *b, struct frame *frames);

/* COUNT pages from FIRST up, whose records are zero, become free. */
void buddy_add(struct buddy *b, mpn_t first, uint32_t count);

/*
 * A block of 2^ORDER pages, or INVALID_MPN.  Its record is FRAME_USED and of
 * that order, with the flags that the free block had; the rest is the caller's.
 */
mpn_t buddy_alloc(struct buddy *b, unsigned order);

/*
 * Give a block back; the flags of its record stay with it.  Merged blocks keep
 * the flags that both had.  ERR_CORRUPT, and nothing changes, if there is no
 * allocated block of that order at MPN: freed twice, or with a wrong size.
 */
MUST_CHECK status_t buddy_free(struct buddy *b, mpn_t mpn, unsigned order);

#endif
