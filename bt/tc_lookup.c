/*
 * tc_lookup.c - which unit is at a guest address, and which are on a page.
 *
 * Two hash tables of unit numbers, chained through the units themselves.  A
 * unit is on one or two pages; a reference to it in the table of pages is its
 * number * 2 + which of the two.
 *
 * A dropped unit leaves the chains of its pages and stays in the other: its
 * successor at the same guest address takes its place, with the stub that old
 * jumps are led to and the checked entry.  So code that changes again and again
 * makes neither table nor chains grow.
 */
#include "bt/bt_int.h"

#include "kernel/base/assert.h"

/* Addresses that are close have buckets that are close: one cache line. */
#define HASH_FOLD 16

static uint32_t *
bucket_of(const struct bt *bt, uint32_t eip)
{
    return &bt->hash[(eip ^ eip >> HASH_FOLD) & bt->hash_mask];
}

static uint32_t *
page_bucket(const struct bt *bt, uint32_t id)
{
    return &bt->page_hash[(id ^ id >> HASH_FOLD) & bt->page_mask];
}

static struct bt_tu *
find_any(const struct bt *bt, uint32_t eip)
{
    uint32_t n = *bucket_of(bt, eip);

    while (n != NO_TU && bt->tus[n].eip != eip)
        n = bt->tus[n].next_hash;
    return n == NO_TU ? NULL : &bt->tus[n];
}

struct bt_tu *
tc_find(const struct bt *bt, uint32_t eip)
{
    struct bt_tu *tu = find_any(bt, eip);

    return tu == NULL || tu->is_dropped ? NULL : tu;
}

static struct bt_tu *
new_unit(struct bt *bt, uint32_t eip)
{
    uint32_t n = bt->tu_count++;
    uint32_t *head = bucket_of(bt, eip);
    struct bt_tu *tu = &bt->tus[n];

    ASSERT(n < bt->env->tu_max);
    *tu = (struct bt_tu){ .eip = eip, .next_hash = *head, .is_dropped = true };
    *head = n;
    return tu;
}

/* On how many pages is it? */
static unsigned
page_count(const struct bt_tu *tu)
{
    return tu->page[0] == tu->page[1] ? 1 : 2;
}

struct bt_tu *
tc_add(struct bt *bt, uint32_t eip, const uint32_t page[2])
{
    struct bt_tu *tu = find_any(bt, eip);
    uint32_t n;

    if (tu == NULL)
        tu = new_unit(bt, eip);
    ASSERT(tu->is_dropped);
    n = (uint32_t)(tu - bt->tus);
    tu->is_dropped = false;
    tu->source = 0;
    tu->length = 0;
    tu->page[0] = page[0];
    tu->page[1] = page[1];
    for (unsigned i = 0; i < page_count(tu); i++) {
        uint32_t *head = page_bucket(bt, page[i]);

        tu->next_page[i] = *head;
        *head = n * 2 + i;
    }
    return tu;
}

void
tc_remove(struct bt *bt, struct bt_tu *tu)
{
    uint32_t n = (uint32_t)(tu - bt->tus);

    ASSERT(!tu->is_dropped);
    tu->is_dropped = true;
    for (unsigned i = 0; i < page_count(tu); i++) {
        uint32_t *at = page_bucket(bt, tu->page[i]);

        while (*at != n * 2 + i)
            at = &bt->tus[*at / 2].next_page[*at % 2];
        *at = tu->next_page[i];
    }
}

uint32_t
tc_page_first(const struct bt *bt, uint32_t id)
{
    return *page_bucket(bt, id);
}
