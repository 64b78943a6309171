/*
 * paging.h - page tables for tests: low memory as it is, and a window.
 *
 * Both formats show the first 4 MB, where the program is, at their place, for
 * ring 3 and writable, and one table's worth of pages at WINDOW, whose entries
 * are the test's: window_pd and window_pt.  Pages to show there are in
 * `window_memory`.
 */
#ifndef TESTS_GUEST_PAGING_H
#define TESTS_GUEST_PAGING_H

#include "guest/guest.h"
#include "kernel/x86/paging.h"

#define WINDOW          0x40000000u
#define PAGE            4096u
#define WINDOW_PAGES    4
#define ALL_RIGHTS      ((uint32_t)(PTE_P | PTE_RW | PTE_US))

enum operation { READ, WRITE, FETCH };

/* Each page holds INT VEC_DONE at 0, and its number at NUMBER_AT. */
#define NUMBER_AT       8
extern uint8_t window_memory[WINDOW_PAGES][PAGE];

/* Two levels: the PDE and the PTEs of the window; the directory. */
extern uint32_t *const window_pd, *const window_pt;
extern uint32_t two_level_pd[1024];

/* PAE: the same, and the four PDPTEs. */
extern pte_t *const pae_window_pd, *const pae_window_pt;
extern pte_t pae_pdpt[4];

/* Fresh tables, all window pages mapped with ALL_RIGHTS; turns paging on. */
void paging_on(void);
void paging_on_pae(void);
void paging_off(void);

/* The physical address of page N with FLAGS. */
uint32_t window_entry(unsigned n, uint32_t flags);

/* One access in RING to AT; for FETCH, the INT that is there. */
void window_run(struct context *c, enum operation op, unsigned ring,
                uint32_t at);

/* A page fault with ERROR, and AT in CR2. */
void check_page_fault(const char *name, const struct context *c,
                      uint32_t error, uint32_t at);

#endif
