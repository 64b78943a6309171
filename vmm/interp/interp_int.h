/*
 * interp_int.h - what all files of the interpreter share.
 *
 * Each operation of operations.def is one function, interp_<operation>().  It
 * returns true when the instruction is complete: i->next_eip is where to go on.
 * It returns false when nothing has been committed: v->fault holds why, or
 * i->again asks for another try (a LOCKed operand changed under us), or
 * i->refusal says what we do not do.  So an operation reads and checks all it
 * needs, writes memory, and changes registers last.
 */
#ifndef VMM_INTERP_INTERP_INT_H
#define VMM_INTERP_INTERP_INT_H

#include "kernel/base/bits.h"
#include "vmm/guest_mem.h"
#include "vmm/interp/interp.h"

enum place_kind {
    PLACE_NONE,
    PLACE_REG,              /* a general register or a part of it */
    PLACE_MEM,              /* the memory operand */
    PLACE_DST,              /* ES:eDI of a string instruction */
    PLACE_IMM, PLACE_ONE,
    PLACE_SEG,              /* number: enum segment */
    PLACE_OTHER,            /* the operation knows: CR, DR, FPU registers */
};

#define OPERATION(name) bool interp_##name(struct interp *i);
#include "bt/operations.def"
#undef OPERATION

#define CPL_USER    3
#define IOPL_USER   3       /* IOPL that lets user code do I/O */

/* The flags that arithmetic sets. */
#define FLAGS_ARITH (EFLAGS_OF | EFLAGS_SF | EFLAGS_ZF | EFLAGS_AF | \
                     EFLAGS_PF | EFLAGS_CF)

static inline struct guest_cpu *
cpu_of(const struct interp *i)
{
    return &i->vcpu->cpu;
}

static inline const struct insn *
insn_of(const struct interp *i)
{
    return &i->now->insn;
}

static inline void
set_flags(struct interp *i, uint32_t mask, uint32_t flags)
{
    struct guest_cpu *cpu = cpu_of(i);

    cpu->eflags = (cpu->eflags & ~mask) | (flags & mask);
}

static inline bool
has_flag(const struct interp *i, uint32_t flag)
{
    return (i->vcpu->cpu.eflags & flag) != 0;
}

static inline bool
raise(struct interp *i, enum exception_vector vector)
{
    return vcpu_fault(i->vcpu, vector);
}

/* With an error code; 0 when no selector is to blame. */
static inline bool
raise_error(struct interp *i, enum exception_vector vector, uint32_t error)
{
    return vcpu_fault_error(i->vcpu, vector, error);
}

/* The guest wants what we do not emulate. */
static inline bool
refuse(struct interp *i, const char *why)
{
    i->refusal = why;
    return false;
}

/* Privileged: #GP(0) unless at CPL 0.  Real mode is at 0, v8086 mode at 3. */
static inline bool
require_ring0(struct interp *i)
{
    return i->vcpu->cpu.cpl == 0 || raise_error(i, VEC_GP, 0);
}

/* May it use IN, OUT, CLI and STI as far as IOPL is concerned? */
static inline bool
has_io_privilege(const struct interp *i)
{
    return i->vcpu->cpu.cpl <= FIELD_GET(i->vcpu->cpu.eflags, EFLAGS_IOPL);
}

/* The low SIZE (1, 2, 4) bytes, and their highest bit. */
static inline uint32_t
low_bytes(uint32_t value, unsigned size)
{
    return value & (UINT32_MAX >> (32 - 8 * size));
}

static inline uint32_t
sign_bit(unsigned size)
{
    return BIT(8 * size - 1);
}

static inline int32_t
sign_extend(uint32_t value, unsigned size)
{
    unsigned shift = 32 - 8 * size;

    return (int32_t)(value << shift) >> shift;
}

/* Before an instruction or a delivery: what is left of the last is gone. */
void interp_begin(struct interp *i);

/* The CPL changed: forget what the other one could reach. */
void set_cpl(struct interp *i, unsigned cpl);

/* Is condition number CC (OPCODE_CC) true for these flags?  SDM 1 app. B. */
bool condition_holds(uint32_t eflags, unsigned cc);

#endif
