/*
 * fake_shadow.h - a machine for the shadow MMU: pages, a pmap, and a processor
 * that walks the shadow and has a TLB that keeps what nobody invalidates.
 *
 * Guest pages are numbers; what is in them is fake_guest's array, by PPN, so
 * that the machine page behind a guest page can change and the test sees which
 * one an access reached.
 */
#ifndef TESTS_UNIT_FAKE_SHADOW_H
#define TESTS_UNIT_FAKE_SHADOW_H

#include "vmm/mmu/shadow.h"

#define FAKE_RAM_PAGES      1024u
#define FAKE_ROM_PAGE       40u         /* this one is ROM */
#define FAKE_SHADOW_PAGES   256u
#define FAKE_TLB_ENTRIES    16u

enum fake_page_state { FAKE_OWN, FAKE_SHARED, FAKE_ABSENT };

struct fake_tlb {
    bool is_valid;
    uint32_t vpn, guest_size;           /* of the guest's page at the time */
    pte_t entry;                        /* rights, machine page */
    ppn_t ppn;
};

struct fake_shadow {
    struct vcpu vcpu;
    struct shadow shadow;
    unsigned page_limit;                /* alloc says no from here */
    enum fake_page_state state[FAKE_RAM_PAGES];
    mpn_t mpn[FAKE_RAM_PAGES];
    uint32_t next_mpn;
    bool has_large;                     /* large_page() may succeed */
    struct fake_tlb tlb[FAKE_TLB_ENTRIES];
    unsigned tlb_hand;
    uint32_t code_writes;               /* calls of written() */
    ppn_t blocked;                      /* which page was waited for */
    pte_t latched[PDPT_ENTRIES];        /* PDPTEs as the hardware has them */
    struct shadow_key latched_key;      /* of the page with the monitor */
    bool is_flush_due;
};

extern struct fake_shadow fake_shadow;

/* What became of an access. */
enum fake_outcome { FAKE_DONE, FAKE_STALE, FAKE_FAULT, FAKE_EMULATE };

/* Everything fresh: RAM of zeroes, no paging, PAGES shadow pages. */
void fake_shadow_reset(bool has_views, unsigned pages);

/* To this privilege, as the monitor would: views change CR3. */
void fake_shadow_set_cpl(unsigned cpl);

/* After the test changed control registers. */
void fake_shadow_switch(void);

/*
 * The guest touches AT: resolves hidden faults and waits.  DONE and STALE (from
 * a TLB entry that the guest's tables no longer say): *PPN was reached.
 */
enum fake_outcome fake_shadow_access(gla_t at, unsigned access, ppn_t *ppn);

/* Write to guest memory by emulation. */
void fake_shadow_write(gpa_t at, const void *from, size_t size);

/* The page moves to another machine page and gets this state. */
void fake_shadow_revoke(ppn_t ppn, enum fake_page_state state);

/* Audit, and no entry in the TLB that may not be there; NULL: all is well. */
const char *fake_shadow_check(void);

/* No valid entry for AT, nor for the large page that it was in. */
bool fake_shadow_is_flushed(gla_t at);

#endif
