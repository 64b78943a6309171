/*
 * addr.h - addresses that cannot be confused.
 *
 * A hypervisor juggles four kinds of address.  To the compiler they are all
 * integers, and mixing two of them up is the classical bug of the trade; so
 * each kind is a structure of one member and the compiler refuses the mix.
 * With -freg-struct-return the code is the same as with plain integers.
 *
 *      gva_t   offset in a guest segment       what an instruction names
 *      gla_t   guest linear address            after adding the segment base
 *      gpa_t   guest physical address          after the guest's page tables
 *      maddr_t machine address                 after the pmap: real RAM
 *
 *      vpn_t, ppn_t, mpn_t     the page numbers of the last three
 *
 * Only this file and the few that turn one kind into another may look inside
 * (`.v`); they are listed in tests/lint/style.py.  Everybody else uses the
 * functions below, or asks the one function that owns the arrow:
 *
 *      seg_linear gva->gla    guest_walk gla->gpa    pmap_lookup ppn->mpn
 *      direct_ptr / kmap_page maddr, mpn -> pointer
 */
#ifndef KERNEL_BASE_ADDR_H
#define KERNEL_BASE_ADDR_H

#include "kernel/base/types.h"

#define PAGE_SHIFT      12
#define PAGE_SIZE       4096u
#define PAGE_MASK       (PAGE_SIZE - 1)

#define ADDR_TYPE(name, base)                                             \
    typedef struct { base v; } name##_t;                                  \
    static inline name##_t make_##name(base v)                            \
    { return (name##_t){ v }; }                                           \
    static inline bool name##_eq(name##_t a, name##_t b)                  \
    { return a.v == b.v; }                                                \
    static inline bool name##_lt(name##_t a, name##_t b)                  \
    { return a.v < b.v; }                                                 \
    static inline name##_t name##_add(name##_t a, base n)                 \
    { return (name##_t){ (base)(a.v + n) }; }                             \
    static inline base name##_diff(name##_t a, name##_t b)                \
    { return (base)(a.v - b.v); }                                         \
    static inline base name##_raw(name##_t a)                             \
    { return a.v; }

ADDR_TYPE(gva, uint32_t)
ADDR_TYPE(gla, uint32_t)
ADDR_TYPE(gpa, uint64_t)
ADDR_TYPE(maddr, uint64_t)

ADDR_TYPE(vpn, uint32_t)
ADDR_TYPE(ppn, uint32_t)
ADDR_TYPE(mpn, uint32_t)

#define INVALID_PPN     ((ppn_t){ UINT32_MAX })
#define INVALID_MPN     ((mpn_t){ UINT32_MAX })

/* For log lines: log_info(MOD_MM, "mpn=" PRI_mpn, mpn_raw(m)). */
#define PRI_gla         "%08x"
#define PRI_gpa         "%09llx"
#define PRI_maddr       "%09llx"
#define PRI_vpn         "%05x"
#define PRI_ppn         "%06x"
#define PRI_mpn         "%06x"

static inline mpn_t
maddr_to_mpn(maddr_t a)
{
    return make_mpn((uint32_t)(a.v >> PAGE_SHIFT));
}

static inline maddr_t
mpn_to_maddr(mpn_t p)
{
    return make_maddr((uint64_t)p.v << PAGE_SHIFT);
}

static inline uint32_t
maddr_offset(maddr_t a)
{
    return (uint32_t)a.v & PAGE_MASK;
}

static inline ppn_t
gpa_to_ppn(gpa_t a)
{
    return make_ppn((uint32_t)(a.v >> PAGE_SHIFT));
}

static inline gpa_t
ppn_to_gpa(ppn_t p)
{
    return make_gpa((uint64_t)p.v << PAGE_SHIFT);
}

static inline vpn_t
gla_to_vpn(gla_t a)
{
    return make_vpn(a.v >> PAGE_SHIFT);
}

static inline gla_t
vpn_to_gla(vpn_t p)
{
    return make_gla(p.v << PAGE_SHIFT);
}

#endif
