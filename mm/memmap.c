/*
 * memmap.c - see memmap.h.  A handful of ranges: everything is a walk over a
 * small array, and simple code matters more than speed.
 */
#include "mm/memmap.h"

#include "kernel/base/string.h"

/* What A and B have in common; an empty range if that is nothing. */
static struct page_range
intersect(struct page_range a, struct page_range b)
{
    struct page_range r = { MAX(a.first, b.first), MIN(a.end, b.end) };

    if (r.end < r.first)
        r.end = r.first;
    return r;
}

static void
delete_at(struct memmap *m, unsigned at)
{
    m->count--;
    memmove(&m->ranges[at], &m->ranges[at + 1],
            (m->count - at) * sizeof(m->ranges[0]));
}

/* The only place where memory can be lost: when all ranges are in use. */
static void
insert_at(struct memmap *m, unsigned at, struct page_range r)
{
    if (m->count == MEMMAP_RANGES) {
        m->lost += r.end - r.first;
        return;
    }
    memmove(&m->ranges[at + 1], &m->ranges[at],
            (m->count - at) * sizeof(m->ranges[0]));
    m->ranges[at] = r;
    m->count++;
}

void
memmap_add(struct memmap *m, struct page_range r)
{
    unsigned at = 0;

    if (r.first >= r.end)
        return;
    while (at < m->count && m->ranges[at].end < r.first)
        at++;
    /* Swallow all that R overlaps or touches. */
    while (at < m->count && m->ranges[at].first <= r.end) {
        r.first = MIN(r.first, m->ranges[at].first);
        r.end = MAX(r.end, m->ranges[at].end);
        delete_at(m, at);
    }
    insert_at(m, at, r);
}

void
memmap_remove(struct memmap *m, struct page_range r)
{
    unsigned at = 0;

    while (at < m->count) {
        struct page_range whole = m->ranges[at];
        struct page_range cut = intersect(whole, r);

        if (cut.first == cut.end) {
            at++;
            continue;
        }
        /* What remains below and above the cut, if anything. */
        delete_at(m, at);
        if (whole.first < cut.first)
            insert_at(m, at++, (struct page_range){ whole.first, cut.first });
        if (cut.end < whole.end)
            insert_at(m, at++, (struct page_range){ cut.end, whole.end });
    }
}

uint32_t
memmap_count(const struct memmap *m, struct page_range within)
{
    uint32_t pages = 0;

    for (unsigned i = 0; i < m->count; i++) {
        struct page_range r = intersect(m->ranges[i], within);

        pages += r.end - r.first;
    }
    return pages;
}

bool
memmap_find(const struct memmap *m, struct page_range within,
            struct page_range *run)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct page_range r = intersect(m->ranges[i], within);

        if (r.first < r.end) {
            *run = r;
            return true;
        }
    }
    return false;
}

bool
memmap_take_page(struct memmap *m, struct page_range within, uint32_t *mpn)
{
    for (unsigned i = m->count; i > 0; i--) {
        struct page_range r = intersect(m->ranges[i - 1], within);

        if (r.first < r.end) {
            *mpn = r.end - 1;
            memmap_remove(m, (struct page_range){ *mpn, r.end });
            return true;
        }
    }
    return false;
}
