/*
 * tc_layout.h - where the TC lies, among pages that a guest claims.
 *
 * Translated code, its slots and its tables have the lower half of the
 * monitor's 4 MB to lie in.  A page there that the guest has memory at must be
 * none of theirs, so that a kernel's access to it faults.
 *
 * Pure.
 */
#ifndef VMM_CORE_TC_LAYOUT_H
#define VMM_CORE_TC_LAYOUT_H

#include "kernel/base/addr.h"
#include "kernel/x86/paging.h"
#include "vmm/layout.h"

#define TC_PAGES        PT_ENTRIES      /* in all, from VMM_TC_AT up */
#define TC_TABLE_PAGES  (VMM_TABLES_SIZE / PAGE_SIZE)

/* All in pages from VMM_TC_AT. */
struct tc_layout {
    uint32_t code, code_pages;
    uint32_t slots;             /* one page, TC_TABLE_PAGES behind it */
};

/*
 * Lay it out around the pages of the bitmap CLAIMED: as vmm/layout.h says if
 * there are none.  False: there is no room for a TC that is worth having.
 */
bool tc_layout_choose(const uint32_t *claimed, struct tc_layout *layout);

/* Is all of LAYOUT free of CLAIMED pages? */
bool tc_layout_is_free(const struct tc_layout *layout, const uint32_t *claimed);

#endif
