/*
 * segment_int.h - descriptors, and loading segment registers.
 *
 * Error codes are the selector without RPL, plus EXT where an event is being
 * delivered.
 */
#ifndef VMM_INTERP_SEGMENT_INT_H
#define VMM_INTERP_SEGMENT_INT_H

#include "kernel/x86/descriptor.h"
#include "vmm/interp/stack_int.h"

static inline bool
selector_is_null(uint32_t selector)
{
    return (selector & ~SEL_RPL & UINT16_MAX) == 0;
}

/* VECTOR with SELECTOR as its error code; always false. */
bool selector_fault(struct interp *i, enum exception_vector vector,
                    uint32_t selector);

/* The descriptor of a selector that is not null; VECTOR if out of bounds. */
MUST_CHECK bool descriptor_read(struct interp *i, uint32_t selector,
                                enum exception_vector vector,
                                struct segdesc *out);

/* Set the bits of BUSY_OR_ACCESSED in the type of SELECTOR's descriptor. */
MUST_CHECK bool descriptor_mark(struct interp *i, uint32_t selector,
                                struct segdesc *desc, unsigned bits);

static inline bool
descriptor_is_code(const struct segdesc *d)
{
    return d->s && (d->type & SEG_CODE) != 0;
}

static inline bool
descriptor_is_conforming(const struct segdesc *d)
{
    return (d->type & SEG_CODE_C) != 0;
}

struct far_pointer {
    uint32_t offset, selector;
};

/* Operand N: an offset of SIZE bytes, and a selector behind it. */
MUST_CHECK bool far_pointer_read(struct interp *i, unsigned n, uint32_t size,
                                 struct far_pointer *out);

/* As `mov sreg, SELECTOR` does it, in all modes; not for CS. */
MUST_CHECK bool segment_load(struct interp *i, enum segment segment,
                             uint32_t selector);

/* Real and virtual-8086 mode: base is selector * 16. */
void segment_load_real(struct interp *i, enum segment segment,
                       uint32_t selector);

/* No usable descriptor; SELECTOR stays visible. */
void segment_load_null(struct interp *i, enum segment segment,
                       uint32_t selector);

/* A stack: for another privilege level, before it is switched to. */
struct new_stack {
    unsigned cpl;
    uint32_t selector;
    uint32_t esp;
    bool is_iret;           /* IRET's: absent it is #NP, else #SS */
    struct guest_segment ss;
};

/*
 * Fill n->ss from n->selector for n->cpl.  What is wrong with it is VECTOR, a
 * null selector included, but for a segment that is not present.
 */
MUST_CHECK bool stack_segment_find(struct interp *i, struct new_stack *n,
                                   enum exception_vector vector);

/* The stack that the TSS holds for n->cpl: SDM 3A 5.8.5. */
MUST_CHECK bool stack_from_tss(struct interp *i, struct new_stack *n);

/* Push WORDS there; SS, eSP and CPL become the new ones if that succeeds. */
MUST_CHECK bool stack_switch(struct interp *i, const struct new_stack *n,
                             const struct stack_words *words);

#endif
