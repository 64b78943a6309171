/*
 * bt_code.h - the guest's code and stack segments, as translations know them.
 *
 * A translation is made for code of one size, in one segment: all guest
 * addresses in the translator are offsets in CS.  When the guest loads another
 * CS or SS that differs in any of this, all translations go.
 */
#ifndef BT_BT_CODE_H
#define BT_BT_CODE_H

#include "kernel/base/types.h"

struct bt_code {
    unsigned mode;          /* enum decode_mode */
    uint32_t base, limit;   /* of CS; LIMIT is the last offset in it */
    bool is_stack_16;       /* SS.B is 0: pushes and pops use SP */
};

struct bt;

/*
 * From now on the guest runs with CODE.  Until the first call it is 32-bit code
 * (env->mode) in flat segments.  False: that cannot be translated, since CS
 * does not begin at a page; its owner interprets, and calls again before the
 * next bt_entry().  Between entries only, like bt_flush().
 */
MUST_CHECK bool bt_set_code(struct bt *bt, const struct bt_code *code);

#endif
