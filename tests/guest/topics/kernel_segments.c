/*
 * kernel_segments.c - segments of code in ring 0 that are not flat.
 *
 * A monitor that lives in the guest's linear space must not give such code all
 * of a large segment, and all of it must be there nevertheless: with a base
 * from which offsets wrap at 4 GB (kernels that run before they have turned
 * paging on are linked so), expand-down, behind a small limit, in registers
 * that keep what no table holds any more.  An instruction may use both ends of
 * a segment at once, or many may take turns.  SDM 3A 3.4.5, 5.3.
 */
#include "guest/guest.h"
#include "kernel/base/string.h"

#define SEL_A           SEL_FREE
#define SEL_B           (SEL_FREE + 8)
#define GDT_A           GDT_FREE
#define GDT_B           (GDT_FREE + 1)
#define BASE            0x40000000u     /* linear 0 is at -BASE */
#define RW              SEG_DATA_W
#define DOWN            (SEG_DATA_W | SEG_DATA_E)
#define MARK            0x12345678u
#define TURNS           1000u
#define EDGE            0xfffu
#define NO_ERROR        0

#define WORDS           4096u
static uint32_t area[WORDS] ALIGNED(4096), other[WORDS] ALIGNED(4096);

/* Where a variable is in a segment that starts at BASE. */
static uint32_t
wrapped(const void *at)
{
    return (uint32_t)at - BASE;
}

/* Ring 0 with ES and FS of entries A and B. */
static void
start(struct context *c, const struct snippet *s)
{
    context_init(c, s->start, 0);
    c->es = SEL_A;
    c->fs = SEL_B;
}

/* --- Wrapping segments -----------------------------------------------------*/

SNIPPET(copy_turns, "", "1: mov %es:(%ebx), %eax; add %fs:(%esi), %eax; "
        "mov %eax, %es:(%ebx); dec %ecx; jnz 1b", "");
SNIPPET(move_string, "push %fs; pop %ds; cld", "rep movsl",
        "push %ss; pop %ds");
SNIPPET(stack_turns, "mov %esp, %edi; mov %eax, %ss; mov %ebx, %esp",
        "1: push %ecx; call 2f; pop %edx; add %edx, %esi; dec %ecx; jnz 1b; "
        "jmp 3f; 2: ret; 3:", "mov $0x10, %eax; mov %eax, %ss; "
        "mov %esp, %ebx; mov %edi, %esp");
SNIPPET(push_of_other_half, "mov %esp, %edi; mov %eax, %ss; mov %ebx, %esp",
        "pushl %ss:(%esi); pop %ecx", "mov $0x10, %eax; mov %eax, %ss; "
        "mov %esp, %ebx; mov %edi, %esp");

static void
check_wrapping(void)
{
    struct context c;

    gdt_set(GDT_A, BASE, UINT32_MAX, RW);
    gdt_set(GDT_B, 0, UINT32_MAX, RW);
    area[0] = 0;
    other[0] = 3;
    start(&c, &copy_turns);
    c.ebx = wrapped(area);
    c.esi = (uint32_t)other;
    c.ecx = TURNS;
    context_run(&c);
    check("a wrapping segment beside a flat one", area[0], 3 * TURNS);
    gdt_set(GDT_B, BASE, UINT32_MAX, RW);
    start(&c, &copy_turns);
    c.ebx = wrapped(area);
    c.esi = wrapped(other);
    c.ecx = TURNS;
    context_run(&c);
    check("two wrapping segments", area[0], 6 * TURNS);
    for (uint32_t n = 0; n < WORDS; n++)
        other[n] = n ^ MARK;
    start(&c, &move_string);
    c.esi = wrapped(other);
    c.edi = wrapped(area);
    c.ecx = WORDS;
    context_run(&c);
    check("a string from one to the other", (uint32_t)memcmp(
          area, other, sizeof(area)), 0);
}

static void
check_stack(void)
{
    struct context c;

    gdt_set(GDT_A, BASE, UINT32_MAX, RW);
    start(&c, &stack_turns);
    c.eax = SEL_A;
    c.ebx = wrapped(area + WORDS);
    c.ecx = TURNS;
    c.esi = 0;
    context_run(&c);
    check("a stack behind the wrap", c.esi, TURNS * (TURNS + 1) / 2);
    check("is where it was", c.ebx, wrapped(area + WORDS));
    area[0] = MARK;
    start(&c, &push_of_other_half);
    c.eax = SEL_A;
    c.ebx = wrapped(area + WORDS);
    c.esi = wrapped(area);
    context_run(&c);
    check("PUSH from the stack's segment", c.ecx, MARK);
}

/* --- Expand-down -----------------------------------------------------------*/

SNIPPET(sum, "xor %eax, %eax", "1: add %es:(%ebx), %eax; dec %ecx; jnz 1b",
        "");
SNIPPET(store, "", "mov %eax, %es:(%ebx)", "");

static void
run_sum(struct context *c, uint32_t offset)
{
    area[0] = 2;
    start(c, &sum);
    c->ebx = offset;
    c->ecx = TURNS;
    context_run(c);
}

static void
check_expand_down(void)
{
    uint32_t down = (uint32_t)area - EDGE - 1;
    struct context c;

    gdt_set(GDT_A, down, EDGE, DOWN);
    run_sum(&c, EDGE + 1);
    check("expand-down: behind the limit", c.eax, 2 * TURNS);
    start(&c, &store);
    c.ebx = EDGE - 2;
    context_run(&c);
    check_trap("expand-down: across the limit", &c, VEC_GP, NO_ERROR,
               store.at);
    gdt_set(GDT_A, down, EDGE, DOWN)->db = 0;
    run_sum(&c, EDGE + 1);
    check("expand-down, 16 bits: behind the limit", c.eax, 2 * TURNS);
    start(&c, &store);
    c.ebx = UINT16_MAX - 2;
    context_run(&c);
    check_trap("expand-down, 16 bits: across 64 KB", &c, VEC_GP, NO_ERROR,
               store.at);
    gdt_set(GDT_A, BASE, EDGE, DOWN);
    run_sum(&c, wrapped(area));
    check("expand-down: behind the wrap", c.eax, 2 * TURNS);
    gdt_set(GDT_A, BASE, wrapped(area) - 1, DOWN);
    run_sum(&c, wrapped(area));
    check("expand-down: the limit is behind the wrap", c.eax, 2 * TURNS);
    start(&c, &store);
    c.ebx = wrapped(area) - 1;
    context_run(&c);
    check_trap("expand-down: across that limit", &c, VEC_GP, NO_ERROR,
               store.at);
}

/* --- Limits and types ------------------------------------------------------*/

static void
check_limits(void)
{
    struct context c;

    gdt_set(GDT_A, (uint32_t)area, 3, RW);
    run_sum(&c, 0);
    check("a limit of 4 bytes", c.eax, 2 * TURNS);
    run_sum(&c, 1);
    check_trap("is a limit", &c, VEC_GP, NO_ERROR, sum.at);
    check("for the first access", c.ecx, TURNS);
    gdt_set(GDT_A, (uint32_t)area, EDGE, SEG_CODE | SEG_CODE_R);
    run_sum(&c, 0);
    check("code is read", c.eax, 2 * TURNS);
    start(&c, &store);
    context_run(&c);
    check_trap("and not written", &c, VEC_GP, NO_ERROR, store.at);
    start(&c, &store);
    c.es = 0;
    c.ebx = (uint32_t)area;
    context_run(&c);
    check_trap("a null selector", &c, VEC_GP, NO_ERROR, store.at);
    check("which nothing came of", area[0], 2);
}

/* --- What a register keeps -------------------------------------------------*/

SNIPPET(keep, "mov %eax, %es; movl $0, (%esi); movl $0, 4(%esi); "
        "xor %eax, %eax", "1: add %es:(%ebx), %eax; dec %ecx; jnz 1b",
        "movl %edi, (%esi); movl %edx, 4(%esi); mov $0x30, %ecx; "
        "mov %ecx, %es; mov %es:(%ebx), %ecx");

static void
check_kept(void)
{
    uint32_t words[2];
    struct context c;

    area[0] = 2;
    other[0] = MARK;
    gdt_set(GDT_A, (uint32_t)other, EDGE, RW);
    memcpy(words, &gdt[GDT_A], sizeof(words));
    gdt_set(GDT_A, (uint32_t)area, EDGE, RW);
    context_init(&c, keep.start, 0);
    c.eax = SEL_A;
    c.esi = (uint32_t)&gdt[GDT_A];
    c.edi = words[0];
    c.edx = words[1];
    c.ecx = TURNS;
    c.ebx = 0;
    context_run(&c);
    check("a register keeps its segment", c.eax, 2 * TURNS);
    check("until it is loaded", c.ecx, MARK);
}

TOPIC(kernel_segments)
{
    check_wrapping();
    check_stack();
    check_expand_down();
    check_limits();
    check_kept();
}
