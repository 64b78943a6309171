/*
 * guest_walk.c - guest linear to guest-physical, by the guest's own tables.
 *
 * A walk gathers the entries on the way down, then decides once:
 *
 *      an entry is not present         #PF, P = 0
 *      an entry has reserved bits      #PF, P = 1, RSVD = 1
 *      the sum of rights forbids it    #PF, P = 1
 *      else                            A in every entry, D in the last if
 *                                      the access writes
 *
 * The first bad entry from the top counts.  Bits are set only when the access
 * is allowed; the manual lets a CPU set A on the way to a fault as well, and
 * processors differ.  Both formats are brought to the 64-bit one of PAE as
 * entries are read, so that the rules are written down once.
 *
 * Called by the vcpu's own thread; no locks.  A bit is set by writing the entry
 * that was read before, which is right for one processor.  SDM 3A 4.3 (two
 * levels), 4.4 (PAE), 4.6 (rights), 4.7 (error codes), 4.8 (A and D).
 */
#include "vmm/mmu/guest_walk.h"

#include "kernel/x86/paging.h"

#define CPL_USER        3
#define PHYSICAL_BITS   36          /* as CPUID 80000008 says */

/* Two levels: 1024 entries of 4 bytes. */
#define PD2_SHIFT       22
#define PT2_ENTRIES     1024u
#define LARGE_PAGE_2    MB(4)
#define PDE2_RESERVED   BITS(21, 13)        /* in a PDE of 4 MB */
#define PDE2_LARGE_ADDR BITS(31, 22)
#define PTE2_ADDR       BITS(31, 12)
#define CR3_TABLE_2     BITS(31, 12)

/* PAE. */
#define PAE_RESERVED    BITS64(62, PHYSICAL_BITS)
#define PAE_LARGE_RESERVED BITS64(20, 13)   /* in a PDE of 2 MB */
#define PAE_ADDR        BITS64(PHYSICAL_BITS - 1, 12)
#define PAE_LARGE_ADDR  BITS64(PHYSICAL_BITS - 1, 21)

/* An entry on the way. */
struct step {
    gpa_t at;
    pte_t entry;
};

struct walk {
    struct vcpu *vcpu;
    gla_t linear;
    unsigned access;        /* enum guest_access, without GUEST_SYSTEM */
    bool is_user;
    bool is_pae;
    bool has_nx;
    unsigned steps;
    struct step step[GUEST_LEVELS_MAX];
    uint32_t page_size;
    uint64_t page;          /* guest-physical address of the page */
    uint32_t error;         /* PF_ERR_P, PF_ERR_RSVD: why it ended */
};

static uint32_t
entry_size(const struct walk *w)
{
    return w->is_pae ? sizeof(uint64_t) : sizeof(uint32_t);
}

/* Read entry INDEX of the table at TABLE. */
static struct step *
read_entry(struct walk *w, uint64_t table, uint32_t index)
{
    struct step *s = &w->step[w->steps++];

    s->at = make_gpa(table + (uint64_t)index * entry_size(w));
    s->entry = 0;
    if (!guest_phys_read(w->vcpu, s->at, &s->entry, entry_size(w)))
        s->entry = w->is_pae ? UINT64_MAX : UINT32_MAX;
    return s;
}

/* Is ENTRY there, and without the bits of RESERVED?  Else w->error says. */
static bool
is_usable(struct walk *w, pte_t entry, uint64_t reserved)
{
    if ((entry & PTE_P) == 0)
        return false;
    if ((entry & reserved) == 0)
        return true;
    w->error = PF_ERR_P | PF_ERR_RSVD;
    return false;
}

static bool
walk_two_levels(struct walk *w)
{
    uint32_t linear = gla_raw(w->linear);
    bool has_pse = (w->vcpu->cpu.cr4 & CR4_PSE) != 0;
    pte_t pde = read_entry(w, w->vcpu->cpu.cr3 & CR3_TABLE_2,
                           linear >> PD2_SHIFT)->entry;
    bool is_large = has_pse && (pde & PTE_PS) != 0;
    pte_t pte;

    if (!is_usable(w, pde, is_large ? PDE2_RESERVED : 0))
        return false;
    w->page_size = is_large ? LARGE_PAGE_2 : PAGE_SIZE;
    w->page = pde & PDE2_LARGE_ADDR;
    if (is_large)
        return true;
    pte = read_entry(w, pde & PTE2_ADDR,
                     linear >> PAGE_SHIFT & (PT2_ENTRIES - 1))->entry;
    w->page = pte & PTE2_ADDR;
    return is_usable(w, pte, 0);
}

static bool
walk_pae(struct walk *w)
{
    uint32_t linear = gla_raw(w->linear);
    pte_t pdpte = w->vcpu->cpu.pdpte[pdpt_index(linear)];
    uint64_t reserved = PAE_RESERVED | (w->has_nx ? 0 : PTE_NX);
    bool is_large;
    pte_t pde, pte;

    /* Its reserved bits were checked when it was latched. */
    if ((pdpte & PTE_P) == 0)
        return false;
    pde = read_entry(w, pdpte & PAE_ADDR, pd_index(linear))->entry;
    is_large = (pde & PTE_PS) != 0;
    if (!is_usable(w, pde, is_large ? reserved | PAE_LARGE_RESERVED : reserved))
        return false;
    w->page_size = is_large ? LARGE_PAGE_SIZE : PAGE_SIZE;
    w->page = pde & PAE_LARGE_ADDR;
    if (is_large)
        return true;
    pte = read_entry(w, pde & PAE_ADDR, pt_index(linear))->entry;
    w->page = pte & PAE_ADDR;
    return is_usable(w, pte, reserved);
}

/* Do all entries together allow writing? */
static bool
may_write(const struct walk *w)
{
    pte_t all = PTE_RW;

    if (!w->is_user && (w->vcpu->cpu.cr0 & CR0_WP) == 0)
        return true;
    for (unsigned n = 0; n < w->steps; n++)
        all &= w->step[n].entry;
    return all != 0;
}

static bool
is_allowed(const struct walk *w)
{
    pte_t any = 0, all = PTE_US;

    for (unsigned n = 0; n < w->steps; n++) {
        any |= w->step[n].entry;
        all &= w->step[n].entry;
    }
    if (w->is_user && all == 0)
        return false;
    if (w->access == GUEST_WRITE)
        return may_write(w);
    return w->access != GUEST_FETCH || !w->has_nx || (any & PTE_NX) == 0;
}

/* Find the page; false: the walk ends in a fault with w->error. */
static bool
walk(struct walk *w)
{
    w->error = 0;
    if (!(w->is_pae ? walk_pae(w) : walk_two_levels(w)))
        return false;
    w->error = PF_ERR_P;
    return is_allowed(w);
}

/* Set A, and D in the last entry; what is set already is not written. */
static void
set_bits(struct walk *w)
{
    for (unsigned n = 0; n < w->steps; n++) {
        struct step *s = &w->step[n];
        bool is_last = n == w->steps - 1;
        pte_t bits = PTE_A;

        if (is_last && w->access == GUEST_WRITE)
            bits |= PTE_D;
        if ((s->entry & bits) == bits)
            continue;
        s->entry |= bits;
        /* Not RAM: the write goes nowhere, as on a bus. */
        if (!guest_phys_write(w->vcpu, s->at, &s->entry, entry_size(w)))
            continue;
    }
}

static bool
raise_fault(const struct walk *w)
{
    uint32_t error = w->error;

    if (w->access == GUEST_WRITE)
        error |= PF_ERR_W;
    if (w->is_user)
        error |= PF_ERR_U;
    if (w->access == GUEST_FETCH && w->has_nx)
        error |= PF_ERR_I;
    vcpu_fault_error(w->vcpu, VEC_PF, error);
    w->vcpu->fault.address = w->linear;
    return false;
}

static struct walk
begin(struct vcpu *v, gla_t at, unsigned access)
{
    bool is_pae = (v->cpu.cr4 & CR4_PAE) != 0;

    return (struct walk){
        .vcpu = v, .linear = at, .access = access & GUEST_ACCESS_MASK,
        .is_user = v->cpu.cpl == CPL_USER && (access & GUEST_SYSTEM) == 0,
        .is_pae = is_pae, .has_nx = is_pae && (v->cpu.efer & EFER_NXE) != 0,
    };
}

static void
report(const struct walk *w, struct guest_mapping *mapping)
{
    pte_t leaf = w->step[w->steps - 1].entry;
    uint32_t offset = gla_raw(w->linear) & (w->page_size - 1);

    *mapping = (struct guest_mapping){
        .at = make_gpa(w->page + offset), .page_size = w->page_size,
        .is_writable = may_write(w), .is_dirty = (leaf & PTE_D) != 0,
        .is_global = (w->vcpu->cpu.cr4 & CR4_PGE) && (leaf & PTE_G),
        .tables = (uint8_t)w->steps,
    };
    for (unsigned n = 0; n < w->steps; n++)
        mapping->table[n] = gpa_to_ppn(w->step[n].at);
}

/* Without paging, linear is physical. */
static bool
is_unpaged(const struct vcpu *v, gla_t at, struct guest_mapping *mapping)
{
    if (v->cpu.cr0 & CR0_PG)
        return false;
    *mapping = (struct guest_mapping){ .at = make_gpa(gla_raw(at)),
                                       .is_writable = true, .is_dirty = true };
    return true;
}

bool
guest_walk(struct vcpu *v, gla_t at, unsigned access,
           struct guest_mapping *mapping)
{
    struct walk w;

    if (is_unpaged(v, at, mapping))
        return true;
    w = begin(v, at, access);
    if (!walk(&w))
        return raise_fault(&w);
    set_bits(&w);
    report(&w, mapping);
    return true;
}

bool
guest_walk_peek(struct vcpu *v, gla_t at, unsigned access,
                struct guest_mapping *mapping)
{
    struct walk w;

    if (is_unpaged(v, at, mapping))
        return true;
    w = begin(v, at, access);
    if (!walk(&w))
        return false;
    report(&w, mapping);
    return true;
}
