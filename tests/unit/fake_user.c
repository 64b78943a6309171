/*
 * fake_user.c - user code and a machine to run it: fake_user.h.
 */
#include "unit/fake_user.h"

#include <stdlib.h>
#include <string.h>

struct fake_user user;

/* What seg.c does with the processor. */
void
seg_load_ldtr(uint16_t selector)
{
    user.ldt_loads++;
    user.ldtr = selector;
}

struct fake_tables
user_machine(void)
{
    const union seg_slot *slot = &user.gdt[VMM_SEL_LDT >> SEL_INDEX_SHIFT];
    struct fake_tables t = {
        .gdt = user.gdt, .gdt_limit = VMM_SEL_BT - 1,
    };

    if (user.ldtr != 0) {
        struct guest_segment s = segment_make(user.ldtr, &slot->desc);

        if (user.ldtr != VMM_SEL_LDT || s.base != VMM_LDT_AT ||
            s.rights != (RIGHTS_P | SYS_LDT))
            abort();
        t.ldt = user.ldt;
        t.ldt_limit = s.limit;
    }
    return t;
}

void
user_hold(enum segment reg, uint32_t selector, const union seg_slot *slot)
{
    user.v.cpu.segment[reg] = segment_make(selector, &slot->desc);
}

void
user_start(void)
{
    union seg_slot *slot = SLOTS(GDT_AT);

    memset(&user, 0, sizeof(user));
    memset(&user.frame, 0xee, sizeof(user.frame));
    fake_guest_reset(MEMORY_AT, sizeof(user.memory), user.memory);
    fake_guest_flat(&user.v, RING_USER);
    user.v.cpu.eip = 0x1000;
    user.v.cpu.gdtr = (struct guest_table){ GDT_AT, PLAIN_LIMIT };
    user.v.cpu.ldtr = (struct guest_segment){ .rights = 0 };
    slot[USER_CS >> SEL_INDEX_SHIFT] = seg_slot(0, SEG_LIMIT_4GB, CODE);
    slot[USER_DS >> SEL_INDEX_SHIFT] = seg_slot(0, SEG_LIMIT_4GB, DATA);
    for (enum segment reg = 0; reg < SEG_GS; reg++) {
        uint32_t selector = reg == SEG_CS ? USER_CS : USER_DS;

        user_hold(reg, selector, &slot[selector >> SEL_INDEX_SHIFT]);
    }
    user.v.cpu.segment[SEG_GS] = (struct guest_segment){ .selector = 0 };
    seg_init_at(user.gdt, user.ldt, false);
}

void
user_start_with_ldt(uint32_t limit)
{
    user_start();
    user.v.cpu.ldtr = (struct guest_segment){
        .selector = 0x20, .rights = RIGHTS_P | SYS_LDT,
        .base = LDT_AT, .limit = limit,
    };
}

bool
user_enter(void)
{
    return seg_enter_direct(&user.v, &user.frame);
}

bool
user_is_copy(const union seg_slot *copy, union seg_slot guest)
{
    if ((guest.word.high & SLOT_S) == 0)
        guest.word.high &= ~SLOT_P;
    return memcmp(copy, &guest, sizeof(guest)) == 0;
}
