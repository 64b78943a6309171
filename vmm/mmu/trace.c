/*
 * trace.c - write traces, and what a write to a guest's page table does.
 *
 * The shadow is kept true, not lazily: when the guest writes an entry, the
 * entries made from it are made again.
 *
 *      a PTE       its PT' entries take what the new PTE allows at once, so a
 *                  page that the guest has just mapped and marked accessed
 *                  needs no hidden fault
 *      a PDE       the link goes, and comes back with the next fault; the PT'
 *                  stays in the cache
 *
 * What the guest may still see.  A processor's TLB need not notice a write to
 * an entry until INVLPG or a load of CR3, and the guest cannot tell whose TLB
 * it is.  So changed PTEs flush nothing; `is_stale` remembers that the TLB may
 * know more than the shadow, for the one that must be sure: when a page gets
 * a trace or is taken away, a stale way to it must not survive.  A PDE does
 * flush, because a guest frees a whole large page with one INVLPG, while the
 * hardware may hold pieces of it.
 *
 * A page that is no table any more shows by writes that are not those of single
 * entries, or by many writes between which nothing used it: no fault was solved
 * through it, and the hardware did not walk it.  Its shadows go, and with them
 * the trace; should it be a table all the same, faults fill them again.
 *
 * SDM 3A 4.10.2 to 4.10.4.
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/mmu/trace.h"

#include "kernel/base/assert.h"
#include "kernel/base/bitmap.h"
#include "vmm/mmu/shadow_entry.h"
#include "vmm/mmu/shadow_fill.h"

#define DATA_WRITES     64u     /* without use: no table */
#define PDES_PER_LARGE  2

bool
trace_is_set_in(const struct shadow *s, ppn_t first, uint32_t count)
{
    uint32_t from = ppn_raw(first);
    uint32_t end = MIN(s->machine.trace_count, from + count);

    return from < end &&
           (bitmap_find_set(s->machine.table_traces, end, from) !=
            BITMAP_NONE ||
            bitmap_find_set(s->machine.code_traces, end, from) != BITMAP_NONE);
}

static bool
is_set(const struct shadow *s, const uint32_t *map, ppn_t ppn)
{
    return ppn_raw(ppn) < s->machine.trace_count &&
           bitmap_test(map, ppn_raw(ppn));
}

bool
trace_is_set(const struct shadow *s, ppn_t ppn)
{
    return is_set(s, s->machine.table_traces, ppn) ||
           is_set(s, s->machine.code_traces, ppn);
}

/* Nothing may write to PPN any more, not through guest_window() either. */
static void
protect(struct shadow *s, ppn_t ppn)
{
    struct pmap_page page;

    s->vcpu->memory_generation++;
    /* A page that is not there is in no shadow. */
    if (s->machine.pmap_get(s->machine.ctx, ppn, PMAP_PEEK, &page) == PMAP_OK &&
        (shadow_protect(s, page.mpn) || s->is_stale))
        shadow_flush(s);
}

static void
set_in(struct shadow *s, uint32_t *map, ppn_t ppn)
{
    ASSERT(ppn_raw(ppn) < s->machine.trace_count);
    if (bitmap_test(map, ppn_raw(ppn)))
        return;
    bitmap_set(map, ppn_raw(ppn));
    protect(s, ppn);
}

void
trace_set(struct shadow *s, ppn_t ppn)
{
    set_in(s, s->machine.code_traces, ppn);
}

/* The right to write comes back with the next fault. */
void
trace_clear(struct shadow *s, ppn_t ppn)
{
    ASSERT(ppn_raw(ppn) < s->machine.trace_count);
    bitmap_clear(s->machine.code_traces, ppn_raw(ppn));
}

void
trace_add_table(struct shadow *s, ppn_t ppn)
{
    set_in(s, s->machine.table_traces, ppn);
}

void
trace_remove_table(struct shadow *s, ppn_t ppn)
{
    bitmap_clear(s->machine.table_traces, ppn_raw(ppn));
}

/* --- Writes to guest tables ------------------------------------------------*/

/* A part of a page that was written, in bytes. */
struct extent {
    uint32_t offset, size;
};

static bool
looks_like_data(struct shadow *s, struct shadow_page *page, struct extent x)
{
    if (x.size > sizeof(pte_t))
        return true;
    if (page->writes <= DATA_WRITES)
        return false;
    page->writes = 0;
    return !shadow_test_accessed(s, page->mpn);
}

/* May the TLB know more than NEW says when that takes the place of OLD? */
static bool
is_narrower(pte_t old, pte_t new)
{
    return (old & PTE_P) != 0 &&
           (((old ^ new) & (PTE_ADDR | PTE_P | PTE_NX)) != 0 ||
            (old & ~new & (PTE_RW | PTE_US)) != 0);
}

static void
update_leaf(struct shadow *s, struct shadow_page *page, unsigned index)
{
    pte_t old = shadow_entry(s, page, index);
    pte_t new = shadow_leaf_entry(s, page->key, index);

    shadow_set_entry(s, page, index, new);
    s->is_stale |= is_narrower(old, new);
}

/* True: a link went, and the TLB must be flushed. */
static bool
update_directory(struct shadow *s, struct shadow_page *page, unsigned index)
{
    bool was_linked;

    if (index >= key_entries(page->key)) {
        s->monitor_pde_writes++;
        return false;
    }
    was_linked = (shadow_entry(s, page, index) & PTE_P) != 0;
    if (was_linked)
        shadow_set_entry(s, page, index, 0);
    return was_linked;
}

/*
 * How guest entries map to those of PAGE: it has the SPAN of them from FIRST,
 * each of which has COPIES entries.
 */
struct geometry {
    unsigned first, span, copies;
};

static struct geometry
geometry(const struct shadow_page *page)
{
    unsigned copies = 1, span;

    if (key_format(page->key) & FORMAT_PAE)
        return (struct geometry){ .span = PT_ENTRIES, .copies = 1 };
    if (key_is_directory(page->key))
        copies = PDES_PER_LARGE;
    span = PT_ENTRIES / copies;
    return (struct geometry){ FIELD_GET(page->key.role, ROLE_QUADRANT) * span,
                              span, copies };
}

static void
update(struct shadow *s, struct shadow_page *page, struct extent x)
{
    struct geometry g = geometry(page);
    unsigned size = guest_entry_size(key_format(page->key));
    unsigned from = MAX(x.offset / size, g.first);
    unsigned end = MIN((x.offset + x.size - 1) / size + 1, g.first + g.span);
    bool must_flush = false;

    for (unsigned n = from * g.copies; n < end * g.copies; n++) {
        unsigned index = n - g.first * g.copies;

        if (key_is_directory(page->key))
            must_flush |= update_directory(s, page, index);
        else
            update_leaf(s, page, index);
    }
    if (must_flush)
        shadow_flush(s);
}

static void
write_table(struct shadow *s, ppn_t ppn, struct extent x)
{
    s->stats.table_writes++;
    LIST_FOR_EACH_SAFE(page, shadow_bucket(s, ppn), struct shadow_page, link) {
        if (!ppn_eq(page->key.ppn, ppn) || key_kind(page->key) != KIND_GUEST)
            continue;
        page->writes++;
        if (!looks_like_data(s, page, x) || shadow_is_active(s, page)) {
            update(s, page, x);
            continue;
        }
        s->stats.reused_as_data++;
        shadow_drop(s, page);
    }
}

void
mmu_guest_write(struct shadow *s, ppn_t ppn, uint32_t offset, uint32_t size)
{
    ASSERT(size > 0 && offset < PAGE_SIZE && size <= PAGE_SIZE - offset);
    if (is_set(s, s->machine.table_traces, ppn))
        write_table(s, ppn, (struct extent){ offset, size });
    if (is_set(s, s->machine.code_traces, ppn))
        s->machine.written(s->machine.ctx, ppn, offset, size);
}
