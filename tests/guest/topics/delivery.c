/*
 * delivery.c - page faults while an exception or interrupt is being delivered.
 *
 * To deliver one the processor reads a gate and pushes a frame; both may lie in
 * a page that is absent.  Behind INT n, or behind a contributory exception,
 * that is a page fault like any other, of the instruction that was interrupted;
 * behind a page fault it is a double fault.  The IDT lies in the window, across
 * the end of a page, so that one part of it can be taken away.
 *
 * Where the stack of ring 0 is absent, handlers are conforming code, which run
 * in ring 3 on its stack, and repair the TSS before they end with INT VEC_DONE.
 * SDM 3A 4.7, table 6-5, 6.12.1 (conforming code), 6.15 (#DF, #PF).
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define GATE_SIZE       ((uint32_t)sizeof(struct gate))
#define BOUNDARY        (WINDOW + PAGE) /* between two pages of the window */
#define ABSENT          (WINDOW + 2 * PAGE)
#define ALSO_ABSENT     (WINDOW + 3 * PAGE)
#define GDT_ABSENT      GDT_FREE
#define SEL_ABSENT      SEL_FREE
#define GDT_CONFORMING  (GDT_FREE + 1)
#define SEL_CONFORMING  (SEL_FREE + 8)
#define CONFORMING      (SEG_CODE | SEG_CODE_R | SEG_CODE_C)
#define SUPERVISOR_READ 0u              /* error codes; nothing is present */
#define SUPERVISOR_WRITE 2u
#define USER_READ       4u

SNIPPET(read_absent, "", "mov (%ebx), %eax", "");
SNIPPET(load_absent, "", "mov %eax, %es", "");
SNIPPET(just_int, "", "int $0x40", "");

/* ESI is the first address, EDX the second, ECX where that was. */
SNIPPET(on_page_fault, "test %ebp, %ebp; jnz 1f; inc %ebp; mov %cr2, %esi",
        "mov (%edi), %eax", "1: mov %cr2, %edx; mov 4(%esp), %ecx");

/* In ring 3: EBX is the error code, ECX EIP; EAX is the good ESP0. */
#define REPAIR          "pop %ebx; mov (%esp), %ecx; mov %eax, tss + 4"
SNIPPET(on_pf, "mov $14, %edi", REPAIR, "");
SNIPPET(on_df, "mov $8, %edi", REPAIR, "");

static void
set_gate(unsigned vector, const struct snippet *s, uint32_t cs)
{
    struct gate *g = idt_set(vector, SYS_INT32, 0);

    g->offset_low = (uint32_t)s->start & UINT16_MAX;
    g->offset_high = (uint32_t)s->start >> 16;
    g->selector = cs;
}

/* --- Gates -----------------------------------------------------------------*/

static void
use_idt(uint32_t at)
{
    struct table_register idtr = { sizeof(idt) - 1, at };

    lidt(&idtr);
}

/* The IDT in the window, the gate of VECTOR first on a page; one is absent. */
static void
split_idt(unsigned vector, unsigned absent)
{
    uint32_t at = BOUNDARY - vector * GATE_SIZE;

    paging_on();
    memcpy((void *)at, idt, sizeof(idt));
    window_pt[absent] = 0;
    window_pt[2] = window_pt[3] = 0;
    write_cr3(read_cr3());
    use_idt(at);
}

static void
join_idt(void)
{
    use_idt((uint32_t)idt);
    paging_off();
}

/* The gate of VECTOR, at AT, cannot be read. */
static void
check_gate(const char *name, const struct context *c, uint32_t at,
           const struct snippet *s)
{
    check_page_fault(name, c, SUPERVISOR_READ, at);
    if (c->eip != (uint32_t)s->at)
        check_trap("and EIP", c, VEC_PF, SUPERVISOR_READ, s->at);
}

static void
check_gates(unsigned ring)
{
    bool is_user = ring == 3;
    struct context c;

    split_idt(VEC_DONE, 1);
    run_snippet(&c, &just_int, ring);
    check_gate(is_user ? "the gate of INT n" : "ring 0: the gate of INT n",
               &c, BOUNDARY, &just_int);
    join_idt();
    split_idt(VEC_NP + 1, 0);
    context_init(&c, load_absent.start, ring);
    c.eax = SEL_ABSENT | ring;
    context_run(&c);
    check_gate(is_user ? "the gate of #NP" : "ring 0: the gate of #NP", &c,
               BOUNDARY - GATE_SIZE, &load_absent);
    join_idt();
    split_idt(VEC_PF, 1);
    context_init(&c, read_absent.start, ring);
    c.ebx = ABSENT;
    context_run(&c);
    check_trap(is_user ? "the gate of #PF: #DF" : "ring 0: the gate of #PF",
               &c, VEC_DF, 0, read_absent.at);
    check(is_user ? "the gate of #PF: CR2" : "ring 0: the gate of #PF: CR2",
          read_cr2(), BOUNDARY);
    join_idt();
}

static void
check_absent_gate(void)
{
    struct context c;

    idt[VEC_PF].p = 0;
    split_idt(VEC_DONE, 3);
    context_init(&c, read_absent.start, 3);
    c.ebx = ABSENT;
    context_run(&c);
    check_trap("#NP while #PF is delivered: #DF", &c, VEC_DF, 0,
               read_absent.at);
    check("#NP while #PF is delivered: CR2", read_cr2(), ABSENT);
    join_idt();
    idt[VEC_PF].p = 1;
}

/* --- Stacks ----------------------------------------------------------------*/

static void
run_without_stack(struct context *c, const struct snippet *s, uint32_t esp0)
{
    uint32_t good = tss.esp0;

    paging_on();
    window_pt[2] = window_pt[3] = 0;
    write_cr3(read_cr3());
    tss.esp0 = esp0;
    context_init(c, s->start, 3);
    c->eax = good;
    c->ebx = ALSO_ABSENT;
    context_run(c);
    paging_off();
    tss.esp0 = good;
}

static void
check_stacks(void)
{
    const uint32_t esp0 = ABSENT + 8;   /* so that not all of it is absent */
    struct context c;

    gdt_set(GDT_CONFORMING, 0, UINT32_MAX, CONFORMING);
    set_gate(VEC_PF, &on_pf, SEL_CONFORMING);
    set_gate(VEC_DF, &on_df, SEL_CONFORMING);
    run_without_stack(&c, &just_int, esp0);
    check("the stack of INT n: #PF", c.edi, VEC_PF);
    check("the stack of INT n: error code", c.ebx, SUPERVISOR_WRITE);
    check("the stack of INT n: EIP", c.ecx, (uint32_t)just_int.at);
    check("the stack of INT n: CR2", read_cr2() & ~(PAGE - 1), ABSENT);
    run_without_stack(&c, &read_absent, esp0);
    check("#PF of ring 3, by conforming code", c.edi, VEC_PF);
    check("its error code", c.ebx, USER_READ);
    check("its CR2", read_cr2(), ALSO_ABSENT);
    idt_set(VEC_PF, SYS_INT32, 0);
    run_without_stack(&c, &read_absent, esp0);
    check("the stack of #PF: #DF", c.edi, VEC_DF);
    check("the stack of #PF: error code", c.ebx, 0);
    check("the stack of #PF: EIP", c.ecx, (uint32_t)read_absent.at);
    check("the stack of #PF: CR2", read_cr2() & ~(PAGE - 1), ABSENT);
    idt_set(VEC_DF, SYS_INT32, 0);
}

/* A handler may fault: its own fault is none of delivery. */
static void
check_handler(void)
{
    struct context c;

    set_gate(VEC_PF, &on_page_fault, SEL_CODE0);
    paging_on();
    window_pt[2] = window_pt[3] = 0;
    write_cr3(read_cr3());
    context_init(&c, read_absent.start, 3);
    c.ebp = 0;
    c.ebx = ABSENT;
    c.edi = ALSO_ABSENT;
    context_run(&c);
    check("#PF in the handler of #PF", c.vector, VEC_DONE);
    check("the first's CR2", c.esi, ABSENT);
    check("the second's CR2", c.edx, ALSO_ABSENT);
    check("the second's EIP", c.ecx, (uint32_t)on_page_fault.at);
    paging_off();
    idt_set(VEC_PF, SYS_INT32, 0);
}

TOPIC(delivery)
{
    gdt_set(GDT_ABSENT, 0, UINT32_MAX, SEG_DATA_W)->p = 0;
    gdt[GDT_ABSENT].dpl = 3;
    check_gates(3);
    check_gates(0);
    check_absent_gate();
    check_stacks();
    check_handler();
}
