/*
 * guest_walk.h - the guest's own page tables: linear to guest-physical.
 *
 * The one place that knows what a guest's tables mean: no paging; two levels,
 * with 4 MB pages if CR4.PSE; or PAE from the latched PDPTEs, with NX if
 * EFER.NXE.  Supervisor writes obey CR0.WP.  Our processors have 36 physical
 * bits in PAE, 32 in two-level paging (no PSE-36), and neither SMEP nor SMAP.
 *
 * The tables are read through guest_phys_read(), and anything may be in them.
 * A table where there is no RAM reads as all ones, as nothing on a bus does.
 *
 * Pure; called by the vcpu's own thread.  SDM 3A 4.3, 4.4, 4.6 to 4.8.
 */
#ifndef VMM_MMU_GUEST_WALK_H
#define VMM_MMU_GUEST_WALK_H

#include "kernel/base/addr.h"
#include "vmm/guest_mem.h"
#include "vmm/vcpu.h"

#define GUEST_LEVELS_MAX    2

/* What a walk found, for whoever caches it. */
struct guest_mapping {
    gpa_t    at;            /* of the byte that was asked for */
    uint32_t page_size;     /* bytes that one entry maps; 0 without paging */
    bool     is_writable;   /* at this privilege; D may still be clear */
    bool     is_dirty;      /* a write needs no further walk */
    bool     is_global;     /* CR4.PGE: survives a load of CR3 */
    uint8_t  tables;        /* how many were read: 0 without paging */
    ppn_t    table[GUEST_LEVELS_MAX];
};

/*
 * Translate AT for ACCESS (enum guest_access, with GUEST_SYSTEM).  Accessed and
 * dirty bits are set if the access is allowed.  False: v->fault is the #PF,
 * and nothing has been changed.
 */
MUST_CHECK bool guest_walk(struct vcpu *v, gla_t at, unsigned access,
                           struct guest_mapping *mapping);

/*
 * The same question without consequences: no bits set, no fault noted.  For
 * debuggers and audits.
 */
MUST_CHECK bool guest_walk_peek(struct vcpu *v, gla_t at, unsigned access,
                                struct guest_mapping *mapping);

#endif
