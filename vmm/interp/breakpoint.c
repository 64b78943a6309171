/*
 * breakpoint.c - the four breakpoint registers.
 *
 * On an instruction a breakpoint is a fault before it, which EFLAGS.RF holds
 * off once and the shadow of MOV SS altogether.  On data and ports it is a trap
 * behind the instruction, or behind the iteration of a repeated one: what is
 * met goes to i->hits, and to cpu->pending_debug if the instruction completes.
 *
 * Called by the vcpu's thread within an instruction; no locks.  SDM 3B 17.2.
 */
#include "vmm/interp/breakpoint_int.h"

/* Fields of DR7 for breakpoint N. */
#define ENABLED(n)      (3u << (2 * (n)))
#define RW(dr7, n)      ((dr7) >> (16 + 4 * (n)) & 3)
#define LEN(dr7, n)     ((dr7) >> (18 + 4 * (n)) & 3)

#define BREAKPOINTS     4

enum breakpoint_rw {
    RW_EXECUTE, RW_WRITE, RW_PORT, RW_ACCESS,
};

/* Bits of DR6: which breakpoints of the KINDS touch SIZE bytes from FIRST. */
static uint32_t
matches(const struct guest_cpu *cpu, unsigned kinds, uint32_t first,
        uint32_t size)
{
    static const uint8_t sizes[] = { 1, 2, 8, 4 };
    uint32_t dr7 = cpu->dr[DR7], found = 0;

    for (unsigned n = 0; n < BREAKPOINTS; n++) {
        uint32_t length = sizes[LEN(dr7, n)];
        uint32_t start = cpu->dr[n] & ~(length - 1);

        if ((dr7 & ENABLED(n)) != 0 && (kinds & BIT(RW(dr7, n))) != 0 &&
            (first - start < length || start - first < size))
            found |= DR6_B0 << n;
    }
    return found;
}

bool
breakpoint_at_fetch(struct interp *i)
{
    const struct guest_cpu *cpu = cpu_of(i);
    uint32_t at = gla_raw(segment_linear(&cpu->segment[SEG_CS], cpu->eip));
    uint32_t hits;

    if (has_flag(i, EFLAGS_RF) || (cpu->block & BLOCK_MOV_SS) != 0)
        return true;
    hits = matches(cpu, BIT(RW_EXECUTE), at, 1);
    return hits == 0 || raise_debug(i, hits);
}

void
breakpoint_at_data(struct interp *i, gla_t at, uint32_t size, unsigned access)
{
    unsigned kinds = BIT(RW_ACCESS);

    if (access == GUEST_WRITE)
        kinds |= BIT(RW_WRITE);
    i->hits |= matches(cpu_of(i), kinds, gla_raw(at), size);
}

void
breakpoint_at_port(struct interp *i, uint32_t port, uint32_t size)
{
    if (cpu_of(i)->cr4 & CR4_DE)
        i->hits |= matches(cpu_of(i), BIT(RW_PORT), port, size);
}
