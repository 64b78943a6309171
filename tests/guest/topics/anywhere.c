/*
 * anywhere.c - code, stack, data and the CPU's tables at any linear address.
 *
 * Kernels live at 4 MB, at 2 GB, at 3 GB, at the very top; a monitor that keeps
 * a part of the linear space for itself must not care.  All of low memory is
 * shown once more at each place, and the same code runs there, in both rings;
 * in flat segments, and in such whose base is what its linear address differs
 * by from where it was linked, so that they wrap.  SDM 3A 3.3, 3.4.5, 4.3.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define PDE_SHIFT       22
#define TURNS           100u
#define SUM             (TURNS * (TURNS + 1) / 2)
#define INT_SIZE        2
#define TOP             0xffc00000u     /* the last PDE's */
#define SEL_CODE        SEL_FREE
#define SEL_DATA        (SEL_FREE + 8)
#define RW              SEG_DATA_W
#define RX              (SEG_CODE | SEG_CODE_R)

struct place {
    const char *flat, *kernel, *alone, *based;
    uint32_t base;
};

#define PLACE(where, base)                                                \
    { "code at " where, "kernel at " where, "nothing but " where,         \
      "segments to " where, base }
static const struct place places[] = {
    PLACE("4 MB", 0x00400000),
    PLACE("256 MB", 0x10000000),
    PLACE("2 GB less 4 MB", 0x7fc00000),
    PLACE("2 GB", 0x80000000),
    PLACE("3 GB", 0xc0000000),
    PLACE("15/16 of all", 0xf0000000),
    PLACE("the end less 8 MB", 0xff800000),
    PLACE("the end less 4 MB", TOP),
};

/* Where calls, jumps, the stack, reads, writes and strings are as linked. */
SNIPPET(work, "xor %eax, %eax; cld",
        "1: call 2f; loop 1b; jmp 4f; 2: add %ecx, %eax; pop %edx; push %edx;"
        "add $3f - 1b - 5, %edx; jmp *%edx; 3: ret; 4: mov %eax, (%ebx)",
        "mov %ebx, %esi; lea 4(%ebx), %edi; mov $3, %ecx; rep movsl; "
        "mov 12(%ebx), %eax");
/* The same, while EBX's directory entry is not there. */
SNIPPET(alone, "mov (%ebx), %edx; push %ebx; push %edx; movl $0, (%ebx); "
        "mov %cr3, %eax; mov %eax, %cr3; xor %eax, %eax",
        "1: call 2f; loop 1b; jmp 3f; 2: add %ecx, %eax; ret; 3:",
        "pop %edx; pop %ebx; mov %edx, (%ebx); mov %cr3, %ecx; "
        "mov %ecx, %cr3");

static uint32_t words[4];

static void
map_low(uint32_t base)
{
    two_level_pd[base >> PDE_SHIFT] = two_level_pd[0];
    write_cr3(read_cr3());
}

static void
unmap(uint32_t base)
{
    two_level_pd[base >> PDE_SHIFT] = 0;
    write_cr3(read_cr3());
}

static void
start(struct context *c, const struct snippet *s, uint32_t base, unsigned ring)
{
    memset(words, 0, sizeof(words));
    context_init(c, s->start + base, ring);
    c->esp += base;
    c->ebx = base + (uint32_t)words;
    c->ecx = TURNS;
}

/* Did it come to the end of `work`, with what it computes? */
static bool
is_done(const struct context *c, uint32_t code_base)
{
    return c->vector == VEC_DONE && c->eax == SUM && words[3] == SUM &&
           c->eip > code_base + (uint32_t)work.next;
}

static void
check_flat(const struct place *p)
{
    unsigned right = 0;
    struct context c;

    for (unsigned ring = 0; ring <= 3; ring += 3) {
        start(&c, &work, p->base, ring);
        context_run(&c);
        right += is_done(&c, p->base);
    }
    check(p->flat, right, 2);
}

/* --- The CPU's tables ------------------------------------------------------*/

/* GDT, IDT, TSS, the handlers and their stack: all at BASE. */
static void
move_tables(uint32_t base)
{
    struct table_register gdtr = { sizeof(gdt) - 1, base + (uint32_t)gdt };
    struct table_register idtr = { sizeof(idt) - 1, base + (uint32_t)idt };
    struct segdesc *d = gdt_set(GDT_TSS, base + (uint32_t)&tss,
                                sizeof(tss) - 1, SYS_TSS32_AVAIL);
    static uint32_t esp0;

    d->s = d->db = 0;
    esp0 = esp0 != 0 ? esp0 : tss.esp0;
    tss.esp0 = base + esp0;
    for (unsigned n = 0; n < IDT_ENTRIES; n++) {
        uint32_t to = base + (uint32_t)trap_stubs[n];

        idt[n].offset_low = to & UINT16_MAX;
        idt[n].offset_high = to >> 16;
    }
    lgdt(&gdtr);
    lidt(&idtr);
    ltr((uint16_t)selector(GDT_TSS, 0));
}

SNIPPET(undefined, "push %gs; pop %gs", "ud2", "");

static void
check_kernel(const struct place *p)
{
    unsigned right = 0;
    struct context c;

    move_tables(p->base);
    for (unsigned ring = 0; ring <= 3; ring += 3) {
        start(&c, &work, p->base, ring);
        context_run(&c);
        right += is_done(&c, p->base);
        start(&c, &undefined, p->base, ring);
        context_run(&c);
        right += c.vector == VEC_UD &&
                 c.eip == p->base + (uint32_t)undefined.at;
    }
    move_tables(0);
    check(p->kernel, right, 4);
}

static void
check_alone(const struct place *p)
{
    struct context c;

    start(&c, &alone, p->base, 0);
    c.ebx = p->base + (uint32_t)two_level_pd;
    context_run(&c);
    check(p->alone, c.vector == VEC_DONE ? c.eax : c.vector, SUM);
}

/* --- Segments --------------------------------------------------------------*/

/* Offsets as linked, linear addresses at BASE; and the other way about. */
static void
check_based(const struct place *p)
{
    unsigned right = 0;
    struct context c;

    for (unsigned n = 0; n < 4; n++) {
        unsigned ring = n % 2 * 3;
        uint32_t offset = n < 2 ? 0 : p->base;
        uint32_t base = n < 2 ? p->base : -p->base;

        gdt_set(GDT_FREE, base, UINT32_MAX, RX)->dpl = ring;
        gdt_set(GDT_FREE + 1, base, UINT32_MAX, RW)->dpl = ring;
        start(&c, &work, offset, ring);
        c.cs = SEL_CODE | ring;
        c.ds = c.es = c.ss = SEL_DATA | ring;
        context_run(&c);
        right += is_done(&c, offset);
    }
    check(p->based, right, 4);
}

/* --- Into the top 4 MB -----------------------------------------------------*/

SNIPPET(store_across, "", "movl $0x11223344, (%ebx)", "");
SNIPPET(push_across, "mov %esp, %edi; lea 4(%ebx), %esp", "push %ecx",
        "mov %edi, %esp");

/* What is in the pages on both sides of it. */
static uint32_t
border_word(void)
{
    return *(uint16_t *)(window_memory[0] + PAGE - 2) |
           (uint32_t)*(uint16_t *)window_memory[1] << 16;
}

static void
check_border(void)
{
    static const uint8_t code[] = { 0xb8, 1, 2, 3, 4, 0xcd, VEC_DONE };
    static uint32_t border_pt[1024] ALIGNED(4096);
    unsigned last = 1023, right = 0;
    struct context c;

    border_pt[last] = window_entry(0, ALL_RIGHTS);
    border_pt[0] = window_entry(1, ALL_RIGHTS);
    two_level_pd[last - 1] = two_level_pd[last] = (uint32_t)border_pt |
                                                  ALL_RIGHTS;
    write_cr3(read_cr3());
    for (unsigned ring = 0; ring <= 3; ring += 3) {
        memcpy((void *)(TOP - 2), code, sizeof(code));
        context_init(&c, (const void *)(TOP - 2), ring);
        context_run(&c);
        right += c.vector == VEC_DONE && c.eax == 0x04030201;
        context_init(&c, store_across.start, ring);
        c.ebx = TOP - 2;
        context_run(&c);
        right += c.vector == VEC_DONE && border_word() == 0x11223344;
        context_init(&c, push_across.start, ring);
        c.ebx = TOP - 2;
        c.ecx = 0x55667788;
        context_run(&c);
        right += c.vector == VEC_DONE && border_word() == 0x55667788;
    }
    check("across the border of the last 4 MB", right, 6);
    unmap(TOP);
    unmap(TOP - 1);
    window_run(&c, READ, 3, TOP - 2);
    check_page_fault("and nothing on its other side", &c, 4, TOP - 2);
}

TOPIC(anywhere)
{
    paging_on();
    for (size_t n = 0; n < ARRAY_LEN(places); n++) {
        map_low(places[n].base);
        check_flat(&places[n]);
        check_kernel(&places[n]);
        check_alone(&places[n]);
        check_based(&places[n]);
        unmap(places[n].base);
    }
    check_border();
    machine_init();
}
