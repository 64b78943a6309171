/*
 * bt_slots.c - the guest's state to and from the slots of translated code.
 *
 * The popf table answers three questions at once: may a POPF of these flags be
 * done in translated code, must it look for an interrupt, and what is iflag
 * then.  It may if it changes none of IOPL, NT, AC and ID and sets neither TF
 * nor DF: four entries, for all values of IF and OF.  Those that set IF are 0
 * while an interrupt is pending.  Flags with bit 15 set are odd: 0.
 *
 * Pure; called by the owner of the slots between entries to translated code.
 */
#include "bt/bt_slots.h"

#include "kernel/base/string.h"

/* Byte 1 of EFLAGS indexes the table. */
#define INDEX_SHIFT     8

/* System flags that no POPF in translated code can have to do with. */
#define RARE_FLAGS      (EFLAGS_NT | EFLAGS_AC | EFLAGS_ID)

static uint32_t
popf_entry(const struct bt_slots *slots, uint32_t flags)
{
    uint32_t iflag = flags & EFLAGS_IF;

    if ((slots->sysflags & RARE_FLAGS) != 0 ||
        (iflag != 0 && slots->pending != 0))
        return 0;
    return iflag + BT_IF_BIAS;
}

/* The entries that are not 0 by nature. */
static void
fill_popf(struct bt_slots *slots)
{
    static const uint32_t free_flags[] = { 0, EFLAGS_IF, EFLAGS_OF,
                                           EFLAGS_IF | EFLAGS_OF };

    for (size_t n = 0; n < ARRAY_LEN(free_flags); n++) {
        uint32_t flags = free_flags[n] | (slots->sysflags & EFLAGS_IOPL);

        slots->popf[flags >> INDEX_SHIFT] = popf_entry(slots, flags);
    }
}

void
bt_slots_set_eflags(struct bt_slots *slots, uint32_t eflags)
{
    uint32_t sysflags = eflags & BT_FLAGS_SYSTEM;

    slots->iflag = (eflags & EFLAGS_IF) + BT_IF_BIAS;
    if (sysflags == slots->sysflags && slots->is_filled != 0)
        return;
    memset(slots->popf, 0, sizeof(slots->popf));
    slots->sysflags = sysflags;
    slots->is_filled = true;
    fill_popf(slots);
}

uint32_t
bt_slots_eflags(const struct bt_slots *slots, uint32_t machine)
{
    return (machine & BT_FLAGS_MACHINE) | EFLAGS_FIXED |
           (slots->iflag & EFLAGS_IF) | (slots->sysflags & BT_FLAGS_SYSTEM);
}

uint32_t
bt_machine_eflags(uint32_t eflags)
{
    return (eflags & BT_FLAGS_MACHINE) | EFLAGS_FIXED | EFLAGS_IF;
}

void
bt_slots_set_pending(struct bt_slots *slots, bool is_pending)
{
    if (slots->pending == is_pending)
        return;
    slots->pending = is_pending;
    fill_popf(slots);
}

void
bt_slots_set_selector(struct bt_slots *slots, enum segment s,
                      uint32_t selector, bool is_same)
{
    slots->selector[s] = (uint16_t)selector;
    slots->same[s] = is_same ? 0 - (uint32_t)(uint16_t)selector
                             : BT_SAME_NONE;
}

void
bt_slots_set_gs(struct bt_slots *slots, uint32_t base, uint32_t limit,
                bool is_usable)
{
    slots->gs_base = base;
    slots->gs_blocked = !(is_usable && limit == UINT32_MAX);
    slots->gs_blocked_low = !(is_usable && limit >= BT_GS_LOW - 1);
}
