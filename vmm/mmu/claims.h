/*
 * claims.h - where the guest has memory in the monitor's 4 MB, lower half.
 *
 * A kernel in translated code may read what the TC and its tables are made of,
 * so an access there does not fault, and finds them instead of the guest's own
 * page.  Who lays these out must know which pages the guest claims: all that
 * its kernel could reach in the present address space and that are RAM or ROM.
 *
 * Kept true at every safe point: the guest's PD has a trace because its shadow
 * is in use, and the page table gets one here.
 *
 * Pure; the vcpu's thread.
 */
#ifndef VMM_MMU_CLAIMS_H
#define VMM_MMU_CLAIMS_H

#include "kernel/base/bitmap.h"
#include "vmm/mmu/shadow_int.h"

#define CLAIM_PAGES     PT_ENTRIES      /* from SHADOW_MONITOR_BASE up */

struct claims {
    struct shadow *shadow;
    struct shadow_key table;    /* what maps these pages */
    uint32_t directory_writes;  /* of the shadow, when it was looked at */
    bool is_due;                /* another address space, perhaps */
    bool is_written;            /* the table is another, or has changed */
    uint32_t page[BITMAP_WORDS(CLAIM_PAGES)];
};

/* Nothing is known; also when physical memory has changed: A20. */
void claims_init(struct claims *c, struct shadow *s);

/* As shadow_switch(): mappings may be others. */
void claims_flush(struct claims *c);

/* A page with a trace was written to.  True: the trace must stay. */
bool claims_written(struct claims *c, ppn_t ppn, uint32_t offset,
                    uint32_t size);

/* Bring c->page up to date.  False: it was. */
bool claims_look(struct claims *c);

#endif
