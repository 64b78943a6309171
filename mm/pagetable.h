/*
 * pagetable.h - the VMkernel's own page tables (PAE; Intel SDM 3A 4.4).
 *
 * There is one set for all processors.  PDPT and page directories are static,
 * so that the PDPT never changes (processors cache it when CR3 is loaded);
 * page tables are added as regions come into use and are never taken away.
 *
 * Every mapping has one of four kinds, none of them both writable and
 * executable.  Writing an entry takes no lock: whoever owns a range of linear
 * addresses owns the entries behind it.  Taking a mapping away does not flush
 * any TLB; the caller knows who may have used it.
 */
#ifndef MM_PAGETABLE_H
#define MM_PAGETABLE_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"
#include "kernel/x86/paging.h"

enum map_kind {
    MAP_NONE,
    MAP_TEXT,                   /* execute and read */
    MAP_RODATA,                 /* read */
    MAP_DATA,                   /* read and write */
    MAP_DEVICE,                 /* read and write, uncached */
    MAP_KIND_COUNT
};

/* What a processor needs to run on these tables. */
struct paging_registers {
    uint32_t cr0, cr3, cr4;
    uint32_t efer;              /* low half; 0: there is no such register */
};

void pagetable_init(void);

/* Switch the running processor to the tables; for the first one. */
void pagetable_activate(void);
bool pagetable_is_active(void);
void pagetable_get_registers(struct paging_registers *r);

/*
 * Make sure that there are page tables under PAGES pages from LINEAR; missing
 * ones come from SOURCE, which gives pages below 1 GB.  The caller keeps others
 * from doing the same for the same 2 MB.
 */
MUST_CHECK status_t pagetable_prepare(uint32_t linear, uint32_t pages,
                                      status_t (*source)(mpn_t *mpn));

/* A page table of the caller's, in the image, for the 2 MB at LINEAR. */
void pagetable_use_table(uint32_t linear, pte_t *table);

/* There must be a page table (map), or none (map_large, for 2 MB). */
void pagetable_map(uint32_t linear, mpn_t mpn, enum map_kind kind);
void pagetable_map_large(uint32_t linear, mpn_t mpn, enum map_kind kind);

/* The entry keeps the page's number: see pagetable_take. */
void pagetable_unmap(uint32_t linear);

/*
 * The page that was mapped at LINEAR last; forgets it.  INVALID_MPN if there
 * was none, or if it was taken before.
 */
mpn_t pagetable_take(uint32_t linear);

/* Is there a mapping at LINEAR that can be read?  Any context. */
bool pagetable_is_mapped(uint32_t linear);

#endif
