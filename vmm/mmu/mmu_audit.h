/*
 * mmu_audit.h - does the shadow allow no more than the guest's tables do?
 *
 * For debug builds and tests: slow, reads everything, changes nothing (the
 * windows onto shadow pages apart).  Pure; the vcpu's thread, between guest
 * instructions.
 */
#ifndef VMM_MMU_MMU_AUDIT_H
#define VMM_MMU_MMU_AUDIT_H

#include "vmm/mmu/shadow.h"

/* The first thing that is wrong. */
struct mmu_audit {
    const char *wrong;                  /* what, or NULL */
    const struct shadow_page *page;     /* where: NULL if in no page */
    unsigned index;
    pte_t found, allowed;
};

/* True: all is well. */
MUST_CHECK bool mmu_audit(const struct shadow *s, struct mmu_audit *result);

#endif
