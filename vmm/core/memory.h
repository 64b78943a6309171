/*
 * memory.h - the guest's memory in the monitor: pmap, windows, shadow.
 *
 * Behind vmm/guest_mem.h: the guest's tables are walked, and its pages seen
 * through a few windows.  Beside it: what the hardware walks (the shadow MMU),
 * and what the translator fetches.  All writes fire traces.
 *
 * The vcpu's thread, outside the guest.
 */
#ifndef VMM_CORE_MEMORY_H
#define VMM_CORE_MEMORY_H

#include "kernel/base/addr.h"
#include "vmm/mmu/gpa_map.h"
#include "vmm/mmu/shadow.h"
#include "vmm/shared.h"
#include "vmm/vcpu.h"

/* Sets up V's memory as PARAMS say; ends the VM if it cannot. */
void memory_init(struct vcpu *v, const struct vmm_params *params);

struct shadow *memory_shadow(void);

/* CR3 for code of the present CPL: loads it unless it is loaded. */
void memory_load_view(void);

/* The root without a guest, where the monitor starts, until the next view. */
void memory_load_permanent(void);

/*
 * The translator's fetch: the page of linear AT as code of the present CPL
 * reads it, watched unless IS_UNWATCHED; *ID becomes its PPN.  NULL: not
 * present or not RAM or ROM.  Good until another 8 pages have been fetched.
 */
const uint8_t *memory_fetch(gla_t at, bool is_unwatched, uint32_t *id);

/*
 * Called when a page that was watched is written to, by the guest or for it;
 * false: it need not be watched any more.
 */
void memory_on_written(bool (*written)(uint32_t ppn, uint32_t offset,
                                       uint32_t size));

/*
 * Counts accesses through guest_mem.h that the hardware could not have done for
 * the guest: to traced pages, to no memory, at the top of linear space.
 */
uint32_t memory_odd_accesses(void);

/*
 * Which pages from VMM_BASE up the guest's kernel has memory at, as a bitmap of
 * CLAIM_PAGES; NULL: the same as last time.
 */
const uint32_t *memory_claims(void);

/* The A20 gate moved. */
void memory_set_a20(bool is_open);

/*
 * Compare the whole shadow with the guest's tables; a difference ends the VM as
 * crashed.  Slow; between two guest instructions.
 */
void memory_audit(void);

/* About to enter the guest: an audit each vm.audit times, if that is set. */
void memory_audit_sometimes(void);

#endif
