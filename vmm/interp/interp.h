/*
 * interp.h - the interpreter: one guest instruction at a time, exactly.
 *
 * It is the reference for what instructions do, and executes what translated
 * code and direct execution cannot.  State is struct guest_cpu before and after
 * each step; struct interp holds nothing but caches, and may be forgotten at
 * any time.
 *
 * interp_step() delivers no events.  A fault that an instruction meets is left
 * in v->fault with EIP at that instruction; interp_deliver() is how whoever
 * runs the vcpu gives it, or an interrupt, to the guest.
 */
#ifndef VMM_INTERP_INTERP_H
#define VMM_INTERP_INTERP_H

#include "bt/insn.h"
#include "kernel/base/addr.h"
#include "kernel/base/types.h"
#include "vmm/vcpu.h"

enum interp_result {
    INTERP_OK,          /* one instruction, or a part of a repeated one */
    INTERP_FAULT,       /* v->fault is to be delivered */
    INTERP_HALTED,      /* HLT; activity says so too */
    INTERP_SHUTDOWN,    /* triple fault */
    INTERP_REFUSED,     /* what we do not emulate: v->interp->refusal */
};

struct interp;
typedef bool interp_operation_t(struct interp *);

/* Where an operand is, worked out when the instruction is decoded. */
struct place {
    uint8_t kind;       /* enum place_kind */
    uint8_t size;       /* bytes */
    uint8_t number;     /* register */
    uint8_t shift;      /* 8: AH, CH, DH, BH */
};

#define PLACE_COUNT     3

/*
 * A decoded instruction.  It is good for whatever address holds these bytes in
 * the same mode, so entries need no invalidation: `bytes` are compared with
 * memory each time.
 */
struct interp_insn {
    uint64_t bytes[2], mask[2];     /* as in memory; unused ones masked out */
    struct insn insn;
    interp_operation_t *operation;
    struct place place[PLACE_COUNT];
    uint32_t mode;                  /* enum decode_mode; plus valid bit */
};

/*
 * A page that accesses of one kind may go to directly: guest_window().  It is
 * good for one CPL, and for one generation of v->memory_generation, which may
 * change in the middle of an instruction.
 */
struct interp_window {
    uint32_t key;                   /* linear page | CPL */
    uint32_t generation;
    uint8_t *memory;                /* NULL: none */
};

#define INTERP_INSNS    2048        /* powers of 2 */
#define INTERP_WINDOWS  64
#define INTERP_FETCH_WINDOWS 16
#define BOUNCE_SIZE     512
#define BOUNCE_ALIGN    64

struct interp {
    struct vcpu *vcpu;
    const struct interp_insn *now;  /* the instruction being executed */
    uint32_t next_eip;
    bool again;                     /* failed without a fault: start over */
    bool no_step;                   /* INT n: no trap behind it */
    bool is_careful;                /* breakpoints or EFLAGS.AC: look closer */
    bool is_alone;                  /* one instruction: windows do not pay */
    uint32_t hits;                  /* DR6 bits: breakpoints on data met */
    uint32_t seen;                  /* what a LOCKed operand was */
    const char *refusal;
    uint32_t external;              /* EXT of error codes: SDM 3A 6.13 */
    struct interp_window fetch[INTERP_FETCH_WINDOWS];
    struct interp_window read[INTERP_WINDOWS], write[INTERP_WINDOWS];
    struct interp_insn uncached;    /* an instruction across two pages */
    struct interp_insn cache[INTERP_INSNS];
    uint8_t bounce[BOUNCE_SIZE + BOUNCE_ALIGN] ALIGNED(BOUNCE_ALIGN);
};

/* Give V an interpreter: sets v->interp. */
void interp_init(struct interp *interp, struct vcpu *v);

/* Execute one instruction, or a bounded part of a repeated one. */
enum interp_result interp_step(struct vcpu *v);

/*
 * Execute until something else than INTERP_OK happens, or v->attention is set,
 * or LIMIT instructions are done.
 */
enum interp_result interp_run(struct vcpu *v, uint64_t limit);

enum event_kind {
    EVENT_FAULT,        /* v->fault */
    EVENT_EXTERNAL,     /* interrupt or NMI: vector only */
    EVENT_SOFTWARE,     /* INT n, INT3, INTO: the gate's DPL counts */
    EVENT_INT1,         /* INT1: like a fault, but no DPL and EXT */
};

/*
 * Deliver an exception, interrupt or software interrupt through the guest's
 * IDT (SDM 3A 6.12), contributory and double faults included.  OK: the vcpu
 * is at the first instruction of the handler.  Otherwise SHUTDOWN or REFUSED.
 */
enum interp_result interp_deliver(struct vcpu *v, enum event_kind kind,
                                  unsigned vector);

#endif
