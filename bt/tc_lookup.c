/*
 * tc_lookup.c - which unit is at a guest address, and which are on a page.
 *
 * Two hash tables of unit numbers, chained through the units themselves.  A
 * unit is on one or two pages; a reference to it in the table of pages is its
 * number * 2 + which of the two.  What is removed stays in the chains of its
 * pages with an entry that nobody looks for: only a flush frees units.
 */
#include "bt/bt_int.h"

#include "kernel/base/assert.h"

/* Knuth's multiplicative hash; the low bits of addresses matter most. */
#define HASH_FACTOR 2654435769u

static uint32_t *
bucket(const struct bt *bt, uint32_t *table, uint32_t key)
{
    return &table[(key * HASH_FACTOR >> 8) & bt->hash_mask];
}

struct bt_tu *
tc_find(const struct bt *bt, uint32_t eip)
{
    uint32_t n = *bucket(bt, bt->hash, eip);

    while (n != NO_TU && bt->tus[n].eip != eip)
        n = bt->tus[n].next_hash;
    return n == NO_TU ? NULL : &bt->tus[n];
}

struct bt_tu *
tc_add(struct bt *bt, uint32_t eip, const uint32_t page[2])
{
    uint32_t n = bt->tu_count++;
    uint32_t *head = bucket(bt, bt->hash, eip);
    struct bt_tu *tu = &bt->tus[n];

    ASSERT(n < bt->env->tu_max);
    *tu = (struct bt_tu){ .eip = eip, .next_hash = *head };
    *head = n;
    for (unsigned i = 0; i < 2; i++) {
        tu->page[i] = page[i];
        tu->next_page[i] = NO_TU;
        if (i == 1 && page[1] == page[0])
            break;
        head = bucket(bt, bt->page_hash, page[i]);
        tu->next_page[i] = *head;
        *head = n * 2 + i;
    }
    return tu;
}

void
tc_remove(struct bt *bt, struct bt_tu *tu)
{
    uint32_t *at = bucket(bt, bt->hash, tu->eip);

    while (*at != NO_TU && &bt->tus[*at] != tu)
        at = &bt->tus[*at].next_hash;
    if (*at != NO_TU)
        *at = tu->next_hash;
}

uint32_t
tc_page_first(const struct bt *bt, uint32_t id)
{
    return *bucket(bt, bt->page_hash, id);
}
