/*
 * bt_sizes.h - how many of what the monitor's translator has room for.
 *
 * All of it lies in fixed areas (vmm/layout.h), so the numbers must fit there,
 * and should be such that the TC is full before a table is.  A Linux kernel's
 * code makes a unit of every 39 bytes of the TC, a point of every 19, and a
 * link of every 79.
 */
#ifndef VMM_CORE_BT_SIZES_H
#define VMM_CORE_BT_SIZES_H

#include "bt/bt.h"
#include "vmm/layout.h"

#define VMM_TU_MAX      64000u
#define VMM_POINT_MAX   140000u
#define VMM_LINK_MAX    40000u

/* bt_memory_size() with these is VMM_BT_SIZE at most: a unit test looks. */
STATIC_ASSERT(sizeof(struct bt_tables) + VMM_LINK_MAX * sizeof(uint32_t) <=
              VMM_TABLES_SIZE);
STATIC_ASSERT(VMM_TC_SIZE >= BT_CODE_MIN && VMM_TU_MAX >= BT_TU_MIN &&
              VMM_POINT_MAX >= BT_POINT_MIN && VMM_LINK_MAX >= BT_LINK_MIN);

#endif
