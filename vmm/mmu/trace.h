/*
 * trace.h - knowing when a guest page is written to.
 *
 * A traced page is read-only in every shadow; a write to it faults and is
 * emulated.  Two parties trace: this MMU the guest's page tables that it has
 * shadows of, and the translator the pages that it took code from.  Whatever
 * writes guest memory without the hardware's help (interpreter, device, loader)
 * says so to mmu_guest_write(), the one place where traces fire.
 *
 * Pure; the vcpu's thread.
 */
#ifndef VMM_MMU_TRACE_H
#define VMM_MMU_TRACE_H

#include "vmm/mmu/shadow.h"

/*
 * SIZE bytes at OFFSET of PPN, not beyond its end, have just been written.  The
 * shadow follows, and the owner of a code trace is told.  May be called for any
 * page; for pages without a trace it costs a look at two bits.
 */
void mmu_guest_write(struct shadow *s, ppn_t ppn, uint32_t offset,
                     uint32_t size);

/* Is PPN traced by anyone? */
bool trace_is_set(const struct shadow *s, ppn_t ppn);

/* Is one of the COUNT pages from FIRST? */
bool trace_is_set_in(const struct shadow *s, ppn_t first, uint32_t count);

/* The translator's traces; PPN is RAM. */
void trace_set(struct shadow *s, ppn_t ppn);
void trace_clear(struct shadow *s, ppn_t ppn);

/* The MMU's own, while there is a shadow of PPN: shadow_page.c. */
void trace_add_table(struct shadow *s, ppn_t ppn);
void trace_remove_table(struct shadow *s, ppn_t ppn);

#endif
