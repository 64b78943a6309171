/*
 * bt_inspect.h - which units there are, for those who show translations.
 */
#ifndef BT_BT_INSPECT_H
#define BT_BT_INSPECT_H

#include "kernel/base/types.h"

struct bt;

struct bt_unit_info {
    uint32_t eip, length;   /* the guest's bytes it was made from */
    uint32_t at, size;      /* in the TC: to the next unit or the end, with
                               the out-of-line code that lies between */
};

/*
 * The unit whose code begins first at TC address FROM or behind it; false:
 * there is none.  Units that were dropped do not count.  Slow: it looks at all
 * units.  Called between exits and entries, like everything that is not
 * bt_recover().
 */
MUST_CHECK bool bt_find_unit(const struct bt *bt, uint32_t from,
                             struct bt_unit_info *info);

/* The TC address behind all translated code. */
uint32_t bt_code_end(const struct bt *bt);

#endif
