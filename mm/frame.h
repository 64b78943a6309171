/*
 * frame.h - what is known about each machine page.
 *
 * Every page of RAM that the allocator owns has a 16-byte record (0.4 % of the
 * memory described); the record of page MPN is at FRAMES_BASE + 16 * MPN.
 * Filling in a table for 64 GB would cost seconds at boot, so records come in
 * sections of 64 MB: a section is opened when the allocator first needs its
 * memory, and the pages that hold its records are taken from the section
 * itself.  Where a section has holes, the records there read as FRAME_NONE.
 *
 * Pages that never were free (the image, boot modules, the records, early page
 * tables) have no valid record.
 *
 * Blocks of 2^order pages are described by the record of their first page; the
 * others are FRAME_INSIDE.  Records are guarded by the page allocator's lock;
 * the owner of an allocated page may read that page's own record without it.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "kernel/base/addr.h"
#include "kernel/base/types.h"

enum frame_state {
    FRAME_NONE,                 /* no RAM, or not the allocator's */
    FRAME_INSIDE,               /* not the first page of its block */
    FRAME_FREE,
    FRAME_USED
};

/* Debug builds: the whole block is filled with POISON_PAGE (mm/poison.h). */
#define FRAME_POISONED  0x01u

struct frame {
    uint8_t state;              /* enum frame_state */
    uint8_t order;              /* FREE, USED: the block's size */
    uint8_t owner;              /* USED: enum page_owner */
    uint8_t flags;
    uint32_t next, prev;        /* FREE: neighbours in the list, as MPNs */
    uint32_t site;              /* who allocated or freed it last (EIP) */
};
STATIC_ASSERT(sizeof(struct frame) == 16);

#define FRAME_NIL       UINT32_MAX      /* end of a list */

#define FRAMES_BASE     0x10000000u
#define FRAMES_MAX      0x01000000u     /* 64 GB */

#define SECTION_SHIFT   14              /* 64 MB of 4 KB pages */
#define SECTION_FRAMES  (1u << SECTION_SHIFT)
#define SECTION_COUNT   (FRAMES_MAX / SECTION_FRAMES)

/*
 * The record of MPN, or NULL if it has none: a hole, reserved, or in a section
 * that nothing was allocated from yet.  Any context.
 */
struct frame *frame_lookup(mpn_t mpn);

#endif
