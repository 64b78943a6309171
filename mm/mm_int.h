/*
 * mm_int.h - what the files of mm/ tell each other.
 */
#ifndef MM_MM_INT_H
#define MM_MM_INT_H

#include "kernel/x86/cpuid.h"
#include "mm/frame.h"
#include "mm/memmap.h"
#include "mm/mm.h"
#include "mm/mm_info.h"

/* Where machine addresses end: ours, or this CPU's if it has fewer bits. */
static inline uint64_t
machine_limit(void)
{
    return BIT64(MIN(MACHINE_BITS, cpu_model()->physical_bits));
}

/* --- frame.c: records, section by section -------------------------------- */

/* The table of all records, mapped where sections are open. */
static inline struct frame *
frame_table(void)
{
    return (struct frame *)FRAMES_BASE;
}

/*
 * Page tables for the records of all pages in AVAIL; pages for them come from
 * SOURCE (as for pagetable_prepare).
 */
MUST_CHECK status_t frame_init(const struct memmap *avail,
                               status_t (*source)(mpn_t *mpn));

/*
 * Open SECTION: move its pages out of AVAIL, some to hold the records of the
 * others, which are handed to ADD run by run.  Returns how many pages the
 * records took.  Holds the page allocator's lock.
 */
uint32_t frame_open_section(struct memmap *avail, unsigned section,
                            void (*add)(mpn_t first, uint32_t count));

/* --- page_alloc.c -------------------------------------------------------- */

/*
 * Take over: RAM is all memory, AVAIL (kept) what of it is free.  The rest of
 * RAM has been, or will be, charged by page_owner_charge.
 */
void page_alloc_init(const struct memmap *ram, struct memmap *avail);

/* Count pages that were never allocated by page_alloc. */
void page_owner_charge(enum page_owner owner, uint32_t pages);

/* --- vmk_heap.c ---------------------------------------------------------- */

void heap_init(void);
void heap_get_info(struct mm_info *info);

/* --- kmap.c -------------------------------------------------------------- */

void kmap_init(void);

#endif
