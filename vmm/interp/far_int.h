/*
 * far_int.h - what far transfers, IRET and event delivery share.
 */
#ifndef VMM_INTERP_FAR_INT_H
#define VMM_INTERP_FAR_INT_H

#include "vmm/interp/segment_int.h"

/* Where a far transfer goes. */
struct far_target {
    uint32_t selector;
    uint32_t offset;
    struct segdesc desc;
};

/* OFFSET within the limit of the code segment DESC: else #GP(0). */
MUST_CHECK bool far_check_limit(struct interp *i,
                                const struct far_target *target);

/* Mark the descriptor accessed; nothing else can fail behind this. */
MUST_CHECK bool far_mark(struct interp *i, struct far_target *target);

/* CS:eIP become TARGET at privilege CPL. */
void far_commit(struct interp *i, const struct far_target *target,
                unsigned cpl);

/* In real and virtual-8086 mode. */
MUST_CHECK bool far_check_real(struct interp *i, uint32_t offset);
void far_commit_real(struct interp *i, uint32_t selector, uint32_t offset);

/* What RETF and IRET have taken from the stack so far. */
struct far_return {
    struct far_target target;
    uint32_t bytes;             /* on the stack up to eSP' and SS' */
    unsigned size;              /* of each word */
    bool is_iret;
};

/* The checks of a return's CS, its descriptor read into target. */
MUST_CHECK bool far_return_check(struct interp *i, struct far_return *r);

/*
 * Go there, to the same or an outer level; at an outer one, eSP' and SS' are
 * taken from behind r->bytes, and RELEASE bytes from both stacks.
 */
MUST_CHECK bool far_return(struct interp *i, struct far_return *r,
                           uint32_t release);

#endif
