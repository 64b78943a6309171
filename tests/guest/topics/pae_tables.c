/*
 * pae_tables.c - PAE further: accessed and dirty bits, write protection, NX
 * with all kinds of pages, global pages, tables that show themselves, what is
 * beyond 4 GB and beyond all addresses, and which loads latch the PDPTEs.
 *
 * SDM 3A 4.4.1 (PDPTEs), 4.4.2 and tables 4-9 to 4-11 (entries), 4.6 (rights),
 * 4.8 (A and D), 4.10.2.4 (global pages), 4.10.4.1 (what forgets them).
 */
#include "guest/paging.h"

#define CPUID_EXTENDED  0x80000001u
#define CPUID_NX        BIT(20)         /* of its EDX */
#define CPUID_ADDRESSES 0x80000008u
#define PHYSICAL_BITS   BITS(7, 0)      /* of its EAX */
#define SUPERVISOR      (PTE_P | PTE_RW)
#define READ_ONLY       (PTE_P | PTE_US)
#define LARGE           (ALL_RIGHTS | PTE_PS)
#define LARGE_MASK      (LARGE_PAGE_SIZE - 1)
#define NUMBER          (WINDOW + NUMBER_AT)
#define NONE            0xffffffffu     /* no fault */
#define SELF            511u            /* the PDE that is its directory */
#define SELF_PT         (WINDOW + SELF * LARGE_PAGE_SIZE)
#define SELF_PD         (SELF_PT + SELF * PAGE)
#define NEXT_PDPTE      2
#define NEXT            0x80000000u     /* what it maps */
#define PDPTE_RESERVED  BIT64(1)
#define CACHE_BITS      (PTE_PWT | PTE_PCD)

static void
set_small(pte_t pde, pte_t pte)
{
    *pae_window_pd = (uint32_t)pae_window_pt | pde;
    pae_window_pt[0] = window_entry(0, 0) | pte;
    write_cr3(read_cr3());
}

/* A page of 2 MB; where page N of `window_memory` is in it. */
static uint32_t
set_large(pte_t flags, unsigned n)
{
    uint32_t page = (uint32_t)window_memory[n];

    *pae_window_pd = (page & ~LARGE_MASK) | flags;
    write_cr3(read_cr3());
    return WINDOW + (page & LARGE_MASK);
}

static uint32_t
number_at(uint32_t at)
{
    struct context c;

    window_run(&c, READ, 3, at);
    return c.vector == VEC_DONE ? c.eax : 0x100 + c.vector;
}

/* --- Accessed and dirty ----------------------------------------------------*/

#define AD (PTE_A | PTE_D)

/* As hexadecimal digits: A and D of the PDE, then of the PTE. */
static void
check_bits(const char *name, uint32_t expected)
{
    check(name, (uint32_t)((*pae_window_pd & AD) >> 1 |
                           (pae_window_pt[0] & AD) >> 5), expected);
}

static void
check_small_bits(void)
{
    struct context c;

    set_small(ALL_RIGHTS, ALL_RIGHTS);
    window_run(&c, READ, 3, WINDOW);
    check_bits("a read sets A", 0x11);
    window_run(&c, WRITE, 3, WINDOW);
    check_bits("a write behind it D", 0x13);
    set_small(ALL_RIGHTS, ALL_RIGHTS);
    window_run(&c, WRITE, 0, WINDOW);
    check_bits("a write sets both", 0x13);
    set_small(ALL_RIGHTS, ALL_RIGHTS);
    window_run(&c, FETCH, 0, WINDOW);
    check_bits("a fetch sets A", 0x11);
    set_small(ALL_RIGHTS, READ_ONLY);
    window_run(&c, WRITE, 3, WINDOW);
    check("a write that faults sets no D", pae_window_pt[0] & PTE_D, 0);
    pae_window_pt[0] = window_entry(0, ALL_RIGHTS | AD);
    invlpg(WINDOW);
    window_run(&c, WRITE, 3, WINDOW);
    pae_window_pt[0] &= ~AD;
    write_cr3(read_cr3());
    window_run(&c, READ, 3, WINDOW);
    check_bits("A and D taken away: a read", 0x11);
    window_run(&c, WRITE, 3, WINDOW);
    check_bits("and a write", 0x13);
    check("PDPTEs have no A", (uint32_t)pae_pdpt[pdpt_index(WINDOW)] & AD, 0);
}

static void
check_large_bits(void)
{
    struct context c;
    uint32_t at = set_large(LARGE, 1);

    window_run(&c, READ, 3, at);
    check("2 MB: a read sets A", *pae_window_pd & AD, PTE_A);
    window_run(&c, WRITE, 3, at);
    check("2 MB: a write D", *pae_window_pd & AD, AD);
    set_large(LARGE, 1);
    window_run(&c, FETCH, 3, at);
    check("2 MB: a fetch A", *pae_window_pd & AD, PTE_A);
    window_run(&c, WRITE, 0, WINDOW + LARGE_PAGE_SIZE - PAGE);
    check("2 MB: a write elsewhere D", *pae_window_pd & AD, AD);
    set_large(LARGE & ~PTE_RW, 1);
    window_run(&c, WRITE, 3, at);
    check("2 MB: no D by a write that faults", *pae_window_pd & PTE_D, 0);
}

/* --- Write protection ------------------------------------------------------*/

static uint32_t
write_error(unsigned ring, bool wp, uint32_t at)
{
    struct context c;

    write_cr0(wp ? read_cr0() | CR0_WP : read_cr0() & ~CR0_WP);
    window_run(&c, WRITE, ring, at);
    write_cr0(read_cr0() & ~CR0_WP);
    return c.vector == VEC_DONE ? NONE : c.error;
}

static void
check_write_protect(void)
{
    uint32_t at;

    set_small(ALL_RIGHTS, READ_ONLY);
    check("WP = 0: ring 0 writes", write_error(0, false, WINDOW), NONE);
    check_bits("which sets D", 0x13);
    check("WP = 1: it does not", write_error(0, true, WINDOW), 3);
    check("nor does ring 3", write_error(3, false, WINDOW), 7);
    set_small(READ_ONLY, ALL_RIGHTS);
    check("WP = 0: a table that is read-only", write_error(0, false, WINDOW),
          NONE);
    check("WP = 1: a table that is read-only", write_error(0, true, WINDOW),
          3);
    at = set_large(LARGE & ~PTE_RW, 1);
    check("2 MB: WP = 0", write_error(0, false, at), NONE);
    check("2 MB: it sets D", *pae_window_pd & AD, AD);
    check("2 MB: WP = 1", write_error(0, true, at), 3);
    check("2 MB: ring 3", write_error(3, false, at), 7);
}

/* --- No execution ----------------------------------------------------------*/

struct nx_case {
    const char *name;
    pte_t pde, pte;             /* PTE 0: of 2 MB */
    enum operation op;
    unsigned ring;
    uint32_t error;
};

static const struct nx_case nx_cases[] = {
    { "NX in both: read", ALL_RIGHTS | PTE_NX, ALL_RIGHTS | PTE_NX, READ, 3,
      NONE },
    { "NX in both: write", ALL_RIGHTS | PTE_NX, ALL_RIGHTS | PTE_NX, WRITE, 3,
      NONE },
    { "NX in both: fetch", ALL_RIGHTS | PTE_NX, ALL_RIGHTS | PTE_NX, FETCH, 3,
      0x15 },
    { "NX in the table: fetch of ring 0", ALL_RIGHTS | PTE_NX, ALL_RIGHTS,
      FETCH, 0, 0x11 },
    { "NX, read-only: write", ALL_RIGHTS, READ_ONLY | PTE_NX, WRITE, 3, 7 },
    { "NX, a supervisor's: read", ALL_RIGHTS, SUPERVISOR | PTE_NX, READ, 3,
      5 },
    { "NX, a supervisor's: fetch of ring 0", ALL_RIGHTS, SUPERVISOR | PTE_NX,
      FETCH, 0, 0x11 },
    { "a supervisor's without NX: fetch of ring 0", ALL_RIGHTS, SUPERVISOR,
      FETCH, 0, NONE },
    { "NX: no page", ALL_RIGHTS, PTE_NX, FETCH, 3, 0x14 },
    { "2 MB, NX: read", LARGE | PTE_NX, 0, READ, 3, NONE },
    { "2 MB, NX: write", LARGE | PTE_NX, 0, WRITE, 0, NONE },
    { "2 MB, NX: fetch", LARGE | PTE_NX, 0, FETCH, 3, 0x15 },
    { "2 MB, NX: fetch of ring 0", LARGE | PTE_NX, 0, FETCH, 0, 0x11 },
    { "2 MB: fetch", LARGE, 0, FETCH, 3, NONE },
};

static void
check_nx_cases(void)
{
    struct context c;

    for (size_t n = 0; n < ARRAY_LEN(nx_cases); n++) {
        const struct nx_case *p = &nx_cases[n];
        uint32_t at = WINDOW;

        if (p->pde & PTE_PS)
            at = set_large(p->pde, 1);
        else
            set_small(p->pde, p->pte);
        window_run(&c, p->op, p->ring, at);
        if (p->error == NONE)
            check(p->name, c.vector, VEC_DONE);
        else
            check_page_fault(p->name, &c, p->error, at);
    }
}

static void
check_nx(void)
{
    struct cpuid_regs regs;
    struct context c;
    uint64_t efer;

    cpuid(CPUID_EXTENDED, 0, &regs);
    if ((regs.edx & CPUID_NX) == 0) {
        skip("NX");
        return;
    }
    efer = rdmsr(MSR_EFER);
    wrmsr(MSR_EFER, efer | EFER_NXE);
    check_nx_cases();
    set_small(ALL_RIGHTS, ALL_RIGHTS | PTE_NX);
    check("NX is there", number_at(NUMBER), 0);
    wrmsr(MSR_EFER, efer & ~(uint64_t)EFER_NXE);
    write_cr3(read_cr3());
    window_run(&c, READ, 3, WINDOW);
    check_page_fault("NXE goes: NX is reserved", &c, 0xd, WINDOW);
    wrmsr(MSR_EFER, efer | EFER_NXE);
    write_cr3(read_cr3());
    check("NXE comes back", number_at(NUMBER), 0);
    set_small(ALL_RIGHTS, ALL_RIGHTS);
    wrmsr(MSR_EFER, efer);
}

/* --- Entries ---------------------------------------------------------------*/

static void
check_entries(void)
{
    struct cpuid_regs regs;
    struct context c;
    pte_t beyond;

    cpuid(CPUID_ADDRESSES, 0, &regs);
    beyond = BIT64(regs.eax & PHYSICAL_BITS);
    set_small(ALL_RIGHTS, ALL_RIGHTS | beyond);
    window_run(&c, READ, 3, WINDOW);
    check_page_fault("an address that is too long", &c, 0xd, WINDOW);
    set_small(ALL_RIGHTS | beyond, ALL_RIGHTS);
    window_run(&c, WRITE, 0, WINDOW);
    check_page_fault("a table's that is too long", &c, 0xb, WINDOW);
    set_large(LARGE | beyond, 1);
    window_run(&c, READ, 0, WINDOW);
    check_page_fault("2 MB: one that is too long", &c, 9, WINDOW);
    set_small(ALL_RIGHTS | CACHE_BITS, ALL_RIGHTS | CACHE_BITS);
    check("cache bits", number_at(NUMBER), 0);
    set_small(ALL_RIGHTS, ALL_RIGHTS | BIT64(32));
    check("nothing is beyond 4 GB", number_at(NUMBER), NONE);
    set_small(ALL_RIGHTS, ALL_RIGHTS | BITS64(11, 9));
    check("bits for software", number_at(NUMBER), 0);
}

/* --- Global pages ----------------------------------------------------------*/

static bool
is_either(uint32_t number, uint32_t a, uint32_t b)
{
    return number == a || number == b;
}

static void
check_global(void)
{
    uint32_t number, at;

    write_cr4(read_cr4() | CR4_PGE);
    set_small(ALL_RIGHTS, ALL_RIGHTS | PTE_G);
    check("a global page", number_at(NUMBER), 0);
    pae_window_pt[0] = window_entry(1, ALL_RIGHTS) | PTE_G;
    write_cr3(read_cr3());
    number = number_at(NUMBER);
    check("CR3: the old or the new one", is_either(number, 0, 1), true);
    write_cr4(read_cr4() & ~CR4_PGE);
    check("CR4.PGE: the new one", number_at(NUMBER), 1);
    write_cr4(read_cr4() | CR4_PGE);
    (void)number_at(NUMBER);
    pae_window_pt[0] = window_entry(2, ALL_RIGHTS) | PTE_G;
    invlpg(WINDOW);
    check("INVLPG: the new one", number_at(NUMBER), 2);
    at = set_large(LARGE | PTE_G, 3) + NUMBER_AT;
    invlpg(WINDOW);
    check("2 MB: a global page", number_at(at), 3);
    *pae_window_pd = (uint32_t)pae_window_pt | ALL_RIGHTS;
    write_cr4(read_cr4() & ~CR4_PGE);
    write_cr4(read_cr4() | CR4_PGE);
    check("2 MB: CR4.PGE", number_at(NUMBER), 2);
    write_cr4(read_cr4() & ~CR4_PGE);
    set_small(ALL_RIGHTS, ALL_RIGHTS);
}

/* --- Tables that show themselves -------------------------------------------*/

static void
check_self(void)
{
    pte_t *ptes = (pte_t *)SELF_PT, *pdes = (pte_t *)SELF_PD;
    pte_t found;

    set_small(ALL_RIGHTS, ALL_RIGHTS);
    pae_window_pd[SELF] = (uint32_t)pae_window_pd | ALL_RIGHTS;
    found = mmio_read32(&ptes[1]);
    check("self: a PTE", (uint32_t)found & ~(PAGE - 1), window_entry(1, 0));
    check("self: its A", (uint32_t)pae_window_pd[SELF] & AD, PTE_A);
    check("self: the PDE", mmio_read32(pdes) & ~(PAGE - 1),
          (uint32_t)pae_window_pt);
    mmio_write32(&ptes[0], window_entry(2, ALL_RIGHTS));
    invlpg(WINDOW);
    check("self: a PTE written", number_at(NUMBER), 2);
    mmio_write32(&pdes[0], 0);
    invlpg(WINDOW);
    check("self: a PDE written", number_at(NUMBER), 0x100 + VEC_PF);
    mmio_write32(&pdes[0], (uint32_t)pae_window_pt | ALL_RIGHTS);
    check("self: and back", number_at(NUMBER), 2);
    check("self: its D", (uint32_t)pae_window_pd[SELF] & AD, AD);
    mmio_write32(&pdes[SELF], 0);
    write_cr3(read_cr3());
    check("self: away by itself", number_at(SELF_PD), 0x100 + VEC_PF);
}

/* --- What latches the PDPTEs -----------------------------------------------*/

SNIPPET(load_cr0, "", "mov %eax, %cr0", "");
SNIPPET(load_cr4, "", "mov %eax, %cr4", "");

/* PDPTE NEXT_PDPTE comes or goes, and a load is made: is it seen? */
static bool
is_seen(bool is_there)
{
    return (number_at(NEXT + NUMBER_AT) == 0x100 + VEC_PF) != is_there;
}

static void
check_latching(void)
{
    pte_t entry = pae_pdpt[pdpt_index(WINDOW)];

    set_small(ALL_RIGHTS, ALL_RIGHTS);
    pae_pdpt[NEXT_PDPTE] = entry;
    write_cr0(read_cr0() ^ CR0_WP);
    write_cr0(read_cr0() ^ CR0_WP);
    check("CR0.WP does not latch", is_seen(false), true);
    write_cr0(read_cr0() ^ CR0_CD);
    check("CR0.CD does", is_seen(true), true);
    pae_pdpt[NEXT_PDPTE] = 0;
    write_cr0(read_cr0() ^ CR0_CD);
    invlpg(NEXT);
    check("and again, with INVLPG", is_seen(false), true);
    pae_pdpt[NEXT_PDPTE] = entry;
    write_cr4(read_cr4() ^ CR4_TSD);
    write_cr4(read_cr4() ^ CR4_TSD);
    check("CR4.TSD does not", is_seen(false), true);
    write_cr4(read_cr4() ^ CR4_PGE);
    check("CR4.PGE does", is_seen(true), true);
    pae_pdpt[NEXT_PDPTE] = 0;
    write_cr4(read_cr4() ^ CR4_PSE);
    check("CR4.PSE does", is_seen(false), true);
    pae_pdpt[NEXT_PDPTE] = entry | CACHE_BITS;
    write_cr0(read_cr0() & ~CR0_PG);
    write_cr0(read_cr0() | CR0_PG);
    check("CR0.PG does", is_seen(true), true);
}

static void
check_load(const char *name, const struct snippet *load, uint32_t value)
{
    struct context c;

    context_init(&c, load->start, 0);
    c.eax = value;
    context_run(&c);
    check_trap(name, &c, VEC_GP, 0, load->at);
}

static void
check_bad_loads(void)
{
    uint32_t cr0 = read_cr0(), cr4 = read_cr4();

    pae_pdpt[NEXT_PDPTE] = PTE_P | PDPTE_RESERVED;
    check_load("CR0.CD and a reserved bit", &load_cr0, cr0 ^ CR0_CD);
    check("leave CR0", read_cr0(), cr0);
    check_load("CR4.PGE and a reserved bit", &load_cr4, cr4 ^ CR4_PGE);
    check("leave CR4", read_cr4(), cr4);
    write_cr0(cr0 & ~CR0_PG);
    check_load("CR0.PG and a reserved bit", &load_cr0, cr0);
    check("leave paging off", read_cr0() & CR0_PG, 0);
    pae_pdpt[NEXT_PDPTE] = 0;
    write_cr0(cr0);
}

TOPIC(pae_tables)
{
    paging_on_pae();
    check_small_bits();
    check_large_bits();
    check_write_protect();
    check_nx();
    check_entries();
    check_global();
    check_self();
    check_latching();
    check_bad_loads();
    paging_off();
}
