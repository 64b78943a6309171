/*
 * paging.c - page tables for tests (paging.h).
 */
#include "guest/paging.h"

#include "kernel/base/string.h"

#define PD_INDEX        (WINDOW >> 22)
#define ENTRIES_2       1024u
#define INT_DONE        0x40cdu         /* INT 40h as a word */
#define LARGE           ((uint32_t)PTE_PS)

uint8_t window_memory[WINDOW_PAGES][PAGE] ALIGNED(4096);

uint32_t two_level_pd[ENTRIES_2] ALIGNED(4096);
static uint32_t low_pt[ENTRIES_2] ALIGNED(4096);
static uint32_t two_level_pt[ENTRIES_2] ALIGNED(4096);
uint32_t *const window_pd = &two_level_pd[PD_INDEX];
uint32_t *const window_pt = two_level_pt;

pte_t pae_pdpt[4] ALIGNED(32);
static pte_t pae_low_pd[PT_ENTRIES] ALIGNED(4096);
static pte_t pae_pd[PT_ENTRIES] ALIGNED(4096);
static pte_t pae_pt[PT_ENTRIES] ALIGNED(4096);
pte_t *const pae_window_pd = pae_pd;
pte_t *const pae_window_pt = pae_pt;

SNIPPET(read_window, "", "movl (%ebx), %eax", "");
SNIPPET(write_window, "", "movl %eax, (%ebx)", "");

uint32_t
window_entry(unsigned n, uint32_t flags)
{
    return (uint32_t)window_memory[n] | flags;
}

static void
fill_memory(void)
{
    for (uint32_t n = 0; n < WINDOW_PAGES; n++) {
        memset(window_memory[n], 0, PAGE);
        memcpy(window_memory[n], &(uint16_t){ INT_DONE }, sizeof(uint16_t));
        memcpy(&window_memory[n][NUMBER_AT], &n, sizeof(n));
    }
}

void
paging_on(void)
{
    fill_memory();
    memset(two_level_pd, 0, sizeof(two_level_pd));
    memset(two_level_pt, 0, sizeof(two_level_pt));
    for (uint32_t n = 0; n < ENTRIES_2; n++)
        low_pt[n] = n * PAGE | ALL_RIGHTS;
    two_level_pd[0] = (uint32_t)low_pt | ALL_RIGHTS;
    *window_pd = (uint32_t)two_level_pt | ALL_RIGHTS;
    for (unsigned n = 0; n < WINDOW_PAGES; n++)
        window_pt[n] = window_entry(n, ALL_RIGHTS);
    write_cr3((uint32_t)two_level_pd);
    write_cr0(read_cr0() | CR0_PG);
}

void
paging_on_pae(void)
{
    fill_memory();
    memset(pae_pd, 0, sizeof(pae_pd));
    memset(pae_pt, 0, sizeof(pae_pt));
    for (uint32_t n = 0; n < 2; n++)
        pae_low_pd[n] = n * LARGE_PAGE_SIZE | LARGE | ALL_RIGHTS;
    memset(pae_pdpt, 0, sizeof(pae_pdpt));
    pae_pdpt[0] = (uint32_t)pae_low_pd | PTE_P;
    pae_pdpt[pdpt_index(WINDOW)] = (uint32_t)pae_pd | PTE_P;
    *pae_window_pd = (uint32_t)pae_pt | ALL_RIGHTS;
    for (unsigned n = 0; n < WINDOW_PAGES; n++)
        pae_window_pt[n] = window_entry(n, ALL_RIGHTS);
    write_cr4(read_cr4() | CR4_PAE);
    write_cr3((uint32_t)pae_pdpt);
    write_cr0(read_cr0() | CR0_PG);
}

void
paging_off(void)
{
    write_cr0(read_cr0() & ~(CR0_PG | CR0_WP));
    write_cr4(0);
}

void
window_run(struct context *c, enum operation op, unsigned ring, uint32_t at)
{
    const struct snippet *s = op == READ ? &read_window : &write_window;

    context_init(c, op == FETCH ? (const void *)at : s->start, ring);
    c->eax = INT_DONE;          /* so that code stays code */
    c->ebx = at;
    context_run(c);
}

void
check_page_fault(const char *name, const struct context *c, uint32_t error,
                 uint32_t at)
{
    uint32_t cr2 = read_cr2();

    if (c->vector == VEC_PF && c->error == error && cr2 != at)
        check(name, cr2, at);
    else
        check_trap(name, c, VEC_PF, error, (const void *)c->eip);
}
