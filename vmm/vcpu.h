/*
 * vcpu.h - a virtual CPU: what the guest has, and what the engines share.
 *
 * struct guest_cpu is all of the processor that a guest can see or feel,
 * hidden parts and one-instruction shadows included.  It is true at the safe
 * point, between two guest instructions; suspend and migration are a loop over
 * its fields (vcpu_fields.def).  Interpreter, translator and direct execution
 * all leave it so and start from it.
 *
 * It lies in monitor-private memory.  Translated code works on registers and
 * on a copy of a few fields that it reaches through %gs; that copy is the
 * translator's business and untrusted when the guest kernel can write to it.
 *
 * One thread owns a vcpu.  Others may only set bits of `attention`, atomically.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "bt/insn.h"
#include "kernel/base/addr.h"
#include "kernel/base/types.h"
#include "kernel/x86/exception.h"
#include "kernel/x86/regs.h"
#include "vmm/guest_segment.h"

#define FXSAVE_SIZE     512
#define PDPTE_COUNT     4
#define DR_COUNT        8

/* Indices in guest_cpu.dr. */
enum { DR6 = 6, DR7 = 7 };

struct guest_table {
    uint32_t base;
    uint32_t limit;         /* 16 bits count */
};

/* What keeps events away from the next instruction: SDM 3A 6.8.3, 6.7.1. */
enum guest_block {
    BLOCK_STI = BIT(0),     /* maskable interrupts, for one instruction */
    BLOCK_MOV_SS = BIT(1),  /* those, NMI and debug traps, for one */
    BLOCK_NMI = BIT(2),     /* NMIs, until IRET */
};

enum guest_activity {
    ACTIVITY_RUNNING,
    ACTIVITY_HALTED,        /* HLT: until an interrupt that is not blocked */
    ACTIVITY_SHUTDOWN,      /* triple fault */
};

struct guest_cpu {
    uint8_t  fpu[FXSAVE_SIZE] ALIGNED(16);  /* FXSAVE's image */
    uint64_t pdpte[PDPTE_COUNT];            /* as latched by the CR3 load */
    uint64_t efer, pat, apic_base;
    uint64_t tsc_offset;                    /* guest = machine + offset */
    uint32_t gpr[GPR_NONE + 1];             /* enum gpr; the last is 0 */
    uint32_t eip, eflags;
    uint32_t cr0, cr2, cr3, cr4;
    uint32_t dr[DR_COUNT];                  /* 4 and 5 are unused */
    uint32_t sysenter_cs, sysenter_esp, sysenter_eip;
    struct guest_segment segment[SEG_NONE]; /* enum segment */
    struct guest_segment ldtr, tr;
    struct guest_table gdtr, idtr;
    uint32_t cpl;
    uint32_t block;                         /* enum guest_block */
    uint32_t activity;                      /* enum guest_activity */
    uint32_t pending_debug;                 /* DR6 bits to be delivered */
    uint32_t pending_nmi;                   /* 0 or 1: latched */
    uint32_t tsc_aux;
};

/* An exception that an instruction has met and not yet delivered. */
struct guest_fault {
    uint8_t  vector;        /* VEC_ */
    bool     has_error;
    uint32_t error;         /* VEC_DB: for DR6, ... */
    gla_t    address;       /* VEC_PF: for CR2; both are set at delivery */
};

/*
 * Why an engine must stop at the next boundary: hints, which others set and
 * the safe point clears.  What they announce is asked of its owner there.
 */
enum attention {
    ATTENTION_INTERRUPT = BIT(0),   /* the interrupt controller's wire is up */
    ATTENTION_NMI = BIT(1),
    ATTENTION_STOP = BIT(2),        /* come to the safe point */
};

/* What comes at a boundary, before the next instruction: SDM 3A table 6-2. */
enum guest_pending {
    PENDING_NONE,
    PENDING_DEBUG,          /* traps of the instruction before: #DB */
    PENDING_NMI,
    PENDING_INTERRUPT,
};

struct interp;

struct vcpu {
    struct guest_cpu cpu;
    struct guest_fault fault;       /* valid when a function reported one */
    uint32_t attention;             /* enum attention; atomic */
    uint32_t memory_generation;     /* guest_mem.h: age of windows */
    uint64_t instructions;          /* interpreted so far */
    struct interp *interp;          /* its caches: vmm/interp/interp.h */
};
STATIC_ASSERT(offsetof(struct vcpu, cpu) == 0);

/* State after power-on: SDM 3A table 9-1. */
void vcpu_reset(struct vcpu *v);

/* CR0.PE, EFLAGS.VM or a loaded descriptor changed: derive all segments. */
void vcpu_derive_segments(struct vcpu *v);

/* HAS_INTERRUPT: the interrupt controller's wire is up. */
enum guest_pending vcpu_pending(const struct vcpu *v, bool has_interrupt);

/* Neither real nor virtual-8086 mode. */
static inline bool
vcpu_is_protected(const struct vcpu *v)
{
    return (v->cpu.cr0 & CR0_PE) != 0 && (v->cpu.eflags & EFLAGS_VM) == 0;
}

/* Note a fault and say so: `return vcpu_fault(v, VEC_UD)`; always false. */
static inline bool
vcpu_fault(struct vcpu *v, enum exception_vector vector)
{
    v->fault = (struct guest_fault){ .vector = (uint8_t)vector };
    return false;
}

static inline bool
vcpu_fault_error(struct vcpu *v, enum exception_vector vector, uint32_t error)
{
    v->fault = (struct guest_fault){ .vector = (uint8_t)vector,
                                     .has_error = true, .error = error };
    return false;
}

#endif
