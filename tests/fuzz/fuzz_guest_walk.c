/*
 * fuzz_guest_walk.c - a guest's page tables may hold anything: every walk ends,
 * a question changes nothing, an answer stays the same, and what changes in
 * memory are accessed and dirty bits.
 *
 * The input is a header and then pages of tables, from address 0.
 */
#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/x86/paging.h"
#include "unit/fake_guest.h"
#include "vmm/mmu/guest_walk.h"

#define PAGES       8u              /* of memory */
#define WALKS       16u
#define A_AND_D     (PTE_A | PTE_D)

struct header {
    uint32_t cr0, cr3, cr4, efer, linear, step;
    uint64_t pdpte[PDPTE_COUNT];
    uint8_t cpl, access;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union {
    uint8_t bytes[PAGES * PAGE_SIZE];
    uint32_t words[PAGES * PAGE_SIZE / sizeof(uint32_t)];
} memory, before;
static struct vcpu vcpu;

static void
start(const struct header *h)
{
    fake_guest_reset(0, sizeof(memory), memory.bytes);
    fake_guest_flat(&vcpu, h->cpl % 2 == 0 ? 0 : 3);
    vcpu.cpu.cr0 = h->cr0 | CR0_PE;
    vcpu.cpu.cr3 = h->cr3 % sizeof(memory);
    vcpu.cpu.cr4 = h->cr4;
    vcpu.cpu.efer = h->efer;
    memcpy(vcpu.cpu.pdpte, h->pdpte, sizeof(h->pdpte));
}

/* A and D of some entries may have become 1; all else is as before. */
static void
check_memory(void)
{
    for (size_t n = 0; n < ARRAY_LEN(memory.words); n++) {
        uint32_t changed = memory.words[n] ^ before.words[n];

        ASSERT((changed & ~(uint32_t)A_AND_D) == 0);
        ASSERT((changed & before.words[n]) == 0);
    }
}

static bool
is_unchanged(void)
{
    return memcmp(&memory, &before, sizeof(memory)) == 0;
}

static void
walk(gla_t at, unsigned access)
{
    struct guest_mapping peek, first, second;
    bool is_allowed = guest_walk_peek(&vcpu, at, access, &peek);

    ASSERT(is_unchanged());
    ASSERT(guest_walk(&vcpu, at, access, &first) == is_allowed);
    check_memory();
    if (!is_allowed) {
        ASSERT(is_unchanged());
        ASSERT(vcpu.fault.vector == VEC_PF);
        ASSERT(gla_eq(vcpu.fault.address, at));
        return;
    }
    ASSERT(gpa_eq(first.at, peek.at));
    /* Unless the walk's own bits were part of an address. */
    if (guest_walk(&vcpu, at, access, &second))
        ASSERT(!gpa_eq(first.at, second.at) ||
               second.is_dirty >= first.is_dirty);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header h;

    if (size < sizeof(h) || size - sizeof(h) > sizeof(memory))
        return 0;
    memcpy(&h, data, sizeof(h));
    memset(&memory, 0, sizeof(memory));
    memcpy(&memory, data + sizeof(h), size - sizeof(h));
    start(&h);
    for (unsigned n = 0; n < WALKS; n++) {
        before = memory;
        walk(make_gla(h.linear + n * h.step),
             (h.access + n) % 3 | (h.access & GUEST_SYSTEM));
    }
    return 0;
}
