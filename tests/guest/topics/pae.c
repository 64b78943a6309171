/*
 * pae.c - PAE: rights, NX, large pages, reserved bits, and the four PDPTEs,
 * which a CPU reads when CR3 is loaded and not again.
 *
 * SDM 3A 4.4.1 (PDPTEs), 4.4.2 (entries), 4.6.1 (rights), 4.7 (error codes);
 * for RSVD and I/D in the error code figure 4-12.
 */
#include "guest/paging.h"

#define CPUID_EXTENDED  0x80000001u
#define CPUID_NX        BIT(20)         /* of its EDX */
#define LARGE_RESERVED  BIT64(13)       /* of a PDE of 2 MB */
#define PTE_RESERVED    BIT64(62)       /* above any physical address */
#define PDPTE_RESERVED  BIT64(1)
#define NONE            0xffffffffu
#define UNUSED_PDPTE    2
#define AT_UNUSED       0x80000000u

struct pae_case {
    const char *name;
    pte_t pde, pte;             /* their flags */
    enum operation op;
    unsigned ring;
    uint32_t error;
};

static const struct pae_case cases[] = {
    { "all rights: read", ALL_RIGHTS, ALL_RIGHTS, READ, 3, NONE },
    { "all rights: write", ALL_RIGHTS, ALL_RIGHTS, WRITE, 3, NONE },
    { "no table: read", 0, ALL_RIGHTS, READ, 0, 0 },
    { "no page: write by ring 3", ALL_RIGHTS, 0, WRITE, 3, 6 },
    { "read-only: write", ALL_RIGHTS, PTE_P | PTE_US, WRITE, 3, 7 },
    { "read-only table: write", PTE_P | PTE_US, ALL_RIGHTS, WRITE, 3, 7 },
    { "supervisor: read by ring 3", ALL_RIGHTS, PTE_P | PTE_RW, READ, 3, 5 },
    { "a reserved bit in a PTE", ALL_RIGHTS, ALL_RIGHTS | PTE_RESERVED, READ,
      0, 9 },
    { "a reserved bit in a PDE", ALL_RIGHTS | PTE_RESERVED, ALL_RIGHTS, WRITE,
      3, 0xf },
    { "not present, so nothing is reserved", ALL_RIGHTS, PTE_RESERVED, READ, 0,
      0 },
};

static const struct pae_case nx_cases[] = {
    { "NX: read", ALL_RIGHTS, ALL_RIGHTS | PTE_NX, READ, 3, NONE },
    { "NX: fetch by ring 3", ALL_RIGHTS, ALL_RIGHTS | PTE_NX, FETCH, 3, 0x15 },
    { "NX: fetch by ring 0", ALL_RIGHTS, ALL_RIGHTS | PTE_NX, FETCH, 0, 0x11 },
    { "NX table: fetch", ALL_RIGHTS | PTE_NX, ALL_RIGHTS, FETCH, 3, 0x15 },
    { "NXE: fetch of no page", ALL_RIGHTS, 0, FETCH, 3, 0x14 },
    { "NXE: fetch of a supervisor page", ALL_RIGHTS, PTE_P | PTE_RW, FETCH, 3,
      0x15 },
    { "NXE: fetch", ALL_RIGHTS, ALL_RIGHTS, FETCH, 3, NONE },
};

static void
set_entries(pte_t pde, pte_t pte)
{
    *pae_window_pd = (uint32_t)pae_window_pt | pde;
    pae_window_pt[0] = window_entry(0, 0) | pte;
    write_cr3(read_cr3());
}

static void
run_cases(const struct pae_case *p, size_t count)
{
    struct context c;

    for (size_t n = 0; n < count; n++, p++) {
        set_entries(p->pde, p->pte);
        window_run(&c, p->op, p->ring, WINDOW);
        if (p->error == NONE)
            check(p->name, c.vector, VEC_DONE);
        else
            check_page_fault(p->name, &c, p->error, WINDOW);
    }
}

static void
check_nx(void)
{
    struct cpuid_regs regs;
    struct context c;

    cpuid(CPUID_EXTENDED, 0, &regs);
    if ((regs.edx & CPUID_NX) == 0) {
        skip("NX");
        return;
    }
    set_entries(ALL_RIGHTS, ALL_RIGHTS | PTE_NX);
    window_run(&c, READ, 3, WINDOW);
    check_page_fault("without NXE, bit 63 is reserved", &c, 0xd, WINDOW);
    set_entries(ALL_RIGHTS, 0);
    window_run(&c, FETCH, 3, WINDOW);
    check_page_fault("without NXE, a fetch is like a read", &c, 4, WINDOW);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    run_cases(nx_cases, ARRAY_LEN(nx_cases));
    set_entries(ALL_RIGHTS, ALL_RIGHTS);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(uint64_t)EFER_NXE);
}

static void
check_large(void)
{
    uint32_t page = (uint32_t)window_memory[2];
    uint32_t at = WINDOW + (page & (LARGE_PAGE_SIZE - 1)) + NUMBER_AT;
    pte_t large = ROUND_DOWN(page, LARGE_PAGE_SIZE) | ALL_RIGHTS | PTE_PS;
    struct context c;

    *pae_window_pd = large;
    write_cr3(read_cr3());
    window_run(&c, READ, 3, at);
    check("2 MB: what is there", c.eax, 2);
    window_run(&c, WRITE, 3, at);
    check("2 MB: A and D", *pae_window_pd & (PTE_A | PTE_D), PTE_A | PTE_D);
    *pae_window_pd = large | LARGE_RESERVED;
    write_cr3(read_cr3());
    window_run(&c, READ, 3, at);
    check_page_fault("2 MB: a reserved bit", &c, 0xd, at);
    set_entries(ALL_RIGHTS, ALL_RIGHTS);
}

/* --- PDPTEs ----------------------------------------------------------------*/

SNIPPET(load_cr3, "", "mov %eax, %cr3", "");

static void
check_latched(void)
{
    pte_t entry = pae_pdpt[pdpt_index(WINDOW)];
    struct context c;

    pae_pdpt[UNUSED_PDPTE] = entry;
    window_run(&c, READ, 3, AT_UNUSED);
    check_page_fault("a new PDPTE is not seen", &c, 4, AT_UNUSED);
    write_cr3(read_cr3());
    window_run(&c, READ, 3, AT_UNUSED + NUMBER_AT);
    check("a new PDPTE is seen behind MOV CR3", c.vector, VEC_DONE);
    pae_pdpt[UNUSED_PDPTE] = 0;
    invlpg(AT_UNUSED);
    window_run(&c, READ, 3, AT_UNUSED);
    check("INVLPG does not read PDPTEs", c.vector, VEC_DONE);
    write_cr3(read_cr3());
    window_run(&c, READ, 3, AT_UNUSED);
    check_page_fault("a PDPTE is gone behind MOV CR3", &c, 4, AT_UNUSED);
    pae_pdpt[UNUSED_PDPTE] = PDPTE_RESERVED;
    context_init(&c, load_cr3.start, 0);
    c.eax = read_cr3();
    context_run(&c);
    check("reserved bits of an absent PDPTE", c.vector, VEC_DONE);
    pae_pdpt[UNUSED_PDPTE] = entry | PDPTE_RESERVED;
    context_init(&c, load_cr3.start, 0);
    c.eax = read_cr3() | BIT(3);        /* PWT, to tell */
    context_run(&c);
    check_trap("reserved bits of a PDPTE", &c, VEC_GP, 0, load_cr3.at);
    check("MOV CR3 that faults leaves CR3", read_cr3(), (uint32_t)pae_pdpt);
    pae_pdpt[UNUSED_PDPTE] = 0;
    write_cr3((uint32_t)pae_pdpt);
}

/* CR3's bits 31:5 are the table's address: 32 bytes are enough. */
static void
check_alignment(void)
{
    static pte_t tables[3][4] ALIGNED(32);
    struct context c;

    for (unsigned n = 0; n < 4; n++)
        tables[1][n] = pae_pdpt[n];
    write_cr3((uint32_t)tables[1]);
    window_run(&c, READ, 3, WINDOW + NUMBER_AT);
    check("a PDPT on 32 bytes", c.vector, VEC_DONE);
    write_cr3((uint32_t)pae_pdpt);
}

TOPIC(pae)
{
    paging_on_pae();
    run_cases(cases, ARRAY_LEN(cases));
    check_large();
    check_nx();
    check_latched();
    check_alignment();
    paging_off();
}
