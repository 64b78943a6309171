/*
 * gates.c - every vector, every selector, in both rings.
 *
 * A guest's INT n is its own, whatever the monitor does with that vector; the
 * selectors of the monitor are none to the guest.  SDM 3A 5.5, 6.12; SDM 2
 * "INT n", "LAR", "VERR".
 */
#include "hostile/hostile.h"
#include "kernel/base/format.h"

#define SELECTORS       8192u
#define VECTORS         256u
#define INT_OPCODE      0xcd
#define LDT_BIT         BIT(2)
#define LAST_SELECTORS  0xff00u
#define STEP            61u             /* a sample of the rest */
#define ERROR_IDT       2u              /* in the error code of INT n */
#define NAME_SIZE       48

/* Their stubs find no error code when INT comes there. */
#define HAS_ERROR       (BIT(VEC_DF) | BIT(VEC_TS) | BIT(VEC_NP) | \
                         BIT(VEC_SS) | BIT(VEC_GP) | BIT(VEC_PF) | BIT(VEC_AC))

SNIPPET(load_ds, "", "mov %eax, %ds", "");
SNIPPET(load_es, "", "mov %eax, %es", "");
SNIPPET(load_fs, "", "mov %eax, %fs", "");
SNIPPET(load_gs, "", "mov %eax, %gs", "");
SNIPPET(load_ss, "", "mov %eax, %ss", "");
SNIPPET(jump_far, "push %eax; push $0x100000", "ljmp *(%esp)", "");
SNIPPET(call_far, "push %eax; push $0x100000", "lcall *(%esp)", "");
SNIPPET(return_far, "push %eax; push $0x100000", "lret", "");
SNIPPET(return_int, "push $0x23; push $0x100000; push $2; push %eax;"
        "push $0x100000", "iret", "");
/* Over all selectors from EAX up: how many does the instruction accept? */
SNIPPET(count_lar, "xor %ebx, %ebx; 1: lar %eax, %edx; jnz 2f; inc %ebx; 2:"
        "add $8, %eax; cmp $0x10000, %eax; jb 1b", "nop", "");
SNIPPET(count_lsl, "xor %ebx, %ebx; 1: lsl %eax, %edx; jnz 2f; inc %ebx; 2:"
        "add $8, %eax; cmp $0x10000, %eax; jb 1b", "nop", "");
SNIPPET(count_verr, "xor %ebx, %ebx; 1: verr %ax; jnz 2f; inc %ebx; 2:"
        "add $8, %eax; cmp $0x10000, %eax; jb 1b", "nop", "");
SNIPPET(count_verw, "xor %ebx, %ebx; 1: verw %ax; jnz 2f; inc %ebx; 2:"
        "add $8, %eax; cmp $0x10000, %eax; jb 1b", "nop", "");

static uint8_t int_code[4];

static const struct {
    const char *name;
    const struct snippet *snippet;
} loads[] = {
    { "DS", &load_ds }, { "ES", &load_es }, { "FS", &load_fs },
    { "GS", &load_gs }, { "SS", &load_ss }, { "far JMP", &jump_far },
    { "far CALL", &call_far }, { "RETF", &return_far }, { "IRET", &return_int },
};

static const struct {
    const char *name;
    const struct snippet *snippet;
} counts[] = {
    { "LAR knows none", &count_lar }, { "LSL knows none", &count_lsl },
    { "VERR knows none", &count_verr }, { "VERW knows none", &count_verw },
};

/* INT of all vectors, with gates that RING may use or not. */
static unsigned
count_wrong_vectors(unsigned ring, unsigned dpl)
{
    unsigned wrong = 0;

    for (unsigned n = 0; n < VECTORS; n++) {
        bool may = ring <= dpl;
        struct context c;

        if (may && n < 32 && (HAS_ERROR & BIT(n)))
            continue;
        idt_set(n, SYS_INT32, dpl);
        int_code[0] = INT_OPCODE;
        int_code[1] = (uint8_t)n;
        context_init(&c, int_code, ring);
        context_run(&c);
        idt_set(n, SYS_INT32, n == VEC_DONE ? 3 : 0);
        wrong += may ? c.vector != n
                     : c.vector != VEC_GP || c.error != n * 8 + ERROR_IDT;
    }
    return wrong;
}

static bool
is_wrong(const struct snippet *s, unsigned ring, uint32_t value)
{
    struct context c;

    context_init(&c, s->start, ring);
    c.eax = value;
    context_run(&c);
    return c.vector != VEC_GP || c.error != (value & ~(uint32_t)SEL_RPL);
}

/* Selectors behind the GDT, and in the LDT that there is not. */
static unsigned
count_wrong_selectors(const struct snippet *s, unsigned ring, unsigned step)
{
    unsigned wrong = 0;

    for (uint32_t n = GDT_ENTRIES; n < SELECTORS; n += step) {
        wrong += is_wrong(s, ring, n << SEL_INDEX_SHIFT | ring);
        wrong += is_wrong(s, ring, n << SEL_INDEX_SHIFT | ring | LDT_BIT);
    }
    return wrong;
}

/* The last ones in all forms: there the monitor might have its own. */
static unsigned
count_wrong_last(const struct snippet *s, unsigned ring)
{
    unsigned wrong = 0;

    for (uint32_t value = LAST_SELECTORS; value <= UINT16_MAX; value++)
        wrong += is_wrong(s, ring, value);
    return wrong;
}

static void
check_selectors(unsigned ring)
{
    char name[NAME_SIZE];

    for (size_t n = 0; n < ARRAY_LEN(loads); n++) {
        const struct snippet *s = loads[n].snippet;

        format_buf(name, sizeof(name), "%s in ring %u", loads[n].name, ring);
        check(name, count_wrong_selectors(s, ring, n == 0 ? 1 : STEP), 0);
        format_buf(name, sizeof(name), "%s in ring %u: the last", loads[n].name,
                   ring);
        check(name, count_wrong_last(s, ring), 0);
    }
}

static void
check_vectors(unsigned ring, unsigned dpl)
{
    char name[NAME_SIZE];

    format_buf(name, sizeof(name), "INT n in ring %u, DPL %u", ring, dpl);
    check(name, count_wrong_vectors(ring, dpl), 0);
}

TOPIC(gates)
{
    struct context c;

    for (unsigned ring = 0; ring <= 3; ring += 3)
        for (unsigned dpl = 0; dpl <= 3; dpl += 3)
            check_vectors(ring, dpl);
    for (size_t n = 0; n < ARRAY_LEN(counts); n++) {
        context_init(&c, counts[n].snippet->start, 3);
        c.eax = GDT_ENTRIES << SEL_INDEX_SHIFT;
        context_run(&c);
        check(counts[n].name, c.ebx, 0);
    }
    check_selectors(3);
    check_selectors(0);
}
