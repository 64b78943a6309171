/*
 * shadow_entry.h - entries of shadow pages, and the map back from what they
 * point to.
 *
 * Pure; the vcpu's thread.  None of these flushes the TLB: the caller knows
 * whether it must.
 */
#ifndef VMM_MMU_SHADOW_ENTRY_H
#define VMM_MMU_SHADOW_ENTRY_H

#include "vmm/mmu/shadow.h"

/* Entry INDEX of a page, as one number. */
#define SLOT_NONE   UINT32_MAX

pte_t shadow_entry(const struct shadow *s, const struct shadow_page *page,
                   unsigned index);
void shadow_set_entry(struct shadow *s, struct shadow_page *page,
                      unsigned index, pte_t entry);

/* All entries zero, whatever was there; in the last quadrant the monitor's. */
void shadow_init_entries(struct shadow *s, struct shadow_page *page);

/* Clear every entry that points to MPN, or to the 2 MB around it. */
bool shadow_unmap(struct shadow *s, mpn_t mpn);

/* Make them read-only; those of 2 MB go.  True: there were some. */
bool shadow_protect(struct shadow *s, mpn_t mpn);

/* Did the hardware walk through an entry to MPN since the last question? */
bool shadow_test_accessed(struct shadow *s, mpn_t mpn);

/* The first slot with an entry to MPN exactly, or SLOT_NONE; for audits. */
uint32_t shadow_rmap_find(const struct shadow *s, mpn_t mpn, uint32_t slot);

#endif
