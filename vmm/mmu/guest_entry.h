/*
 * guest_entry.h - what an entry of the guest's page tables says.
 *
 * Entries of both formats are kept as 64 bits: the flags and the address lie at
 * the same places, and what the format does not have reads as 0.  What counts
 * as reserved is the walker's view too (guest_walk.h): 36 physical bits in PAE,
 * no PSE-36.
 *
 * Pure.  SDM 3A tables 4-4 to 4-6 (two levels), 4-8 to 4-11 (PAE).
 */
#ifndef VMM_MMU_GUEST_ENTRY_H
#define VMM_MMU_GUEST_ENTRY_H

#include "kernel/base/addr.h"
#include "kernel/x86/paging.h"
#include "vmm/vcpu.h"

/* How entries are to be read; none of them: two levels without 4 MB pages. */
enum guest_format {
    FORMAT_PAE = BIT(0),
    FORMAT_NX = BIT(1),         /* EFER.NXE; with PAE only */
    FORMAT_PSE = BIT(2),        /* PDEs may be large; always so in PAE */
};

#define GUEST_PDPTE_ADDR        BITS64(35, 12)
#define GUEST_CR3_ADDR          BITS64(31, 12)
#define GUEST_RESERVED_PAE      BITS64(62, 36)
#define GUEST_RESERVED_LARGE    BITS64(20, 13)
#define GUEST_RESERVED_LARGE_2  BITS64(21, 13)
#define GUEST_LARGE_ADDR        BITS64(51, 21)
#define GUEST_LARGE_ADDR_2      BITS64(31, 22)

static inline unsigned
guest_format(const struct vcpu *v)
{
    if ((v->cpu.cr4 & CR4_PAE) == 0)
        return (v->cpu.cr4 & CR4_PSE) != 0 ? FORMAT_PSE : 0;
    return FORMAT_PAE | FORMAT_PSE |
           ((v->cpu.efer & EFER_NXE) != 0 ? FORMAT_NX : 0);
}

static inline unsigned
guest_entry_size(unsigned format)
{
    return format & FORMAT_PAE ? sizeof(uint64_t) : sizeof(uint32_t);
}

static inline bool
guest_pde_is_large(pte_t pde, unsigned format)
{
    return (format & FORMAT_PSE) != 0 && (pde & PTE_PS) != 0;
}

static inline bool
guest_entry_is_reserved(pte_t entry, unsigned format, bool is_large)
{
    pte_t reserved = 0;

    if (format & FORMAT_PAE)
        reserved = GUEST_RESERVED_PAE | (format & FORMAT_NX ? 0 : PTE_NX) |
                   (is_large ? GUEST_RESERVED_LARGE : 0);
    else if (is_large)
        reserved = GUEST_RESERVED_LARGE_2;
    return (entry & reserved) != 0;
}

/* May a processor have it in its TLB: present, accessed, and well-formed? */
static inline bool
guest_entry_is_cached(pte_t entry, unsigned format, bool is_large)
{
    return (entry & PTE_P) != 0 && (entry & PTE_A) != 0 &&
           !guest_entry_is_reserved(entry, format, is_large);
}

/* The page or table that a small entry points to. */
static inline ppn_t
guest_entry_ppn(pte_t entry)
{
    return gpa_to_ppn(make_gpa(entry & PTE_ADDR));
}

/* The first page of a large one. */
static inline ppn_t
guest_large_ppn(pte_t pde, unsigned format)
{
    return gpa_to_ppn(make_gpa(pde & (format & FORMAT_PAE ?
                                      GUEST_LARGE_ADDR : GUEST_LARGE_ADDR_2)));
}

#endif
