/*
 * shadow_fill.c - what a shadow entry may be, from the guest's entry.
 *
 * The rules, which the audit checks:
 *
 *      present     the guest's entry is present and accessed and well-formed,
 *                  and the page is RAM (or ROM) that is there
 *      writable    the guest's is, and dirty where it maps a page; the page is
 *                  not traced, and the VM's own
 *      user        VIEW_EXACT as the guest's; else always, and VIEW_USER has
 *                  only what is user in the guest
 *      no execute  as the guest's, if the guest has NX
 *
 * Without A there is no entry: the access that would set it faults.  Without D
 * there is no right to write, and the first write faults.  G is not used: views
 * differ in supervisor pages, and those are the global ones; a guest may always
 * find that a global page left the TLB.  Cache attributes are not the guest's.
 *
 * Linear 0 to 2 MB in VIEW_USER: as the machine wants it, in the PD'.
 *
 * Large pages: the guest's rights and its D are in its PDE and so in ours; the
 * PT' behind has all rights and belongs to the physical pages, whoever maps
 * them.  No paging is a PD' whose guest entries are all large, with all rights.
 *
 * Pure.  SDM 3A 4.6, 4.8.
 */
#include "vmm/mmu/shadow_fill.h"

#include "kernel/base/bitmap.h"
#include "vmm/guest_mem.h"
#include "vmm/mmu/trace.h"

/* What a table that maps linear to physical would say. */
#define DIRECT_PTE      (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define DIRECT_PDE      (DIRECT_PTE | PTE_PS)
#define PDES_PER_LARGE  2               /* PDE' for one 2-level PDE */
#define QUADRANT_PDES   (PT_ENTRIES / PDES_PER_LARGE)

bool
shadow_is_table(const struct shadow *s, ppn_t ppn)
{
    struct pmap_page page;

    return ppn_raw(ppn) < s->machine.trace_count &&
           s->machine.pmap_get(s->machine.ctx, ppn, PMAP_PEEK, &page) !=
           PMAP_EMULATE;
}

/* Which of the guest's entries is behind entry INDEX. */
static unsigned
guest_index(struct shadow_key key, unsigned index)
{
    unsigned quadrant = FIELD_GET(key.role, ROLE_QUADRANT);

    if (key_format(key) & FORMAT_PAE)
        return index;
    return key_is_directory(key) ?
           quadrant * QUADRANT_PDES + index / PDES_PER_LARGE :
           quadrant * PT_ENTRIES + index;
}

static pte_t
direct_entry(struct shadow_key key, unsigned index)
{
    pte_t first = gpa_raw(ppn_to_gpa(key.ppn));

    return key_is_directory(key) ?
           (first + (pte_t)index * LARGE_PAGE_SIZE) | DIRECT_PDE :
           (first + (pte_t)index * PAGE_SIZE) | DIRECT_PTE;
}

pte_t
shadow_guest_entry(const struct shadow *s, struct shadow_key key,
                   unsigned index)
{
    unsigned size = guest_entry_size(key_format(key));
    gpa_t at = gpa_add(ppn_to_gpa(key.ppn), guest_index(key, index) * size);
    pte_t entry = 0;

    if (key_kind(key) == KIND_DIRECT)
        return direct_entry(key, index);
    if (key_kind(key) == KIND_EMPTY ||
        !guest_phys_read(s->vcpu, at, &entry, size))
        return 0;
    return entry;
}

bool
shadow_is_large(struct shadow_key key, pte_t pde)
{
    return guest_pde_is_large(pde, key_format(key));
}

/* The rights that go with the guest's ENTRY in PAGE; 0: it has no place. */
static pte_t
rights(struct shadow_key key, pte_t entry)
{
    pte_t allowed = PTE_P | (entry & PTE_RW);

    if (key_view(key) == VIEW_USER && (entry & PTE_US) == 0)
        return 0;
    allowed |= key_view(key) == VIEW_EXACT ? entry & PTE_US : PTE_US;
    if (key_format(key) & FORMAT_NX)
        allowed |= entry & PTE_NX;
    return allowed;
}

/* The entry of linear 0 to 2 MB in the user view. */
static bool
is_low(struct shadow_key key, unsigned index)
{
    return index == 0 && FIELD_GET(key.role, ROLE_QUADRANT) == 0 &&
           key_view(key) == VIEW_USER;
}

pte_t
shadow_directory_rights(const struct shadow *s, struct shadow_key key,
                        unsigned index, pte_t pde)
{
    bool is_large = shadow_is_large(key, pde);
    pte_t allowed = rights(key, pde);

    if (!guest_entry_is_cached(pde, key_format(key), is_large))
        return 0;
    if (allowed != 0 && is_low(key, index))
        allowed = (allowed | s->machine.low_set) & ~s->machine.low_clear;
    return is_large && (pde & PTE_D) == 0 ? allowed & ~PTE_RW : allowed;
}

pte_t
shadow_leaf_entry(const struct shadow *s, struct shadow_key key,
                  unsigned index)
{
    pte_t pte = shadow_guest_entry(s, key, index);
    pte_t allowed = rights(key, pte);
    ppn_t ppn = guest_entry_ppn(pte);
    struct pmap_page target;

    if (!guest_entry_is_cached(pte, key_format(key), false) ||
        allowed == 0 ||
        s->machine.pmap_get(s->machine.ctx, ppn, PMAP_PEEK, &target) != PMAP_OK)
        return 0;
    if ((pte & PTE_D) == 0 || !target.is_writable || trace_is_set(s, ppn))
        allowed &= ~PTE_RW;
    /* The hardware need not set what it finds set. */
    return maddr_raw(mpn_to_maddr(target.mpn)) | allowed | PTE_A | PTE_D;
}

struct shadow_key
shadow_leaf_key(struct shadow_key key, unsigned index, pte_t pde)
{
    unsigned format = key_format(key);
    unsigned half = format & FORMAT_PAE ? 0 : index % PDES_PER_LARGE;
    uint32_t role = FIELD_SET(0u, ROLE_KIND, KIND_GUEST);

    if (shadow_is_large(key, pde))
        return (struct shadow_key){
            ppn_add(guest_large_ppn(pde, format), half * PT_ENTRIES),
            FIELD_SET(FIELD_SET(0u, ROLE_KIND, KIND_DIRECT), ROLE_FORMAT,
                      FORMAT_PAE) };
    role = FIELD_SET(role, ROLE_FORMAT, format & ~FORMAT_PSE);
    role = FIELD_SET(role, ROLE_QUADRANT, half);
    role = FIELD_SET(role, ROLE_VIEW, key_view(key));
    return (struct shadow_key){ guest_entry_ppn(pde), role };
}

/* The table of a quadrant, if the guest has one. */
static bool
guest_directory(const struct shadow *s, unsigned quadrant, ppn_t *ppn)
{
    const struct guest_cpu *cpu = &s->vcpu->cpu;
    pte_t pdpte = cpu->pdpte[quadrant];

    *ppn = gpa_to_ppn(make_gpa(cpu->cr3 & GUEST_CR3_ADDR));
    if (cpu->cr4 & CR4_PAE) {
        *ppn = gpa_to_ppn(make_gpa(pdpte & GUEST_PDPTE_ADDR));
        if ((pdpte & PTE_P) == 0)
            return false;
    }
    return shadow_is_table(s, *ppn);
}

struct shadow_key
shadow_root_key(const struct shadow *s, enum shadow_view view,
                unsigned quadrant)
{
    uint32_t role = ROLE_DIRECTORY | FIELD_SET(0u, ROLE_QUADRANT, quadrant) |
                    FIELD_SET(0u, ROLE_VIEW, view);
    ppn_t ppn = make_ppn(quadrant * PT_ENTRIES * PT_ENTRIES);

    if ((s->vcpu->cpu.cr0 & CR0_PG) == 0)
        return (struct shadow_key){
            ppn, role | FIELD_SET(0u, ROLE_KIND, KIND_DIRECT) |
                 FIELD_SET(0u, ROLE_FORMAT, FORMAT_PAE | FORMAT_PSE) };
    if (!guest_directory(s, quadrant, &ppn))
        return (struct shadow_key){
            make_ppn(0), role | FIELD_SET(0u, ROLE_KIND, KIND_EMPTY) };
    return (struct shadow_key){
        ppn, role | FIELD_SET(0u, ROLE_KIND, KIND_GUEST) |
             FIELD_SET(0u, ROLE_FORMAT, guest_format(s->vcpu)) };
}
