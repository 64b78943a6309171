/*
 * fake_loader.h - how a processor loads a segment register in protected mode.
 *
 * Written from the manual alone, on raw words, as a second opinion on what
 * descriptors mean.  SDM 3A 3.4.5, 5.5 to 5.7; SDM 2 "MOV", "IRET".
 */
#ifndef TESTS_UNIT_FAKE_LOADER_H
#define TESTS_UNIT_FAKE_LOADER_H

#include "kernel/base/types.h"
#include "vmm/vcpu.h"

struct fake_tables {
    const void *gdt, *ldt;
    uint32_t gdt_limit, ldt_limit;      /* an LDT of NULL: LDTR is null */
};

/* What a segment register holds, the accessed bit left out. */
struct fake_segment {
    bool is_usable;
    bool is_code, can_read, can_write, is_big;
    uint64_t first, last;               /* offsets; first > last: none */
    uint32_t base;
};

/*
 * Load SELECTOR into REGISTER at privilege CPL, which for CS and SS is where
 * IRET goes to.  False: a fault.
 */
bool fake_load(const struct fake_tables *tables, enum segment reg,
               uint32_t selector, unsigned cpl, struct fake_segment *out);

bool fake_segment_equal(const struct fake_segment *a,
                        const struct fake_segment *b);

/* What a register of a virtual CPU in protected mode holds, from its rights. */
struct fake_segment fake_held(const struct guest_segment *segment);

#endif
