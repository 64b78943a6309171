/*
 * guest_segment.h - a guest segment register with its hidden part.
 *
 * Selector, rights, base and limit are what the CPU keeps (SDM 3A 3.4.3) and
 * what is saved with a VM.  The rest follows from them and is kept beside them
 * so that an access is checked with two comparisons: offsets `first` to `last`
 * exist, `allow` says for what.  Whoever changes the first four, or the mode,
 * calls segment_derive().
 *
 *      expand-up      first = 0             last = limit
 *      expand-down    first = limit + 1     last = 0xffff or 0xffffffff
 *      null           first = 1             last = 0            nothing
 */
#ifndef VMM_GUEST_SEGMENT_H
#define VMM_GUEST_SEGMENT_H

#include "kernel/base/addr.h"
#include "kernel/base/bits.h"
#include "kernel/base/types.h"
#include "kernel/x86/descriptor.h"

/* Bits 23..8 of a descriptor's second word (SDM 3A figure 3-8). */
#define RIGHTS_TYPE     BITS(3, 0)      /* enum segment_type, system_type */
#define RIGHTS_S        BIT(4)
#define RIGHTS_DPL      BITS(6, 5)
#define RIGHTS_P        BIT(7)
#define RIGHTS_AVL      BIT(12)
#define RIGHTS_L        BIT(13)
#define RIGHTS_DB       BIT(14)
#define RIGHTS_G        BIT(15)
#define RIGHTS_MASK     (BITS(15, 12) | BITS(7, 0))

/* What `allow` may hold. */
enum segment_allow {
    ALLOW_READ = BIT(0),
    ALLOW_WRITE = BIT(1),
    ALLOW_EXECUTE = BIT(2),
};

struct guest_segment {
    uint16_t selector;
    uint16_t rights;        /* RIGHTS_; P = 0: null or unusable */
    uint32_t base;
    uint32_t limit;         /* in bytes, whatever G says */
    /* Derived. */
    uint32_t first;
    uint32_t last;
    uint32_t allow;         /* enum segment_allow */
};
STATIC_ASSERT(sizeof(struct guest_segment) == 24);

/*
 * Work out the derived fields.  IS_PROTECTED is false in real and virtual-8086
 * mode, where rights do not restrict reading and writing.
 */
void segment_derive(struct guest_segment *segment, bool is_protected);

/* The limit in bytes, whatever G says. */
uint32_t descriptor_limit(const struct segdesc *desc);

/* What a register holds once DESC, the descriptor of SELECTOR, is loaded. */
struct guest_segment segment_make(uint32_t selector,
                                  const struct segdesc *desc);

/*
 * Do SIZE (> 0) bytes at OFFSET lie in SEGMENT, and is ALLOW allowed there?
 * An access never wraps at 4 GB.
 */
static inline bool
segment_permits(const struct guest_segment *segment, uint32_t offset,
                uint32_t size, unsigned allow)
{
    return (segment->allow & allow) == allow && offset >= segment->first &&
           offset <= segment->last && size - 1 <= segment->last - offset;
}

static inline gla_t
segment_linear(const struct guest_segment *segment, uint32_t offset)
{
    return make_gla(segment->base + offset);
}

/* Base 0 and no limit: an offset is the linear address. */
static inline bool
segment_is_flat(const struct guest_segment *segment)
{
    return segment->base == 0 && segment->first == 0 &&
           segment->last == UINT32_MAX;
}

#endif
