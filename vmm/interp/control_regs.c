/*
 * control_regs.c - control, debug and model-specific registers.
 *
 * A bit that our machines do not have is #GP(0), as on a CPU without it.  What
 * changes the meaning of addresses is told to guest_mem.h; entering or leaving
 * protected mode derives the segments anew.  PDPTEs are latched by the loads
 * that the manual names (SDM 3A 4.4.1).
 *
 * Called through the table of operations; no locks.  SDM 3A 2.5, 17.2.
 */
#include "vmm/guest_port.h"
#include "vmm/interp/breakpoint_int.h"
#include "vmm/interp/features_int.h"
#include "vmm/interp/operand_int.h"

#define CR0_KNOWN (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE |  \
                   CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR0_LMSW  (CR0_PE | CR0_MP | CR0_EM | CR0_TS)
#define CR4_KNOWN (CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE |       \
                   CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT |      \
                   CR4_UMIP)
/* Changes that latch the PDPTEs. */
#define CR0_PDPTE (CR0_PG | CR0_CD | CR0_NW)
#define CR4_PDPTE (CR4_PAE | CR4_PSE | CR4_PGE)
#define CR3_PDPT        BITS(31, 5)
#define PDPTE_P         BIT64(0)
#define PDPTE_RESERVED  (BITS64(2, 1) | BITS64(8, 5) | BITS64(63, 36))
#define EFER_KNOWN      EFER_NXE
/* All but BSP, EN and an address of 36 bits: SDM 3A figure 10-5. */
#define APIC_BASE_RESERVED (BITS64(63, 36) | BITS64(10, 9) | BITS64(7, 0))
#define PAT_TYPES       BITS64(2, 0)
#define PAT_BITS        8

/* --- Control registers -----------------------------------------------------*/

/* Latch the PDPTEs at CR3 if CR0 and CR4, maybe new, make paging PAE's. */
static bool
latch_pdptes(struct interp *i, uint32_t cr0, uint32_t cr3, uint32_t cr4)
{
    uint64_t pdpte[PDPTE_COUNT];

    if ((cr0 & CR0_PG) == 0 || (cr4 & CR4_PAE) == 0)
        return true;
    if (!guest_phys_read(i->vcpu, make_gpa(cr3 & CR3_PDPT), pdpte,
                         sizeof(pdpte)))
        return raise_error(i, VEC_GP, 0);
    for (size_t n = 0; n < ARRAY_LEN(pdpte); n++)
        if ((pdpte[n] & PDPTE_P) && (pdpte[n] & PDPTE_RESERVED))
            return raise_error(i, VEC_GP, 0);
    for (size_t n = 0; n < ARRAY_LEN(pdpte); n++)
        cpu_of(i)->pdpte[n] = pdpte[n];
    return true;
}

static bool
write_cr0(struct interp *i, uint32_t value)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t changed;

    value = (value & CR0_KNOWN) | CR0_ET;
    if (((value & CR0_PG) && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD)))
        return raise_error(i, VEC_GP, 0);
    changed = value ^ cpu->cr0;
    if ((changed & CR0_PDPTE) && !latch_pdptes(i, value, cpu->cr3, cpu->cr4))
        return false;
    cpu->cr0 = value;
    if (changed & CR0_PE)
        vcpu_derive_segments(i->vcpu);
    if (changed & (CR0_PDPTE | CR0_WP | CR0_PE))
        guest_mem_flush(i->vcpu, true);
    return true;
}

static bool
write_cr3(struct interp *i, uint32_t value)
{
    struct guest_cpu *cpu = cpu_of(i);

    if (!latch_pdptes(i, cpu->cr0, value, cpu->cr4))
        return false;
    cpu->cr3 = value;
    guest_mem_flush(i->vcpu, false);
    return true;
}

static bool
write_cr4(struct interp *i, uint32_t value)
{
    struct guest_cpu *cpu = cpu_of(i);

    if ((value & ~CR4_KNOWN) != 0 ||
        (value & ~cpu->cr4 & feature_absent_cr4(i->vcpu)) != 0)
        return raise_error(i, VEC_GP, 0);
    if (((value ^ cpu->cr4) & CR4_PDPTE) &&
        !latch_pdptes(i, cpu->cr0, cpu->cr3, value))
        return false;
    cpu->cr4 = value;
    guest_mem_flush(i->vcpu, true);
    return true;
}

bool
interp_mov_to_cr(struct interp *i)
{
    uint32_t value;

    if (!require_ring0(i) || !operand_read(i, 1, &value))
        return false;
    switch (i->now->place[0].number) {
    case 0:
        return write_cr0(i, value);
    case 2:
        cpu_of(i)->cr2 = value;
        return true;
    case 3:
        return write_cr3(i, value);
    default:
        return write_cr4(i, value);
    }
}

bool
interp_mov_from_cr(struct interp *i)
{
    const struct guest_cpu *cpu = cpu_of(i);
    const uint32_t values[] = { cpu->cr0, 0, cpu->cr2, cpu->cr3, cpu->cr4 };

    return require_ring0(i) &&
           operand_write(i, 0, values[i->now->place[1].number]);
}

bool
interp_clts(struct interp *i)
{
    if (!require_ring0(i))
        return false;
    cpu_of(i)->cr0 &= ~(uint32_t)CR0_TS;
    return true;
}

/* LMSW can set PE and not clear it. */
bool
interp_lmsw(struct interp *i)
{
    uint32_t cr0 = cpu_of(i)->cr0, value;

    if (!require_ring0(i) || !operand_read(i, 0, &value))
        return false;
    return write_cr0(i, (cr0 & ~(CR0_LMSW & ~CR0_PE)) | (value & CR0_LMSW));
}

/* With CR4.UMIP for CPL 0 only. */
bool
interp_smsw(struct interp *i)
{
    if ((cpu_of(i)->cr4 & CR4_UMIP) && !require_ring0(i))
        return false;
    return operand_write(i, 0, cpu_of(i)->cr0);
}

bool
interp_invlpg(struct interp *i)
{
    struct mem m = operand_mem(i, 0);

    if (!require_ring0(i))
        return false;
    guest_mem_flush_page(i->vcpu, segment_linear(&cpu_of(i)->segment[m.segment],
                                              m.offset));
    return true;
}

/* --- Debug registers -------------------------------------------------------*/

/* DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE; DR7.GD guards them all. */
static bool
find_debug_register(struct interp *i, unsigned place, unsigned *number)
{
    struct guest_cpu *cpu = cpu_of(i);

    *number = i->now->place[place].number;
    if (*number == 4 || *number == 5) {
        if (cpu->cr4 & CR4_DE)
            return raise(i, VEC_UD);
        *number += 2;
    }
    if (!require_ring0(i))
        return false;
    if ((cpu->dr[DR7] & DR7_GD) == 0)
        return true;
    return raise_debug(i, DR6_BD);
}

bool
interp_mov_to_dr(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    unsigned number;
    uint32_t value;

    if (!find_debug_register(i, 0, &number) || !operand_read(i, 1, &value))
        return false;
    if (number == DR6)
        value = (value & DR6_WRITABLE) | DR6_FIXED;
    else if (number == DR7)
        value = (value & DR7_WRITABLE) | DR7_FIXED;
    cpu->dr[number] = value;
    return true;
}

bool
interp_mov_from_dr(struct interp *i)
{
    unsigned number;

    return find_debug_register(i, 1, &number) &&
           operand_write(i, 0, cpu_of(i)->dr[number]);
}

/* --- Model-specific registers ----------------------------------------------*/

/* Each of the eight types is one that exists: SDM 3A table 11-10. */
static bool
is_pat_legal(uint64_t pat)
{
    for (unsigned n = 0; n < sizeof(pat); n++) {
        unsigned type = (unsigned)(pat >> (n * PAT_BITS)) & UINT8_MAX;

        if (type > PAT_TYPES || type == 2 || type == 3)
            return false;
    }
    return true;
}

static bool
read_msr(struct interp *i, uint32_t msr, uint64_t *value)
{
    const struct guest_cpu *cpu = cpu_of(i);

    switch (msr) {
    case MSR_SYSENTER_CS:
        *value = cpu->sysenter_cs;
        return true;
    case MSR_SYSENTER_ESP:
        *value = cpu->sysenter_esp;
        return true;
    case MSR_SYSENTER_EIP:
        *value = cpu->sysenter_eip;
        return true;
    case MSR_PAT:
        *value = cpu->pat;
        return true;
    case MSR_EFER:
        *value = cpu->efer;
        return true;
    case MSR_APIC_BASE:
        *value = cpu->apic_base;
        return true;
    case MSR_TSC:
        *value = guest_machine_tsc(i->vcpu) + cpu->tsc_offset;
        return true;
    case MSR_TSC_AUX:
        *value = cpu->tsc_aux;
        return feature_is_shown(i->vcpu, FEATURE_RDTSCP);
    default:
        return guest_msr_read(i->vcpu, msr, value);
    }
}

/* Registers whose value is checked, or means something to paging. */
static bool
write_checked_msr(struct interp *i, uint32_t msr, uint64_t value)
{
    struct guest_cpu *cpu = cpu_of(i);

    switch (msr) {
    case MSR_PAT:
        if (!is_pat_legal(value))
            return false;
        cpu->pat = value;
        break;
    case MSR_EFER:
        if ((value & ~(uint64_t)EFER_KNOWN) != 0 ||
            (value != 0 && !feature_is_shown(i->vcpu, FEATURE_NX)))
            return false;
        cpu->efer = value;
        break;
    case MSR_APIC_BASE:
        if (value & APIC_BASE_RESERVED)
            return false;
        cpu->apic_base = value;
        return true;
    default:
        return guest_msr_write(i->vcpu, msr, value);
    }
    guest_mem_flush(i->vcpu, true);
    return true;
}

static bool
write_msr(struct interp *i, uint32_t msr, uint64_t value)
{
    struct guest_cpu *cpu = cpu_of(i);

    switch (msr) {
    case MSR_SYSENTER_CS:
        cpu->sysenter_cs = (uint32_t)value;
        return true;
    case MSR_SYSENTER_ESP:
        cpu->sysenter_esp = (uint32_t)value;
        return true;
    case MSR_SYSENTER_EIP:
        cpu->sysenter_eip = (uint32_t)value;
        return true;
    case MSR_TSC:
        cpu->tsc_offset = value - guest_machine_tsc(i->vcpu);
        return true;
    case MSR_TSC_AUX:
        if (value > UINT32_MAX ||
            !feature_is_shown(i->vcpu, FEATURE_RDTSCP))
            return false;
        cpu->tsc_aux = (uint32_t)value;
        return true;
    default:
        return write_checked_msr(i, msr, value);
    }
}

bool
interp_rdmsr(struct interp *i)
{
    uint32_t *gpr = cpu_of(i)->gpr;
    uint64_t value = 0;

    if (!require_ring0(i))
        return false;
    if (!read_msr(i, gpr[GPR_ECX], &value))
        return raise_error(i, VEC_GP, 0);
    gpr[GPR_EAX] = (uint32_t)value;
    gpr[GPR_EDX] = (uint32_t)(value >> 32);
    return true;
}

bool
interp_wrmsr(struct interp *i)
{
    const uint32_t *gpr = cpu_of(i)->gpr;

    if (!require_ring0(i))
        return false;
    return write_msr(i, gpr[GPR_ECX],
                     gpr[GPR_EAX] | (uint64_t)gpr[GPR_EDX] << 32) ||
           raise_error(i, VEC_GP, 0);
}
