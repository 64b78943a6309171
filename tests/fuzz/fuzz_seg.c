/*
 * fuzz_seg.c - a guest's descriptor tables and segment registers may hold
 * anything: what the machine is given never reaches the monitor's slots, its
 * memory (in the segment sandbox), or a gate; and whatever direct execution
 * starts with or loads is what the processor makes of the tables.
 *
 * The input is a header and then the guest's memory.
 */
#include <string.h>

#include "kernel/base/assert.h"
#include "unit/fake_user.h"

#define PAGES       (MEMORY_SIZE / PAGE_SIZE)
#define ROUNDS      3u
#define OWN         (VMM_SEL_CODE >> SEL_INDEX_SHIFT)
#define OWN_END     (VMM_SEL_BT >> SEL_INDEX_SHIFT)
#define LDT_SLOT    (VMM_SEL_LDT >> SEL_INDEX_SHIFT)

struct header {
    uint8_t is_truncated, is_loaded, absent, read_only;
    uint32_t eip, gdt_base, gdt_limit, ldt_base, ldt_limit, step;
    uint32_t gpr[GPR_NONE];
    struct {
        uint16_t selector, rights, next;
        uint32_t base, limit;
    } segment[SEG_NONE];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_tables machine;

static uint32_t *
frame_field(enum segment reg)
{
    struct trapframe *f = &user.frame;
    uint32_t *const fields[SEG_NONE] = {
        [SEG_ES] = &f->es, [SEG_CS] = &f->cs, [SEG_SS] = &f->ss,
        [SEG_DS] = &f->ds, [SEG_FS] = &f->fs, [SEG_GS] = &f->gs,
    };

    return fields[reg];
}

/* What the guest's own table says, wherever that is. */
static void
load_from_guest(struct guest_segment *s)
{
    const struct guest_cpu *cpu = &user.v.cpu;
    uint32_t base = s->selector & SEL_TI ? cpu->ldtr.base : cpu->gdtr.base;
    gla_t at = make_gla(base + (s->selector & ~(SEL_TI | SEL_RPL)));
    union seg_slot slot;

    if ((s->selector & ~SEL_RPL) == 0)
        *s = (struct guest_segment){ .selector = s->selector };
    else if (guest_read(&user.v, at, &slot, sizeof(slot), GUEST_SYSTEM))
        *s = segment_make(s->selector, &slot.desc);
}

static void
set_registers(const struct header *h)
{
    struct guest_cpu *cpu = &user.v.cpu;

    cpu->eip = h->eip;
    memcpy(cpu->gpr, h->gpr, sizeof(h->gpr));
    for (enum segment n = 0; n < SEG_NONE; n++) {
        struct guest_segment *s = &cpu->segment[n];

        s->selector = h->segment[n].selector;
        s->rights = h->segment[n].rights & RIGHTS_MASK;
        s->base = h->segment[n].base;
        s->limit = h->segment[n].limit;
        if (h->is_loaded & BIT(n))
            load_from_guest(s);
        segment_derive(s, true);
    }
}

static void
start(const struct header *h, const uint8_t *data, size_t size)
{
    struct guest_cpu *cpu = &user.v.cpu;

    user_start_with_ldt(h->ldt_limit);
    memset(user.memory, 0, sizeof(user.memory));
    memcpy(user.memory, data, size);
    for (unsigned n = 0; n < 8; n++) {
        fake_guest.no_access[n % PAGES] = (h->absent & BIT(n)) != 0;
        fake_guest.no_write[n % PAGES] = (h->read_only & BIT(n)) != 0;
    }
    cpu->gdtr = (struct guest_table){ h->gdt_base, h->gdt_limit & UINT16_MAX };
    cpu->ldtr.base = h->ldt_base;
    seg_init_at(user.gdt, user.ldt, h->is_truncated & 1);
    for (unsigned n = OWN; n < OWN_END; n++)
        user.gdt[n] = seg_slot(n, n, RIGHTS_P);
    set_registers(h);
}

/* --- Translated code -------------------------------------------------------*/

static void
check_cached(enum segment reg, bool is_truncated)
{
    struct fake_segment s;
    uint32_t first;

    ASSERT(fake_load(&machine, reg, *frame_field(reg), user.frame.cs & SEL_RPL,
                     &s));
    if (!s.is_usable || s.first > s.last || !is_truncated || reg == SEG_CS ||
        reg == SEG_GS)
        return;
    first = s.base + (uint32_t)s.first;
    ASSERT(first < VMM_BASE && s.last - s.first < VMM_BASE - first);
}

static void
translated(bool is_truncated)
{
    bool has_moved = seg_on_fault(&user.v);

    ASSERT(is_truncated || !has_moved);
    machine = (struct fake_tables){
        .gdt = user.gdt, .gdt_limit = sizeof(user.gdt) - 1,
    };
    if (!seg_enter_bt(&user.v, &user.frame))
        return;
    for (enum segment n = 0; n < SEG_NONE; n++)
        check_cached(n, is_truncated);
}

/* --- Direct execution ------------------------------------------------------*/

static void
check_tables(void)
{
    const uint32_t gate = SLOT_S | SLOT_P;

    for (unsigned n = 0; n < SHADOW_SLOTS_MAX; n++) {
        ASSERT((user.ldt[n].word.high & gate) != SLOT_P);
        if (n < OWN)
            ASSERT((user.gdt[n].word.high & gate) != SLOT_P);
        else if (n < OWN_END && n != LDT_SLOT)
            ASSERT(user.gdt[n].word.low == seg_slot(n, n, 0).word.low);
    }
}

/* The register holds what the processor finds now. */
static void
check_held(enum segment reg)
{
    struct fake_segment want, have = fake_held(&user.v.cpu.segment[reg]);

    ASSERT(fake_load(&machine, reg, *frame_field(reg) & UINT16_MAX, RING_USER,
                     &want));
    ASSERT(fake_segment_equal(&want, &have));
}

/* User code loads what it can; the processor sets accessed bits. */
static void
load_next(const struct header *h, enum segment reg)
{
    uint32_t selector = h->segment[reg].next;
    union seg_slot *table = selector & SEL_TI ? user.ldt : user.gdt;
    struct fake_segment s;

    if (!fake_load(&machine, reg, selector, RING_USER, &s))
        return;
    *frame_field(reg) = selector | 0xabcd0000;
    if (s.is_usable)
        table[selector >> SEL_INDEX_SHIFT].word.high |= SLOT_ACCESSED;
}

static void
direct(const struct header *h)
{
    bool is_in = user_enter();

    if (!is_in)
        return;
    machine = user_machine();
    for (enum segment n = 0; n < SEG_NONE; n++)
        check_held(n);
    for (enum segment n = 0; n < SEG_NONE; n++)
        load_next(h, n);
    seg_leave_direct(&user.v, &user.frame);
    for (enum segment n = 0; n < SEG_NONE; n++)
        check_held(n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header h;

    if (size < sizeof(h) || size - sizeof(h) > MEMORY_SIZE)
        return 0;
    memcpy(&h, data, sizeof(h));
    start(&h, data + sizeof(h), size - sizeof(h));
    for (unsigned n = 0; n < ROUNDS; n++) {
        translated(h.is_truncated & 1);
        direct(&h);
        user.v.cpu.gdtr.base += h.step;
        user.v.cpu.ldtr.base -= h.step;
        user.v.cpu.gdtr.limit = (user.v.cpu.gdtr.limit + h.step) & UINT16_MAX;
    }
    check_tables();
    return 0;
}
