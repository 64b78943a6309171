/*
 * shadow.c - address spaces: which shadow the hardware walks at present.
 *
 * There are few roots: one PDPT for each view, which point to four PD' pages
 * each.  A load of CR3 only writes those entries, from what the cache knows; an
 * address space that ran before finds all of its shadow again.  What the cache
 * does not know is linked by the first fault, save the last quadrant, which
 * must be there at all times, for the monitor itself lives in it.
 *
 *      PDPT[KERNEL]    PDPT[USER]          keys of the PD' pages
 *        [0] - none      [0] - none
 *        [1] - none      [1] - none        (CR3 or PDPTE, quadrant, view)
 *        [2] -> PD'      [2] -> PD'
 *        [3] -> PD'      [3] -> PD'        + the monitor's two entries
 *
 * PAE: a processor latches the guest's PDPTEs when CR3 is loaded, and so do we,
 * in the vcpu: writes to the guest's PDPT mean nothing until then, and it has
 * no trace.  Likewise CR0.PG, CR4.PSE, CR4.PAE and EFER.NXE choose other keys
 * and drop nothing; CR0.WP needs nothing at all, because the hardware's is
 * always 1 and writes that only WP = 0 allows are emulated.
 *
 * Called by the vcpu's thread; no locks.  SDM 3A 4.4.1, 4.10.4.
 */
#include "vmm/mmu/shadow.h"

#include "kernel/base/assert.h"
#include "kernel/x86/atomic.h"
#include "vmm/mmu/shadow_entry.h"
#include "vmm/mmu/shadow_fill.h"
#include "vmm/mmu/shadow_root.h"

#define CPL_USER    3

enum shadow_view
shadow_view(const struct shadow *s)
{
    if (!s->has_views)
        return VIEW_EXACT;
    return s->vcpu->cpu.cpl == CPL_USER ? VIEW_USER : VIEW_KERNEL;
}

static bool
has_view(const struct shadow *s, enum shadow_view view)
{
    return s->has_views == (view != VIEW_EXACT);
}

/*
 * In one write, for CR3 may be loaded at any time (an interrupt in the monitor
 * switches to the VMkernel and back), and one of the entries is the monitor's.
 */
static void
write_pdpte(pte_t *to, pte_t entry)
{
    pte_t old;

    do
        old = *to;
    while (atomic_compare_swap64(to, old, entry) != old);
}

/* The PDPT's entries have no rights and no A: SDM 3A table 4-8. */
static void
set_root(struct shadow *s, enum shadow_view view, unsigned quadrant,
         struct shadow_page *page)
{
    s->root[view][quadrant] = page;
    write_pdpte(&s->machine.pdpt[view][quadrant],
                page == NULL ? 0 : maddr_raw(mpn_to_maddr(page->mpn)) | PTE_P);
    if (page != NULL)
        page->is_used = true;
}

struct shadow_page *
shadow_root(struct shadow *s, enum shadow_view view, unsigned quadrant)
{
    if (s->root[view][quadrant] == NULL) {
        set_root(s, view, quadrant,
                 shadow_acquire(s, shadow_root_key(s, view, quadrant)));
        shadow_flush(s);
    }
    return s->root[view][quadrant];
}

/*
 * A page that leaves the PDPT may be taken for another quadrant at once: its
 * entries stay until a flush has made the hardware read the PDPT again.
 */
static void
switch_view(struct shadow *s, enum shadow_view view)
{
    struct shadow_key key = shadow_root_key(s, view, MONITOR_QUADRANT);

    set_root(s, view, MONITOR_QUADRANT, shadow_acquire(s, key));
    for (unsigned n = 0; n < MONITOR_QUADRANT; n++)
        set_root(s, view, n, shadow_find(s, shadow_root_key(s, view, n)));
}

void
shadow_switch(struct shadow *s)
{
    for (unsigned view = 0; view < VIEW_COUNT; view++)
        if (has_view(s, view))
            switch_view(s, view);
    shadow_flush(s);
}

void
shadow_invlpg(struct shadow *s, gla_t at)
{
    s->machine.invalidate(s->machine.ctx, at);
}

void
shadow_revoke(struct shadow *s, mpn_t mpn)
{
    if (shadow_unmap(s, mpn) || s->is_stale)
        shadow_flush(s);
}

static void
clear_page(struct shadow *s, struct shadow_page *page)
{
    for (unsigned n = 0; page->live > 0; n++)
        shadow_set_entry(s, page, n, 0);
}

void
shadow_drop_all(struct shadow *s)
{
    for (unsigned n = 0; n < s->allocated; n++) {
        struct shadow_page *page = &s->machine.page[n];

        if (shadow_is_active(s, page))
            clear_page(s, page);
    }
    for (unsigned n = 0; n < SHADOW_BUCKETS; n++)
        LIST_FOR_EACH_SAFE(page, &s->bucket[n], struct shadow_page, link)
            if (!shadow_is_active(s, page))
                shadow_drop(s, page);
    shadow_switch(s);
}
