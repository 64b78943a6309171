/*
 * shadow_fault.c - a page fault in guest context: whose is it?
 *
 * The questions, in order; the first that is answered decides:
 *
 *      in the monitor's 4 MB?                          EMULATE
 *      do the guest's tables forbid the access?        TRUE
 *      is the page not there, for now?                 BLOCK
 *      is it no memory (for this access)?              EMULATE
 *      is it traced, and written?                      EMULATE
 *      can an entry be built that allows the access?   HIDDEN
 *      else                                            EMULATE
 *
 * "Else" catches what a shadow cannot express: a supervisor's write to a
 * read-only page with WP = 0, tables that lie in no RAM, an accessed bit that
 * cannot be set because the table is in ROM.  Everything up to BLOCK leaves the
 * guest as it was; then its A and D bits are set, by the walker, as a processor
 * would for this access.  An access that the shadow allows already (a stale
 * TLB) builds the same entry again.
 *
 * Two PT' pages may exist for a guest PT with pages of both kinds: VIEW_USER's
 * has its user pages.  The kernel view shares it until a supervisor page in it
 * is touched; then it gets one of its own with all pages, and takes that
 * wherever it exists.  What the PDE says about U matters to VIEW_USER only.
 *
 * Called by the vcpu's thread after each #PF of the guest; no locks.
 * SDM 3A 4.7.
 */
#include "kernel/base/assert.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/mmu/shadow_entry.h"
#include "vmm/mmu/shadow_fill.h"
#include "vmm/mmu/shadow_root.h"
#include "vmm/mmu/trace.h"

#define CPL_USER    3
#define FILL_AROUND 8u          /* entries that one fault fills, aligned */

static unsigned
access_kind(uint32_t error)
{
    if (error & PF_ERR_W)
        return GUEST_WRITE;
    return error & PF_ERR_I ? GUEST_FETCH : GUEST_READ;
}

/* Is there a page that the access may reach without emulation? */
static enum shadow_result
check_page(struct shadow *s, ppn_t ppn, unsigned access)
{
    bool is_write = access == GUEST_WRITE;
    struct pmap_page page;

    switch (s->machine.pmap_get(s->machine.ctx, ppn,
                                is_write ? PMAP_WRITE : PMAP_READ, &page)) {
    case PMAP_BLOCK:
        return SHADOW_BLOCK;
    case PMAP_OK:
        return is_write && (!page.is_writable || trace_is_set(s, ppn)) ?
               SHADOW_EMULATE : SHADOW_HIDDEN;
    default:
        return SHADOW_EMULATE;
    }
}

/* The PT' for PDE, entry INDEX of PD, in which AT has its place. */
static struct shadow_key
choose_leaf(struct shadow *s, struct shadow_key pd, gla_t at)
{
    unsigned index = pd_index(gla_raw(at));
    pte_t pde = shadow_guest_entry(s, pd, index);
    struct shadow_key own = shadow_leaf_key(pd, index, pde), shared = own;

    if (key_view(pd) != VIEW_KERNEL || key_kind(own) != KIND_GUEST)
        return own;
    shared.role = FIELD_SET(shared.role, ROLE_VIEW, VIEW_USER);
    if (shadow_find(s, own) != NULL ||
        (shadow_guest_entry(s, own, pt_index(gla_raw(at))) & PTE_US) == 0)
        return own;
    return shared;
}

/* A large page that can be one for the hardware: its entry; else 0. */
static pte_t
large_entry(struct shadow *s, struct shadow_key leaf)
{
    mpn_t mpn;

    if (key_kind(leaf) != KIND_DIRECT ||
        trace_is_set_in(s, leaf.ppn, PT_ENTRIES))
        return 0;
    mpn = s->machine.large_page(s->machine.ctx, leaf.ppn);
    if (mpn_eq(mpn, INVALID_MPN))
        return 0;
    return maddr_raw(mpn_to_maddr(mpn)) | PTE_PS | PTE_A | PTE_D;
}

/* Fill the entry, and what else around it needs no fault any more. */
static void
fill_leaf(struct shadow *s, struct shadow_page *leaf, unsigned index)
{
    unsigned first = ROUND_DOWN(index, FILL_AROUND);

    leaf->writes = 0;
    leaf->is_used = true;
    for (unsigned n = first; n < first + FILL_AROUND; n++)
        if (n == index || (shadow_entry(s, leaf, n) & PTE_P) == 0)
            shadow_set_entry(s, leaf, n, shadow_leaf_entry(s, leaf->key, n));
}

/*
 * Put ENTRY into a PD'.  What it replaces allowed less of the same pages, so
 * the TLB may keep that for a while; the fault has made the hardware forget
 * what it knew of this address (SDM 3A 4.10.4.1).
 */
static void
link(struct shadow *s, struct shadow_page *pd, unsigned index, pte_t entry)
{
    pte_t old = shadow_entry(s, pd, index);

    if (((old ^ entry) & ~(PTE_A | PTE_D)) == 0)
        return;
    s->is_stale |= (old & PTE_P) != 0;
    shadow_set_entry(s, pd, index, entry);
}

/* Make all entries for AT; what they allow together, as one entry. */
static pte_t
build(struct shadow *s, gla_t at)
{
    struct shadow_page *pd = shadow_root(s, shadow_view(s),
                                         pdpt_index(gla_raw(at)));
    unsigned index = pd_index(gla_raw(at));
    pte_t pde = shadow_guest_entry(s, pd->key, index);
    pte_t rights = shadow_directory_rights(s, pd->key, index, pde);
    struct shadow_key key = choose_leaf(s, pd->key, at);
    struct shadow_page *leaf;
    pte_t large, pte;

    if (rights == 0 ||
        (key_kind(key) == KIND_GUEST && !shadow_is_table(s, key.ppn)))
        return 0;
    pd->writes = 0;
    large = large_entry(s, key);
    if (large != 0) {
        link(s, pd, index, rights | large);
        return rights;
    }
    leaf = shadow_acquire(s, key);
    fill_leaf(s, leaf, pt_index(gla_raw(at)));
    link(s, pd, index, rights | maddr_raw(mpn_to_maddr(leaf->mpn)));
    pte = shadow_entry(s, leaf, pt_index(gla_raw(at)));
    if ((pte & PTE_P) == 0)
        return 0;
    return (rights & pte) | ((rights | pte) & PTE_NX);
}

/* Does ENTRY allow the hardware what the guest was about to do? */
static bool
is_enough(const struct shadow *s, pte_t entry, unsigned access)
{
    if ((entry & PTE_P) == 0 ||
        (s->vcpu->cpu.cpl == CPL_USER && (entry & PTE_US) == 0))
        return false;
    if (access == GUEST_WRITE)
        return (entry & PTE_RW) != 0;
    return access != GUEST_FETCH || (entry & PTE_NX) == 0;
}

static enum shadow_result
decide(struct shadow *s, gla_t at, unsigned access)
{
    struct guest_mapping mapping;
    enum shadow_result result = SHADOW_HIDDEN;

    if (gla_raw(at) >= SHADOW_MONITOR_BASE)
        return SHADOW_EMULATE;
    if (guest_walk_peek(s->vcpu, at, access, &mapping))
        result = check_page(s, gpa_to_ppn(mapping.at), access);
    if (result != SHADOW_HIDDEN)
        return result;
    /* Sets A and D, or says which fault it is. */
    if (!guest_walk(s->vcpu, at, access, &mapping))
        return SHADOW_TRUE;
    return is_enough(s, build(s, at), access) ? SHADOW_HIDDEN : SHADOW_EMULATE;
}

enum shadow_result
shadow_fault(struct shadow *s, gla_t at, uint32_t error)
{
    enum shadow_result result = decide(s, at, access_kind(error));

    s->stats.faults[result]++;
    return result;
}
