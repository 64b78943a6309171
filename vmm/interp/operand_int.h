/*
 * operand_int.h - operands of the instruction being executed, and memory.
 *
 * A register or memory operand is named by its number in the row, 0 to 2, and
 * is at most 32 bits wide; values come without the bits beyond its size.  What
 * is larger or elsewhere is named by a struct mem.  All functions return false
 * when there is a fault, in the order limit and rights (#SS for the stack
 * segment, else #GP), paging, alignment.
 */
#ifndef VMM_INTERP_OPERAND_INT_H
#define VMM_INTERP_OPERAND_INT_H

#include "vmm/interp/interp_int.h"

struct mem {
    uint32_t segment;       /* enum segment */
    uint32_t offset;
    uint32_t size;          /* 1 to 512 */
};

/* Offset of the memory operand, by ModRM or implied: mod 2^16 or 2^32. */
uint32_t effective_address(const struct interp *i);

/* The memory operand, with the size of operand N. */
struct mem operand_mem(const struct interp *i, unsigned n);

MUST_CHECK bool operand_read(struct interp *i, unsigned n, uint32_t *value);

/*
 * Read operand N, which operand_write() will write: asks for the right to do
 * so.  With LOCK, the write succeeds only if it still has this value, else it
 * returns false with i->again set.
 */
MUST_CHECK bool operand_read_rw(struct interp *i, unsigned n,
                                uint32_t *value);
MUST_CHECK bool operand_write(struct interp *i, unsigned n, uint32_t value);

/* A general register's part: bytes, words, dwords as operands name them. */
uint32_t register_read(const struct interp *i, struct place place);
void register_write(struct interp *i, struct place place, uint32_t value);

/* ACCESS is GUEST_READ or GUEST_WRITE; a write that may be read, too. */
MUST_CHECK bool mem_locate(struct interp *i, const struct mem *m,
                           unsigned access, gla_t *at);
MUST_CHECK bool mem_read(struct interp *i, const struct mem *m, void *to);
MUST_CHECK bool mem_write(struct interp *i, const struct mem *m,
                          const void *from);
/* Write VALUE where OLD was read; with LOCK only if it still is there. */
MUST_CHECK bool mem_replace(struct interp *i, const struct mem *m,
                            uint32_t old, uint32_t value);
/* Would mem_write() succeed? */
MUST_CHECK bool mem_probe(struct interp *i, const struct mem *m);

/* Linear memory at the CPL, through the windows. */
MUST_CHECK bool linear_read(struct interp *i, gla_t at, void *to,
                            uint32_t size);
MUST_CHECK bool linear_write(struct interp *i, gla_t at, const void *from,
                             uint32_t size);

/*
 * A pointer to all SIZE bytes for ACCESS, or NULL.  The next one may be the end
 * of it: then v->memory_generation has changed.
 */
void *linear_window(struct interp *i, gla_t at, unsigned access,
                    uint32_t size);

/* Make W the window of KEY, if there is one. */
bool window_open(struct interp *i, struct interp_window *w, uint32_t key,
                 unsigned access);

/* The same through W, which only accesses of this kind use. */
static inline void *
window_find(struct interp *i, struct interp_window *w, gla_t at,
            unsigned access, uint32_t size)
{
    const struct vcpu *v = i->vcpu;
    uint32_t offset = gla_raw(at) & PAGE_MASK;
    uint32_t key = (gla_raw(at) - offset) | v->cpu.cpl;

    if (offset > PAGE_SIZE - size)
        return NULL;
    if (UNLIKELY(w->memory == NULL || w->key != key ||
                 w->generation != v->memory_generation) &&
        !window_open(i, w, key, access))
        return NULL;
    return w->memory + offset;
}

#endif
