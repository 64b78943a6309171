/*
 * shadow_page.c - the cache of shadow tables.
 *
 * There is room for a fixed number of pages.  All shadows of one guest page are
 * in one bucket, whatever their roles.  A page is in one of three states:
 *
 *      no memory yet  --alloc-->  in a bucket  <-->  on the free list
 *
 * Acquiring never fails.  When nothing is free, the clock looks for a victim: a
 * page that nothing has used since the hand passed it last, neither a fault nor
 * the hardware (which marks the entry through which it walks to a PT).  Pages
 * to which a PDPT points are never taken; there are at most 8 of them, and
 * SHADOW_PAGES_MIN leaves enough besides.
 *
 * Order when a page goes: its table's trace, the links to it, the TLB, and only
 * then its entries.  Until the flush the hardware may still use it, even to
 * reach the monitor.  Called by the vcpu's thread; no locks.
 */
#include "kernel/base/assert.h"
#include "vmm/mmu/shadow_entry.h"
#include "vmm/mmu/shadow_int.h"
#include "vmm/mmu/trace.h"

struct list *
shadow_bucket(struct shadow *s, ppn_t ppn)
{
    return &s->bucket[ppn_raw(ppn) % SHADOW_BUCKETS];
}

void
shadow_flush(struct shadow *s)
{
    s->is_stale = false;
    s->stats.flushes++;
    s->machine.flush(s->machine.ctx);
}

bool
shadow_is_active(const struct shadow *s, const struct shadow_page *page)
{
    for (unsigned view = 0; view < VIEW_COUNT; view++)
        for (unsigned n = 0; n < PDPT_ENTRIES; n++)
            if (s->root[view][n] == page)
                return true;
    return false;
}

struct shadow_page *
shadow_find(struct shadow *s, struct shadow_key key)
{
    LIST_FOR_EACH(page, shadow_bucket(s, key.ppn), struct shadow_page, link)
        if (ppn_eq(page->key.ppn, key.ppn) && page->key.role == key.role)
            return page;
    return NULL;
}

/* Is this the shadow of a guest table that has no other? */
static bool
is_last(struct shadow *s, const struct shadow_page *page)
{
    LIST_FOR_EACH(other, shadow_bucket(s, page->key.ppn), struct shadow_page,
                  link)
        if (other != page && ppn_eq(other->key.ppn, page->key.ppn) &&
            key_kind(other->key) == KIND_GUEST)
            return false;
    return true;
}

void
shadow_drop(struct shadow *s, struct shadow_page *page)
{
    ASSERT(!shadow_is_active(s, page));
    if (key_kind(page->key) == KIND_GUEST && is_last(s, page))
        trace_remove_table(s, page->key.ppn);
    list_remove(&page->link);
    shadow_unmap(s, page->mpn);
    shadow_flush(s);
    s->machine.settle(s->machine.ctx);
    for (unsigned n = 0; page->live > 0; n++)
        shadow_set_entry(s, page, n, 0);
    list_add_tail(&s->free, &page->link);
}

/* Did anything use PAGE since this was asked last? */
static bool
test_used(struct shadow *s, struct shadow_page *page)
{
    bool is_used = page->is_used;

    page->is_used = false;
    return shadow_test_accessed(s, page->mpn) || is_used;
}

/* Two rounds suffice: the first clears all marks. */
static void
reclaim(struct shadow *s)
{
    struct shadow_page *page;

    do {
        page = &s->machine.page[s->hand];
        s->hand = (s->hand + 1) % s->allocated;
    } while (shadow_is_active(s, page) || test_used(s, page));
    s->stats.reclaimed++;
    shadow_drop(s, page);
}

/* Memory for one more page. */
static bool
grow(struct shadow *s)
{
    unsigned index = s->allocated;
    struct shadow_page *page = &s->machine.page[index];

    if (index == s->machine.page_count ||
        !s->machine.alloc(s->machine.ctx, index, &page->mpn))
        return false;
    s->allocated++;
    list_add_tail(&s->free, &page->link);
    return true;
}

struct shadow_page *
shadow_acquire(struct shadow *s, struct shadow_key key)
{
    struct shadow_page *page = shadow_find(s, key);

    if (page != NULL) {
        page->is_used = true;
        return page;
    }
    if (list_is_empty(&s->free) && !grow(s))
        reclaim(s);
    page = LIST_POP(&s->free, struct shadow_page, link);
    page->key = key;
    page->writes = 0;
    page->is_used = true;
    shadow_init_entries(s, page);
    list_add_head(shadow_bucket(s, key.ppn), &page->link);
    s->stats.made++;
    if (key_kind(page->key) == KIND_GUEST)
        trace_add_table(s, page->key.ppn);
    return page;
}

status_t
shadow_init(struct shadow *s, struct vcpu *v,
            const struct shadow_machine *machine, bool has_views)
{
    *s = (struct shadow){ .vcpu = v, .machine = *machine,
                          .has_views = has_views };
    list_init(&s->free);
    for (unsigned n = 0; n < SHADOW_BUCKETS; n++)
        list_init(&s->bucket[n]);
    for (unsigned n = 0; n < RMAP_BUCKETS; n++)
        s->rmap[n] = SLOT_NONE;
    while (s->allocated < SHADOW_PAGES_MIN)
        if (!grow(s))
            return TRACE_ERR(ERR_NO_MEMORY);
    shadow_switch(s);
    return OK;
}
