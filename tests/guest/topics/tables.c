/*
 * tables.c - page tables where one would not look for them.
 *
 * A CPU does not care what else a page is: a table may be linked in two places,
 * at both levels, lie where there is no RAM, be the page of the code that runs
 * or of its stack, be written to by ring 3 or through another address, and stop
 * being a table at any time.  Changes are asked for behind INVLPG or a load of
 * CR3; without one, a CPU may use what it remembers or what is there, and
 * nothing else: SDM 3A 4.10.2, 4.10.4.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define PDE_SHIFT       22
#define LARGE_2         MB(4)
#define TURNS           20u
#define NUMBER          (WINDOW + NUMBER_AT)
#define SECOND          0x50000000u     /* another place for tables */
#define SECOND_PDE      (SECOND >> PDE_SHIFT)
#define FAULT           0x100u          /* and its vector */
#define READ_ONLY       (ALL_RIGHTS & ~(uint32_t)PTE_RW)
#define BEYOND_RAM      0xf0000000u     /* nobody answers there */
#define IN_ROM          0x000f0000u
#define MARK            0xa5a5a5a5u
#define CODE_BYTES      16u

static uint32_t spare[WINDOW_PAGES][1024] ALIGNED(4096);

static uint32_t
number_at(uint32_t at)
{
    struct context c;

    window_run(&c, READ, 3, at);
    return c.vector == VEC_DONE ? c.eax : FAULT + c.vector;
}

static void
flush(void)
{
    write_cr3(read_cr3());
}

static void
reset_window(void)
{
    memset(window_pt, 0, PAGE);
    for (unsigned n = 0; n < WINDOW_PAGES; n++)
        window_pt[n] = window_entry(n, ALL_RIGHTS);
    *window_pd = (uint32_t)window_pt | ALL_RIGHTS;
    two_level_pd[SECOND_PDE] = 0;
    flush();
}

/* --- The old one or the new one --------------------------------------------*/

static void
check_stale_pages(void)
{
    unsigned right = 0;
    uint32_t seen;

    for (unsigned n = 0; n < TURNS; n++) {
        unsigned old = n % 2, new = 1 - old;

        window_pt[0] = window_entry(old, ALL_RIGHTS);
        flush();
        right += number_at(NUMBER) == old;
        window_pt[0] = window_entry(new, ALL_RIGHTS);
        seen = number_at(NUMBER);
        right += seen == old || seen == new;
        window_pt[0] = 0;
        seen = number_at(NUMBER);
        right += seen == old || seen == new || seen == FAULT + VEC_PF;
        invlpg(WINDOW);
        right += number_at(NUMBER) == FAULT + VEC_PF;
    }
    check("another page, no page", right, 4 * TURNS);
}

/* A write goes to the old page or the new one, not to both, or it faults. */
static void
check_stale_writes(void)
{
    unsigned right = 0;
    struct context c;

    for (unsigned n = 0; n < TURNS; n++) {
        mmio_write32(window_memory[0] + 0x80, 0);
        mmio_write32(window_memory[1] + 0x80, 0);
        window_pt[0] = window_entry(0, ALL_RIGHTS);
        flush();
        window_run(&c, WRITE, 3, WINDOW);
        window_pt[0] = window_entry(1, n % 2 ? ALL_RIGHTS : READ_ONLY);
        window_run(&c, WRITE, 3, WINDOW + 0x80);
        right += (mmio_read32(window_memory[0] + 0x80) != 0) +
                 (mmio_read32(window_memory[1] + 0x80) != 0) ==
                 (c.vector == VEC_DONE);
        right += n % 2 || mmio_read32(window_memory[1] + 0x80) == 0;
        invlpg(WINDOW);
        window_run(&c, WRITE, 3, WINDOW + 0x80);
        right += (c.vector == VEC_DONE) == (n % 2);
    }
    check("a write goes to one page", right, 3 * TURNS);
    window_pt[0] = window_entry(0, ALL_RIGHTS);
    flush();
}

static void
check_stale_tables(void)
{
    unsigned right = 0;
    uint32_t seen;

    spare[0][0] = window_entry(2, ALL_RIGHTS);
    for (unsigned n = 0; n < TURNS; n++) {
        *window_pd = (uint32_t)window_pt | ALL_RIGHTS;
        flush();
        right += number_at(NUMBER) == 0;
        *window_pd = (uint32_t)spare[0] | ALL_RIGHTS;
        seen = number_at(NUMBER);
        right += seen == 0 || seen == 2;
        invlpg(WINDOW + PAGE);          /* all PDEs are forgotten, too */
        invlpg(WINDOW);
        right += number_at(NUMBER) == 2;
    }
    check("another table", right, 3 * TURNS);
    reset_window();
}

/* --- Large pages -----------------------------------------------------------*/

/* 4 MB become 1024 pages, and 4 MB again: SDM 3A 4.10.2.3. */
static void
check_split(void)
{
    uint32_t at = WINDOW + ((uint32_t)window_memory[2] & (LARGE_2 - 1));
    unsigned index = at >> 12 & 1023, right = 0;
    uint32_t seen;

    for (uint32_t n = 0; n < 1024; n++)
        spare[0][n] = n * PAGE | ALL_RIGHTS;
    write_cr4(CR4_PSE);
    for (unsigned n = 0; n < TURNS; n++) {
        *window_pd = ALL_RIGHTS | (uint32_t)PTE_PS;
        flush();
        right += number_at(at + NUMBER_AT) == 2;
        *window_pd = (uint32_t)spare[0] | ALL_RIGHTS;
        right += number_at(at + NUMBER_AT) == 2;
        spare[0][index] = window_entry(3, ALL_RIGHTS);
        seen = number_at(at + NUMBER_AT);
        right += seen == 2 || seen == 3;
        invlpg(at);
        right += number_at(at + NUMBER_AT) == 3;
        right += number_at(at + PAGE + NUMBER_AT) == 3;
        spare[0][index] = window_entry(2, ALL_RIGHTS);
        invlpg(at);
        *window_pd = ALL_RIGHTS | (uint32_t)PTE_PS;
        invlpg(WINDOW);
        right += number_at(at + NUMBER_AT) == 2;
    }
    check("4 MB split, and put together", right, 6 * TURNS);
    *window_pd = 0;
    invlpg(WINDOW + LARGE_2 / 2);       /* one for all of it */
    check("4 MB, by one INVLPG", number_at(at) == FAULT + VEC_PF &&
          number_at(WINDOW) == FAULT + VEC_PF, true);
    write_cr4(0);
    reset_window();
}

/* Ring 0 has no right to write any of 4 MB in which a table lies. */
static void
check_table_in_large(void)
{
    uint32_t at = WINDOW + ((uint32_t)spare[1] & (LARGE_2 - 1));
    unsigned right = 0;

    write_cr4(CR4_PSE);
    spare[1][0] = window_entry(1, ALL_RIGHTS);
    *window_pd = ALL_RIGHTS | (uint32_t)PTE_PS;
    two_level_pd[SECOND_PDE] = (uint32_t)spare[1] | ALL_RIGHTS;
    flush();
    for (unsigned n = 0; n < TURNS; n++) {
        mmio_write32((void *)at, window_entry(n % WINDOW_PAGES, ALL_RIGHTS));
        invlpg(SECOND);
        right += number_at(SECOND + NUMBER_AT) == n % WINDOW_PAGES;
    }
    check("a table inside of 4 MB", right, TURNS);
    write_cr4(0);
    reset_window();
}

/* --- Tables in odd places --------------------------------------------------*/

/* What nobody answers for reads as all ones: entries of the last page. */
static void
check_no_ram(void)
{
    struct context c;

    two_level_pd[SECOND_PDE] = BEYOND_RAM | ALL_RIGHTS;
    flush();
    window_run(&c, READ, 3, SECOND);
    check("a table where nothing is", c.vector, VEC_DONE);
    two_level_pd[SECOND_PDE] = IN_ROM | ALL_RIGHTS;
    flush();
    (void)number_at(SECOND);
    two_level_pd[SECOND_PDE] = (uint32_t)spare[0] | ALL_RIGHTS;
    spare[0][0] = window_entry(1, ALL_RIGHTS);
    spare[0][1] = BEYOND_RAM | ALL_RIGHTS;
    spare[0][2] = window_entry(2, ALL_RIGHTS);
    flush();
    check("a page where nothing is", number_at(SECOND + PAGE), UINT32_MAX);
    check("between two that are", number_at(SECOND + NUMBER_AT) * 8 +
          number_at(SECOND + 2 * PAGE + NUMBER_AT), 1 * 8 + 2);
    reset_window();
}

static void
check_two_places(void)
{
    unsigned right = 0;

    two_level_pd[SECOND_PDE] = (uint32_t)window_pt | READ_ONLY;
    flush();
    for (unsigned n = 0; n < TURNS; n++) {
        struct context c;

        window_pt[0] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        invlpg(WINDOW);
        invlpg(SECOND);
        right += number_at(NUMBER) == n % WINDOW_PAGES;
        right += number_at(SECOND + NUMBER_AT) == n % WINDOW_PAGES;
        window_run(&c, WRITE, 3, SECOND);
        right += c.vector == VEC_PF && c.error == 7;
        window_run(&c, WRITE, 3, WINDOW);
        right += c.vector == VEC_DONE;
    }
    check("one table in two places, with other rights", right, 4 * TURNS);
    reset_window();
}

/* The directory is a table of pages, too: its entries are PTEs at SECOND. */
static void
check_two_levels(void)
{
    uint32_t at = SECOND + (SECOND_PDE + 1) * PAGE;
    unsigned right = 0;

    two_level_pd[SECOND_PDE] = (uint32_t)two_level_pd | ALL_RIGHTS;
    for (unsigned n = 0; n < TURNS; n++) {
        two_level_pd[SECOND_PDE + 1] = window_entry(n % WINDOW_PAGES,
                                                    ALL_RIGHTS);
        invlpg(at);
        right += number_at(at + NUMBER_AT) == n % WINDOW_PAGES;
    }
    check("one table at both levels", right, TURNS);
    two_level_pd[SECOND_PDE + 1] = (uint32_t)spare[0] | ALL_RIGHTS;
    spare[0][0] = window_entry(3, ALL_RIGHTS);
    flush();
    check("a table, and what it maps: as a page",
          number_at(at) & ~(PAGE - 1), window_entry(3, 0));
    check("a table, and what it maps: as a table",
          number_at(SECOND + LARGE_2 + NUMBER_AT), 3);
    two_level_pd[SECOND_PDE + 1] = 0;
    reset_window();
}

/* --- Tables that others write to -------------------------------------------*/

SNIPPET(user_writes, "", "1: mov %eax, (%ebx); mov (%esi), %edx; dec %ecx; "
        "jnz 1b", "");
SNIPPET(string_writes, "cld", "rep stosl", "mov (%esi), %edx");

static void
check_written_by_user(void)
{
    uint32_t alias = WINDOW + PAGE;
    unsigned right = 0;
    struct context c;

    window_pt[1] = (uint32_t)spare[0] | ALL_RIGHTS;
    two_level_pd[SECOND_PDE] = (uint32_t)spare[0] | ALL_RIGHTS;
    flush();
    for (unsigned n = 0; n < TURNS; n++) {
        memset(spare[0], 0, PAGE);
        flush();
        context_init(&c, user_writes.start, 3);
        c.eax = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        c.ebx = alias;
        c.ecx = 3;
        c.esi = SECOND + NUMBER_AT;
        context_run(&c);
        right += c.vector == VEC_DONE && c.edx == n % WINDOW_PAGES;
    }
    check("a table that ring 3 writes, and uses", right, TURNS);
    context_init(&c, string_writes.start, 3);
    c.eax = window_entry(2, ALL_RIGHTS);
    c.edi = alias;
    c.ecx = 1024;
    c.esi = SECOND + LARGE_2 - PAGE + NUMBER_AT;
    flush();
    context_run(&c);
    check("and fills by a string", c.edx, 2);
    reset_window();
}

/* A table, then data of ring 3 that is written often, then a table again. */
static void
check_back_and_forth(void)
{
    unsigned right = 0;
    struct context c;

    for (unsigned n = 0; n < TURNS; n++) {
        spare[0][0] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        two_level_pd[SECOND_PDE] = (uint32_t)spare[0] | ALL_RIGHTS;
        flush();
        right += number_at(SECOND + NUMBER_AT) == n % WINDOW_PAGES;
        two_level_pd[SECOND_PDE] = 0;
        window_pt[1] = (uint32_t)spare[0] | ALL_RIGHTS;
        flush();
        context_init(&c, user_writes.start, 3);
        c.eax = MARK;
        c.ebx = c.esi = WINDOW + PAGE;
        c.ecx = 200;
        context_run(&c);
        right += c.vector == VEC_DONE && c.edx == MARK;
        window_pt[1] = 0;
    }
    check("a table and data in turn", right, 2 * TURNS);
    reset_window();
}

/* --- With code and stack ---------------------------------------------------*/

/* MOV EDX to (EBX), INVLPG (ESI), MOV ECX from 8(ESI), INT: 16 bytes. */
static const uint8_t code_in_table[CODE_BYTES] = {
    0x89, 0x13, 0x0f, 0x01, 0x3e, 0x8b, 0x4e, 0x08, 0xcd, VEC_DONE,
};

/* Entries 512 to 515 of the table are instructions, entry 0 is what they do. */
static void
check_with_code(void)
{
    uint32_t *table = spare[2];
    unsigned right = 0;
    struct context c;

    memset(table, 0, PAGE);
    memcpy(&table[512], code_in_table, sizeof(code_in_table));
    two_level_pd[SECOND_PDE] = (uint32_t)table | ALL_RIGHTS;
    flush();
    for (unsigned n = 0; n < TURNS; n++) {
        context_init(&c, &table[512], 0);
        c.ebx = (uint32_t)&table[0];
        c.edx = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        c.esi = SECOND;
        context_run(&c);
        right += c.vector == VEC_DONE && c.ecx == n % WINDOW_PAGES;
    }
    check("code in the table that it changes", right, TURNS);
}

SNIPPET(push_entry, "mov %esp, %edi; mov %ebx, %esp", "pushl %eax",
        "invlpg (%esi); mov 8(%esi), %ecx; call 1f; 1: pop %edx; "
        "mov %edi, %esp");

/* The stack ends in the table; PUSH makes its entry 16. */
static void
check_with_stack(void)
{
    uint32_t *table = spare[2];
    unsigned right = 0;
    struct context c;

    for (unsigned n = 0; n < TURNS; n++) {
        context_init(&c, push_entry.start, 0);
        c.eax = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        c.ebx = (uint32_t)&table[17];
        c.esi = SECOND + 16 * PAGE;
        context_run(&c);
        right += c.vector == VEC_DONE && c.ecx == n % WINDOW_PAGES;
    }
    check("a stack in the table", right, TURNS);
    reset_window();
}

TOPIC(tables)
{
    paging_on();
    check_stale_pages();
    reset_window();
    check_stale_writes();
    check_stale_tables();
    check_split();
    check_table_in_large();
    check_no_ram();
    check_two_places();
    check_two_levels();
    check_written_by_user();
    check_back_and_forth();
    check_with_code();
    check_with_stack();
    paging_off();
}
