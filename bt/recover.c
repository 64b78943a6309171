/*
 * recover.c - from a TC address to the guest's state: precise exceptions.
 *
 * Every byte of the TC lies behind a point that says how the guest's registers
 * follow from the machine's (bt_int.h).  The machine stops only between its own
 * instructions, so a run of copied code needs one point: the guest's eip has
 * advanced by as many bytes as the TC address.
 *
 * Pure; safe at any time, from a trap handler too.
 */
#include "bt/bt_int.h"

#include "kernel/base/bits.h"

#define POP_SIZE sizeof(uint32_t)

/* The last point at or before OFFSET; there is one at 0. */
static const struct point *
find(const struct bt *bt, uint32_t offset)
{
    uint32_t low = 0, high = bt->point_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (FIELD_GET(bt->points[middle].at, POINT_AT_OFFSET) <= offset)
            low = middle;
        else
            high = middle;
    }
    return &bt->points[low];
}

bool
bt_recover(const struct bt *bt, struct bt_state *state)
{
    const struct bt_slots *slots = bt->env->slots;
    uint32_t offset = state->eip - bt->env->code_at;
    const struct point *p;
    enum point_kind kind;

    if (offset >= bt->code_used)
        return false;
    p = find(bt, offset);
    kind = (enum point_kind)(p->at & POINT_KIND);
    state->eip = p->eip;
    if (kind == POINT_RUN)
        state->eip += offset - FIELD_GET(p->at, POINT_AT_OFFSET);
    if (kind == POINT_TARGET)
        state->eip = slots->target;
    if (kind == POINT_ECX || kind == POINT_ECX_POP || kind == POINT_TARGET)
        state->ecx = slots->ecx;
    if (kind == POINT_ECX_POP)
        state->esp -= POP_SIZE;
    return true;
}
