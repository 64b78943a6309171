/*
 * seg_int.h - what the parts of vmm/seg share.
 *
 *      backing.c       which part of a segment the machine may be given
 *      cached.c        the slots that translated code runs on
 *      shadow_table.c  copies of the guest's GDT and LDT
 *      direct.c        which segment registers direct execution can have
 *      seg.c           where it all lies, and the one privileged instruction
 *
 * All but seg.c is plain arithmetic on memory, and runs in tests, too.
 */
#ifndef VMM_SEG_SEG_INT_H
#define VMM_SEG_SEG_INT_H

#include "kernel/base/bitmap.h"
#include "kernel/x86/descriptor.h"
#include "vmm/core/guest_enter.h"
#include "vmm/layout.h"
#include "vmm/seg/seg.h"

#define RING_GUEST_KERNEL   1u      /* in the segment sandbox */
#define RING_USER           3u

/* A slot of a descriptor table, by parts or as two words. */
union seg_slot {
    struct segdesc desc;
    struct {
        uint32_t low, high;
    } PACKED word;
};
STATIC_ASSERT(sizeof(union seg_slot) == 8);

static inline bool
seg_slot_equal(const union seg_slot *a, const union seg_slot *b)
{
    return ((a->word.low ^ b->word.low) | (a->word.high ^ b->word.high)) == 0;
}

/* The second word; its bits 23..8 are a segment's rights. */
#define SLOT_TYPE           BITS(11, 8)
#define SLOT_ACCESSED       BIT(8)
#define SLOT_S              BIT(12)
#define SLOT_DPL            BITS(14, 13)
#define SLOT_P              BIT(15)
#define SLOT_RIGHTS_SHIFT   8

/* The machine's tables; set once. */
struct seg_machine {
    union seg_slot *gdt;            /* up to the end of the slots we know of */
    bool is_truncated;
    unsigned ring;                  /* of translated code */
};

extern struct seg_machine seg_machine;

/* seg_init() with tables anywhere, both of VMM_DESCRIPTORS_SIZE, of zeroes. */
void seg_init_at(union seg_slot *gdt, union seg_slot *ldt, bool is_truncated);
void cached_init(void);
void direct_init(union seg_slot *ldt);

/* LLDT; the slot has been written. */
void seg_load_ldtr(uint16_t selector);

/* --- backing.c -------------------------------------------------------------*/

/*
 * Which part of a segment that would reach the monitor is backed: the offsets
 * whose linear addresses lie below the monitor before the segment wraps at
 * 4 GB, or those behind the wrap.
 */
enum seg_half { HALF_LOW, HALF_HIGH };

/*
 * The part of SEGMENT, a usable one of protected mode, that lies below the
 * monitor: all of it if that is possible, else the half that HALF says.
 * Unusable (P = 0) if there is no such part.
 */
struct guest_segment seg_backing(const struct guest_segment *segment,
                                 enum seg_half half);

/* A slot; LIMIT is 20 bits, in the unit that G of RIGHTS says. */
union seg_slot seg_slot(uint32_t base, uint32_t limit, uint32_t rights);

/*
 * The descriptor that loads as SEGMENT, but for its selector; G is chosen.
 * False: no descriptor has this limit.
 */
MUST_CHECK bool seg_encode(const struct guest_segment *segment,
                           union seg_slot *slot);

/* --- shadow_table.c --------------------------------------------------------*/

#define SHADOW_SLOTS_MAX    (VMM_DESCRIPTORS_SIZE / sizeof(union seg_slot))

struct shadow_table {
    union seg_slot *slot;       /* the copies, in the machine's table */
    uint32_t first, end;        /* indices that are the guest's */
    uint32_t count;             /* what was there last: indices below it */
    uint32_t base;              /* of the guest's table, then */
    /* Copies that user code can load, and whose accessed bit was 0. */
    uint32_t unmarked[BITMAP_WORDS(SHADOW_SLOTS_MAX)];
};

/* Make TABLE what the guest's, at linear BASE with LIMIT, says. */
void shadow_table_update(struct vcpu *v, struct shadow_table *table,
                         uint32_t base, uint32_t limit);

/* Give the guest's table the accessed bits that the copies have got. */
void shadow_table_mark(struct vcpu *v, struct shadow_table *table);

/* The copy of SELECTOR's descriptor; NULL: it has none. */
union seg_slot *shadow_table_find(struct shadow_table *table,
                                  uint32_t selector);

/* --- direct.c --------------------------------------------------------------*/

/*
 * Would loading SEGMENT's selector into REGISTER at CPL 3, from SLOT (NULL: the
 * table ends before), give what the register holds now?
 */
MUST_CHECK bool seg_is_reversible(const struct guest_segment *segment,
                                  enum segment reg,
                                  const union seg_slot *slot);

#endif
