/*
 * shadow_table.c - a copy of the guest's GDT or LDT for direct execution.
 *
 * Each of the guest's descriptors has its copy at the same index.  Code and
 * data are copied bit for bit, so that user code that asks (LAR, LSL, VERR,
 * VERW) hears the truth.  Gates and system segments become not present: using
 * one traps, and the interpreter does it; only LAR, which does not trap, tells
 * user code of a P that is 0.  A descriptor whose index is one of the monitor's
 * slots has no copy: loading it traps, too.
 *
 * The guest may write to its tables at any time, and is not watched: Linux
 * does so whenever it switches threads.  All of it is compared before each
 * entry instead, which for a table of usual size takes less than a trap.
 *
 * The machine sets accessed bits in the copies.  Where the guest's was 0, the
 * copy is remembered in `unmarked` and looked at after each exit.  (A guest
 * whose tables are read-only would have met a #PF; it does not.)
 *
 * The vcpu's thread; no locks.  SDM 3A 3.5.1.
 */
#include "vmm/seg/seg_int.h"

#include "vmm/guest_mem.h"

#define SLOT_SIZE       sizeof(union seg_slot)
#define SLOT_TYPE_BYTE  5           /* and S, DPL, P */

static const union seg_slot empty_slot;

/* Does it matter whether the accessed bit is set? */
static bool
is_unmarked(union seg_slot slot)
{
    const uint32_t usable = SLOT_S | SLOT_P;
    const uint32_t conforming = FIELD_SET(0, SLOT_TYPE, SEG_CODE | SEG_CODE_C);
    uint32_t high = slot.word.high;

    return (high & (usable | SLOT_ACCESSED)) == usable &&
           (FIELD_GET(high, SLOT_DPL) == RING_USER ||
            (high & conforming) == conforming);
}

static void
put(struct shadow_table *t, uint32_t n, union seg_slot guest)
{
    union seg_slot *copy = &t->slot[n];

    if ((guest.word.high & SLOT_S) == 0)
        guest.word.high &= ~SLOT_P;
    if (seg_slot_equal(copy, &guest))
        return;
    *copy = guest;
    if (is_unmarked(guest))
        bitmap_set(t->unmarked, n);
    else
        bitmap_clear(t->unmarked, n);
}

static gla_t
guest_address(const struct shadow_table *t, uint32_t n)
{
    return make_gla(t->base + n * (uint32_t)SLOT_SIZE);
}

/*
 * Descriptor N, which crosses a page or is in no plain memory.  Where there is
 * no page there are no descriptors.  Returns how many that settled.
 */
static uint32_t
copy_slowly(struct vcpu *v, struct shadow_table *t, uint32_t n, uint32_t end)
{
    gla_t at = guest_address(t, n);
    uint32_t in_page = PAGE_SIZE - (gla_raw(at) & PAGE_MASK);
    uint32_t run = MAX(in_page / (uint32_t)SLOT_SIZE, 1u);
    union seg_slot guest;

    if (guest_read(v, at, &guest, SLOT_SIZE, GUEST_READ | GUEST_SYSTEM)) {
        put(t, n, guest);
        return 1;
    }
    run = MIN(run, end - n);
    for (uint32_t i = 0; i < run; i++)
        put(t, n + i, empty_slot);
    return run;
}

static uint32_t
copy_run(struct vcpu *v, struct shadow_table *t, uint32_t n, uint32_t end)
{
    size_t size;
    const union seg_slot *guest =
        guest_window(v, guest_address(t, n), GUEST_READ | GUEST_SYSTEM, &size);
    const union seg_slot *copy = &t->slot[n];
    uint32_t run;

    if (guest == NULL || size < SLOT_SIZE)
        return copy_slowly(v, t, n, end);
    run = MIN((uint32_t)(size / SLOT_SIZE), end - n);
    for (uint32_t i = 0; i < run; i++)
        if (UNLIKELY(!seg_slot_equal(&guest[i], &copy[i])))
            put(t, n + i, guest[i]);
    return run;
}

void
shadow_table_update(struct vcpu *v, struct shadow_table *t, uint32_t base,
                    uint32_t limit)
{
    uint32_t slots = (MIN(limit, UINT16_MAX) + 1) / (uint32_t)SLOT_SIZE;
    uint32_t end = MIN(slots, t->end);
    uint32_t n = t->first;

    t->base = base;
    while (n < end)
        n += copy_run(v, t, n, end);
    for (; n < t->count; n++)
        put(t, n, empty_slot);
    t->count = end;
}

/* The guest may have written a new descriptor there: that one stays. */
static void
mark(struct vcpu *v, const struct shadow_table *t, uint32_t n)
{
    const union seg_slot *copy = &t->slot[n];
    gla_t at = guest_address(t, n);
    union seg_slot guest;
    uint8_t byte;

    if (!guest_read(v, at, &guest, SLOT_SIZE, GUEST_READ | GUEST_SYSTEM))
        return;
    guest.word.high |= SLOT_ACCESSED;
    if (!seg_slot_equal(&guest, copy))
        return;
    byte = (uint8_t)(copy->word.high >> SLOT_RIGHTS_SHIFT);
    if (!guest_write(v, gla_add(at, SLOT_TYPE_BYTE), &byte, sizeof(byte),
                     GUEST_WRITE | GUEST_SYSTEM))
        return;
}

void
shadow_table_mark(struct vcpu *v, struct shadow_table *t)
{
    uint32_t n = bitmap_find_set(t->unmarked, t->count, 0);

    while (n != BITMAP_NONE) {
        if (t->slot[n].word.high & SLOT_ACCESSED) {
            bitmap_clear(t->unmarked, n);
            mark(v, t, n);
        }
        n = bitmap_find_set(t->unmarked, t->count, n + 1);
    }
}

union seg_slot *
shadow_table_find(struct shadow_table *t, uint32_t selector)
{
    uint32_t n = (selector & UINT16_MAX) >> SEL_INDEX_SHIFT;

    return n >= t->first && n < t->count ? &t->slot[n] : NULL;
}
