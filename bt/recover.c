/*
 * recover.c - from a TC address to the guest's state: precise exceptions.
 *
 * Every byte of the TC lies behind a point that says how the guest's registers
 * follow from the machine's (bt_int.h).  The machine stops only between its own
 * instructions, so a run of copied code needs one point: the guest's eip has
 * advanced by as many bytes as the TC address.
 *
 * In-line sequences are undone by taking scratch registers from their slots,
 * and the stack pointer back; what they wrote below the guest's stack is no
 * state.  Only where POPF destroys flags the rest is done, not undone: the new
 * flags are in a slot.
 *
 * Pure; safe at any time, from a trap handler too.
 */
#include "bt/site.h"

#include "kernel/base/bits.h"

#define LONG ((int8_t)sizeof(uint32_t))
#define WORD ((int8_t)sizeof(uint16_t))

enum eip_source { EIP_NOTED, EIP_RUNS, EIP_TARGET, EIP_EXIT, EIP_ECX_PLUS,
                  EIP_SITE };

static const struct recipe {
    uint8_t eip;            /* enum eip_source */
    int8_t esp;             /* to be added */
    bool ecx, eax;          /* is it in its slot? */
    bool flags;             /* are arithmetic ones and DF in slots.flags? */
} recipes[POINT_KIND_COUNT] = {
    [POINT_RUN] = { .eip = EIP_RUNS },
    [POINT_AT] = { .eip = EIP_NOTED },
    [POINT_ECX] = { .ecx = true },
    [POINT_EAX] = { .eax = true },
    [POINT_ECX_EAX] = { .ecx = true, .eax = true },
    [POINT_ECX_POP] = { .ecx = true, .esp = -LONG },
    [POINT_ECX_POP_WORD] = { .ecx = true, .esp = -WORD },
    [POINT_ECX_EAX_POP] = { .ecx = true, .eax = true, .esp = -LONG },
    [POINT_PUSHED] = { .esp = LONG },
    [POINT_ECX_EAX_PUSHED] = { .ecx = true, .eax = true, .esp = LONG },
    [POINT_TARGET] = { .eip = EIP_TARGET, .ecx = true },
    [POINT_EXIT] = { .eip = EIP_EXIT, .ecx = true },
    [POINT_SITE] = { .eip = EIP_SITE, .ecx = true },
    [POINT_ECX_PLUS] = { .eip = EIP_ECX_PLUS, .ecx = true },
    [POINT_FLAGS] = { .ecx = true, .eax = true, .flags = true },
};

struct point *
recover_find_point(const struct bt *bt, uint32_t offset)
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

static uint32_t
find_eip(const struct bt *bt, const struct point *p, uint32_t offset,
         uint32_t ecx)
{
    const struct bt_slots *slots = bt->env->slots;

    offset -= FIELD_GET(p->at, POINT_AT_OFFSET);
    switch ((enum eip_source)recipes[p->at & POINT_KIND].eip) {
    case EIP_RUNS:
        return p->eip + offset;
    case EIP_TARGET:
        return slots->target;
    case EIP_EXIT:
        return slots->exit_eip;
    case EIP_ECX_PLUS:
        return p->eip + ecx;
    case EIP_SITE:
        return site_recover(bt, p->eip, offset, ecx);
    default:
        return p->eip;
    }
}

static void
move_esp(const struct bt *bt, struct bt_state *state, uint32_t bytes)
{
    uint32_t mask = bt->code.is_stack_16 ? UINT16_MAX : UINT32_MAX;

    state->esp = (state->esp & ~mask) | ((state->esp + bytes) & mask);
}

bool
bt_recover(const struct bt *bt, struct bt_state *state)
{
    const struct bt_slots *slots = bt->env->slots;
    uint32_t offset = state->eip - bt->env->code_at;
    const struct recipe *recipe;
    const struct point *p;

    if (offset >= bt->code_used)
        return false;
    p = recover_find_point(bt, offset);
    recipe = &recipes[p->at & POINT_KIND];
    state->eip = find_eip(bt, p, offset, state->ecx);
    if (recipe->ecx)
        state->ecx = slots->ecx;
    if (recipe->eax)
        state->eax = slots->eax;
    if (recipe->flags)
        state->eflags = (state->eflags & ~(uint32_t)BT_FLAGS_MACHINE) |
                        (slots->flags & BT_FLAGS_MACHINE);
    move_esp(bt, state, (uint32_t)(int32_t)recipe->esp);
    state->is_shadow = (p->at & POINT_SHADOW) != 0 &&
                       (slots->old_iflag & EFLAGS_IF) == 0;
    return true;
}
