/*
 * top.c - the top 4 MB of linear addresses are like all others.
 *
 * Data, code, stacks, descriptor tables and the TSS live there in turn, in both
 * rings; and a segment reaches them from below and past the end of addresses.
 * SDM 3A 3.3 (the linear address space has no end), 3.4.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define TOP             0xffc00000u     /* the last PDE's */
#define LAST_PAGE       0xfffff000u
#define LAST_INDEX      1023u
#define GDT_NEAR        GDT_FREE

static uint32_t top_pt[1024] ALIGNED(4096);

SNIPPET(push_pop, "mov $0x5a, %eax; push %eax", "pop %edx", "");
SNIPPET(reload, "mov %ds, %eax; mov %eax, %es", "mov %eax, %gs", "");
SNIPPET(read_edge, "", "movb 0xffffffff, %al", "movb 0xffc00000, %dl");

static void
map_top(void)
{
    for (unsigned n = 0; n < WINDOW_PAGES; n++)
        top_pt[n] = window_entry(n, ALL_RIGHTS);
    top_pt[LAST_INDEX] = window_entry(3, ALL_RIGHTS);
    two_level_pd[LAST_INDEX] = (uint32_t)top_pt | ALL_RIGHTS;
    write_cr3(read_cr3());
}

static void
check_memory(unsigned ring)
{
    static const char *const names[2][4] = {
        { "ring 0: read", "ring 0: fetch", "ring 0: stack", "ring 0: edges" },
        { "ring 3: read", "ring 3: fetch", "ring 3: stack", "ring 3: edges" },
    };
    const char *const *name = names[ring != 0];
    struct context c;

    window_run(&c, READ, ring, TOP + 2 * PAGE + NUMBER_AT);
    check(name[0], c.eax, 2);
    window_run(&c, FETCH, ring, LAST_PAGE);
    check_trap(name[1], &c, VEC_DONE, 0, (const void *)(LAST_PAGE + 2));
    context_init(&c, push_pop.start, ring);
    c.esp = LAST_PAGE + PAGE - 16;
    context_run(&c);
    check(name[2], c.edx, 0x5a);
    window_memory[3][PAGE - 1] = 0x77;
    run_snippet(&c, &read_edge, ring);
    check(name[3], c.eax << 8 | (c.edx & UINT8_MAX), 0x77cd);
}

/* A kernel that has memory in some of these pages, or in all. */
static void
check_pages(void)
{
    const uint32_t step = 61;
    unsigned right = 0;

    memset(top_pt, 0, sizeof(top_pt));
    for (uint32_t n = 0; n <= LAST_INDEX; n += step) {
        uint32_t *number = (uint32_t *)(TOP + n * PAGE + NUMBER_AT);

        top_pt[n] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
        right += mmio_read32(number) == n % WINDOW_PAGES;
        mmio_write32(number, 0x1234);
        right += mmio_read32(number) == 0x1234;
        mmio_write32(number, n % WINDOW_PAGES);
        top_pt[n] = 0;
        invlpg((uint32_t)number);
    }
    check("ring 0: one page after the other", right,
          2 * (LAST_INDEX / step + 1));
    for (uint32_t n = 0; n <= LAST_INDEX; n++)
        top_pt[n] = window_entry(n % WINDOW_PAGES, ALL_RIGHTS);
    right = 0;
    for (uint32_t n = 0; n <= LAST_INDEX; n++)
        right += mmio_read32((void *)(TOP + n * PAGE + NUMBER_AT)) ==
                 n % WINDOW_PAGES;
    check("ring 0: all pages at once", right, LAST_INDEX + 1);
}

/* GDT and IDT in one page, the TSS in the next. */
static void
check_tables(void)
{
    struct table_register gdtr = { sizeof(gdt) - 1, TOP };
    struct table_register idtr = { sizeof(idt) - 1, LAST_PAGE };
    struct segdesc *d = gdt_set(GDT_NEAR, TOP + PAGE, sizeof(tss) - 1,
                                SYS_TSS32_AVAIL);
    struct context c;

    d->s = d->db = 0;
    memcpy(window_memory[0], gdt, sizeof(gdt));
    memcpy(window_memory[1], &tss, sizeof(tss));
    memcpy(window_memory[3], idt, sizeof(idt));
    lgdt(&gdtr);
    lidt(&idtr);
    ltr((uint16_t)selector(GDT_NEAR, 0));
    run_snippet(&c, &reload, 3);
    check("GDT, IDT and TSS at the top", c.vector, VEC_DONE);
    check("the TSS is busy there", ((struct segdesc *)(void *)
          window_memory[0])[GDT_NEAR].type, SYS_TSS32_BUSY);
    top_pt[LAST_INDEX] = window_entry(3, (uint32_t)(PTE_P | PTE_RW));
    top_pt[0] = window_entry(0, (uint32_t)(PTE_P | PTE_RW));
    top_pt[1] = window_entry(1, (uint32_t)(PTE_P | PTE_RW));
    write_cr3(read_cr3());
    run_snippet(&c, &reload, 3);
    check("and a supervisor's", c.vector, VEC_DONE);
    window_run(&c, READ, 3, TOP);
    check_page_fault("which ring 3 may not read", &c, 5, TOP);
}

static void
check_absent(void)
{
    struct context c;

    window_run(&c, WRITE, 3, TOP + WINDOW_PAGES * PAGE);
    check_page_fault("an absent page", &c, 6, TOP + WINDOW_PAGES * PAGE);
    two_level_pd[LAST_INDEX] = 0;
    write_cr3(read_cr3());
    window_run(&c, FETCH, 0, LAST_PAGE);
    check_page_fault("no table: fetch", &c, 0, LAST_PAGE);
    window_run(&c, READ, 3, LAST_PAGE + PAGE - 4);
    check_page_fault("no table: the last doubleword", &c, 4,
                     LAST_PAGE + PAGE - 4);
}

TOPIC(top)
{
    paging_on();
    map_top();
    check_memory(0);
    check_memory(3);
    check_absent();
    map_top();
    check_pages();
    map_top();
    check_tables();
    machine_init();
}
