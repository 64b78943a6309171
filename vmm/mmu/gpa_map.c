/*
 * gpa_map.c - the ranges of guest-physical memory, sorted and disjoint.
 *
 * A change is made on a copy: ranges that it overlaps keep what sticks out on
 * either side, neighbours that continue each other become one, and the copy
 * replaces the map if it fits.  Changes are rare and the list is short.
 *
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/mmu/gpa_map.h"

#include "kernel/base/bits.h"

#define A20_PAGE    BIT(20 - PAGE_SHIFT)

void
gpa_map_init(struct gpa_map *map)
{
    map->count = 0;
    gpa_map_set_a20(map, true);
}

void
gpa_map_set_a20(struct gpa_map *map, bool is_open)
{
    map->page_mask = is_open ? UINT32_MAX : ~A20_PAGE;
}

/* Does B go on where A ends, in every respect? */
static bool
continues(const struct gpa_range *a, const struct gpa_range *b)
{
    return a->kind == b->kind && a->first + a->count == b->first &&
           a->backing + a->count == b->backing;
}

/* Append R, which lies behind all others; false: there is no room. */
static bool
append(struct gpa_map *map, const struct gpa_range *r)
{
    struct gpa_range *last = &map->range[map->count - 1];

    if (r->count == 0 || r->kind == GPA_HOLE)
        return true;
    if (map->count > 0 && continues(last, r)) {
        last->count += r->count;
        return true;
    }
    if (map->count == GPA_RANGES_MAX)
        return false;
    map->range[map->count++] = *r;
    return true;
}

/* What of OLD lies in the pages from FIRST to END - 1. */
static struct gpa_range
cut(const struct gpa_range *old, uint64_t first, uint64_t end)
{
    uint64_t from = MAX(first, old->first);
    uint64_t to = MIN(end, (uint64_t)old->first + old->count);
    struct gpa_range part = *old;

    part.count = from < to ? (uint32_t)(to - from) : 0;
    part.first = (uint32_t)from;
    part.backing += (uint32_t)(from - old->first);
    return part;
}

status_t
gpa_map_set(struct gpa_map *map, const struct gpa_range *r)
{
    struct gpa_map next = { .page_mask = map->page_mask };
    uint64_t end = (uint64_t)r->first + r->count;
    struct gpa_range part;
    bool fits = true;

    if (r->count == 0 || end > UINT32_MAX)
        return TRACE_ERR(ERR_RANGE);
    for (unsigned n = 0; n < map->count; n++) {
        part = cut(&map->range[n], 0, r->first);
        fits &= append(&next, &part);
    }
    fits &= append(&next, r);
    for (unsigned n = 0; n < map->count; n++) {
        part = cut(&map->range[n], end, UINT32_MAX);
        fits &= append(&next, &part);
    }
    if (!fits)
        return TRACE_ERR(ERR_FULL);
    *map = next;
    return OK;
}

enum gpa_kind
gpa_map_find(const struct gpa_map *map, ppn_t ppn, uint32_t *backing)
{
    uint32_t page = ppn_raw(ppn) & map->page_mask;
    unsigned low = 0, high = map->count;

    /* The first range that ends behind the page. */
    while (low < high) {
        unsigned middle = (low + high) / 2;
        const struct gpa_range *r = &map->range[middle];

        if (page - r->first < r->count) {
            *backing = r->backing + (page - r->first);
            return r->kind;
        }
        if (page < r->first)
            high = middle;
        else
            low = middle + 1;
    }
    *backing = 0;
    return GPA_HOLE;
}
