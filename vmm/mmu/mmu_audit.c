/*
 * mmu_audit.c - compares the whole shadow with what it is the shadow of.
 *
 * For every page in the cache, linked or not, and every entry in it:
 *
 *      PT'     what shadow_leaf_entry() would allow now: same machine page,
 *              and no right beyond
 *      PD'     the rights of the guest's PDE; it points to the PT' of the right
 *              key, in the cache (VIEW_KERNEL may use VIEW_USER's); or to 2 MB
 *              of machine pages that are the guest's, none of them traced
 *      both    on its chain in the reverse map
 *      page    found under its key; the count of its entries is right; its
 *              guest table has a trace; the monitor's entries are untouched
 *
 * and the PDPTs point to the PD' pages of the present address space.  A shadow
 * that allows less than it could is not wrong.
 *
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/mmu/mmu_audit.h"

#include "kernel/base/bitmap.h"
#include "vmm/mmu/shadow_entry.h"
#include "vmm/mmu/shadow_fill.h"
#include "vmm/mmu/trace.h"

struct audit {
    const struct shadow *s;
    const struct shadow_page *page;
    struct mmu_audit *result;
};

static bool
wrong(struct audit *a, const char *what)
{
    a->result->wrong = what;
    a->result->page = a->page;
    return false;
}

/* Has ENTRY more rights than ALLOWED, or another address? */
static bool
exceeds(pte_t entry, pte_t allowed, pte_t address)
{
    return (entry & ~allowed & (PTE_P | PTE_RW | PTE_US)) != 0 ||
           (allowed & ~entry & PTE_NX) != 0 ||
           ((entry ^ allowed) & address) != 0;
}

/* The page in the cache whose table is MPN; NULL: there is none. */
static const struct shadow_page *
find_by_mpn(const struct shadow *s, mpn_t mpn)
{
    for (unsigned bucket = 0; bucket < SHADOW_BUCKETS; bucket++)
        LIST_FOR_EACH(page, &s->bucket[bucket], struct shadow_page, link)
            if (mpn_eq(page->mpn, mpn))
                return page;
    return NULL;
}

static bool
is_same_key(struct shadow_key a, struct shadow_key b)
{
    return ppn_eq(a.ppn, b.ppn) && a.role == b.role;
}

/* Is LEAF what the entry for KEY in the PD' may point to? */
static bool
may_link(struct shadow_key pd, struct shadow_key key, struct shadow_key leaf)
{
    if (is_same_key(key, leaf))
        return true;
    key.role = FIELD_SET(key.role, ROLE_VIEW, VIEW_USER);
    return key_view(pd) == VIEW_KERNEL && key_kind(key) == KIND_GUEST &&
           is_same_key(key, leaf);
}

/* An entry of 2 MB over the guest pages from FIRST. */
static bool
audit_large(struct audit *a, struct shadow_key leaf)
{
    const struct shadow_machine *m = &a->s->machine;
    struct pmap_page page;

    if (key_kind(leaf) != KIND_DIRECT)
        return wrong(a, "2 MB for a small page");
    if (trace_is_set_in(a->s, leaf.ppn, PT_ENTRIES))
        return wrong(a, "2 MB with a traced page in it");
    for (unsigned n = 0; n < PT_ENTRIES; n++)
        if (m->pmap_get(m->ctx, ppn_add(leaf.ppn, n), PMAP_PEEK, &page) !=
                PMAP_OK || !page.is_writable ||
            mpn_diff(page.mpn, entry_mpn(a->result->found)) != n)
            return wrong(a, "2 MB of other machine pages");
    return true;
}

static bool
audit_directory_entry(struct audit *a, unsigned index)
{
    struct shadow_key pd = a->page->key;
    pte_t pde = shadow_guest_entry(a->s, pd, index);
    struct shadow_key key = shadow_leaf_key(pd, index, pde);
    const struct shadow_page *leaf;

    a->result->allowed = shadow_directory_rights(a->s, pd, index, pde);
    if (exceeds(a->result->found, a->result->allowed, 0))
        return wrong(a, "a PD entry allows more than the guest");
    if (a->result->found & PTE_PS)
        return audit_large(a, key);
    leaf = find_by_mpn(a->s, entry_mpn(a->result->found));
    if (leaf == NULL || !may_link(pd, key, leaf->key))
        return wrong(a, "a PD entry to another table");
    return true;
}

static bool
audit_leaf_entry(struct audit *a, unsigned index)
{
    a->result->allowed = shadow_leaf_entry(a->s, a->page->key, index);
    if (exceeds(a->result->found, a->result->allowed, PTE_ADDR))
        return wrong(a, "a PT entry allows more than the guest");
    return true;
}

static bool
is_on_chain(struct audit *a, unsigned index)
{
    unsigned page = (unsigned)(a->page - a->s->machine.page);
    mpn_t mpn = entry_mpn(a->result->found);
    uint32_t slot = shadow_rmap_find(a->s, mpn, SLOT_NONE);

    while (slot != SLOT_NONE && slot != page * PT_ENTRIES + index)
        slot = shadow_rmap_find(a->s, mpn, slot);
    return slot != SLOT_NONE || wrong(a, "an entry in no chain");
}

static bool
audit_entries(struct audit *a)
{
    unsigned live = 0;

    for (unsigned n = 0; n < key_entries(a->page->key); n++) {
        a->result->index = n;
        a->result->found = shadow_entry(a->s, a->page, n);
        if ((a->result->found & PTE_P) == 0)
            continue;
        live++;
        if (!is_on_chain(a, n) ||
            !(key_is_directory(a->page->key) ? audit_directory_entry(a, n)
                                             : audit_leaf_entry(a, n)))
            return false;
    }
    return live == a->page->live || wrong(a, "the count of entries");
}

/* What the hardware may set in an entry by itself. */
static bool
is_monitor_entry(const struct audit *a, unsigned n)
{
    pte_t expected = a->s->machine.monitor_pde[key_view(a->page->key)][n];

    return ((shadow_entry(a->s, a->page, MONITOR_INDEX + n) ^ expected) &
            ~(PTE_A | PTE_D)) == 0;
}

static bool
audit_page(struct audit *a)
{
    struct shadow_key key = a->page->key;

    for (unsigned n = 0; n < PT_ENTRIES - key_entries(key); n++)
        if (!is_monitor_entry(a, n))
            return wrong(a, "the monitor's entries");
    if (key_kind(key) == KIND_GUEST && !trace_is_set(a->s, key.ppn))
        return wrong(a, "a guest table without a trace");
    return audit_entries(a);
}

/* QEMU's TCG sets A in PDPTEs, too. */
static bool
audit_root(struct audit *a, enum shadow_view view, unsigned quadrant)
{
    pte_t pdpte = a->s->machine.pdpt[view][quadrant];

    a->page = a->s->root[view][quadrant];
    a->result->index = quadrant;
    a->result->found = pdpte;
    if (a->page == NULL)
        return pdpte == 0 || wrong(a, "a PDPT entry to nothing");
    if (!is_same_key(a->page->key, shadow_root_key(a->s, view, quadrant)))
        return wrong(a, "the PD of another address space");
    a->result->allowed = maddr_raw(mpn_to_maddr(a->page->mpn)) | PTE_P;
    return (pdpte & ~PTE_A) == a->result->allowed ||
           wrong(a, "a PDPT entry to another page");
}

static bool
audit_roots(struct audit *a)
{
    for (unsigned view = 0; view < VIEW_COUNT; view++)
        for (unsigned n = 0; n < PDPT_ENTRIES; n++)
            if (a->s->has_views == (view != VIEW_EXACT) &&
                !audit_root(a, (enum shadow_view)view, n))
                return false;
    return true;
}

bool
mmu_audit(const struct shadow *s, struct mmu_audit *result)
{
    struct audit a = { .s = s, .result = result };

    *result = (struct mmu_audit){ .wrong = NULL };
    for (unsigned bucket = 0; bucket < SHADOW_BUCKETS; bucket++)
        LIST_FOR_EACH(page, &s->bucket[bucket], struct shadow_page, link) {
            a.page = page;
            if (!audit_page(&a))
                return false;
        }
    a.page = NULL;
    return audit_roots(&a);
}
