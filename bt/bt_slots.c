/*
 * bt_slots.c - the guest's state to and from the slots of translated code.
 *
 * The popf table answers three questions at once: may a POPF of these flags be
 * done in translated code, must it look for an interrupt, and what is iflag
 * then.  It may if it changes none of IOPL, NT and AC and sets no TF: eight
 * entries, for all values of IF, DF and OF.  Those that set IF go while an
 * interrupt is pending.  Flags with bit 15 set are odd enough to leave.
 *
 * Pure; called by the owner of the slots between entries to translated code.
 */
#include "bt/bt_slots.h"

#include "kernel/base/string.h"

/* Byte 1 of EFLAGS indexes the table. */
#define INDEX_SHIFT     8
#define FREE_LOW        EFLAGS_IF       /* IF, DF, OF: three bits in a row */
#define FREE_COUNT      8

STATIC_ASSERT(EFLAGS_DF == EFLAGS_IF << 1 && EFLAGS_OF == EFLAGS_IF << 2);

static uint32_t
popf_entry(const struct bt_slots *slots, uint32_t flags)
{
    uint32_t iflag = flags & EFLAGS_IF;

    if ((slots->sysflags & (EFLAGS_NT | EFLAGS_AC)) != 0 ||
        (iflag != 0 && slots->pending != 0))
        return 0;
    return iflag + BT_IF_BIAS;
}

/* The entries that are not 0 by nature. */
static void
fill_popf(struct bt_slots *slots)
{
    for (uint32_t n = 0; n < FREE_COUNT; n++) {
        uint32_t flags = n * FREE_LOW | (slots->sysflags & EFLAGS_IOPL);

        slots->popf[flags >> INDEX_SHIFT] = popf_entry(slots, flags);
    }
}

void
bt_slots_set_eflags(struct bt_slots *slots, uint32_t eflags)
{
    uint32_t sysflags = eflags & BT_FLAGS_SYSTEM;

    if (sysflags != slots->sysflags)
        memset(slots->popf, 0, sizeof(slots->popf));
    slots->iflag = (eflags & EFLAGS_IF) + BT_IF_BIAS;
    slots->sysflags = sysflags;
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
