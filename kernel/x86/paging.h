/*
 * paging.h - page tables in the PAE format (Intel SDM 3A 4.4), which is the
 * only one that VMkernel and monitor run on.
 *
 *      31 30 | 29 .. 21 | 20 .. 12 | 11 .. 0
 *      PDPTE |   PDE    |   PTE    | offset
 *
 * Entries are 64 bits wide.  A PDE with PTE_PS maps 2 MB.
 */
#ifndef KERNEL_X86_PAGING_H
#define KERNEL_X86_PAGING_H

#include "kernel/base/bits.h"

typedef uint64_t pte_t;

#define PTE_P           BIT64(0)
#define PTE_RW          BIT64(1)
#define PTE_US          BIT64(2)
#define PTE_PWT         BIT64(3)
#define PTE_PCD         BIT64(4)
#define PTE_A           BIT64(5)
#define PTE_D           BIT64(6)
#define PTE_PS          BIT64(7)
#define PTE_G           BIT64(8)
#define PTE_NX          BIT64(63)
#define PTE_ADDR        BITS64(51, 12)

#define PT_ENTRIES      512u
#define PDPT_ENTRIES    4u
#define PT_SHIFT        12
#define PD_SHIFT        21
#define PDPT_SHIFT      30
#define LARGE_PAGE_SIZE MB(2)

/* Error code of #PF (SDM 3A 4.7). */
#define PF_ERR_P        BIT(0)
#define PF_ERR_W        BIT(1)
#define PF_ERR_U        BIT(2)
#define PF_ERR_RSVD     BIT(3)
#define PF_ERR_I        BIT(4)

static inline unsigned
pdpt_index(uint32_t linear)
{
    return linear >> PDPT_SHIFT;
}

static inline unsigned
pd_index(uint32_t linear)
{
    return (linear >> PD_SHIFT) & (PT_ENTRIES - 1);
}

static inline unsigned
pt_index(uint32_t linear)
{
    return (linear >> PT_SHIFT) & (PT_ENTRIES - 1);
}

#endif
