/*
 * modes.c - paging off and on, from one format to the other, with and without
 * CR0.WP.
 *
 * A load of a control register that changes what addresses mean takes effect
 * with the next instruction, which may be fetched from elsewhere; what was
 * known about translations is forgotten with PG, PAE and PSE.  SDM 3A 2.5,
 * 4.1.2 (changing the mode), 4.4.1 (what loads PDPTEs), 4.6.1 (WP), 4.10.4.1.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define TURNS           20u
#define CODE_AT         0x100u          /* in its page */
#define HIGH            0x80000000u
#define HIGH_PDE        512u
#define HIGH_PDPTE      2u
#define NUMBER          (WINDOW + NUMBER_AT)
#define MARK            0x12345678u

static uint32_t
number_at(uint32_t at)
{
    struct context c;

    window_run(&c, READ, 3, at);
    return c.vector == VEC_DONE ? c.eax : 0x100 + c.vector;
}

static void
set_paging(bool is_on)
{
    write_cr0(is_on ? read_cr0() | CR0_PG : read_cr0() & ~CR0_PG);
}

static uint32_t *
low_table(void)
{
    return (uint32_t *)(two_level_pd[0] & ~(PAGE - 1));
}

/* --- Off and on ------------------------------------------------------------*/

static void
check_off_and_on(void)
{
    unsigned right = 0;

    for (unsigned n = 0; n < TURNS; n++) {
        set_paging(false);
        window_pt[0] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        right += number_at((uint32_t)window_memory[1] + NUMBER_AT) == 1;
        set_paging(true);
        right += number_at(NUMBER) == n % WINDOW_PAGES;
    }
    check("off, a PTE written, and on", right, 2 * TURNS);
    right = 0;
    for (unsigned n = 0; n < TURNS; n++) {
        window_pt[0] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        set_paging(false);
        set_paging(true);
        right += number_at(NUMBER) == n % WINDOW_PAGES;
    }
    check("a PTE written, off and on", right, TURNS);
    set_paging(false);
    check("without paging there are no rights",
          number_at((uint32_t)window_memory[2] + NUMBER_AT), 2);
    set_paging(true);
}

/* CR0 is loaded in one page, and the next instruction is in another. */
static void
check_not_identity(void)
{
    static const uint8_t paged[] = {
        0x0f, 0x22, 0xc0,               /* mov %eax, %cr0: off */
        0xb9, 9, 0, 0, 0,               /* mov $9, %ecx: must not run */
        0x0f, 0x22, 0xc2,
        0xbb, 2, 0, 0, 0,               /* mov $2, %ebx */
        0xcd, VEC_DONE,
    }, plain[] = {
        0x0f, 0x22, 0xc0,
        0xb9, 1, 0, 0, 0,               /* mov $1, %ecx */
        0x0f, 0x22, 0xc2,               /* mov %edx, %cr0: on */
        0xbb, 9, 0, 0, 0,               /* mov $9, %ebx: must not run */
        0xcd, VEC_DONE,
    };
    uint32_t at = (uint32_t)window_memory[0];
    unsigned right = 0;
    struct context c;

    memcpy(window_memory[0] + CODE_AT, plain, sizeof(plain));
    memcpy(window_memory[1] + CODE_AT, paged, sizeof(paged));
    low_table()[at / PAGE] = window_entry(1, ALL_RIGHTS);
    write_cr3(read_cr3());
    for (unsigned n = 0; n < TURNS; n++) {
        context_init(&c, (const void *)(at + CODE_AT), 0);
        c.edx = read_cr0();
        c.eax = c.edx & ~CR0_PG;
        context_run(&c);
        right += c.vector == VEC_DONE && c.ebx == 2 && c.ecx == 1;
    }
    check("the next instruction is elsewhere", right, TURNS);
    low_table()[at / PAGE] = at | ALL_RIGHTS;
    write_cr3(read_cr3());
}

/* What is loaded while paging is off counts when it is on. */
static void
check_cr3_while_off(void)
{
    static uint32_t other_pd[1024] ALIGNED(4096), other_pt[1024] ALIGNED(4096);
    unsigned right = 0;

    memcpy(other_pd, two_level_pd, sizeof(other_pd));
    other_pd[WINDOW >> 22] = (uint32_t)other_pt | ALL_RIGHTS;
    other_pt[0] = window_entry(3, ALL_RIGHTS);
    window_pt[0] = window_entry(1, ALL_RIGHTS);
    for (unsigned n = 0; n < TURNS; n++) {
        set_paging(false);
        write_cr3((uint32_t)(n % 2 ? two_level_pd : other_pd));
        set_paging(true);
        right += number_at(NUMBER) == (n % 2 ? 1 : 3);
    }
    check("CR3 loaded while it is off", right, TURNS);
    set_paging(false);
    write_cr4(CR4_PSE);
    two_level_pd[HIGH_PDE] = ALL_RIGHTS | (uint32_t)PTE_PS;
    set_paging(true);
    check("PSE set while it is off",
          number_at(HIGH + (uint32_t)window_memory[2] + NUMBER_AT), 2);
    two_level_pd[HIGH_PDE] = 0;
    write_cr4(0);
}

/* --- Two formats -----------------------------------------------------------*/

static void
use_format(bool is_pae)
{
    set_paging(false);
    write_cr4(is_pae ? CR4_PAE : 0);
    write_cr3(is_pae ? (uint32_t)pae_pdpt : (uint32_t)two_level_pd);
    set_paging(true);
}

static void
check_formats(void)
{
    unsigned right = 0;

    paging_off();
    paging_on_pae();
    window_pt[0] = window_entry(1, ALL_RIGHTS);
    pae_window_pt[0] = window_entry(2, ALL_RIGHTS);
    for (unsigned n = 0; n < TURNS; n++) {
        use_format(false);
        right += number_at(NUMBER) == 1;
        use_format(true);
        right += number_at(NUMBER) == 2;
    }
    check("two levels and PAE in turn", right, 2 * TURNS);
}

/* One page is a table of both: entries 2n and 2n + 1 are PAE's entry n. */
static void
check_shared_table(void)
{
    unsigned right = 0;

    *pae_window_pd = (uint32_t)window_pt | ALL_RIGHTS;
    window_pt[1] = window_pt[3] = 0;
    for (unsigned n = 0; n < TURNS; n++) {
        use_format(n % 2);
        window_pt[2] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        invlpg(WINDOW + PAGE);
        invlpg(WINDOW + 2 * PAGE);
        right += number_at(NUMBER + PAGE * (2 - n % 2)) == n % WINDOW_PAGES;
    }
    check("one table for both", right, TURNS);
    use_format(false);
    *pae_window_pd = (uint32_t)pae_window_pt | ALL_RIGHTS;
    for (unsigned n = 0; n < WINDOW_PAGES; n++)
        window_pt[n] = window_entry(n, ALL_RIGHTS);
    write_cr3(read_cr3());
}

/*
 * CR4.PAE changes while paging is on, in code at HIGH: the page at CR3 is a
 * directory whose entries 4 and 5 are also PDPTE 2.
 */
SNIPPET(toggle, "mov %eax, %cr3; mov (%ebx), %eax",
        "mov %edx, %cr4; add (%ebx), %eax; mov %ecx, %cr4; add (%ebx), %eax",
        "mov %edi, %cr3; mov (%esi), %edx");

static void
check_toggle(void)
{
    static uint32_t both[1024] ALIGNED(4096);
    static uint32_t word;
    unsigned right = 0;
    struct context c;

    both[HIGH_PDE] = two_level_pd[HIGH_PDE] = two_level_pd[0];
    both[2 * HIGH_PDPTE] = (uint32_t)pae_pdpt[0];
    for (unsigned n = 0; n < TURNS; n++) {
        word = n;
        write_cr3(read_cr3());
        context_init(&c, (const void *)((uint32_t)toggle.start + HIGH), 0);
        c.eax = (uint32_t)both;
        c.ebx = HIGH + (uint32_t)&word;
        c.ecx = read_cr4();
        c.edx = c.ecx | CR4_PAE;
        c.esi = (uint32_t)&word;
        c.edi = read_cr3();
        context_run(&c);
        right += c.vector == VEC_DONE && c.eax == 3 * n && c.edx == n;
    }
    check("PAE set and cleared while paging is on", right, TURNS);
    two_level_pd[HIGH_PDE] = 0;
    write_cr3(read_cr3());
}

/* --- Write protection ------------------------------------------------------*/

#define READ_ONLY (ALL_RIGHTS & ~(uint32_t)PTE_RW)

/* Each has EBX in a page that is read-only, and writes MARK to (EBX). */
SNIPPET(by_mov, "mov %edx, %cr0", "mov %eax, (%ebx)", "");
SNIPPET(by_pop, "mov %edx, %cr0; push %eax", "popl (%ebx)", "");
SNIPPET(by_string, "mov %edx, %cr0; mov %ebx, %edi; mov $8, %ecx; cld",
        "rep stosl", "");
SNIPPET(by_lock, "mov %edx, %cr0; sub (%ebx), %eax",
        "lock xadd %eax, (%ebx)", "");
SNIPPET(by_push, "mov %edx, %cr0; mov %esp, %edi; lea 4(%ebx), %esp",
        "push %eax", "mov %edi, %esp");
SNIPPET(by_cmpxchg, "mov %edx, %cr0; mov %eax, %ecx; mov (%ebx), %eax",
        "cmpxchg %ecx, (%ebx)", "");

static bool
writes(struct context *c, const struct snippet *s, uint32_t cr0)
{
    context_init(c, s->start, 0);
    c->eax = MARK;
    c->ebx = WINDOW + 0x200;
    c->edx = cr0;
    mmio_write32(window_memory[0] + 0x200, 0);
    context_run(c);
    return c->vector == VEC_DONE &&
           mmio_read32(window_memory[0] + 0x200) == MARK;
}

static void
check_write_protect(void)
{
    static const struct {
        const char *name;
        const struct snippet *snippet;
    } ways[] = {
        { "WP and MOV", &by_mov }, { "WP and POP", &by_pop },
        { "WP and REP STOS", &by_string }, { "WP and XADD", &by_lock },
        { "WP and CMPXCHG", &by_cmpxchg },
    };
    uint32_t cr0 = read_cr0() & ~CR0_WP;
    struct context c;

    window_pt[0] = window_entry(0, READ_ONLY);
    write_cr3(read_cr3());
    for (size_t n = 0; n < ARRAY_LEN(ways); n++) {
        unsigned right = 0;

        for (unsigned turn = 0; turn < TURNS; turn++) {
            right += writes(&c, ways[n].snippet, cr0);
            right += !writes(&c, ways[n].snippet, cr0 | CR0_WP) &&
                     c.vector == VEC_PF && c.error == 3 &&
                     c.eip == (uint32_t)ways[n].snippet->at;
            window_run(&c, WRITE, 3, WINDOW + 0x200);
            right += c.vector == VEC_PF && c.error == 7;
        }
        check(ways[n].name, right, 3 * TURNS);
    }
    check("a stack that is read-only", writes(&c, &by_push, cr0), true);
    write_cr0(cr0);
}

/* With WP = 0 a page's code is written to, and the code is the new one. */
static void
check_code_behind_it(void)
{
    static const uint8_t code[] = { 0xb8, 0, 0, 0, 0, 0xcd, VEC_DONE };
    unsigned right = 0;
    struct context c;

    memcpy(window_memory[0], code, sizeof(code));
    for (uint32_t n = 0; n < TURNS; n++) {
        mmio_write8((void *)(WINDOW + 1), (uint8_t)n);
        window_run(&c, FETCH, n % 2 * 3, WINDOW);
        right += c.vector == VEC_DONE && c.eax == n;
    }
    check("code that only ring 0 may write", right, TURNS);
}

/* The CPU sets a descriptor's A as a supervisor writes: SDM 3A 4.6.1. */
static void
check_tables(void)
{
    struct table_register gdtr = { sizeof(gdt) - 1, WINDOW };
    struct context c;

    memcpy(window_memory[0], gdt, sizeof(gdt));
    gdtr.base = WINDOW;
    lgdt(&gdtr);
    ((struct segdesc *)(void *)window_memory[0])[GDT_DATA3].type = SEG_DATA_W;
    write_cr0(read_cr0() | CR0_WP);
    context_init(&c, by_mov.start, 3);
    context_run(&c);
    check("WP: a descriptor's A is not set", c.vector, VEC_PF);
    write_cr0(read_cr0() & ~CR0_WP);
    context_init(&c, by_mov.at, 3);
    c.ebx = (uint32_t)window_memory[2];
    context_run(&c);
    check("without WP it is", c.vector + ((struct segdesc *)(void *)
          window_memory[0])[GDT_DATA3].type,
          VEC_DONE + (SEG_DATA_W | SEG_ACCESSED));
    gdtr.base = (uint32_t)gdt;
    lgdt(&gdtr);
}

TOPIC(modes)
{
    paging_on();
    check_off_and_on();
    check_not_identity();
    check_cr3_while_off();
    check_formats();
    use_format(false);
    check_shared_table();
    check_toggle();
    check_write_protect();
    check_code_behind_it();
    check_tables();
    paging_off();
}
