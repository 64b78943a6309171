/*
 * paging.c - two levels of page tables: rights, error codes, CR2, large pages,
 * accessed and dirty bits.
 *
 * SDM 3A 4.3 (entries), 4.6 (rights), 4.7 (error codes), 4.8 (A and D).
 */
#include "guest/paging.h"

#define P       ((uint32_t)PTE_P)
#define RW      ((uint32_t)PTE_RW)
#define US      ((uint32_t)PTE_US)
#define A       ((uint32_t)PTE_A)
#define D       ((uint32_t)PTE_D)
#define PS      ((uint32_t)PTE_PS)
#define NONE    0xffffffffu     /* no fault */
#define LARGE_2 MB(4)
#define RESERVED_LARGE BIT(21)  /* of a PDE of 4 MB */

struct paging_case {
    const char *name;
    uint32_t pde, pte;          /* their flags */
    enum operation op;
    unsigned ring;
    uint32_t error;
    bool wp;
};

static const struct paging_case cases[] = {
    { "all rights: read", P | RW | US, P | RW | US, READ, 3, NONE },
    { "all rights: write", P | RW | US, P | RW | US, WRITE, 3, NONE },
    { "all rights: fetch", P | RW | US, P | RW | US, FETCH, 3, NONE },
    { "no table: read", RW | US, P | RW | US, READ, 0, 0 },
    { "no table: write by ring 3", RW | US, P | RW | US, WRITE, 3, 6 },
    { "no page: read", P | RW | US, RW | US, READ, 0, 0 },
    { "no page: write", P | RW | US, RW | US, WRITE, 0, 2 },
    { "no page: read by ring 3", P | RW | US, RW | US, READ, 3, 4 },
    { "no page: fetch by ring 3", P | RW | US, RW | US, FETCH, 3, 4 },
    { "read-only: read", P | RW | US, P | US, READ, 3, NONE },
    { "read-only: write", P | RW | US, P | US, WRITE, 3, 7 },
    { "read-only: write by ring 0", P | RW | US, P | US, WRITE, 0, NONE },
    { "read-only: write by ring 0 with WP", P | RW | US, P | US, WRITE, 0, 3,
      true },
    { "read-only table: write", P | US, P | RW | US, WRITE, 3, 7 },
    { "read-only table: write by ring 0 with WP", P | US, P | RW | US, WRITE,
      0, 3, true },
    { "supervisor: read by ring 3", P | RW | US, P | RW, READ, 3, 5 },
    { "supervisor: write by ring 3", P | RW | US, P | RW, WRITE, 3, 7 },
    { "supervisor: fetch by ring 3", P | RW | US, P | RW, FETCH, 3, 5 },
    { "supervisor: write by ring 0", P | RW, P | RW, WRITE, 0, NONE, true },
    { "supervisor table: read by ring 3", P | RW, P | RW | US, READ, 3, 5 },
    { "supervisor, read-only: write by ring 0", P, P, WRITE, 0, NONE },
    { "supervisor, read-only: fetch by ring 0", P, P, FETCH, 0, NONE },
};

static void
set_entries(uint32_t pde, uint32_t pte)
{
    *window_pd = (uint32_t)window_pt | pde;
    window_pt[0] = window_entry(0, pte);
    write_cr3(read_cr3());
}

static void
run_case(const struct paging_case *p)
{
    struct context c;

    set_entries(p->pde, p->pte);
    write_cr0(p->wp ? read_cr0() | CR0_WP : read_cr0() & ~CR0_WP);
    window_run(&c, p->op, p->ring, WINDOW);
    write_cr0(read_cr0() & ~CR0_WP);
    if (p->error == NONE)
        check(p->name, c.vector, VEC_DONE);
    else
        check_page_fault(p->name, &c, p->error, WINDOW);
}

/* --- Accessed and dirty ----------------------------------------------------*/

static void
check_bits(const char *name, uint32_t pde, uint32_t pte)
{
    check(name, (*window_pd & (A | D)) << 16 | (window_pt[0] & (A | D)),
          pde << 16 | pte);
}

static void
check_accessed(void)
{
    struct context c;

    set_entries(ALL_RIGHTS, ALL_RIGHTS);
    check_bits("A and D begin clear", 0, 0);
    window_run(&c, READ, 3, WINDOW);
    check_bits("a read sets A in both", A, A);
    window_run(&c, WRITE, 3, WINDOW);
    check_bits("a write behind a read sets D", A, A | D);
    set_entries(ALL_RIGHTS, ALL_RIGHTS);
    window_run(&c, WRITE, 3, WINDOW);
    check_bits("a write sets A and D", A, A | D);
    set_entries(ALL_RIGHTS, ALL_RIGHTS);
    window_run(&c, FETCH, 3, WINDOW);
    check_bits("a fetch sets A", A, A);
    set_entries(ALL_RIGHTS, P | US);
    window_run(&c, WRITE, 3, WINDOW);
    check("a write that faults does not set D", window_pt[0] & D, 0);
    window_run(&c, WRITE, 0, WINDOW);
    check("a write of ring 0 without WP sets D", window_pt[0] & D, D);
    set_entries(ALL_RIGHTS, ALL_RIGHTS | D);
    check_bits("D may be set before A", 0, D);
    window_run(&c, READ, 3, WINDOW);
    check_bits("and A comes with a read", A, A | D);
}

/* --- Large pages -----------------------------------------------------------*/

static uint32_t
at_large(const void *p)
{
    return WINDOW + ((uint32_t)p & (LARGE_2 - 1));
}

static void
check_large(void)
{
    uint32_t at = at_large(window_memory[2] + NUMBER_AT);
    struct context c;

    write_cr4(CR4_PSE);
    *window_pd = P | RW | US | PS;
    write_cr3(read_cr3());
    window_run(&c, READ, 3, at);
    check("4 MB: what is there", c.eax, 2);
    check("4 MB: A by a read", *window_pd & (A | D), A);
    window_run(&c, WRITE, 3, at);
    check("4 MB: D by a write", *window_pd & (A | D), A | D);
    *window_pd = P | US | PS;
    write_cr3(read_cr3());
    window_run(&c, WRITE, 3, at);
    check_page_fault("4 MB: write to a read-only one", &c, 7, at);
    *window_pd = P | RW | PS;
    write_cr3(read_cr3());
    window_run(&c, READ, 3, at);
    check_page_fault("4 MB: read of a supervisor's", &c, 5, at);
    *window_pd = P | RW | US | PS | RESERVED_LARGE;
    write_cr3(read_cr3());
    window_run(&c, READ, 3, at);
    check_page_fault("4 MB: a reserved bit", &c, 0xd, at);
    write_cr4(0);
    set_entries(P | RW | US | PS, ALL_RIGHTS);
    window_run(&c, READ, 3, WINDOW + NUMBER_AT);
    check("without PSE, bit 7 says nothing", c.vector, VEC_DONE);
}

/* --- Accesses across pages -------------------------------------------------*/

static void
check_across(void)
{
    uint32_t at = WINDOW + PAGE - 2;
    struct context c;

    set_entries(ALL_RIGHTS, ALL_RIGHTS);
    window_pt[1] = 0;
    write_cr3(read_cr3());
    window_memory[0][PAGE - 2] = 1;
    window_run(&c, READ, 3, at);
    check_page_fault("read across: CR2 is the second page", &c, 4,
                     WINDOW + PAGE);
    window_run(&c, WRITE, 3, at);
    check_page_fault("write across: CR2 is the second page", &c, 6,
                     WINDOW + PAGE);
    check("write across: nothing is written", window_memory[0][PAGE - 2], 1);
    window_pt[0] = 0;
    window_pt[1] = window_entry(1, ALL_RIGHTS);
    write_cr3(read_cr3());
    window_run(&c, READ, 3, at);
    check_page_fault("read across: CR2 is the first page", &c, 4, at);
    set_entries(ALL_RIGHTS, ALL_RIGHTS);
    window_pt[1] = window_entry(2, ALL_RIGHTS);
    write_cr3(read_cr3());
    window_run(&c, WRITE, 3, at);
    check("write across: second half goes to its own page",
          *(const uint16_t *)window_memory[2], 0);
}

/* Tables and stacks of the CPU are read as ring 0 does: SDM 3A 4.6.1. */
static void
check_implicit(void)
{
    struct context c;

    set_entries(P | RW | US, P | RW | US);
    two_level_pd[0] &= ~US;
    write_cr3(read_cr3());
    context_init(&c, (const void *)WINDOW, 3);
    context_run(&c);
    check("INT of ring 3, all tables a supervisor's", c.vector, VEC_DONE);
    two_level_pd[0] |= US;
}

TOPIC(paging)
{
    paging_on();
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_accessed();
    check_large();
    check_across();
    check_implicit();
    paging_off();
}
