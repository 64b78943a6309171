/*
 * memory_map.c - from claims about memory to one flat map (memory_map.h).
 *
 * Flattening sweeps a position over the address space from one boundary of any
 * claim to the next.  Between two boundaries nothing changes, so the strongest
 * claim there holds for the whole piece.  Every step moves to a larger one of
 * at most 2 * MEMORY_MAP_MAX boundaries, so it ends; the search for it is
 * linear, which is quick enough for something done twice per boot.
 */
#include "kernel/base/memory_map.h"

#include "kernel/base/addr.h"

static const char *const kind_names[MEMORY_KIND_COUNT] = {
    [MEMORY_USABLE]   = "usable",
    [MEMORY_ACPI]     = "ACPI",
    [MEMORY_NVS]      = "ACPI NVS",
    [MEMORY_RESERVED] = "reserved",
    [MEMORY_BAD]      = "bad",
    [MEMORY_MODULE]   = "module",
    [MEMORY_KERNEL]   = "VMkernel",
};

const char *
memory_kind_name(enum memory_kind kind)
{
    return (unsigned)kind < MEMORY_KIND_COUNT ? kind_names[kind] : "unknown";
}

static uint64_t
range_end(const struct memory_range *range)
{
    return range->base + range->length;
}

status_t
memory_map_add(struct memory_map *claims, uint64_t base, uint64_t length,
               enum memory_kind kind)
{
    /* Reserving too much is safe, using memory that is not there is not. */
    if (length > UINT64_MAX - base) {
        if (kind == MEMORY_USABLE)
            return TRACE_ERR(ERR_RANGE);
        length = UINT64_MAX - base;
    }
    if (length == 0)
        return OK;
    if (claims->count == MEMORY_MAP_MAX)
        return TRACE_ERR(ERR_FULL);
    claims->ranges[claims->count++] = (struct memory_range){
        .base = base, .length = length, .kind = kind
    };
    return OK;
}

/* The lowest boundary of any claim above POSITION; UINT64_MAX if none. */
static uint64_t
next_boundary(const struct memory_map *claims, uint64_t position)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < claims->count; i++) {
        const struct memory_range *range = &claims->ranges[i];

        if (range->base > position)
            next = MIN(next, range->base);
        else if (range_end(range) > position)
            next = MIN(next, range_end(range));
    }
    return next;
}

/* The strongest claim about the byte at POSITION; false if there is none. */
static bool
kind_at(const struct memory_map *claims, uint64_t position,
        enum memory_kind *kind)
{
    bool found = false;

    for (unsigned i = 0; i < claims->count; i++) {
        const struct memory_range *range = &claims->ranges[i];

        if (position < range->base || position >= range_end(range))
            continue;
        if (!found || range->kind > *kind)
            *kind = range->kind;
        found = true;
    }
    return found;
}

/*
 * Add PIECE, which begins where the last one ended or later: to that one, if
 * they touch and are alike.  False if there is no room.
 */
static bool
append_piece(struct memory_map *flat, const struct memory_range *piece)
{
    if (flat->count > 0) {
        struct memory_range *last = &flat->ranges[flat->count - 1];

        if (last->kind == piece->kind && range_end(last) == piece->base) {
            last->length += piece->length;
            return true;
        }
    }
    if (flat->count == MEMORY_MAP_MAX)
        return false;
    flat->ranges[flat->count++] = *piece;
    return true;
}

/*
 * Cut usable ranges down to whole pages below LIMIT; drop what is empty.  This
 * comes last: cutting claims before they are combined would lose the page in
 * which two of them meet.
 */
static void
trim_usable(struct memory_map *flat, uint64_t limit)
{
    unsigned kept = 0;

    limit = ROUND_DOWN(limit, PAGE_SIZE);
    for (unsigned i = 0; i < flat->count; i++) {
        struct memory_range range = flat->ranges[i];

        if (range.kind == MEMORY_USABLE) {
            uint64_t end = ROUND_DOWN(MIN(range_end(&range), limit),
                                      PAGE_SIZE);

            if (range.base >= end)
                continue;
            range.base = ROUND_UP(range.base, PAGE_SIZE);
            if (range.base >= end)
                continue;
            range.length = end - range.base;
        }
        flat->ranges[kept++] = range;
    }
    flat->count = kept;
}

status_t
memory_map_flatten(struct memory_map *flat, const struct memory_map *claims)
{
    uint64_t position = 0;
    status_t status = OK;

    flat->count = 0;
    while (position != UINT64_MAX && status == OK) {
        uint64_t next = next_boundary(claims, position);
        struct memory_range piece = {
            .base = position, .length = next - position
        };

        /* The last boundary can be UINT64_MAX, which ends the sweep. */
        if (kind_at(claims, position, &piece.kind) &&
            !append_piece(flat, &piece))
            status = TRACE_ERR(ERR_FULL);
        position = next;
    }
    trim_usable(flat, MEMORY_LIMIT);
    return status;
}

bool
memory_map_contains(const struct memory_map *flat, uint64_t base,
                    uint64_t length, enum memory_kind kind)
{
    for (unsigned i = 0; i < flat->count; i++) {
        const struct memory_range *range = &flat->ranges[i];

        if (range->kind == kind && base >= range->base &&
            base - range->base < range->length &&
            length <= range->length - (base - range->base))
            return true;
    }
    return false;
}

uint64_t
memory_map_total(const struct memory_map *flat, enum memory_kind kind)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < flat->count; i++)
        if (flat->ranges[i].kind == kind)
            total += flat->ranges[i].length;
    return total;
}

void
memory_map_limit(struct memory_map *flat, uint64_t limit)
{
    trim_usable(flat, limit);
}
