/*
 * code.c - the segments that guest code runs in.
 *
 * Nearly all guests have flat ones: 32-bit code without a limit, and a 32-bit
 * stack.  The rest are boot loaders and BIOS calls in 16-bit segments, and
 * kernels that keep their data from being executed by a limit of CS.  A branch
 * beyond the limit is #GP at the branch, before it has done anything, which
 * limits what can be translated: see xlate_near.c.
 */
#include "bt/near_int.h"

#include "bt/decode.h"

bool
bt_set_code(struct bt *bt, const struct bt_code *code)
{
    struct bt_code *now = &bt->code;

    if ((code->base & PAGE_MASK) != 0)
        return false;
    if (code->mode == now->mode && code->base == now->base &&
        code->limit == now->limit && code->is_stack_16 == now->is_stack_16)
        return true;
    *now = *code;
    bt_flush(bt);
    return true;
}

bool
code_is_flat(const struct bt *bt)
{
    return (bt->code.mode & DECODE_32) != 0 &&
           bt->code.limit == UINT32_MAX && !bt->code.is_stack_16;
}

bool
code_permits(const struct bt *bt, uint32_t eip, uint32_t size)
{
    return size - 1 <= bt->code.limit && eip <= bt->code.limit - (size - 1);
}
