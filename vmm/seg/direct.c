/*
 * direct.c - the guest's own selectors for direct execution, and back.
 *
 * User code runs on what the shadow GDT and LDT say.  That is what the guest's
 * registers hold only if loading each of them once more would give the same:
 * the register is reversible.  If not, for a guest may change a descriptor
 * whose segment is in use, the interpreter goes on until all are.
 *
 * Behind the exit only registers with another selector can have changed: a load
 * of the same selector gives the same again.
 *
 * The vcpu's thread; no locks.  SDM 3A 3.4.3, 5.4 to 5.8; 2 "IRET".
 */
#include "vmm/seg/seg_int.h"

#include "kernel/base/assert.h"

static struct shadow_table gdt_copy, ldt_copy;
static uint16_t ldt_selector;       /* what LDTR holds */

struct seg_machine seg_machine;

static const uint8_t frame_offset[SEG_NONE] = {
    [SEG_ES] = offsetof(struct trapframe, es),
    [SEG_CS] = offsetof(struct trapframe, cs),
    [SEG_SS] = offsetof(struct trapframe, ss),
    [SEG_DS] = offsetof(struct trapframe, ds),
    [SEG_FS] = offsetof(struct trapframe, fs),
    [SEG_GS] = offsetof(struct trapframe, gs),
};

/* Loading the tables' registers is all that has side effects. */
void
seg_init_at(union seg_slot *gdt, union seg_slot *ldt, bool is_truncated)
{
    seg_machine.gdt = gdt;
    seg_machine.is_truncated = is_truncated;
    seg_machine.ring = is_truncated ? RING_GUEST_KERNEL : RING_USER;
    gdt_copy = (struct shadow_table){
        .slot = gdt, .first = 1, .end = VMM_SEL_CODE >> SEL_INDEX_SHIFT,
    };
    ldt_copy = (struct shadow_table){ .slot = ldt, .end = SHADOW_SLOTS_MAX };
    ldt_selector = 0;
    cached_init();
}

/* --- Into direct execution -------------------------------------------------*/

static void
update_ldt(struct vcpu *v)
{
    const struct guest_segment *ldtr = &v->cpu.ldtr;
    union seg_slot *slot = &seg_machine.gdt[VMM_SEL_LDT >> SEL_INDEX_SHIFT];
    bool has_ldt = (ldtr->rights & RIGHTS_P) != 0;
    union seg_slot now = seg_slot(VMM_LDT_AT, MIN(ldtr->limit, UINT16_MAX),
                                  RIGHTS_P | SYS_LDT);
    uint16_t selector = has_ldt ? VMM_SEL_LDT : 0;

    if (!has_ldt)
        now = *slot;
    else
        shadow_table_update(v, &ldt_copy, ldtr->base, ldtr->limit);
    if (selector == ldt_selector && seg_slot_equal(&now, slot))
        return;
    *slot = now;
    ldt_selector = selector;
    seg_load_ldtr(selector);
}

static union seg_slot *
find(uint32_t selector)
{
    if ((selector & SEL_TI) == 0)
        return shadow_table_find(&gdt_copy, selector);
    return ldt_selector == 0 ? NULL : shadow_table_find(&ldt_copy, selector);
}

static bool
is_null(uint32_t selector)
{
    return (selector & ~SEL_RPL & UINT16_MAX) == 0;
}

/* Would SLOT say what S holds?  The accessed bit may differ. */
static bool
is_same(const struct guest_segment *s, const union seg_slot *slot)
{
    bool is_in_pages = (s->rights & RIGHTS_G) != 0;
    uint32_t limit = is_in_pages ? s->limit >> PAGE_SHIFT : s->limit;
    union seg_slot held = seg_slot(s->base, limit, s->rights);

    if (is_in_pages ? (s->limit & PAGE_MASK) != PAGE_MASK
                    : limit > SEG_LIMIT_4GB)
        return false;
    held.word.high = (held.word.high & ~SLOT_ACCESSED) |
                     (slot->word.high & SLOT_ACCESSED);
    return seg_slot_equal(&held, slot);
}

/* Can user code have S in REG?  Of DPL 3, or conforming. */
static bool
can_load(const struct guest_segment *s, enum segment reg)
{
    bool is_user = FIELD_GET(s->rights, RIGHTS_DPL) == RING_USER;
    bool is_code = (s->rights & SEG_CODE) != 0;
    bool is_conforming = is_code && (s->rights & SEG_CODE_C) != 0;

    if ((s->rights & (RIGHTS_P | RIGHTS_S)) != (RIGHTS_P | RIGHTS_S) ||
        (!is_user && !is_conforming))
        return false;
    if (reg != SEG_CS && reg != SEG_SS)
        return !is_code || (s->rights & SEG_CODE_R) != 0;
    if ((s->selector & SEL_RPL) != RING_USER)
        return false;
    if (reg == SEG_CS)
        return is_code;
    return !is_code && (s->rights & SEG_DATA_W) != 0;
}

bool
seg_is_reversible(const struct guest_segment *s, enum segment reg,
                  const union seg_slot *slot)
{
    if (is_null(s->selector))
        return (s->rights & RIGHTS_P) == 0 && reg != SEG_CS && reg != SEG_SS;
    return slot != NULL && can_load(s, reg) && is_same(s, slot);
}

bool
seg_enter_direct(struct vcpu *v, struct trapframe *frame)
{
    const struct guest_segment *segment = v->cpu.segment;

    shadow_table_update(v, &gdt_copy, v->cpu.gdtr.base, v->cpu.gdtr.limit);
    update_ldt(v);
    /* IRET itself would fault, in the monitor. */
    if (v->cpu.eip > segment[SEG_CS].last)
        return false;
    for (enum segment n = 0; n < SEG_NONE; n++) {
        if (!seg_is_reversible(&segment[n], n, find(segment[n].selector)))
            return false;
        *(uint32_t *)((char *)frame + frame_offset[n]) = segment[n].selector;
    }
    return true;
}

/* --- And out of it ---------------------------------------------------------*/

static struct guest_segment
loaded(uint16_t selector)
{
    struct guest_segment s = { .selector = selector };
    union seg_slot *slot = find(selector);

    if (is_null(selector)) {
        segment_derive(&s, true);
        return s;
    }
    ASSERT(slot != NULL);
    slot->word.high |= SLOT_ACCESSED;
    return segment_make(selector, &slot->desc);
}

void
seg_leave_direct(struct vcpu *v, const struct trapframe *frame)
{
    for (enum segment n = 0; n < SEG_NONE; n++) {
        /* The upper half of a segment register's push is no part of it. */
        uint16_t selector =
            *(const uint16_t *)((const char *)frame + frame_offset[n]);

        if (selector != v->cpu.segment[n].selector)
            v->cpu.segment[n] = loaded(selector);
    }
    shadow_table_mark(v, &gdt_copy);
    shadow_table_mark(v, &ldt_copy);
}
