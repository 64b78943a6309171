/*
 * segment.c - descriptor tables and segment registers.
 *
 * Tables are read as supervisor, whatever the CPL.  A segment register changes
 * only after all checks have passed and the accessed bit has been written.
 *
 * Called by operations and event delivery; no locks.  SDM 3A 3.4, 5.5 to 5.7;
 * SDM 2 "MOV", "POP", "LDS".
 */
#include "vmm/interp/segment_int.h"

#include "vmm/interp/operand_int.h"

/* The byte of a descriptor that holds its type, and the bytes of all. */
#define DESC_TYPE_BYTE  5
#define DESC_SIZE       sizeof(struct segdesc)

#define RIGHTS_REAL     (RIGHTS_P | RIGHTS_S | SEG_DATA_W | SEG_ACCESSED)
#define RIGHTS_V86      (RIGHTS_REAL | RIGHTS_DPL)
#define REAL_SHIFT      4

bool
selector_fault(struct interp *i, enum exception_vector vector,
               uint32_t selector)
{
    return raise_error(i, vector,
                       (selector & ~SEL_RPL & UINT16_MAX) | i->external);
}

/* Where SELECTOR's descriptor is. */
static bool
descriptor_locate(struct interp *i, uint32_t selector, gla_t *at)
{
    const struct guest_cpu *cpu = cpu_of(i);
    uint32_t offset = selector & ~(SEL_RPL | SEL_TI) & UINT16_MAX;
    uint32_t base = cpu->gdtr.base, limit = cpu->gdtr.limit;

    if (selector & SEL_TI) {
        base = cpu->ldtr.base;
        limit = cpu->ldtr.limit;
        if ((cpu->ldtr.rights & RIGHTS_P) == 0)
            return false;
    }
    *at = make_gla(base + offset);
    return offset + DESC_SIZE - 1 <= limit;
}

bool
descriptor_read(struct interp *i, uint32_t selector,
                enum exception_vector vector, struct segdesc *out)
{
    gla_t at;

    if (!descriptor_locate(i, selector, &at))
        return selector_fault(i, vector, selector);
    return guest_read(i->vcpu, at, out, sizeof(*out),
                      GUEST_READ | GUEST_SYSTEM);
}

bool
descriptor_mark(struct interp *i, uint32_t selector, struct segdesc *desc,
                unsigned bits)
{
    gla_t at;

    if ((desc->type & bits) == bits || !descriptor_locate(i, selector, &at))
        return true;
    desc->type |= bits;
    return guest_write(i->vcpu, gla_add(at, DESC_TYPE_BYTE),
                       (const uint8_t *)desc + DESC_TYPE_BYTE, 1,
                       GUEST_WRITE | GUEST_SYSTEM);
}

void
segment_load_null(struct interp *i, enum segment segment, uint32_t selector)
{
    struct guest_segment *s = &cpu_of(i)->segment[segment];

    *s = (struct guest_segment){ .selector = (uint16_t)selector };
    segment_derive(s, true);
}

/*
 * In real mode limit and size survive ("unreal mode"); an unusable register
 * becomes usable.  In virtual-8086 mode all is fixed.
 */
void
segment_load_real(struct interp *i, enum segment segment, uint32_t selector)
{
    struct guest_segment *s = &cpu_of(i)->segment[segment];

    if (has_flag(i, EFLAGS_VM) || (s->rights & RIGHTS_P) == 0) {
        s->limit = UINT16_MAX;
        s->rights = 0;
    }
    s->rights = (s->rights & (RIGHTS_G | RIGHTS_DB)) |
                (has_flag(i, EFLAGS_VM) ? RIGHTS_V86 : RIGHTS_REAL);
    if (segment == SEG_CS && !has_flag(i, EFLAGS_VM))
        s->rights |= SEG_CODE;
    s->selector = (uint16_t)selector;
    s->base = (uint32_t)s->selector << REAL_SHIFT;
    segment_derive(s, false);
}

/* DS, ES, FS, GS in protected mode. */
static bool
load_data(struct interp *i, enum segment segment, uint32_t selector)
{
    unsigned rpl = selector & SEL_RPL;
    struct segdesc d;

    if (selector_is_null(selector)) {
        segment_load_null(i, segment, selector);
        return true;
    }
    if (!descriptor_read(i, selector, VEC_GP, &d))
        return false;
    if (!d.s || (descriptor_is_code(&d) && (d.type & SEG_CODE_R) == 0))
        return selector_fault(i, VEC_GP, selector);
    if (!(descriptor_is_code(&d) && descriptor_is_conforming(&d)) &&
        (rpl > d.dpl || cpu_of(i)->cpl > d.dpl))
        return selector_fault(i, VEC_GP, selector);
    if (!d.p)
        return selector_fault(i, VEC_NP, selector);
    if (!descriptor_mark(i, selector, &d, SEG_ACCESSED))
        return false;
    cpu_of(i)->segment[segment] = segment_make(selector, &d);
    return true;
}

bool
stack_segment_find(struct interp *i, struct new_stack *n,
                   enum exception_vector vector)
{
    struct segdesc d;

    if (selector_is_null(n->selector))
        return selector_fault(i, vector, 0);
    if (!descriptor_read(i, n->selector, vector, &d))
        return false;
    if ((n->selector & SEL_RPL) != n->cpl || d.dpl != n->cpl || !d.s ||
        descriptor_is_code(&d) || (d.type & SEG_DATA_W) == 0)
        return selector_fault(i, vector, n->selector);
    if (!d.p)
        return selector_fault(i, n->is_iret ? VEC_NP : VEC_SS, n->selector);
    if (!descriptor_mark(i, n->selector, &d, SEG_ACCESSED))
        return false;
    n->ss = segment_make(n->selector, &d);
    return true;
}

bool
far_pointer_read(struct interp *i, unsigned n, uint32_t size,
                 struct far_pointer *out)
{
    struct mem m = operand_mem(i, n);

    *out = (struct far_pointer){ 0, 0 };
    m.size = size;
    if (!mem_read(i, &m, &out->offset))
        return false;
    m.offset += size;
    if (insn_of(i)->addr_size == 2)
        m.offset = (uint16_t)m.offset;
    m.size = sizeof(uint16_t);
    return mem_read(i, &m, &out->selector);
}

bool
segment_load(struct interp *i, enum segment segment, uint32_t selector)
{
    struct new_stack n = { .cpl = cpu_of(i)->cpl, .selector = selector };

    if (!vcpu_is_protected(i->vcpu)) {
        segment_load_real(i, segment, selector);
        return true;
    }
    if (segment != SEG_SS)
        return load_data(i, segment, selector);
    if (!stack_segment_find(i, &n, VEC_GP))
        return false;
    cpu_of(i)->segment[SEG_SS] = n.ss;
    return true;
}

/* --- The instructions ------------------------------------------------------*/

/* Loads of SS by MOV and POP keep events away from the next instruction. */
static void
shadow_if_stack(struct interp *i, enum segment segment)
{
    if (segment == SEG_SS)
        cpu_of(i)->block |= BLOCK_MOV_SS;
}

bool
interp_mov_to_seg(struct interp *i)
{
    enum segment segment = i->now->place[0].number;
    uint32_t selector;

    if (!operand_read(i, 1, &selector) ||
        !segment_load(i, segment, selector))
        return false;
    shadow_if_stack(i, segment);
    return true;
}

/* POP SS moves the stack pointer by the width that the old SS has. */
bool
interp_pop_seg(struct interp *i)
{
    enum segment segment = i->now->place[0].number;
    uint32_t esp = stack_moved(i, insn_of(i)->op_size);
    uint32_t selector;

    if (!stack_peek(i, 0, sizeof(uint16_t), &selector) ||
        !segment_load(i, segment, selector))
        return false;
    cpu_of(i)->gpr[GPR_ESP] = esp;
    shadow_if_stack(i, segment);
    return true;
}

/* Which register LES and its kin load: by opcode, from the table's name. */
static enum segment
far_pointer_segment(const struct insn *insn)
{
    switch (insn->row) {
    case ROW_LES_VEX3_0:
        return SEG_ES;
    case ROW_LDS_VEX2_0:
        return SEG_DS;
    case ROW_TWO_0xb2:
        return SEG_SS;
    case ROW_TWO_0xb4:
        return SEG_FS;
    default:
        return SEG_GS;
    }
}

bool
interp_load_far_pointer(struct interp *i)
{
    struct far_pointer pointer;

    if (!far_pointer_read(i, 1, i->now->place[0].size, &pointer) ||
        !segment_load(i, far_pointer_segment(insn_of(i)), pointer.selector))
        return false;
    register_write(i, i->now->place[0], pointer.offset);
    return true;
}
