/*
 * tlb.c - when a change of a page table must be seen.
 *
 * Only what the manual promises: after INVLPG, CR3 or CR4 loads, or where there
 * was nothing to remember.  A CPU may show a change sooner.  Also tables that
 * are reached through themselves, and pages that stop being tables.  SDM 3A
 * 4.10.2, 4.10.4.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define RECURSIVE       1023u           /* PDE that is the directory itself */
#define RECURSIVE_PT    0xffc00000u
#define RECURSIVE_PD    0xfffff000u
#define G               ((uint32_t)PTE_G)
#define NUMBER          (WINDOW + NUMBER_AT)

static uint32_t other_pd[1024] ALIGNED(4096);
static uint32_t other_pt[1024] ALIGNED(4096);

static uint32_t
number_seen(void)
{
    struct context c;

    window_run(&c, READ, 3, NUMBER);
    return c.vector == VEC_DONE ? c.eax : 0x100 + c.vector;
}

/* Map page N first, so that the CPU has something to remember. */
static void
show(unsigned n, uint32_t flags)
{
    window_pt[0] = window_entry(n, flags);
    invlpg(WINDOW);
    (void)number_seen();
}

static void
check_flushes(void)
{
    show(0, ALL_RIGHTS);
    window_pt[0] = window_entry(1, ALL_RIGHTS);
    invlpg(WINDOW + PAGE - 1);
    check("another page, by INVLPG", number_seen(), 1);
    window_pt[0] = window_entry(2, ALL_RIGHTS);
    write_cr3(read_cr3());
    check("another page, by CR3", number_seen(), 2);
    window_pt[0] = 0;
    invlpg(WINDOW);
    check("no page, by INVLPG", number_seen(), 0x100 + VEC_PF);
    window_pt[0] = window_entry(3, ALL_RIGHTS);
    check("a page where there was none", number_seen(), 3);
    *window_pd = 0;
    invlpg(WINDOW);
    check("no table, by INVLPG", number_seen(), 0x100 + VEC_PF);
    *window_pd = (uint32_t)window_pt | ALL_RIGHTS;
    check("a table where there was none", number_seen(), 3);
}

/* The fault itself forgets what the CPU remembered: SDM 3A 4.10.4.1. */
static void
check_more_rights(void)
{
    struct context c;

    show(0, ALL_RIGHTS & ~(uint32_t)PTE_RW);
    window_pt[0] |= (uint32_t)PTE_RW;
    window_run(&c, WRITE, 3, WINDOW);
    if (c.vector == VEC_PF)
        window_run(&c, WRITE, 3, WINDOW);
    check("writable at the second try", c.vector, VEC_DONE);
    show(0, ALL_RIGHTS & ~(uint32_t)PTE_US);
    window_pt[0] |= (uint32_t)PTE_US;
    window_run(&c, READ, 3, WINDOW);
    if (c.vector == VEC_PF)
        window_run(&c, READ, 3, WINDOW);
    check("readable at the second try", c.vector, VEC_DONE);
    show(0, ALL_RIGHTS);
    window_pt[0] &= ~(uint32_t)PTE_RW;
    invlpg(WINDOW);
    window_run(&c, WRITE, 3, WINDOW);
    check_page_fault("read-only by INVLPG", &c, 7, WINDOW);
}

static void
check_global(void)
{
    write_cr4(CR4_PGE);
    show(0, ALL_RIGHTS | G);
    window_pt[0] = window_entry(1, ALL_RIGHTS | G);
    invlpg(WINDOW);
    check("a global page, by INVLPG", number_seen(), 1);
    window_pt[0] = window_entry(2, ALL_RIGHTS | G);
    write_cr4(0);
    check("a global page, by CR4.PGE", number_seen(), 2);
    write_cr4(CR4_PGE);
    window_pt[0] = window_entry(3, ALL_RIGHTS);
    invlpg(WINDOW);
    (void)number_seen();
    window_pt[0] = window_entry(0, ALL_RIGHTS);
    write_cr3(read_cr3());
    check("one that is not, by CR3", number_seen(), 0);
    show(1, ALL_RIGHTS | G);
    window_pt[0] = window_entry(2, ALL_RIGHTS | G);
    write_cr0(read_cr0() & ~CR0_PG);
    write_cr0(read_cr0() | CR0_PG);
    check("a global page, by CR0.PG", number_seen(), 2);
    write_cr4(0);
}

/* The directory as its own table shows all tables in the top 4 MB. */
static void
check_recursive(void)
{
    uint32_t *ptes = (uint32_t *)(RECURSIVE_PT + (WINDOW >> 10));
    uint32_t *pdes = (uint32_t *)RECURSIVE_PD;

    two_level_pd[RECURSIVE] = (uint32_t)two_level_pd | ALL_RIGHTS;
    show(0, ALL_RIGHTS);
    check("recursive: the PTE", mmio_read32(ptes) & ~(uint32_t)(PAGE - 1),
          window_entry(0, 0));
    check("recursive: the PDE", mmio_read32(&pdes[WINDOW >> 22]) &
          ~(uint32_t)(PAGE - 1), (uint32_t)window_pt);
    mmio_write32(ptes, window_entry(1, ALL_RIGHTS));
    invlpg(WINDOW);
    check("recursive: a PTE written", number_seen(), 1);
    mmio_write32(ptes, 0);
    invlpg(WINDOW);
    check("recursive: a PTE cleared", number_seen(), 0x100 + VEC_PF);
    mmio_write32(ptes, window_entry(2, ALL_RIGHTS));
    check("recursive: a PTE made", number_seen(), 2);
    two_level_pd[RECURSIVE] = 0;
}

/* Another directory, another view; back again; and a table becomes data. */
static void
check_directories(void)
{
    memcpy(other_pd, two_level_pd, sizeof(other_pd));
    other_pd[WINDOW >> 22] = (uint32_t)other_pt | ALL_RIGHTS;
    show(0, ALL_RIGHTS);
    for (unsigned n = 0; n < 3; n++) {
        other_pt[0] = window_entry(1 + n, ALL_RIGHTS);
        write_cr3((uint32_t)other_pd);
        if (number_seen() != 1 + n)
            check("another directory", number_seen(), 1 + n);
        write_cr3((uint32_t)two_level_pd);
        if (number_seen() != 0)
            check("the first directory", number_seen(), 0);
    }
    check("two directories in turn", number_seen(), 0);
    memset(other_pt, 0xa5, sizeof(other_pt));
    window_pt[0] = (uint32_t)other_pt | ALL_RIGHTS;
    invlpg(WINDOW);
    check("a table is data", number_seen(), 0xa5a5a5a5);
    other_pt[NUMBER_AT / 4] = 5;
    check("a table is data that changes", number_seen(), 5);
    window_pt[1] = (uint32_t)window_pt | ALL_RIGHTS;
    invlpg(WINDOW + PAGE);
    mmio_write32((void *)(WINDOW + PAGE), window_entry(3, ALL_RIGHTS));
    invlpg(WINDOW);
    check("a table that maps itself as data", number_seen(), 3);
}

TOPIC(tlb)
{
    paging_on();
    check_flushes();
    check_more_rights();
    check_global();
    check_recursive();
    check_directories();
    paging_off();
}
