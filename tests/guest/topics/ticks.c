/*
 * ticks.c - a computation that timer interrupts come into, in rings 0 and 3.
 *
 * Whatever the handler does that it may do, the result is the one without
 * interrupts: general registers, flags from instruction to instruction, the
 * stack, memory, x87 and SSE registers.  Each round depends on all of the round
 * before; the numbers follow x = r * x * (1 - x), which forgets no difference.
 * No flag is looked at where it is undefined.
 *
 * It runs on flat segments, and in ring 3 also on such whose base makes all
 * addresses wrap, and with a stack of 16 bits.  Handlers: one that only counts;
 * one that has the FPU for itself meanwhile; one that sets CR0.TS, so that #NM
 * comes next.  Each asks for the next tick itself, so that a slow computer gets
 * on, too.  SDM 3A 2.5 (TS), 6.12.1; 8254 data sheet, mode 0.
 */
#include "guest/devices.h"
#include "kernel/base/string.h"

#define VEC_TIMER       (VEC_IRQ0 + IRQ_TIMER)
#define GDT_CODE        (GDT_FREE + 1)
#define WRAP            0x80000000u     /* a base: 2 GB more is 0 */
#define PERIOD          0x5ff           /* of 1.19 MHz: 1.3 ms; see COUNT */
#define TICKS           10u
#define ROUNDS          5000u
#define FLAGS_RESULT    (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_OF)

/* At EBP, by offset. */
struct block {
    double x, r;                        /* 0, 8 */
    float vector_x[4], vector_r[4], one[4]; /* 16, 32, 48 */
    uint32_t word[4];                   /* 64 */
    uint8_t x87[2][10];                 /* 80, 90 */
    uint16_t control, status;           /* 100, 102 */
    float xmm[4][4];                    /* 104 */
    uint32_t mxcsr;                     /* 168 */
};
STATIC_ASSERT(offsetof(struct block, mxcsr) == 168);

#define SSE_STEP        "movaps %xmm2, %xmm3; subps %xmm0, %xmm3;" \
                        "mulps %xmm3, %xmm0; mulps %xmm1, %xmm0;"
#define X87_STEP        "fld1; fsub %st(1); fmulp; fmul %st(1);"

SNIPPET(compute, "fninit; fldl 8(%ebp); fldl (%ebp);"
        "movups 16(%ebp), %xmm0; movups 32(%ebp), %xmm1; movups 48(%ebp),"
        "%xmm2; stc",
        "1: adc %eax, %ebx; pushf; pop %edx; and $0x8d5, %edx;"
        SSE_STEP "rcl $1, %ebx; sbb %esi, %edi; lea 7(%eax, %ebx, 4), %eax;"
        "imul $0x41c64e6d, %eax, %eax; add %edx, %eax; adc $0, %edi;"
        X87_STEP "push %eax; popl 64(%ebp); xor %edi, 64(%ebp);"
        "mul %ecx; add %edx, %esi; call 3f; bswap %ebx; rol $7, %edi;"
        "xchg %eax, 68(%ebp); xadd %ebx, 72(%ebp); push %ebx; fistl 76(%ebp);"
        "pop %edx; add %edx, %esi; dec %ecx; jnz 1b",
        "pushf; pop %edx; fstpt 80(%ebp); fstpt 90(%ebp); fnstcw 100(%ebp);"
        "fnstsw 102(%ebp); movups %xmm0, 104(%ebp); movups %xmm1, 120(%ebp);"
        "movups %xmm2, 136(%ebp); movups %xmm3, 152(%ebp); stmxcsr 168(%ebp);"
        "int $0x40; 3: neg %esi; ret");

/* In ring 0, on what TSS or interrupted code have for a stack. */
#define COUNT           "push %ds; push %eax; mov %cs, %eax; add $8, %eax;" \
                        "mov %eax, %ds; mov $0x20, %al; out %al, $0x20;" \
                        "incl tick_count; mov $0xff, %al; out %al, $0x40;" \
                        "mov $5, %al; out %al, $0x40;"
#define RETURN          "pop %eax; pop %ds; iret"
__asm__(".pushsection .bss\n.balign 4\ntick_count: .skip 4\n"
        "tick_fpu: .skip 108\n.popsection");
SNIPPET(tick_plain, "", COUNT RETURN, "");
SNIPPET(tick_fpu_used, "", COUNT "fnsave tick_fpu; fldpi; fldpi; fmulp;"
        "sub $16, %esp; movups %xmm0, (%esp); xorps %xmm0, %xmm0;"
        "movups (%esp), %xmm0; add $16, %esp; frstor tick_fpu;"
        RETURN, "");
SNIPPET(tick_ts, "", COUNT "mov %cr0, %eax; or $8, %eax; mov %eax, %cr0;"
        RETURN, "");
SNIPPET(no_fpu, "", "clts; iret", "");
SNIPPET(read_ticks, "", "mov tick_count, %eax", "");

struct result {
    struct block block;
    uint32_t reg[7], flags;
};

/* One segment of 16 bits for a stack and what EBP points to. */
static struct {
    struct result result;
    uint8_t stack[GUEST_STACK];
} small;

enum segments { FLAT, WRAPPING, SMALL_STACK };

static void
set_gate(unsigned vector, const struct snippet *s)
{
    struct gate *g = idt_set(vector, SYS_INT32, 0);

    g->offset_low = (uint32_t)s->start & UINT16_MAX;
    g->offset_high = (uint32_t)s->start >> 16;
}

/* Move C to other segments, of its ring. */
static void
use_segments(struct context *c, enum segments segments)
{
    uint32_t ring = c->cs & SEL_RPL, base = WRAP, limit = UINT32_MAX;

    if (segments == FLAT)
        return;
    if (segments == SMALL_STACK) {
        base = (uint32_t)&small;
        limit = sizeof(small) - 1;
        c->esp = (uint32_t)&small + sizeof(small);
    } else {
        gdt_set(GDT_CODE, base, limit, SEG_CODE)->dpl = ring;
        c->cs = selector(GDT_CODE, ring);
        c->ds = c->es = selector(GDT_FREE, ring);
        c->eip -= base;
    }
    gdt_set(GDT_FREE, base, limit, SEG_DATA_W)->dpl = ring;
    gdt[GDT_FREE].db = segments == WRAPPING;
    c->ss = selector(GDT_FREE, ring);
    c->esp -= base;
    c->ebp -= base;
}

static const struct result *
run(unsigned ring, enum segments segments)
{
    static const struct block block = {
        .x = 0.3, .r = 3.9, .vector_x = { 0.1f, 0.3f, 0.6f, 0.7f },
        .vector_r = { 3.9f, 3.8f, 3.7f, 3.95f }, .one = { 1, 1, 1, 1 },
        .word = { 1, 2, 3, 4 },
    };
    struct result *r = &small.result;
    struct context c;
    uint32_t start;

    memset(r, 0, sizeof(*r));
    r->block = block;
    context_init(&c, compute.start, ring);
    c.eflags |= EFLAGS_IF;
    c.ecx = ROUNDS;
    c.ebp = (uint32_t)&r->block;
    use_segments(&c, segments);
    start = c.eip;
    context_run(&c);
    memcpy(r->reg, (uint32_t[]){ c.eax, c.ebx, c.ecx, c.esi, c.edi, c.vector,
                                 c.eip - start }, sizeof(r->reg));
    r->flags = c.edx & FLAGS_RESULT;
    return r;
}

static uint32_t
count_ticks(void)
{
    struct context c;

    run_snippet(&c, &read_ticks, 0);
    return c.eax;
}

struct tick_case {
    const char *name;
    const struct snippet *handler;
    unsigned ring;
    enum segments segments;
};

static const struct tick_case cases[] = {
    { "ring 3: ticks", &tick_plain, 3 },
    { "ring 0: ticks", &tick_plain, 0 },
    { "ring 3: ticks that use the FPU", &tick_fpu_used, 3 },
    { "ring 0: ticks that use the FPU", &tick_fpu_used, 0 },
    { "ring 3: ticks that set TS", &tick_ts, 3 },
    { "ring 0: ticks that set TS", &tick_ts, 0 },
    { "ring 3: ticks, addresses that wrap", &tick_plain, 3, WRAPPING },
    { "ring 3: ticks that set TS, addresses that wrap", &tick_ts, 3,
      WRAPPING },
    { "ring 3: ticks, a stack of 16 bits", &tick_plain, 3, SMALL_STACK },
    { "ring 3: ticks that set TS, a stack of 16 bits", &tick_ts, 3,
      SMALL_STACK },
};

/* At least TICKS of them, however fast this computer is. */
static void
run_case(const struct tick_case *t, const struct result *good)
{
    uint32_t end = count_ticks() + TICKS;
    unsigned wrong = 0;

    set_gate(VEC_TIMER, t->handler);
    set_gate(VEC_NM, &no_fpu);
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(0), PERIOD);
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_TIMER));
    do {
        wrong += memcmp(run(t->ring, t->segments), good,
                        sizeof(*good)) != 0;
    } while ((int32_t)(end - count_ticks()) > 0 && wrong == 0);
    timer_stop();
    clts();
    check(t->name, wrong, 0);
}

TOPIC(ticks)
{
    static struct result good;

    write_cr4(CR4_OSFXSR);
    good = *run(3, FLAT);
    check("it ends", good.reg[5], VEC_DONE);
    check("twice the same", memcmp(run(3, FLAT), &good, sizeof(good)), 0);
    check("the same in ring 0", memcmp(run(0, FLAT), &good, sizeof(good)), 0);
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n], &good);
}
