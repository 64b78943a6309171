/*
 * backing.c - which part of a segment the machine may be given.
 *
 * In the segment sandbox nothing but limits keeps translated code away from the
 * monitor, which has the linear addresses from VMM_BASE up.  A segment's
 * offsets first .. last are a run of linear addresses that may wrap at 4 GB:
 *
 *      linear  0              base                   VMM_BASE    4 GB
 *              |- - high - - -|======= low =========|##monitor##|
 *      offset  4 GB - base    0                      VMM_BASE - base
 *
 * The low half is an expand-up segment with a smaller limit.  The high half,
 * behind the wrap, ends where the offsets do; only an expand-down segment
 * begins in the middle, and as its end is 4 GB - 1 the guest's must be, too.
 * GNU Mach starts on such segments: base 0x40000000, limit 4 GB, and its own
 * addresses from 0xc0000000 up.
 *
 * Limits from 1 MB up count pages, so a half may end up to a page too early.
 * Whatever is cut off faults and is interpreted.
 *
 * Pure.  SDM 3A 3.4.5, 5.3.
 */
#include "vmm/seg/seg_int.h"

/* What 20 bits can say in bytes. */
#define LIMIT_BYTES_MAX     0xfffffu

/* A descriptor's words; the rights are SLOT_RIGHTS_SHIFT up. */
#define LOW_BASE_SHIFT      16
#define LOW_LIMIT           BITS(15, 0)
#define HIGH_BASE           BITS(31, 24)    /* where they are in the base */
#define HIGH_LIMIT          BITS(19, 16)    /* and in the limit */
#define BASE_MID            BITS(23, 16)

/* Do all offsets FIRST .. LAST stay below the monitor? */
static bool
is_below(uint32_t base, uint32_t first, uint32_t last)
{
    uint32_t start = base + first;

    return start < VMM_BASE && last - first < VMM_BASE - start;
}

/* The largest limit up to LIMIT that a descriptor can have; 0 is one. */
static uint32_t
limit_round_down(uint32_t limit)
{
    if (limit <= LIMIT_BYTES_MAX || (limit & PAGE_MASK) == PAGE_MASK)
        return limit;
    return ROUND_DOWN(limit, PAGE_SIZE) - 1;
}

static uint32_t
limit_round_up(uint32_t limit)
{
    return limit <= LIMIT_BYTES_MAX ? limit : limit | PAGE_MASK;
}

static bool
cut_low(struct guest_segment *s)
{
    if (s->first != 0 || s->base >= VMM_BASE)
        return false;
    s->limit = limit_round_down(MIN(s->last, VMM_BASE - 1 - s->base));
    return true;
}

/* An expand-down segment's end is where its size says, so that must be 32. */
static bool
cut_high(struct guest_segment *s)
{
    uint32_t first = MAX(s->first, 0 - s->base);

    if (s->last != UINT32_MAX || s->base == 0 || s->base > VMM_BASE ||
        (s->rights & (SEG_CODE | RIGHTS_DB)) != RIGHTS_DB)
        return false;
    s->limit = limit_round_up(first - 1);
    s->rights |= SEG_DATA_E;
    return s->limit != UINT32_MAX;
}

struct guest_segment
seg_backing(const struct guest_segment *segment, enum seg_half half)
{
    struct guest_segment low = *segment, high = *segment, *found = &low;
    bool has_low, has_high;

    if (segment->first > segment->last) {
        low.rights = 0;
    } else if (!is_below(segment->base, segment->first, segment->last)) {
        has_low = cut_low(&low);
        has_high = cut_high(&high);
        if (has_high && (half == HALF_HIGH || !has_low))
            found = &high;
        else if (!has_low)
            low.rights = 0;
    }
    segment_derive(found, true);
    return *found;
}

union seg_slot
seg_slot(uint32_t base, uint32_t limit, uint32_t rights)
{
    union seg_slot slot;

    slot.word.low = base << LOW_BASE_SHIFT | (limit & LOW_LIMIT);
    slot.word.high = (base & HIGH_BASE) | (limit & HIGH_LIMIT) |
                     FIELD_GET(base, BASE_MID) |
                     (rights & RIGHTS_MASK) << SLOT_RIGHTS_SHIFT;
    return slot;
}

bool
seg_encode(const struct guest_segment *s, union seg_slot *slot)
{
    bool is_in_bytes = s->limit <= LIMIT_BYTES_MAX;
    uint32_t rights = s->rights & ~(uint32_t)RIGHTS_G;

    if (is_in_bytes)
        *slot = seg_slot(s->base, s->limit, rights);
    else
        *slot = seg_slot(s->base, s->limit >> PAGE_SHIFT, rights | RIGHTS_G);
    return is_in_bytes || (s->limit & PAGE_MASK) == PAGE_MASK;
}
