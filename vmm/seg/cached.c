/*
 * cached.c - the descriptors that translated code runs on.
 *
 * ES, SS, DS and FS have a slot each, made from what the guest's register
 * holds, with the ring of translated code; CS and GS are the monitor's own.
 * A slot is written only if the register changed since, which is what the hot
 * path asks.
 *
 * In the segment sandbox a segment that reaches the monitor is cut, and one
 * that wraps is cut in two: backing.c.  The half that was used last is the one
 * that is there.  A register that cannot be expressed gets a null selector:
 * each access faults, and the interpreter does it or finds the guest's fault.
 *
 * The vcpu's thread; no locks.  SDM 3A 3.4.5, 5.6, 5.7.
 */
#include "vmm/seg/seg_int.h"

#include "bt/decode.h"
#include "vmm/guest_mem.h"

#define SLOTS_LIMIT (VMM_TABLES_AT + VMM_TABLES_SIZE - VMM_SLOTS_AT - 1)

struct cached {
    struct guest_segment seen;      /* the guest's, when this was made */
    uint16_t selector;              /* what the machine loads; 0: nothing */
    enum seg_half half;
};

static const uint16_t slot_selectors[SEG_NONE] = {
    [SEG_ES] = VMM_SEL_BT_ES, [SEG_SS] = VMM_SEL_BT_SS,
    [SEG_DS] = VMM_SEL_BT_DS, [SEG_FS] = VMM_SEL_BT_FS,
};

static struct cached cached[SEG_NONE];

/* --- Making slots ----------------------------------------------------------*/

static union seg_slot *
slot_of(uint16_t selector)
{
    return &seg_machine.gdt[selector >> SEL_INDEX_SHIFT];
}

/*
 * S as data of translated code's ring: code that may be read becomes data that
 * may not be written.  Accessed, so that the machine never writes to the slot.
 */
static struct guest_segment
as_data(const struct guest_segment *s)
{
    struct guest_segment data = *s;
    uint32_t rights = s->rights & (RIGHTS_P | RIGHTS_S | RIGHTS_DB);

    if ((s->rights & SEG_CODE) == 0)
        rights |= s->rights & (SEG_DATA_W | SEG_DATA_E);
    else if ((s->rights & SEG_CODE_R) == 0)
        rights = 0;
    if ((rights & RIGHTS_S) == 0)
        rights = 0;
    rights = FIELD_SET(rights, RIGHTS_DPL, seg_machine.ring);
    data.rights = (uint16_t)(rights | SEG_ACCESSED);
    return data;
}

/* A stack must be writable. */
static bool
can_load(const struct guest_segment *s, enum segment reg)
{
    return (s->rights & RIGHTS_P) != 0 &&
           (reg != SEG_SS || (s->rights & SEG_DATA_W) != 0);
}

/* Make what the machine has as REG from what the guest has now. */
static void
make(struct cached *c, enum segment reg)
{
    struct guest_segment data = as_data(&c->seen);
    uint16_t selector = slot_selectors[reg];
    union seg_slot slot;

    if (seg_machine.is_truncated)
        data = seg_backing(&data, c->half);
    c->selector = 0;
    if (!can_load(&data, reg) || !seg_encode(&data, &slot))
        return;
    *slot_of(selector) = slot;
    c->selector = (uint16_t)(selector | seg_machine.ring);
}

/* What the slots of CS and GS have in common. */
static uint32_t
own_rights(void)
{
    return FIELD_SET(RIGHTS_P | RIGHTS_S | RIGHTS_DB | SEG_ACCESSED,
                     RIGHTS_DPL, seg_machine.ring);
}

void
seg_place_slots(uint32_t at)
{
    *slot_of(VMM_SEL_BT_GS) = seg_slot(at, SLOTS_LIMIT,
                                       own_rights() | SEG_DATA_W);
}

void
cached_init(void)
{
    uint32_t code = seg_machine.is_truncated ? SEG_CODE
                                             : SEG_CODE | SEG_CODE_R;

    for (unsigned n = 0; n < SEG_NONE; n++)
        cached[n] = (struct cached){ .half = HALF_LOW };
    *slot_of(VMM_SEL_BT) = seg_slot(0, SEG_LIMIT_4GB,
                                    own_rights() | code | RIGHTS_G);
    seg_place_slots(VMM_SLOTS_AT);
}

/* --- On the way to translated code -----------------------------------------*/

static inline uint32_t
selector_of(const struct vcpu *v, enum segment reg)
{
    const struct guest_segment *s = &v->cpu.segment[reg];
    struct cached *c = &cached[reg];

    if (UNLIKELY(s->base != c->seen.base || s->limit != c->seen.limit ||
                 s->rights != c->seen.rights)) {
        c->seen = *s;
        make(c, reg);
    }
    return c->selector;
}

bool
seg_enter_bt(struct vcpu *v, struct trapframe *frame)
{
    frame->cs = VMM_SEL_BT | seg_machine.ring;
    frame->gs = VMM_SEL_BT_GS | seg_machine.ring;
    frame->ss = selector_of(v, SEG_SS);
    frame->ds = selector_of(v, SEG_DS);
    frame->es = selector_of(v, SEG_ES);
    frame->fs = selector_of(v, SEG_FS);
    return frame->ss != 0;
}

/* --- Which half ------------------------------------------------------------*/

/* Translated code reached for OFFSET: is that in the other of two halves? */
static bool
reach(enum segment reg, uint32_t offset)
{
    struct cached *c = &cached[reg];
    uint32_t base = c->seen.base;
    enum seg_half half = offset > UINT32_MAX - base ? HALF_HIGH : HALF_LOW;

    if (slot_selectors[reg] == 0 || half == c->half ||
        c->seen.last <= UINT32_MAX - base)
        return false;
    c->half = half;
    make(c, reg);
    return true;
}

static bool
is_any_wrapping(void)
{
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (cached[n].seen.last > UINT32_MAX - cached[n].seen.base)
            return true;
    return false;
}

static bool
writes_string(const struct insn *insn)
{
    const struct opcode *row = insn_opcode(insn);

    for (unsigned n = 0; n < ARRAY_LEN(row->operands); n++)
        if (operand_infos[row->operands[n]].kind == KIND_STRING_DST)
            return true;
    return false;
}

static bool
reach_operands(const struct guest_cpu *cpu, const struct insn *insn)
{
    uint32_t mask = insn->addr_size == 2 ? UINT16_MAX : UINT32_MAX;
    uint32_t offset = cpu->gpr[insn->base] +
                      (cpu->gpr[insn->index] << insn->scale) +
                      (uint32_t)insn->disp;
    bool has_moved = false;

    if (insn->segment != SEG_SS)
        has_moved |= reach(SEG_SS, cpu->gpr[GPR_ESP]);
    if (insn->segment != SEG_NONE)
        has_moved |= reach(insn->segment, offset & mask);
    if (writes_string(insn))
        has_moved |= reach(SEG_ES, cpu->gpr[GPR_EDI] & mask);
    return has_moved;
}

/*
 * An instruction across two pages may be missed here: that costs time when it
 * faults again, and nothing else.
 */
bool
seg_on_fault(struct vcpu *v)
{
    const struct guest_segment *cs = &v->cpu.segment[SEG_CS];
    gla_t at = segment_linear(cs, v->cpu.eip);
    uint8_t bytes[INSN_LENGTH_MAX];
    size_t size = MIN(sizeof(bytes), PAGE_SIZE - (gla_raw(at) & PAGE_MASK));
    unsigned mode = DECODE_PROTECTED |
                    (cs->rights & RIGHTS_DB ? DECODE_32 : DECODE_16);
    struct insn insn;

    if (!seg_machine.is_truncated || !is_any_wrapping())
        return false;
    return guest_read(v, at, bytes, size, GUEST_FETCH) &&
           decode(bytes, size, mode, &insn) == DECODE_OK &&
           reach_operands(&v->cpu, &insn);
}
