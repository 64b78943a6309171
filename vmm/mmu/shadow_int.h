/*
 * shadow_int.h - what the files of the shadow MMU share.
 *
 * A shadow page is named by its key: the guest's table and the role, that is
 * everything else on which the contents depend.  Two pages with one key do not
 * exist, so the shadow of a table is found whoever links to it, and a switch to
 * an address space that is known costs nothing.
 *
 *      ROLE_DIRECTORY  a PD; else a PT
 *      ROLE_QUADRANT   PD: which GB it serves.  PT of a 2-level guest: which
 *                      half of the guest's table (1024 entries to our 512)
 *      ROLE_KIND       what stands behind: a guest table; nothing; or no table
 *                      at all, because linear pages follow physical ones
 *                      (guest without paging; inside a large page)
 *      ROLE_VIEW       enum shadow_view.  A PT of VIEW_USER has user pages
 *                      only, and may be linked in VIEW_KERNEL also
 *      ROLE_FORMAT     enum guest_format
 *
 * Rights are split as in the guest: PD' has those of the guest's PDE, PT' those
 * of its PTE, the hardware combines them.
 */
#ifndef VMM_MMU_SHADOW_INT_H
#define VMM_MMU_SHADOW_INT_H

#include "vmm/mmu/guest_entry.h"
#include "vmm/mmu/shadow.h"

#define ROLE_DIRECTORY  BIT(0)
#define ROLE_QUADRANT   BITS(2, 1)
#define ROLE_KIND       BITS(4, 3)
#define ROLE_VIEW       BITS(6, 5)
#define ROLE_FORMAT     BITS(9, 7)

enum shadow_kind { KIND_GUEST, KIND_DIRECT, KIND_EMPTY };

/* The quadrant with the monitor in its last entries. */
#define MONITOR_QUADRANT    (PDPT_ENTRIES - 1)
#define MONITOR_INDEX       (PT_ENTRIES - SHADOW_MONITOR_PDES)

static inline enum shadow_kind
key_kind(struct shadow_key key)
{
    return (enum shadow_kind)FIELD_GET(key.role, ROLE_KIND);
}

static inline enum shadow_view
key_view(struct shadow_key key)
{
    return (enum shadow_view)FIELD_GET(key.role, ROLE_VIEW);
}

static inline unsigned
key_format(struct shadow_key key)
{
    return FIELD_GET(key.role, ROLE_FORMAT);
}

static inline bool
key_is_directory(struct shadow_key key)
{
    return (key.role & ROLE_DIRECTORY) != 0;
}

static inline mpn_t
entry_mpn(pte_t entry)
{
    return maddr_to_mpn(make_maddr(entry & PTE_ADDR));
}

/* How many entries a page has for guests; the monitor's lie behind them. */
static inline unsigned
key_entries(struct shadow_key key)
{
    return key_is_directory(key) &&
           FIELD_GET(key.role, ROLE_QUADRANT) == MONITOR_QUADRANT ?
           MONITOR_INDEX : PT_ENTRIES;
}

/* The shadow of KEY, or NULL. */
struct shadow_page *shadow_find(struct shadow *s, struct shadow_key key);

/* The same; if there is none, an empty one is made, and nothing else fails. */
struct shadow_page *shadow_acquire(struct shadow *s, struct shadow_key key);

/* Unlink and free PAGE, which is not active. */
void shadow_drop(struct shadow *s, struct shadow_page *page);

/* Does a PDPT point to PAGE? */
bool shadow_is_active(const struct shadow *s, const struct shadow_page *page);

/* The list on which all shadows of PPN are, among others. */
struct list *shadow_bucket(struct shadow *s, ppn_t ppn);

void shadow_flush(struct shadow *s);

#endif
