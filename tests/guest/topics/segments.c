/*
 * segments.c - what a segment lets through, and what is in its descriptor.
 *
 * An access goes through ES, in ring 3, to a segment of `area`; a case says
 * where, and whether the limit and the type let it.  Then loads of selectors,
 * what stays in a register when its descriptor changes ("hidden" state), stacks
 * and code of 16 bits and with limits, and the instructions that look at
 * descriptors.  SDM 3A 3.4.3 to 3.4.5, 5.3 (limits), 5.4 (types), 5.5, 5.6
 * (privilege), 5.10; SDM 2 "LAR", "LSL", "VERR", "ARPL".
 */
#include "guest/guest.h"
#include "kernel/base/string.h"

#define AREA            0x3000u
#define SEL             (SEL_FREE | SEL_RPL)
#define GDT_LDT         (GDT_FREE + 1)
#define WRAP            0xfff00000u     /* a base: 1 MB more is 0 */
#define EDGE            0x0fffu         /* a limit */
#define LIMIT_16        0xffffu
#define LIMIT_PAGE      0x1fffu         /* limit 1 in pages */
#define MARK            0x12345678u
#define EXECUTE_ONLY    SEG_CODE
#define READABLE        (SEG_CODE | SEG_CODE_R)
#define CONFORMING      (SEG_CODE | SEG_CODE_C | SEG_CODE_R)
#define SELECTOR_BITS   0xffffu

static uint8_t area[AREA] ALIGNED(4096);
static uint8_t big_area[0x10010] ALIGNED(4096);

SNIPPET(read_byte, "", "movb %es:(%ebx), %al", "");
SNIPPET(read_word, "", "movw %es:(%ebx), %ax", "");
SNIPPET(read_long, "", "movl %es:(%ebx), %eax", "");
SNIPPET(write_byte, "", "movb %al, %es:(%ebx)", "");
SNIPPET(write_long, "", "movl %eax, %es:(%ebx)", "");
SNIPPET(add_long, "", "addl %eax, %es:(%ebx)", "");
SNIPPET(store_string, "mov %ebx, %edi", "stosl", "");
SNIPPET(load_es, "", "mov %eax, %es", "mov %es, %ecx");
SNIPPET(load_ss, "", "mov %eax, %ss", "");
SNIPPET(load_les, "push %eax; push $0", "les (%esp), %ebx", "");

/* --- Limits and types ------------------------------------------------------*/

struct access_case {
    const char *name;
    const struct snippet *snippet;
    uint32_t offset, limit;
    uint8_t type;
    bool is_16, is_fault;
};

#define RW  SEG_DATA_W
#define DOWN (SEG_DATA_W | SEG_DATA_E)

static const struct access_case accesses[] = {
    { "byte at the limit", &read_byte, EDGE, EDGE, RW },
    { "byte behind the limit", &read_byte, EDGE + 1, EDGE, RW, 0, true },
    { "word at the limit", &read_word, EDGE, EDGE, RW, 0, true },
    { "word up to the limit", &read_word, EDGE - 1, EDGE, RW },
    { "doubleword up to the limit", &read_long, EDGE - 3, EDGE, RW },
    { "doubleword across the limit", &read_long, EDGE - 2, EDGE, RW, 0,
      true },
    { "write up to the limit", &write_long, EDGE - 3, EDGE, RW },
    { "write across the limit", &write_long, EDGE - 2, EDGE, RW, 0, true },
    { "add across the limit", &add_long, EDGE - 2, EDGE, RW, 0, true },
    { "STOS across the limit", &store_string, EDGE - 2, EDGE, RW, 0, true },
    { "limit 0 is a byte", &read_byte, 0, 0, RW },
    { "limit 0 is no word", &read_word, 0, 0, RW, 0, true },
    { "far beyond", &read_byte, 0xfffffff0, EDGE, RW, 0, true },
    { "expand-down: byte behind the limit", &read_byte, EDGE + 1, EDGE, DOWN },
    { "expand-down: byte at the limit", &read_byte, EDGE, EDGE, DOWN, 0,
      true },
    { "expand-down: byte 0", &read_byte, 0, EDGE, DOWN, 0, true },
    { "expand-down: word across the limit", &read_word, EDGE, EDGE, DOWN, 0,
      true },
    { "expand-down: limit 0", &read_byte, 1, 0, DOWN },
    { "expand-down, 16 bits: within", &write_byte, EDGE + 1, EDGE, DOWN,
      true },
    { "expand-down, 16 bits: 64 KB", &read_byte, 0x10000, EDGE, DOWN, true,
      true },
    { "expand-down, 16 bits: word at 64 KB - 1", &read_word, LIMIT_16, EDGE,
      DOWN, true, true },
    { "expand-down, 32 bits: 64 KB", &read_byte, 0x10000, EDGE, DOWN },
    { "read of read-only data", &read_long, 0, EDGE, 0 },
    { "write of read-only data", &write_long, 0, EDGE, 0, 0, true },
    { "add to read-only data", &add_long, 0, EDGE, 0, 0, true },
    { "read of code", &read_long, 0, EDGE, READABLE },
    { "write of code", &write_long, 0, EDGE, READABLE, 0, true },
    { "read of conforming code", &read_long, 0, EDGE, CONFORMING },
};

static void
run_access(const struct access_case *a)
{
    const struct snippet *s = a->snippet;
    struct context c;

    memset(big_area, 0, sizeof(big_area));
    *gdt_set(GDT_FREE, (uint32_t)big_area, a->limit, a->type) =
        (struct segdesc){ .limit_low = a->limit, .base_low =
            (uint32_t)big_area & UINT16_MAX, .base_mid =
            (uint32_t)big_area >> 16, .type = a->type, .s = 1, .dpl = 3,
            .p = 1, .db = !a->is_16 };
    context_init(&c, s->start, 3);
    c.es = SEL;
    c.ebx = a->offset;
    context_run(&c);
    if (a->is_fault)
        check_trap(a->name, &c, VEC_GP, 0, s->at);
    else
        check(a->name, c.vector, VEC_DONE);
}

static void
check_granularity(void)
{
    struct segdesc *d = gdt_set(GDT_FREE, (uint32_t)area, 1, RW);
    struct context c;

    d->dpl = 3;
    d->g = 1;
    context_init(&c, read_byte.start, 3);
    c.es = SEL;
    c.ebx = LIMIT_PAGE;
    context_run(&c);
    check("limit 1 in pages is 1FFF", c.vector, VEC_DONE);
    context_init(&c, read_byte.start, 3);
    c.es = SEL;
    c.ebx = LIMIT_PAGE + 1;
    context_run(&c);
    check_trap("limit 1 in pages ends there", &c, VEC_GP, 0, read_byte.at);
    gdt_set(GDT_FREE, WRAP, UINT32_MAX, RW)->dpl = 3;
    memcpy(area, &(uint32_t){ MARK }, sizeof(uint32_t));
    context_init(&c, read_long.start, 3);
    c.es = SEL;
    c.ebx = (uint32_t)area - WRAP;
    context_run(&c);
    check("a linear address wraps", c.eax, MARK);
}

/* --- Loads -----------------------------------------------------------------*/

struct load_case {
    const char *name;
    const struct snippet *snippet;
    uint8_t ring, type, dpl, vector;
    uint16_t selector, error;
    bool is_absent;
};

static const struct load_case loads[] = {
    { "load of data", &load_es, 3, RW, 3, VEC_DONE, SEL },
    { "load of execute-only code", &load_es, 0, EXECUTE_ONLY, 0, VEC_GP,
      SEL_FREE, SEL_FREE },
    { "load of readable code", &load_es, 0, READABLE, 0, VEC_DONE, SEL_FREE },
    { "load of conforming code of ring 0", &load_es, 3, CONFORMING, 0,
      VEC_DONE, SEL },
    { "load of data of ring 0 in ring 3", &load_es, 3, RW, 0, VEC_GP,
      SEL_FREE, SEL_FREE },
    { "load with RPL 3 of data of ring 0", &load_es, 0, RW, 0, VEC_GP, SEL,
      SEL_FREE },
    { "load of absent data", &load_es, 3, RW, 3, VEC_NP, SEL, SEL_FREE, true },
    { "privilege is looked at before presence", &load_es, 3, RW, 0, VEC_GP,
      SEL, SEL_FREE, true },
    { "LES of absent data", &load_les, 3, RW, 3, VEC_NP, SEL, SEL_FREE,
      true },
    { "load of null with RPL 3", &load_es, 3, RW, 3, VEC_DONE, 3 },
    { "load from no LDT", &load_es, 3, RW, 3, VEC_GP, SEL | SEL_TI,
      SEL_FREE | SEL_TI },
    { "SS: read-only", &load_ss, 3, 0, 3, VEC_GP, SEL, SEL_FREE },
    { "SS: code", &load_ss, 3, READABLE, 3, VEC_GP, SEL, SEL_FREE },
    { "SS: RPL 0 in ring 3", &load_ss, 3, RW, 3, VEC_GP, SEL_FREE, SEL_FREE },
    { "SS: DPL 3 in ring 0", &load_ss, 0, RW, 3, VEC_GP, SEL_FREE, SEL_FREE },
    { "SS: absent", &load_ss, 3, RW, 3, VEC_SS, SEL, SEL_FREE, true },
    { "SS: null in ring 3", &load_ss, 3, RW, 3, VEC_GP, 3, 0 },
};

static void
run_load(const struct load_case *l)
{
    struct segdesc *d = gdt_set(GDT_FREE, 0, UINT32_MAX, l->type);
    struct context c;

    d->dpl = l->dpl;
    d->p = !l->is_absent;
    context_init(&c, l->snippet->start, l->ring);
    c.eax = l->selector;
    context_run(&c);
    if (l->vector == VEC_DONE)
        check(l->name, c.vector, VEC_DONE);
    else
        check_trap(l->name, &c, l->vector, l->error, l->snippet->at);
}

static void
check_accessed(void)
{
    struct segdesc *d = gdt_set(GDT_FREE, 0, UINT32_MAX, RW);
    struct context c;

    d->dpl = 3;
    context_init(&c, load_es.start, 3);
    c.eax = SEL;
    context_run(&c);
    check("a load sets the accessed bit", gdt[GDT_FREE].type,
          RW | SEG_ACCESSED);
    d = gdt_set(GDT_FREE, 0, UINT32_MAX, RW);
    d->p = 0;
    context_run(&c);
    check("a load that faults does not", gdt[GDT_FREE].type, RW);
}

static void
check_ldt(void)
{
    static struct segdesc ldt[2];
    struct segdesc *d;
    struct context c;

    gdt_set(GDT_FREE, (uint32_t)area, EDGE, RW)->dpl = 3;
    ldt[1] = gdt[GDT_FREE];
    d = gdt_set(GDT_LDT, (uint32_t)ldt, sizeof(ldt) - 1, SYS_LDT);
    d->s = d->db = 0;
    lldt((uint16_t)selector(GDT_LDT, 0));
    context_init(&c, read_long.start, 3);
    c.es = selector(1, 3) | SEL_TI;
    context_run(&c);
    check("a segment of the LDT", c.eax, MARK);
    context_init(&c, load_es.start, 3);
    c.eax = selector(2, 3) | SEL_TI;
    context_run(&c);
    check_trap("behind the LDT", &c, VEC_GP, selector(2, 0) | SEL_TI,
               load_es.at);
    lldt(0);
}

/* --- Hidden state ----------------------------------------------------------*/

/* The descriptor goes; the register stays as it was loaded, SDM 3A 3.4.3. */
SNIPPET(hidden, "mov %eax, %es; movl $0, (%esi); movl $0, 4(%esi)",
        "movl %es:(%ebx), %eax", "mov %es, %ecx");
SNIPPET(hidden_int, "mov %eax, %es; movl $0, (%esi); movl $0, 4(%esi); "
        "int $0x41", "movl %es:(%ebx), %eax", "");
SNIPPET(just_iret, "", "iret", "");

static void
set_gate(unsigned vector, const char *code)
{
    struct gate *g = idt_set(vector, SYS_INT32, 3);

    g->offset_low = (uint32_t)code & UINT16_MAX;
    g->offset_high = (uint32_t)code >> 16;
}

static void
run_hidden(const char *name, const struct snippet *s, unsigned ring)
{
    struct context c;

    gdt_set(GDT_FREE, (uint32_t)area, EDGE, RW)->dpl = ring;
    context_init(&c, s->start, ring);
    c.eax = SEL_FREE | ring;
    c.esi = (uint32_t)&gdt[GDT_FREE];
    context_run(&c);
    if (c.vector == VEC_DONE)
        check(name, c.eax, MARK);
    else
        check_trap(name, &c, VEC_DONE, 0, s->next);
}

static void
check_hidden(void)
{
    set_gate(VEC_DONE + 1, just_iret.start);
    run_hidden("a changed descriptor is not seen", &hidden, 3);
    run_hidden("nor in ring 0", &hidden, 0);
    run_hidden("nor behind an interrupt", &hidden_int, 3);
    run_hidden("nor behind one in ring 0", &hidden_int, 0);
}

/* What is above the privilege of an outer ring is dropped: SDM 2 "IRET". */
SNIPPET(return_outer, "mov %eax, %es; push $0x23; push %esp; push $2; "
        "push $0x1b; push $return_outer_next", "iretl", "mov %es, %ecx");
SNIPPET(ret_outer, "mov %eax, %es; mov %esp, %edx; push $0x23; push %edx; "
        "push $0x1b; push $ret_outer_next", "lretl", "mov %es, %ecx");

static void
check_dropped(const char *name, const struct snippet *s, uint32_t selector)
{
    struct context c;

    context_init(&c, s->start, 0);
    c.eax = selector;
    context_run(&c);
    check(name, c.ecx & SELECTOR_BITS, selector & SEL_RPL ? selector : 0);
}

/* --- Stacks ----------------------------------------------------------------*/

#define ESP_HIGH        0x12340000u     /* not used by a stack of 16 bits */

SNIPPET(push_wrap, "mov %eax, %ss; mov %ebx, %esp", "push $0x55", "");
SNIPPET(pop_wrap, "mov %eax, %ss; mov %ebx, %esp", "pop %ecx; pop %edx", "");
SNIPPET(push_long, "mov %eax, %ss; mov %ebx, %esp", "pushl %ecx", "");

static void
run_stack(struct context *c, const struct snippet *s, uint32_t esp)
{
    context_init(c, s->start, 3);
    c->eax = SEL;
    c->ebx = esp;
    context_run(c);
}

static void
check_stacks(void)
{
    struct segdesc *d = gdt_set(GDT_FREE, (uint32_t)big_area, LIMIT_16, RW);
    struct context c;

    d->dpl = 3;
    d->db = 0;
    run_stack(&c, &push_wrap, ESP_HIGH);
    check("16-bit stack: PUSH wraps SP", c.esp, ESP_HIGH | 0xfffc);
    check("16-bit stack: PUSH at the top", big_area[0xfffc], 0x55);
    run_stack(&c, &pop_wrap, ESP_HIGH | 0xfffc);
    check("16-bit stack: POP wraps SP", c.esp, ESP_HIGH | 4);
    check("16-bit stack: POP from the top", c.ecx, 0x55);
    d = gdt_set(GDT_FREE, (uint32_t)big_area, EDGE, DOWN);
    d->dpl = 3;
    run_stack(&c, &push_long, EDGE + 5);
    check("expand-down stack: PUSH down to the limit", c.esp, EDGE + 1);
    run_stack(&c, &push_long, EDGE + 4);
    check_trap("expand-down stack: PUSH across the limit", &c, VEC_SS, 0,
               push_long.at);
    check("a PUSH that faults leaves ESP", c.esp, EDGE + 4);
}

/* --- Code ------------------------------------------------------------------*/

#define INT_DONE        0xcd, VEC_DONE

static void
run_code(struct context *c, const uint8_t *code, uint32_t limit, bool is_16)
{
    struct segdesc *d = gdt_set(GDT_FREE, (uint32_t)area, limit, READABLE);

    d->dpl = 3;
    d->db = !is_16;
    memcpy(area, code, 16);
    context_init(c, NULL, 3);
    c->cs = SEL;
    c->eax = MARK;
    context_run(c);
}

static void
check_code(void)
{
    static const uint8_t nops[16] = { 0x90, 0x90, 0x90, 0x90, INT_DONE };
    static const uint8_t cross[16] = { 0x90, 0xb8, 1, 0, 0, 0, INT_DONE };
    static const uint8_t jump[16] = { 0x90, 0xeb, 9, [12] = INT_DONE };
    static const uint8_t word[16] = { 0xb8, 1, 2, INT_DONE };
    struct context c;

    run_code(&c, nops, 15, false);
    check_trap("code with a base", &c, VEC_DONE, 0, (const void *)6);
    run_code(&c, nops, 3, false);
    check_trap("running past the limit of code", &c, VEC_GP, 0,
               (const void *)4);
    run_code(&c, cross, 4, false);
    check_trap("an instruction across the limit", &c, VEC_GP, 0,
               (const void *)1);
    run_code(&c, jump, 7, false);
    check_trap("a jump past the limit", &c, VEC_GP, 0, (const void *)1);
    run_code(&c, word, 15, true);
    check("code of 16 bits has operands of 16", c.eax,
          (MARK & ~SELECTOR_BITS) | 0x201);
}

TOPIC(segments)
{
    for (size_t n = 0; n < ARRAY_LEN(accesses); n++)
        run_access(&accesses[n]);
    check_granularity();
    for (size_t n = 0; n < ARRAY_LEN(loads); n++)
        run_load(&loads[n]);
    check_accessed();
    check_ldt();
    check_hidden();
    check_dropped("IRET outwards drops ES of ring 0", &return_outer,
                  SEL_DATA0);
    check_dropped("IRET outwards keeps ES of ring 3", &return_outer,
                  SEL_DATA3);
    check_dropped("RETF outwards drops ES of ring 0", &ret_outer, SEL_DATA0);
    check_dropped("RETF outwards keeps ES of ring 3", &ret_outer, SEL_DATA3);
    check_stacks();
    check_code();
}
