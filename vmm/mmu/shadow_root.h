/*
 * shadow_root.h - the PD' of a quadrant of the present address space.
 */
#ifndef VMM_MMU_SHADOW_ROOT_H
#define VMM_MMU_SHADOW_ROOT_H

#include "vmm/mmu/shadow_int.h"

/* Found or made, and linked to the view's PDPT. */
struct shadow_page *shadow_root(struct shadow *s, enum shadow_view view,
                                unsigned quadrant);

#endif
