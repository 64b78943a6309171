/*
 * rings.c - the two rings between kernel and user.
 *
 * To the page tables rings 1 and 2 are the supervisor's, to segments, gates and
 * IOPL they are levels like others, and to privileged instructions they are
 * what ring 3 is.  Each has its own stack in the TSS.  SDM 3A 4.6, 5.5 to 5.9,
 * 7.2.1; SDM 2 "CLI", "POPF", "IRET", "RET", "SYSENTER".
 */
#include "guest/devices.h"
#include "guest/paging.h"

#define GDT_RING_1      GDT_FREE        /* code, data behind it */
#define GDT_RING_2      (GDT_FREE + 2)
#define GDT_GATE        (GDT_FREE + 4)  /* 50h */
#define GDT_GATE_2      (GDT_FREE + 5)  /* 58h */
#define GDT_READ_ONLY   (GDT_FREE + 6)
#define SEL_CODE(r)     selector(GDT_FREE + 2 * (r) - 2, r)
#define SEL_DATA(r)     selector(GDT_FREE + 2 * (r) - 1, r)
#define SEL_GATE        selector(GDT_GATE, 0)
#define VEC_TEST        0x51
#define IOPL(n)         ((n) << 12)
#define LOW_WORD        0xffffu
#define CODE            (SEG_CODE | SEG_CODE_R)
#define SUPERVISOR      ((uint32_t)(PTE_P | PTE_RW))
#define STACK_TOP(r)    ((uint32_t)stacks[r] + sizeof(stacks[r]))

static uint32_t stacks[3][256] ALIGNED(16);     /* of gates; 0 is the TSS's */
static uint32_t start_stacks[3][256] ALIGNED(16);

static void
set_rings(void)
{
    for (unsigned r = 1; r <= 2; r++) {
        unsigned index = GDT_FREE + 2 * r - 2;

        gdt_set(index, 0, UINT32_MAX, CODE)->dpl = r;
        gdt_set(index + 1, 0, UINT32_MAX, SEG_DATA_W)->dpl = r;
    }
    tss.ss1 = SEL_DATA(1);
    tss.esp1 = STACK_TOP(1);
    tss.ss2 = SEL_DATA(2);
    tss.esp2 = STACK_TOP(2);
}

static void
run_ring(struct context *c, const struct snippet *s, unsigned ring,
         uint32_t flags)
{
    context_init(c, s->start, ring);
    if (ring == 1 || ring == 2) {
        c->cs = SEL_CODE(ring);
        c->ds = c->es = c->fs = c->gs = c->ss = SEL_DATA(ring);
        c->esp = (uint32_t)&start_stacks[ring][ARRAY_LEN(start_stacks[0])];
    }
    c->eflags |= flags;
    context_run(c);
}

/* --- What they may do ------------------------------------------------------*/

SNIPPET(sum, "mov $100, %ecx; xor %eax, %eax; 1: add %ecx, %eax; push %eax; "
        "pop %edx; loop 1b", "mov %cs, %ebx", "");
SNIPPET(do_cli, "", "cli", "");
SNIPPET(do_in, "", "in $0x80, %al", "");
SNIPPET(do_hlt, "", "hlt", "");
SNIPPET(do_cr0, "", "mov %cr0, %eax", "");
SNIPPET(do_dr7, "", "mov %dr7, %eax", "");
SNIPPET(do_lgdt, "", "lgdt (%esp)", "");
SNIPPET(do_invlpg, "", "invlpg (%esp)", "");
SNIPPET(do_rdmsr, "mov $0x174, %ecx", "rdmsr", "");
SNIPPET(do_sysexit, "", "sysexit", "");
SNIPPET(do_ud2, "", "ud2", "");
SNIPPET(do_load_0, "mov $0x10, %eax", "mov %eax, %es", "");
SNIPPET(do_load_3, "mov $0x23, %eax", "mov %eax, %es", "");
SNIPPET(do_ss_3, "mov $0x23, %eax", "mov %eax, %ss", "");
SNIPPET(do_misaligned, "sub $16, %esp", "mov 1(%esp), %eax", "");

struct ring_case {
    const char *name;
    const struct snippet *snippet;
    unsigned ring, vector;
    uint32_t error, flags;
};

static const struct ring_case cases[] = {
    { "1: CLI with IOPL 0", &do_cli, 1, VEC_GP },
    { "1: CLI with IOPL 1", &do_cli, 1, VEC_DONE, 0, IOPL(1) },
    { "2: CLI with IOPL 1", &do_cli, 2, VEC_GP, 0, IOPL(1) },
    { "2: CLI with IOPL 3", &do_cli, 2, VEC_DONE, 0, IOPL(3) },
    { "1: IN with IOPL 0", &do_in, 1, VEC_GP },
    { "1: IN with IOPL 1", &do_in, 1, VEC_DONE, 0, IOPL(1) },
    { "1: HLT with IOPL 3", &do_hlt, 1, VEC_GP, 0, IOPL(3) },
    { "1: MOV from CR0", &do_cr0, 1, VEC_GP },
    { "2: MOV from DR7", &do_dr7, 2, VEC_GP },
    { "1: LGDT", &do_lgdt, 1, VEC_GP },
    { "1: INVLPG", &do_invlpg, 1, VEC_GP },
    { "2: RDMSR", &do_rdmsr, 2, VEC_GP },
    { "1: SYSEXIT", &do_sysexit, 1, VEC_GP },
    { "1: UD2", &do_ud2, 1, VEC_UD },
    { "1: data of ring 0", &do_load_0, 1, VEC_GP, SEL_DATA0 },
    { "1: data of ring 3", &do_load_3, 1, VEC_DONE },
    { "1: a stack of ring 3", &do_ss_3, 1, VEC_GP, SEL_DATA3 & ~SEL_RPL },
    { "2: no #AC", &do_misaligned, 2, VEC_DONE, 0, EFLAGS_AC },
};

static void
check_rights(void)
{
    struct context c;

    for (unsigned r = 1; r <= 2; r++) {
        run_ring(&c, &sum, r, EFLAGS_IF);
        check(r == 1 ? "1: code" : "2: code", c.eax, 5050);
        check(r == 1 ? "1: CS" : "2: CS", c.ebx & LOW_WORD, SEL_CODE(r));
        check(r == 1 ? "1: SS" : "2: SS", c.ss & LOW_WORD, SEL_DATA(r));
    }
    write_cr0(read_cr0() | CR0_AM);
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        const struct ring_case *r = &cases[n];

        run_ring(&c, r->snippet, r->ring, r->flags);
        check_trap(r->name, &c, r->vector, r->error,
                   r->vector == VEC_DONE ? (const char *)c.eip
                                         : r->snippet->at);
    }
    write_cr0(read_cr0() & ~CR0_AM);
}

SNIPPET(load_flags, "push %ebx", "popfl", "pushfl; pop %ecx; push $2; popfl");

static uint32_t
flags_after(unsigned ring, uint32_t before)
{
    struct context c;

    context_init(&c, load_flags.start, 0);
    c.cs = SEL_CODE(ring);
    c.ss = SEL_DATA(ring);
    c.ebx = EFLAGS_IF | EFLAGS_IOPL | EFLAGS_CF;
    c.esp = (uint32_t)&start_stacks[ring][ARRAY_LEN(start_stacks[0])];
    c.eflags |= before;
    context_run(&c);
    return c.ecx & ~EFLAGS_FIXED;
}

static void
check_flags(void)
{
    check("1: POPF with IOPL 0 leaves IF and IOPL", flags_after(1, 0),
          EFLAGS_CF);
    check("1: POPF with IOPL 1 loads IF", flags_after(1, IOPL(1)),
          EFLAGS_CF | EFLAGS_IF | IOPL(1));
    check("2: POPF with IOPL 1 leaves IF", flags_after(2, IOPL(1)),
          EFLAGS_CF | IOPL(1));
}

/* --- Pages -----------------------------------------------------------------*/

SNIPPET(read_page, "", "movl (%ebx), %eax", "");
SNIPPET(write_page, "", "movl %eax, (%ebx)", "");

static void
touch(struct context *c, const struct snippet *s, unsigned ring, uint32_t pte)
{
    window_pt[0] = pte;
    invlpg(WINDOW);
    context_init(c, s->start, 0);
    c->cs = SEL_CODE(ring);
    c->ds = c->ss = SEL_DATA(ring);
    c->ebx = WINDOW + NUMBER_AT;
    c->esp = (uint32_t)&start_stacks[ring][ARRAY_LEN(start_stacks[0])];
    context_run(c);
}

static void
check_pages(void)
{
    struct context c;

    paging_on();
    touch(&c, &read_page, 1, window_entry(2, SUPERVISOR));
    check("1: read of a supervisor's page", c.eax, 2);
    touch(&c, &read_page, 2, window_entry(3, SUPERVISOR));
    check("2: read of a supervisor's page", c.eax, 3);
    touch(&c, &read_page, 1, 0);
    check_page_fault("1: no page", &c, 0, WINDOW + NUMBER_AT);
    write_cr0(read_cr0() | CR0_WP);
    touch(&c, &write_page, 2, window_entry(0, (uint32_t)PTE_P));
    check_page_fault("2: write to a read-only page", &c, 3,
                     WINDOW + NUMBER_AT);
    write_cr0(read_cr0() & ~CR0_WP);
    touch(&c, &write_page, 2, window_entry(0, (uint32_t)PTE_P));
    check("2: without WP it may", c.vector, VEC_DONE);
    paging_off();
}

/* --- Gates -----------------------------------------------------------------*/

SNIPPET(call_gate, "push $0x11111111", "lcall $0x53, $0", "mov %cs, %ebx");
SNIPPET(call_on, "", "lcall $0x5b, $0", "lret");
SNIPPET(int_test, "", "int $0x51", "mov %cs, %ebx");
SNIPPET(end, "", "nop", "");
SNIPPET(back_4, "", "lret $4", "");
SNIPPET(back, "", "lret", "");
SNIPPET(back_int, "", "iret", "");

static void
set_gate(unsigned index, const struct snippet *to, unsigned ring,
         unsigned count)
{
    struct gate *g = (struct gate *)(void *)&gdt[index];

    *g = (struct gate){
        .offset_low = (uint32_t)to->start & LOW_WORD,
        .offset_high = (uint32_t)to->start >> 16,
        .selector = ring == 0 ? SEL_CODE0 : SEL_CODE(ring),
        .param_count = count, .type = SYS_CALL32, .dpl = 3, .p = 1,
    };
}

static uint32_t
word(const struct context *c, unsigned n)
{
    return ((const uint32_t *)c->esp)[n];
}

/* From ring 3 to TO, on its stack, and back. */
static void
check_gate(unsigned to)
{
    static const char *const names[2][5] = {
        { "3 to 1: ESP", "3 to 1: CS and SS", "3 to 1: return CS",
          "3 to 1: parameter", "3 to 1 and back" },
        { "3 to 2: ESP", "3 to 2: CS and SS", "3 to 2: return CS",
          "3 to 2: parameter", "3 to 2 and back" },
    };
    const char *const *name = names[to - 1];
    struct context c;

    set_gate(GDT_GATE, &end, to, 1);
    run_ring(&c, &call_gate, 3, EFLAGS_IF);
    check(name[0], c.esp, STACK_TOP(to) - 5 * sizeof(uint32_t));
    check(name[1], (c.cs & LOW_WORD) << 16 | (c.ss & LOW_WORD),
          SEL_CODE(to) << 16 | SEL_DATA(to));
    check(name[2], word(&c, 1) & LOW_WORD, SEL_CODE3);
    check(name[3], word(&c, 2), 0x11111111);
    set_gate(GDT_GATE, &back_4, to, 1);
    run_ring(&c, &call_gate, 3, EFLAGS_IF);
    check(name[4], c.ebx & LOW_WORD, SEL_CODE3);
}

static void
check_gates(void)
{
    struct context c;

    check_gate(1);
    check_gate(2);
    set_gate(GDT_GATE, &call_on, 2, 0);
    set_gate(GDT_GATE_2, &end, 1, 0);
    run_ring(&c, &call_gate, 3, EFLAGS_IF);
    check("3 to 2 to 1: CS", c.cs & LOW_WORD, SEL_CODE(1));
    check("3 to 2 to 1: old SS", word(&c, 3) & LOW_WORD, SEL_DATA(2));
    set_gate(GDT_GATE_2, &back, 0, 0);
    run_ring(&c, &call_gate, 3, EFLAGS_IF);
    check("3 to 2 to 0 and back", c.ebx & LOW_WORD, SEL_CODE3);
    set_gate(GDT_GATE, &end, 2, 0);
    run_ring(&c, &call_gate, 1, 0);
    check_trap("1 to 2", &c, VEC_GP, SEL_CODE(2) & ~SEL_RPL, call_gate.at);
}

/* An interrupt gate whose handler is in ring 1. */
static void
check_interrupts(void)
{
    struct gate *g = idt_set(VEC_TEST, SYS_INT32, 3);
    struct context c;

    g->selector = SEL_CODE(1);
    g->offset_low = (uint32_t)end.start & LOW_WORD;
    g->offset_high = (uint32_t)end.start >> 16;
    run_ring(&c, &int_test, 3, EFLAGS_IF);
    check("INT from 3 to 1: ESP", c.esp, STACK_TOP(1) - 5 * sizeof(uint32_t));
    check("INT from 3 to 1: CS", c.cs & LOW_WORD, SEL_CODE(1));
    check("INT from 3 to 1: IF is clear", c.eflags & EFLAGS_IF, 0);
    run_ring(&c, &int_test, 1, 0);
    check("INT within 1: old CS", word(&c, 1) & LOW_WORD, SEL_CODE(1));
    run_ring(&c, &int_test, 0, 0);
    check_trap("INT from 0 to 1", &c, VEC_GP, SEL_CODE(1) & ~SEL_RPL,
               int_test.at);
    g->offset_low = (uint32_t)back_int.start & LOW_WORD;
    g->offset_high = (uint32_t)back_int.start >> 16;
    run_ring(&c, &int_test, 3, EFLAGS_IF);
    check("INT from 3 to 1 and back", c.ebx & LOW_WORD, SEL_CODE3);
    (void)timer_request();
    run_ring(&c, &end, 1, EFLAGS_IF);
    timer_stop();
    check_trap("1: an interrupt that waits", &c, VEC_IRQ0 + IRQ_TIMER, 0,
               end.start);
}

/* --- Returns ---------------------------------------------------------------*/

/* EBX is CS and ECX is SS of where to. */
SNIPPET(return_to, "mov %esp, %eax; push %ecx; push %eax; push $2; push %ebx; "
        "push $return_to_next", "iretl", "mov %es, %edx");

static void
run_return(struct context *c, unsigned from, uint32_t cs, uint32_t ss)
{
    context_init(c, return_to.start, from);
    if (from == 1 || from == 2) {
        c->cs = SEL_CODE(from);
        c->ds = c->es = c->fs = c->gs = c->ss = SEL_DATA(from);
        c->esp = (uint32_t)&start_stacks[from][ARRAY_LEN(start_stacks[0])];
    }
    c->ebx = cs;
    c->ecx = ss;
    context_run(c);
}

static void
check_returns(void)
{
    struct context c;

    run_return(&c, 1, SEL_CODE3, SEL_DATA3);
    check("IRET from 1 to 3: CS", c.cs & LOW_WORD, SEL_CODE3);
    check("IRET from 1 to 3 drops ES", c.edx & LOW_WORD, 0);
    run_return(&c, 1, SEL_CODE(2), SEL_DATA(2));
    check("IRET from 1 to 2: SS", c.ss & LOW_WORD, SEL_DATA(2));
    run_return(&c, 0, SEL_CODE(1), SEL_DATA(2));
    check_trap("IRET from 0 to 1: SS of 2", &c, VEC_GP,
               SEL_DATA(2) & ~SEL_RPL, return_to.at);
    run_return(&c, 2, SEL_CODE(1), SEL_DATA(1));
    check_trap("IRET from 2 to 1", &c, VEC_GP, SEL_CODE(1) & ~SEL_RPL,
               return_to.at);
    run_return(&c, 1, SEL_CODE0, SEL_DATA0);
    check_trap("IRET from 1 to 0", &c, VEC_GP, SEL_CODE0, return_to.at);
}

TOPIC(rings)
{
    set_rings();
    check_rights();
    check_flags();
    check_pages();
    check_gates();
    check_interrupts();
    check_returns();
}
