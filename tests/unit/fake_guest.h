/*
 * fake_guest.h - surroundings of a virtual CPU: memory that is an array, and
 * pages of it that fault where a test, or the page tables in it, say.
 */
#ifndef TESTS_UNIT_FAKE_GUEST_H
#define TESTS_UNIT_FAKE_GUEST_H

#include "kernel/base/types.h"
#include "vmm/guest_port.h"
#include "vmm/interp/interp.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/vcpu.h"

#define FAKE_PAGES_MAX  4096

/* Linear addresses from BASE; elsewhere, and in NO_ pages, #PF. */
struct fake_guest {
    uint32_t base, size;
    uint8_t *memory;
    uint8_t no_access[FAKE_PAGES_MAX], no_write[FAKE_PAGES_MAX];
    /* guest_walk(): addresses are translated first.  NULL: they are not. */
    bool (*walk)(struct vcpu *v, gla_t at, unsigned access,
                 struct guest_mapping *mapping);
    /* guest_phys_write() wrote there.  NULL: nobody wants to know. */
    void (*written)(gpa_t at, size_t size);
    /* The last OUT, and what IN reads. */
    uint32_t out_port, out_value, out_size, in_value;
    uint32_t outs, ins;                 /* how many */
    uint64_t tsc;
    /* CPUID shows all there is, save in one leaf. */
    uint32_t hidden_leaf;
    struct cpuid_leaf hidden;
    uint32_t fpu_errors;
};

extern struct fake_guest fake_guest;

void fake_guest_reset(uint32_t base, uint32_t size, uint8_t *memory);

/* V in 32-bit protected mode, all segments flat, at privilege CPL. */
void fake_guest_flat(struct vcpu *v, unsigned cpl);

#endif
