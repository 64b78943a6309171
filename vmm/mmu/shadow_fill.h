/*
 * shadow_fill.h - what the entries of a shadow page may be, from the guest's.
 *
 * Nothing here changes anything: fault, trace and audit all ask the same
 * questions.
 */
#ifndef VMM_MMU_SHADOW_FILL_H
#define VMM_MMU_SHADOW_FILL_H

#include "vmm/mmu/shadow_int.h"

/*
 * The guest's entry behind entry INDEX of PAGE, as 64 bits.  Where there is no
 * guest table, what a table that maps linear to physical would have; 0 if
 * there is nothing.
 */
pte_t shadow_guest_entry(const struct shadow *s,
                         struct shadow_key key, unsigned index);

/* The most that entry INDEX of the PT PAGE may allow now; 0: nothing. */
pte_t shadow_leaf_entry(const struct shadow *s,
                        struct shadow_key key, unsigned index);

/* The rights of an entry of the PD PAGE over the guest's PDE; 0: none. */
pte_t shadow_directory_rights(const struct shadow *s, struct shadow_key key,
                              unsigned index, pte_t pde);

/* Is PDE, in PAGE, of a large page? */
bool shadow_is_large(struct shadow_key key, pte_t pde);

/* Which PT belongs to entry INDEX of the PD PAGE; its view is the PD's. */
struct shadow_key shadow_leaf_key(struct shadow_key key,
                                  unsigned index, pte_t pde);

/* Which PD serves a GB of linear space in VIEW at present. */
struct shadow_key shadow_root_key(const struct shadow *s,
                                  enum shadow_view view, unsigned quadrant);

/* Is PPN a page that can be shadowed as a table? */
bool shadow_is_table(const struct shadow *s, ppn_t ppn);

#endif
