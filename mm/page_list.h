/*
 * page_list.h - pages that are given back together.
 *
 * Who needs many pages and frees all of them at once, or none where the last
 * could not be had, collects them in a list.  It costs no memory, as pages are
 * linked through their records (mm/frame.h), and nothing that a guest or a
 * monitor can write to is believed when they are freed.
 *
 * The caller keeps others away from the list.  Any context but NMI.
 */
#ifndef MM_PAGE_LIST_H
#define MM_PAGE_LIST_H

#include "mm/mm.h"

struct page_list {
    enum zone_id zone;          /* where they come from */
    enum page_owner owner;
    mpn_t newest;               /* INVALID_MPN: empty */
    uint32_t pages;
};

void page_list_init(struct page_list *list, enum zone_id zone,
                    enum page_owner owner);

/* As page_alloc(); the block is in LIST from then on. */
MUST_CHECK status_t page_list_alloc(struct page_list *list, unsigned order,
                                    mpn_t *mpn);

/* Free all of LIST, which is empty then. */
void page_list_free(struct page_list *list);

#endif
