/*
 * mm_info.h - looking at memory: for `mem`, for reports and for self-tests.
 */
#ifndef MM_MM_INFO_H
#define MM_MM_INFO_H

#include "mm/mm.h"

struct mm_info {
    struct {
        const char *name;       /* "dma", "direct", "dma32", "high" */
        uint32_t total_pages;   /* of RAM, whoever has it */
        uint32_t free_pages;
    } zones[ZONE_COUNT];
    uint32_t owner_pages[OWNER_COUNT];  /* these add up to all RAM */
    uint32_t total_pages;
    uint32_t free_pages;
    size_t heap_blocks;         /* live ones */
    size_t heap_bytes;          /* in them, as asked for */
};

void mm_get_info(struct mm_info *info);
const char *page_owner_name(enum page_owner owner);

/* Can the byte at PTR be read without a fault?  Any context. */
bool mm_is_mapped(const void *ptr);

/*
 * Is LINEAR in a guard page of some kva_alloc?  Any context; for reports about
 * stacks that were overrun.
 */
bool kva_is_guard(uint32_t linear);

/*
 * Look at every block of the heap; panics with a report that names the damaged
 * block and who allocated it.
 */
void heap_check_all(void);

/*
 * Who holds how much of the heap: calls SHOW for the TOP callers of heap_alloc
 * with most bytes.  SITE is a code address, 0 for all others together.
 */
typedef void (*heap_show_t)(void *arg, uint32_t site, size_t blocks,
                            size_t bytes);
void heap_report_leaks(unsigned top, heap_show_t show, void *arg);

#endif
