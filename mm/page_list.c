/*
 * page_list.c - see page_list.h.
 *
 * A page that is allocated does not need the links of its record, and its owner
 * may use the record without the allocator's lock: others look at its state and
 * order only.  FRAME_NIL ends the list.
 */
#include "mm/page_list.h"

#include "mm/frame.h"

STATIC_ASSERT(FRAME_NIL == UINT32_MAX);     /* as INVALID_MPN */

void
page_list_init(struct page_list *list, enum zone_id zone,
               enum page_owner owner)
{
    *list = (struct page_list){ .zone = zone, .owner = owner,
                                .newest = INVALID_MPN };
}

status_t
page_list_alloc(struct page_list *list, unsigned order, mpn_t *mpn)
{
    status_t status = page_alloc(list->zone, order, list->owner, mpn);

    if (status != OK)
        return status;
    frame_lookup(*mpn)->next = mpn_raw(list->newest);
    list->newest = *mpn;
    list->pages += 1u << order;
    return OK;
}

void
page_list_free(struct page_list *list)
{
    while (!mpn_eq(list->newest, INVALID_MPN)) {
        mpn_t mpn = list->newest;
        const struct frame *f = frame_lookup(mpn);

        list->newest = make_mpn(f->next);
        page_free(mpn, f->order);
    }
    list->pages = 0;
}
