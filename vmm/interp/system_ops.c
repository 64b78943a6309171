/*
 * system_ops.c - descriptor-table registers, LDTR and TR, and the instructions
 * that look at descriptors; HLT, caches, time, CPUID, SYSENTER.
 *
 * Called through the table of operations; no locks.  SDM 2, each instruction;
 * SDM 3A 2.8, 5.10, 5.8.7.
 */
#include "vmm/guest_port.h"
#include "vmm/interp/far_int.h"
#include "vmm/interp/operand_int.h"

#define TABLE_BASE_24   BITS(23, 0)     /* with 16-bit operands */
/* Offsets of the selectors of SYSENTER and SYSEXIT from SYSENTER_CS. */
#define SYSENTER_SS     8
#define SYSEXIT_CS      16
#define SYSEXIT_SS      24

/* With CR4.UMIP, what shows the machine's state is for CPL 0 only. */
static bool
may_look(struct interp *i)
{
    return (cpu_of(i)->cr4 & CR4_UMIP) == 0 || require_ring0(i);
}

/* --- GDTR, IDTR ------------------------------------------------------------*/

static bool
store_table(struct interp *i, const struct guest_table *table)
{
    struct table_register image = { (uint16_t)table->limit, table->base };
    struct mem m = operand_mem(i, 0);

    return may_look(i) && mem_write(i, &m, &image);
}

static bool
load_table(struct interp *i, struct guest_table *table)
{
    struct mem m = operand_mem(i, 0);
    struct table_register image;

    if (!require_ring0(i) || !mem_read(i, &m, &image))
        return false;
    table->limit = image.limit;
    table->base = insn_of(i)->op_size == 2 ? image.base & TABLE_BASE_24
                                           : image.base;
    return true;
}

bool
interp_sgdt(struct interp *i)
{
    return store_table(i, &cpu_of(i)->gdtr);
}

bool
interp_sidt(struct interp *i)
{
    return store_table(i, &cpu_of(i)->idtr);
}

bool
interp_lgdt(struct interp *i)
{
    return load_table(i, &cpu_of(i)->gdtr);
}

bool
interp_lidt(struct interp *i)
{
    return load_table(i, &cpu_of(i)->idtr);
}

/* --- LDTR, TR --------------------------------------------------------------*/

bool
interp_sldt(struct interp *i)
{
    return may_look(i) && operand_write(i, 0, cpu_of(i)->ldtr.selector);
}

bool
interp_str(struct interp *i)
{
    return may_look(i) && operand_write(i, 0, cpu_of(i)->tr.selector);
}

/* A system descriptor of the GDT for LLDT and LTR. */
static bool
read_system(struct interp *i, uint32_t selector, struct segdesc *d)
{
    if (selector & SEL_TI)
        return selector_fault(i, VEC_GP, selector);
    return descriptor_read(i, selector, VEC_GP, d);
}

bool
interp_lldt(struct interp *i)
{
    uint32_t selector;
    struct segdesc d;

    if (!require_ring0(i) || !operand_read(i, 0, &selector))
        return false;
    if (selector_is_null(selector)) {
        cpu_of(i)->ldtr = (struct guest_segment){
            .selector = (uint16_t)selector };
        segment_derive(&cpu_of(i)->ldtr, true);
        return true;
    }
    if (!read_system(i, selector, &d))
        return false;
    if (d.s || d.type != SYS_LDT)
        return selector_fault(i, VEC_GP, selector);
    if (!d.p)
        return selector_fault(i, VEC_NP, selector);
    cpu_of(i)->ldtr = segment_make(selector, &d);
    return true;
}

bool
interp_ltr(struct interp *i)
{
    uint32_t selector;
    struct segdesc d;

    if (!require_ring0(i) || !operand_read(i, 0, &selector))
        return false;
    if (selector_is_null(selector))
        return raise_error(i, VEC_GP, 0);
    if (!read_system(i, selector, &d))
        return false;
    if (d.s || (d.type != SYS_TSS16_AVAIL && d.type != SYS_TSS32_AVAIL))
        return selector_fault(i, VEC_GP, selector);
    if (!d.p)
        return selector_fault(i, VEC_NP, selector);
    if (!descriptor_mark(i, selector, &d, SYS_TSS16_BUSY))
        return false;
    cpu_of(i)->tr = segment_make(selector, &d);
    return true;
}

/* --- LAR, LSL, VERR, VERW, ARPL: they answer in ZF -------------------------*/

static bool
answer(struct interp *i, bool yes)
{
    set_flags(i, EFLAGS_ZF, yes ? EFLAGS_ZF : 0);
    return true;
}

/*
 * Read SELECTOR's descriptor if it can be seen from this CPL: *IS_SEEN.  False
 * only for a page fault.
 */
static bool
look_at(struct interp *i, uint32_t selector, struct segdesc *d,
        bool *is_seen)
{
    bool is_free;

    *is_seen = false;
    if (selector_is_null(selector))
        return true;
    if (!descriptor_read(i, selector, VEC_GP, d))
        return i->vcpu->fault.vector == VEC_GP;
    is_free = descriptor_is_code(d) && descriptor_is_conforming(d);
    *is_seen = is_free || (d->dpl >= cpu_of(i)->cpl &&
                           d->dpl >= (selector & SEL_RPL));
    return true;
}

/* System types that LAR and LSL accept. */
#define LSL_TYPES (BIT(SYS_TSS16_AVAIL) | BIT(SYS_LDT) |                  \
                   BIT(SYS_TSS16_BUSY) | BIT(SYS_TSS32_AVAIL) |           \
                   BIT(SYS_TSS32_BUSY))
#define LAR_TYPES (LSL_TYPES | BIT(SYS_CALL16) | BIT(SYS_CALL32) |        \
                   BIT(SYS_TASK_GATE))
#define LAR_MASK  (BITS(15, 8) | BITS(23, 20))
#define RIGHTS_SHIFT_LAR 8

static bool
read_attribute(struct interp *i, uint32_t types, bool is_limit)
{
    uint32_t selector, value;
    struct segdesc d;
    bool is_seen;

    if (!operand_read(i, 1, &selector) ||
        !look_at(i, selector, &d, &is_seen))
        return false;
    if (!is_seen || (!d.s && (types & BIT(d.type)) == 0))
        return answer(i, false);
    value = is_limit ? descriptor_limit(&d)
            : (uint32_t)segment_make(selector, &d).rights << RIGHTS_SHIFT_LAR &
              LAR_MASK;
    register_write(i, i->now->place[0], value);
    return answer(i, true);
}

bool
interp_lar(struct interp *i)
{
    return read_attribute(i, LAR_TYPES, false);
}

bool
interp_lsl(struct interp *i)
{
    return read_attribute(i, LSL_TYPES, true);
}

static bool
verify(struct interp *i, unsigned allow)
{
    uint32_t selector;
    struct segdesc d;
    bool is_seen;

    if (!operand_read(i, 0, &selector) ||
        !look_at(i, selector, &d, &is_seen))
        return false;
    if (!is_seen || !d.s)
        return answer(i, false);
    if (descriptor_is_code(&d))
        return answer(i, allow == ALLOW_READ && (d.type & SEG_CODE_R) != 0);
    return answer(i, allow == ALLOW_READ || (d.type & SEG_DATA_W) != 0);
}

bool
interp_verr(struct interp *i)
{
    return verify(i, ALLOW_READ);
}

bool
interp_verw(struct interp *i)
{
    return verify(i, ALLOW_WRITE);
}

/* Memory is written only if the RPL changes. */
bool
interp_arpl(struct interp *i)
{
    uint32_t target, source;

    if (!operand_read(i, 1, &source) || !operand_read(i, 0, &target))
        return false;
    if ((target & SEL_RPL) >= (source & SEL_RPL))
        return answer(i, false);
    target = (target & ~SEL_RPL) | (source & SEL_RPL);
    return operand_write(i, 0, target) && answer(i, true);
}

/* --- The processor ---------------------------------------------------------*/

bool
interp_hlt(struct interp *i)
{
    if (!require_ring0(i))
        return false;
    cpu_of(i)->activity = ACTIVITY_HALTED;
    return true;
}

/* Caches are the machine's: nothing for a guest to flush. */
bool
interp_invd(struct interp *i)
{
    return require_ring0(i);
}

bool
interp_wbinvd(struct interp *i)
{
    return require_ring0(i);
}

static bool
may_read_tsc(struct interp *i)
{
    return (cpu_of(i)->cr4 & CR4_TSD) == 0 || require_ring0(i);
}

bool
interp_rdtsc(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint64_t tsc;

    if (!may_read_tsc(i))
        return false;
    tsc = guest_machine_tsc(i->vcpu) + cpu->tsc_offset;
    cpu->gpr[GPR_EAX] = (uint32_t)tsc;
    cpu->gpr[GPR_EDX] = (uint32_t)(tsc >> 32);
    return true;
}

bool
interp_rdtscp(struct interp *i)
{
    if (!interp_rdtsc(i))
        return false;
    cpu_of(i)->gpr[GPR_ECX] = cpu_of(i)->tsc_aux;
    return true;
}

/* Our machines have no performance counters. */
bool
interp_rdpmc(struct interp *i)
{
    return raise_error(i, VEC_GP, 0);
}

bool
interp_cpuid(struct interp *i)
{
    uint32_t *gpr = cpu_of(i)->gpr;
    struct cpuid_leaf leaf;

    guest_cpuid(i->vcpu, gpr[GPR_EAX], gpr[GPR_ECX], &leaf);
    gpr[GPR_EAX] = leaf.eax;
    gpr[GPR_EBX] = leaf.ebx;
    gpr[GPR_ECX] = leaf.ecx;
    gpr[GPR_EDX] = leaf.edx;
    return true;
}

/* A flat segment that no descriptor table needs to hold. */
static struct guest_segment
flat(uint32_t selector, unsigned type, unsigned dpl)
{
    const struct segdesc d = {
        .limit_low = UINT16_MAX, .limit_high = SEG_LIMIT_4GB >> 16,
        .type = type | SEG_ACCESSED, .s = 1, .dpl = dpl, .p = 1, .db = 1,
        .g = 1,
    };

    return segment_make((selector & ~SEL_RPL) | dpl, &d);
}

bool
interp_sysenter(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t cs = cpu->sysenter_cs;

    if ((cpu->cr0 & CR0_PE) == 0 || selector_is_null(cs))
        return raise_error(i, VEC_GP, 0);
    set_flags(i, EFLAGS_VM | EFLAGS_IF | EFLAGS_RF, 0);
    vcpu_derive_segments(i->vcpu);
    cpu->segment[SEG_CS] = flat(cs, SEG_CODE | SEG_CODE_R, 0);
    cpu->segment[SEG_SS] = flat(cs + SYSENTER_SS, SEG_DATA_W, 0);
    cpu->gpr[GPR_ESP] = cpu->sysenter_esp;
    i->next_eip = cpu->sysenter_eip;
    set_cpl(i, 0);
    return true;
}

bool
interp_sysexit(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t cs = cpu->sysenter_cs;

    if ((cpu->cr0 & CR0_PE) == 0 || cpu->cpl != 0 || selector_is_null(cs))
        return raise_error(i, VEC_GP, 0);
    cpu->segment[SEG_CS] = flat(cs + SYSEXIT_CS, SEG_CODE | SEG_CODE_R,
                                CPL_USER);
    cpu->segment[SEG_SS] = flat(cs + SYSEXIT_SS, SEG_DATA_W, CPL_USER);
    cpu->gpr[GPR_ESP] = cpu->gpr[GPR_ECX];
    i->next_eip = cpu->gpr[GPR_EDX];
    set_cpl(i, CPL_USER);
    return true;
}
