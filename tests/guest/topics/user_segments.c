/*
 * user_segments.c - segments of code in ring 3 with interrupts allowed.
 *
 * So runs most of what a computer runs, and so a monitor may run it on the
 * processor itself, on descriptors that it has copied.  Asked here: do loads,
 * and the instructions that look at descriptors, find what is in the tables;
 * wherever these are, however large, and whatever was written into them since;
 * and does a register keep what it was loaded with?  No interrupt is enabled
 * at the PICs.  SDM 3A 3.4.3 to 3.5.1, 5.8.1; SDM 2 "LAR", "LSL", "VERR".
 */
#include "guest/guest.h"
#include "kernel/base/string.h"

#define SEL             (SEL_FREE | SEL_RPL)
#define SEL_OTHER       (SEL + 8)
#define GDT_OTHER       (GDT_FREE + 1)
#define GDT_LDT         (GDT_FREE + 2)
#define SEL_IN_LDT      (8 | SEL_TI | SEL_RPL)
#define RW              SEG_DATA_W
#define CODE            (SEG_CODE | SEG_CODE_R)
#define CONFORMING      (CODE | SEG_CODE_C)
#define MARK            0x12345678u
#define MARK_OTHER      0x9abcdef0u
#define LIMIT           0x7fffu
#define TYPES           32u         /* system, then code and data */
#define SELECTOR_BITS   0xffffu
#define NO_ERROR        0

static uint32_t area[4] = { MARK }, other_area[4] = { MARK_OTHER };
static struct segdesc ldt[4];

/* As large as a GDT can be, and not aligned. */
#define BIG_ENTRIES     8192u
#define BIG_SKEW        4u
static uint8_t big[BIG_ENTRIES * sizeof(struct segdesc) + BIG_SKEW]
    ALIGNED(16);

SNIPPET(load, "", "mov %eax, %es", "mov %es:(0), %ecx");
SNIPPET(load_two, "mov %eax, %es", "mov %ebx, %es", "mov %es:(0), %ecx");
SNIPPET(load_fs_gs, "mov %eax, %fs; mov %ebx, %gs", "mov %fs:(0), %ecx",
        "mov %gs:(0), %edx");
SNIPPET(store_all, "mov %cs, %eax; mov %ss, %ecx; mov %ds, %edx",
        "mov %es, %ebx; mov %fs, %esi; mov %gs, %edi", "");

/* Ring 3, IF = 1. */
static void
run_user(struct context *c, const struct snippet *s, uint32_t eax,
         uint32_t ebx)
{
    context_init(c, s->start, 3);
    c->eflags |= EFLAGS_IF;
    c->eax = eax;
    c->ebx = ebx;
    context_run(c);
}

static struct segdesc *
set_user(unsigned index, const void *at, unsigned type)
{
    struct segdesc *d = gdt_set(index, (uint32_t)at, sizeof(area) - 1, type);

    d->dpl = 3;
    return d;
}

/* --- Loads -----------------------------------------------------------------*/

static void
check_loads(void)
{
    struct context c;

    set_user(GDT_FREE, area, RW);
    set_user(GDT_OTHER, other_area, RW);
    run_user(&c, &load, SEL, 0);
    check("a load finds its descriptor", c.ecx, MARK);
    check("and sets the accessed bit", gdt[GDT_FREE].type, RW | SEG_ACCESSED);
    check("but no other", gdt[GDT_OTHER].type, RW);
    set_user(GDT_FREE, area, RW);
    run_user(&c, &load_two, SEL, SEL_OTHER);
    check("the second of two loads", c.ecx, MARK_OTHER);
    check("sets its accessed bit", gdt[GDT_OTHER].type, RW | SEG_ACCESSED);
    check("as did the first", gdt[GDT_FREE].type, RW | SEG_ACCESSED);
    run_user(&c, &load_fs_gs, SEL, SEL_OTHER);
    check("FS has a base", c.ecx, MARK);
    check("GS has a base", c.edx, MARK_OTHER);

    set_user(GDT_FREE, other_area, RW);
    run_user(&c, &load, SEL, 0);
    check("a changed descriptor is found", c.ecx, MARK_OTHER);
    set_user(GDT_FREE, area, RW)->p = 0;
    run_user(&c, &load, SEL, 0);
    check_trap("one that is absent", &c, VEC_NP, SEL_FREE, load.at);
    check("has no accessed bit set", gdt[GDT_FREE].type, RW);
    set_user(GDT_FREE, area, RW)->dpl = 0;
    run_user(&c, &load, SEL, 0);
    check_trap("one of ring 0", &c, VEC_GP, SEL_FREE, load.at);
    set_user(GDT_FREE, area, SEG_CODE);
    run_user(&c, &load, SEL, 0);
    check_trap("one that cannot be read", &c, VEC_GP, SEL_FREE, load.at);
    set_user(GDT_FREE, area, CONFORMING)->dpl = 0;
    run_user(&c, &load, SEL, 0);
    check("conforming code of ring 0", c.ecx, MARK);
}

/* Selectors are the guest's, whatever the machine's are. */
static void
check_selectors(void)
{
    struct context c;

    context_init(&c, store_all.start, 3);
    c.eflags |= EFLAGS_IF;
    c.gs = 0;
    context_run(&c);
    check("CS", c.eax & SELECTOR_BITS, SEL_CODE3);
    check("SS", c.ecx & SELECTOR_BITS, SEL_DATA3);
    check("DS", c.edx & SELECTOR_BITS, SEL_DATA3);
    check("ES", c.ebx & SELECTOR_BITS, SEL_DATA3);
    check("FS", c.esi & SELECTOR_BITS, SEL_DATA3);
    check("a null GS", c.edi & SELECTOR_BITS, 0);
}

/* --- Looking at descriptors ------------------------------------------------*/

SNIPPET(lar, "xor %ecx, %ecx", "lar %eax, %ecx", "setz %bl");
SNIPPET(lsl, "xor %ecx, %ecx", "lsl %eax, %ecx", "setz %bl");
SNIPPET(verr, "", "verr %ax", "setz %bl");
SNIPPET(verw, "", "verw %ax", "setz %bl");

/* What LAR shows of a descriptor; P only where it can be used in ring 3. */
#define LAR_TYPE        BITS(14, 8)
#define LAR_SEGMENT     (BITS(23, 20) | BITS(15, 8))

/* The types, one bit each, that S says yes to; and how often ECX was wrong. */
static uint32_t
look_at_all(const struct snippet *s, unsigned dpl, unsigned *wrong)
{
    uint32_t seen = 0;

    *wrong = 0;
    for (unsigned type = 0; type < TYPES; type++) {
        struct segdesc *d = gdt_set(GDT_FREE, 0x5000, LIMIT, type & 15);
        uint32_t mask = type < 16 ? LAR_TYPE : LAR_SEGMENT, words[2];
        struct context c;

        d->s = type >> 4;
        d->dpl = dpl;
        memcpy(words, d, sizeof(words));
        run_user(&c, s, SEL, 0);
        if (!(c.ebx & 1))
            continue;
        seen |= BIT(type);
        *wrong += s == &lsl ? c.ecx != LIMIT
                            : s == &lar && ((c.ecx ^ words[1]) & mask) != 0;
    }
    return seen;
}

/* Bits are types: data from 16 up, code from 24, conforming code from 28. */
#define ALL_SEGMENTS    BITS(31, 16)
#define READABLE        (BITS(23, 16) | BITS(27, 26) | BITS(31, 30))
#define WRITABLE        (BITS(19, 18) | BITS(23, 22))
#define FROM_RING_0     BITS(31, 28)
#define LSL_SYSTEM      (BIT(1) | BIT(2) | BIT(3) | BIT(9) | BIT(11))
#define LAR_SYSTEM      (LSL_SYSTEM | BIT(4) | BIT(5) | BIT(12))

static void
check_looks(void)
{
    unsigned wrong;

    check("LAR", look_at_all(&lar, 3, &wrong), ALL_SEGMENTS | LAR_SYSTEM);
    check("LAR tells the truth", wrong, 0);
    check("LAR of ring 0", look_at_all(&lar, 0, &wrong), FROM_RING_0);
    check("LAR tells the truth about ring 0", wrong, 0);
    check("LSL", look_at_all(&lsl, 3, &wrong), ALL_SEGMENTS | LSL_SYSTEM);
    check("LSL tells the truth", wrong, 0);
    check("LSL of ring 0", look_at_all(&lsl, 0, &wrong), FROM_RING_0);
    check("LSL tells the truth about ring 0", wrong, 0);
    check("VERR", look_at_all(&verr, 3, &wrong), READABLE);
    check("VERR of ring 0", look_at_all(&verr, 0, &wrong), READABLE &
          FROM_RING_0);
    check("VERW", look_at_all(&verw, 3, &wrong), WRITABLE);
    check("VERW of ring 0", look_at_all(&verw, 0, &wrong), 0);
}

/* Nothing is behind the limit, not even for who looks everywhere. */
static void
check_behind(void)
{
    struct context c;
    unsigned seen = 0, loaded = 0;

    for (unsigned n = GDT_ENTRIES; n < BIG_ENTRIES; n++) {
        if (n == 2 * GDT_ENTRIES)
            n = BIG_ENTRIES - 2 * GDT_ENTRIES;
        run_user(&c, &lar, selector(n, 3), 0);
        seen += c.ebx & 1;
        run_user(&c, &verr, selector(n, 3), 0);
        seen += c.ebx & 1;
        run_user(&c, &load, selector(n, 3), 0);
        loaded += c.vector != VEC_GP || c.error != selector(n, 0);
    }
    check("LAR and VERR behind the limit", seen, 0);
    check("loads from behind the limit", loaded, 0);
}

/* --- Where tables are ------------------------------------------------------*/

static void
use_gdt(const void *at, uint32_t size)
{
    struct table_register gdtr = { (uint16_t)(size - 1), (uint32_t)at };

    lgdt(&gdtr);
}

static void
check_moved(void)
{
    uint8_t *table = big + BIG_SKEW;
    struct context c;

    set_user(GDT_FREE, area, RW);
    memcpy(table, gdt, sizeof(gdt));
    set_user(GDT_FREE, other_area, RW);
    use_gdt(table, sizeof(gdt));
    run_user(&c, &load, SEL, 0);
    check("a GDT elsewhere, not aligned", c.ecx, MARK);
    use_gdt(table, SEL_FREE + 7);
    run_user(&c, &load, SEL, 0);
    check_trap("that ends within a descriptor", &c, VEC_GP, SEL_FREE,
               load.at);
    use_gdt(gdt, sizeof(gdt));
    run_user(&c, &load, SEL, 0);
    check("and back", c.ecx, MARK_OTHER);
}

/* A descriptor at each of the last places there are. */
static void
check_full(void)
{
    struct segdesc *table = (struct segdesc *)(void *)big;
    unsigned wrong = 0;
    struct context c;

    memcpy(big, gdt, sizeof(gdt));
    for (unsigned n = BIG_ENTRIES - GDT_ENTRIES; n < BIG_ENTRIES; n++)
        table[n] = *set_user(GDT_FREE, area, RW);
    use_gdt(big, sizeof(big) - BIG_SKEW);
    for (unsigned n = BIG_ENTRIES - GDT_ENTRIES; n < BIG_ENTRIES; n++) {
        run_user(&c, &load, selector(n, 3), 0);
        wrong += c.vector != VEC_DONE || c.ecx != MARK ||
                 (c.es & SELECTOR_BITS) != selector(n, 3) ||
                 (table[n].type & SEG_ACCESSED) == 0;
    }
    check("the last entries of a full GDT", wrong, 0);
    use_gdt(gdt, sizeof(gdt));
}

static void
check_ldt(void)
{
    struct segdesc *d = gdt_set(GDT_LDT, (uint32_t)ldt, sizeof(ldt) - 1,
                                SYS_LDT);
    struct context c;

    d->s = d->db = 0;
    run_user(&c, &load, SEL_IN_LDT, 0);
    check_trap("without an LDT", &c, VEC_GP, SEL_IN_LDT & ~SEL_RPL, load.at);
    ldt[1] = *set_user(GDT_FREE, area, RW);
    lldt((uint16_t)selector(GDT_LDT, 0));
    run_user(&c, &load, SEL_IN_LDT, 0);
    check("with an LDT", c.ecx, MARK);
    check("whose accessed bit is set", ldt[1].type, RW | SEG_ACCESSED);
    ldt[1] = *set_user(GDT_FREE, other_area, RW);
    run_user(&c, &load, SEL_IN_LDT, 0);
    check("and changes", c.ecx, MARK_OTHER);
    run_user(&c, &load, SEL_IN_LDT + sizeof(ldt), 0);
    check_trap("behind it", &c, VEC_GP,
               (SEL_IN_LDT + sizeof(ldt)) & ~SEL_RPL, load.at);
    gdt[GDT_LDT].limit_low = sizeof(struct segdesc) - 1;
    run_user(&c, &load, SEL_IN_LDT, 0);
    check("the limit is the loaded one", c.ecx, MARK_OTHER);
    lldt((uint16_t)selector(GDT_LDT, 0));
    run_user(&c, &load, SEL_IN_LDT, 0);
    check_trap("a smaller one", &c, VEC_GP, SEL_IN_LDT & ~SEL_RPL, load.at);
    lldt(0);
}

/* --- What a register keeps -------------------------------------------------*/

#define VEC_SERVICE     0x41
/* Long enough that it may be run by other means: 50 times. */
#define READ_OFTEN      "mov $50, %edx; 1: mov %es:(0), %ecx; dec %edx; jnz 1b"

SNIPPET(keep, "mov %eax, %es; int $0x41", READ_OFTEN, "");
SNIPPET(keep_then_load, "mov %eax, %es; int $0x41; " READ_OFTEN,
        "mov %eax, %es", "mov %ecx, %ebx; mov %es:(0), %ecx");
/* The service in ring 0: the descriptor of SEL becomes that of SEL_OTHER. */
SNIPPET(replace, "movl gdt + 0x38, %ecx; movl %ecx, gdt + 0x30; "
        "movl gdt + 0x3c, %ecx; movl %ecx, gdt + 0x34", "iret", "");

static void
check_kept(void)
{
    struct gate *g = idt_set(VEC_SERVICE, SYS_INT32, 3);
    struct context c;

    g->offset_low = (uint32_t)replace.start & UINT16_MAX;
    g->offset_high = (uint32_t)replace.start >> 16;
    set_user(GDT_FREE, area, RW);
    set_user(GDT_OTHER, other_area, RW);
    run_user(&c, &keep, SEL, 0);
    check("a register keeps its segment", c.ecx, MARK);
    set_user(GDT_FREE, area, RW);
    run_user(&c, &keep_then_load, SEL, 0);
    check("until it is loaded", c.ebx, MARK);
    check("and then has the new one", c.ecx, MARK_OTHER);
    /* An entry that is gone altogether. */
    set_user(GDT_FREE, area, RW);
    gdt[GDT_OTHER] = (struct segdesc){ .p = 0 };
    run_user(&c, &keep, SEL, 0);
    check("a segment without a descriptor", c.ecx, MARK);
    set_user(GDT_FREE, area, RW);
    run_user(&c, &keep_then_load, SEL, 0);
    check_trap("that cannot be loaded again", &c, VEC_GP, SEL_FREE,
               keep_then_load.at);
}

/* --- Code ------------------------------------------------------------------*/

SNIPPET(far_jump, "", "ljmp $0x33, $far_target", "");
SNIPPET(far_call, "", "lcall $0x33, $far_target", "");
__asm__(".pushsection .text\nfar_target: mov %cs, %ecx\nint $0x40\n"
        ".popsection");

static void
set_flat_code(unsigned type, unsigned dpl)
{
    gdt_set(GDT_FREE, 0, UINT32_MAX, type)->dpl = dpl;
}

static void
check_far(const char *name, const struct snippet *s)
{
    struct context c;

    run_user(&c, s, 0, 0);
    check(name, c.vector == VEC_DONE ? c.ecx & SELECTOR_BITS : 0, SEL);
}

static void
check_code(void)
{
    static const uint8_t nops[] = { 0x90, 0x90, 0x90, 0x90, 0xcd, VEC_DONE };
    static uint8_t code[16];
    struct context c;

    set_flat_code(CODE, 3);
    check_far("a far jump", &far_jump);
    check_far("a far call", &far_call);
    set_flat_code(CONFORMING, 0);
    check_far("a far jump to conforming code of ring 0", &far_jump);
    set_flat_code(CODE, 0);
    run_user(&c, &far_jump, 0, 0);
    check_trap("a far jump to code of ring 0", &c, VEC_GP, SEL_FREE,
               far_jump.at);

    memcpy(code, nops, sizeof(nops));
    gdt_set(GDT_FREE, (uint32_t)code, 3, CODE)->dpl = 3;
    context_init(&c, NULL, 3);
    c.eflags |= EFLAGS_IF;
    c.cs = SEL;
    context_run(&c);
    check_trap("running past the limit", &c, VEC_GP, NO_ERROR,
               (const void *)4);
}

TOPIC(user_segments)
{
    check_loads();
    check_selectors();
    check_looks();
    check_behind();
    check_moved();
    check_full();
    check_ldt();
    check_kept();
    check_code();
}
