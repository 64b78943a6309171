/*
 * hoard.c - see hoard.h.
 *
 * The list of the pages is in the pages themselves: there is no other memory to
 * be had.
 */
#include "console/hoard.h"

/* Last, and so given back first, those that the heap can use. */
static bool
hoard_take(struct hoard *hoard)
{
    mpn_t *next;
    mpn_t mpn;

    if (page_alloc(ZONE_HIGH, 0, OWNER_TEST, &mpn) != OK &&
        page_alloc(ZONE_DMA, 0, OWNER_TEST, &mpn) != OK &&
        page_alloc(ZONE_DIRECT, 0, OWNER_TEST, &mpn) != OK)
        return false;
    next = kmap_page(mpn);
    *next = hoard->first;
    kunmap_page(next);
    hoard->first = mpn;
    hoard->count++;
    return true;
}

void
hoard_take_all(struct hoard *hoard)
{
    while (hoard_take(hoard))
        ;
}

void
hoard_give(struct hoard *hoard)
{
    mpn_t mpn = hoard->first;
    mpn_t *next = kmap_page(mpn);

    hoard->first = *next;
    hoard->count--;
    kunmap_page(next);
    page_free(mpn, 0);
}

void
hoard_give_all(struct hoard *hoard)
{
    while (hoard->count > 0)
        hoard_give(hoard);
}
