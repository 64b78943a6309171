/*
 * windows.c - which page is seen through which window: windows.h.
 *
 * A window that is closed has no key and is on no chain, and its entry is not
 * present.  An entry is replaced in three writes, its half with P first and
 * last, for the hardware may look at any time; the TLB is told afterwards, and
 * only if it can know the page: an entry that was not present is in no TLB.
 *
 * SDM 3A 4.10.4.1.  Called by the vcpu's thread; no locks.
 */
#include "vmm/core/windows.h"

#include "kernel/base/assert.h"

#define HALF_BITS       32

void
windows_init(struct windows *p, const struct windows_place *place)
{
    ASSERT(place->count > 1 && place->count <= WINDOWS_MAX);
    *p = (struct windows){ .place = *place, .last = WINDOW_NONE };
    for (unsigned n = 0; n < WINDOW_BUCKETS; n++)
        p->bucket[n] = WINDOW_NONE;
    for (unsigned n = 0; n < WINDOWS_MAX; n++)
        p->window[n].key = WINDOW_KEY_NONE;
}

void
windows_set(const struct windows_place *place, unsigned n, pte_t entry)
{
    uint32_t *half = (uint32_t *)&place->entry[n];
    bool was_present = (half[0] & PTE_P) != 0;

    __atomic_store_n(&half[0], 0, __ATOMIC_RELEASE);
    __atomic_store_n(&half[1], (uint32_t)(entry >> HALF_BITS),
                     __ATOMIC_RELEASE);
    __atomic_store_n(&half[0], (uint32_t)entry, __ATOMIC_RELEASE);
    if (was_present)
        place->forget(place->at + (size_t)n * PAGE_SIZE);
}

static void
unchain(struct windows *p, unsigned n)
{
    uint8_t *link = &p->bucket[p->window[n].key % WINDOW_BUCKETS];

    while (*link != n)
        link = &p->window[*link].next;
    *link = p->window[n].next;
}

/* Window N shows nothing any more; its entry is the caller's business. */
static void
empty(struct windows *p, unsigned n)
{
    struct window *w = &p->window[n];

    if (w->key == WINDOW_KEY_NONE)
        return;
    unchain(p, n);
    w->key = WINDOW_KEY_NONE;
    if (w->lent == *p->place.generation)
        (*p->place.generation)++;
}

/* Two rounds suffice: the first clears all marks. */
static unsigned
choose(struct windows *p)
{
    for (;;) {
        unsigned n = p->hand;
        bool is_used = p->window[n].is_used;

        p->hand = (p->hand + 1) % p->place.count;
        p->window[n].is_used = false;
        if (!is_used && n != p->last)
            return n;
    }
}

unsigned
windows_open(struct windows *p, uint32_t key, mpn_t mpn, bool is_writable)
{
    unsigned n = choose(p);
    uint8_t *bucket = &p->bucket[key % WINDOW_BUCKETS];

    ASSERT_HOT(windows_find(p, key) == WINDOW_NONE);
    empty(p, n);
    p->window[n] = (struct window){ .key = key, .next = *bucket,
                                    .lent = *p->place.generation - 1,
                                    .is_writable = is_writable };
    *bucket = (uint8_t)n;
    windows_set(&p->place, n, maddr_raw(mpn_to_maddr(mpn)) | p->place.rights |
                              (is_writable ? PTE_RW : 0));
    return n;
}

void
windows_close(struct windows *p, uint32_t key)
{
    unsigned n = windows_find(p, key);

    if (n == WINDOW_NONE)
        return;
    empty(p, n);
    windows_set(&p->place, n, 0);
}
