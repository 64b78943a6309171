/*
 * interrupts.c - at which boundary an interrupt that waits is taken.
 *
 * IRQ 0 waits at the PIC when the code starts; where it comes is the EIP that
 * is pushed.  SDM 3A 6.8.1 (IF), 6.8.3 (MOV SS), 6.9; SDM 2 "STI", "POPF",
 * "IRET", "HLT".
 */
#include "guest/devices.h"

#define VEC_TIMER       (VEC_IRQ0 + IRQ_TIMER)
#define IOPL_3          EFLAGS_IOPL
#define TICKS           20
#define TICK_COUNT      600             /* of 1.19 MHz: half a millisecond */
#define TICK_SLOWEST    0               /* 65536 of them: 55 milliseconds */

SNIPPET(sti_nop, "sti", "nop", "nop");
SNIPPET(sti_cli, "sti", "cli", "nop");
SNIPPET(sti_hlt_code, "sti", "hlt", "nop");
SNIPPET(sti_fault, "sti", "ud2", "");
SNIPPET(sti_jump, "sti", "jmp 1f", "nop; 1:");
SNIPPET(popf_on, "push $0x202", "popfl", "nop");
SNIPPET(iret_on, "push $0x202; push %cs; push $iret_on_next", "iretl", "nop");
SNIPPET(nop_only, "", "nop", "nop");
SNIPPET(rep_long, "", "rep lodsb", "nop");
SNIPPET(shadows, "1:", "mov %eax, %ss", "nop; jmp 1b");
SNIPPET(pop_shadows, "1: push %eax", "pop %ss", "nop; jmp 1b");
SNIPPET(hlt_only, "", "hlt", "nop");
SNIPPET(sti_div, "sti", "divl %ecx", "");

struct boundary {
    const char *name;
    const struct snippet *snippet;
    unsigned ring;
    uint32_t flags;
    unsigned vector;
    enum { START, AT, NEXT, END } where;
};

static const struct boundary cases[] = {
    { "STI: behind the next instruction", &sti_nop, 0, 0, VEC_TIMER, NEXT },
    { "STI in ring 3", &sti_nop, 3, IOPL_3, VEC_TIMER, NEXT },
    { "STI, CLI: not at all", &sti_cli, 0, 0, VEC_DONE, END },
    { "STI, JMP: at its target", &sti_jump, 0, 0, VEC_TIMER, END },
    { "STI, HLT: behind HLT", &sti_hlt_code, 0, 0, VEC_TIMER, NEXT },
    { "STI, UD2: the fault first", &sti_fault, 0, 0, VEC_UD, AT },
    { "STI, DIV by 0: the fault first", &sti_div, 3, IOPL_3, VEC_DE, AT },
    { "STI with IF set: no shadow", &sti_nop, 0, EFLAGS_IF, VEC_TIMER,
      START },
    { "POPF: at once", &popf_on, 0, 0, VEC_TIMER, NEXT },
    { "POPF in ring 3 with IOPL 3", &popf_on, 3, IOPL_3, VEC_TIMER, NEXT },
    { "POPF in ring 3 with IOPL 0: not at all", &popf_on, 3, 0, VEC_DONE,
      END },
    { "IRET: at once", &iret_on, 0, 0, VEC_TIMER, NEXT },
    { "IRET to ring 3: before its code", &nop_only, 3, EFLAGS_IF, VEC_TIMER,
      START },
    { "IF clear: not at all", &nop_only, 3, 0, VEC_DONE, END },
    { "a REP that has not begun", &rep_long, 3, EFLAGS_IF, VEC_TIMER, START },
};

static void
run_case(const struct boundary *b)
{
    const struct snippet *s = b->snippet;
    const char *eip[] = { s->start, s->at, s->next, NULL };
    struct context c;

    context_init(&c, s->start, b->ring);
    c.eflags = EFLAGS_FIXED | b->flags;
    if (!timer_request()) {
        check("the timer asks for an interrupt", 0, 1);
        return;
    }
    context_run(&c);
    timer_stop();
    eip[END] = (const char *)c.eip;
    check_trap(b->name, &c, b->vector, 0, eip[b->where]);
}

static void
check_acknowledge(void)
{
    struct context c;

    (void)timer_request();
    context_init(&c, nop_only.start, 3);
    c.eflags |= EFLAGS_IF;
    context_run(&c);
    check("in service: ISR", pic_read(PIC1, OCW3_READ_ISR), BIT(IRQ_TIMER));
    check("in service: IRR", pic_read(PIC1, OCW3_READ_IRR) & BIT(IRQ_TIMER),
          0);
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(0), 100);
    check("asked again: IRR", pic_wait(PIC1, IRQ_TIMER), true);
    context_init(&c, nop_only.start, 3);
    c.eflags |= EFLAGS_IF;
    context_run(&c);
    check("asked again, without EOI: not at all", c.vector, VEC_DONE);
    out8(PIC1, OCW2_EOI);
    check("EOI: ISR", pic_read(PIC1, OCW3_READ_ISR), 0);
    context_init(&c, nop_only.start, 3);
    c.eflags |= EFLAGS_IF;
    context_run(&c);
    check("behind EOI", c.vector, VEC_TIMER);
    check("IF is clear in the handler", trap_eflags & EFLAGS_IF, 0);
    check("IF is set in what it pushed", c.eflags & EFLAGS_IF, EFLAGS_IF);
    timer_stop();
}

struct shadow {
    const char *ticks, *none;   /* names of two checks */
    const struct snippet *snippet;
    unsigned ring;
};

static const struct shadow shadow_cases[] = {
    { "ticks in a loop of MOV SS", "none of them behind MOV SS", &shadows, 3 },
    { "ring 0: ticks in a loop of MOV SS", "ring 0: none behind MOV SS",
      &shadows, 0 },
    { "ticks in a loop of POP SS", "none of them behind POP SS", &pop_shadows,
      3 },
    { "ring 0: ticks in a loop of POP SS", "ring 0: none behind POP SS",
      &pop_shadows, 0 },
};

/* Interrupts that come at any time never come behind a load of SS. */
static void
run_shadow(const struct shadow *s)
{
    unsigned wrong = 0, ticks = 0;
    struct context c;

    context_init(&c, s->snippet->start, s->ring);
    c.eflags |= EFLAGS_IF;
    c.eax = c.ss;
    (void)timer_request();
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(2), TICK_COUNT);
    while (ticks < TICKS) {
        context_run(&c);
        if (c.vector != VEC_TIMER)
            break;
        wrong += c.eip == (uint32_t)s->snippet->next;
        ticks++;
        out8(PIC1, OCW2_EOI);
    }
    timer_stop();
    check(s->ticks, ticks, TICKS);
    check(s->none, wrong, 0);
}

static void
check_halt(void)
{
    struct context c;

    (void)timer_request();
    context_init(&c, hlt_only.start, 0);
    c.eflags |= EFLAGS_IF;
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(2), TICK_SLOWEST);
    context_run(&c);
    if (c.eip != (uint32_t)hlt_only.next) {     /* one waited already */
        out8(PIC1, OCW2_EOI);
        context_run(&c);
    }
    check_trap("HLT sleeps until the next tick", &c, VEC_TIMER, 0,
               hlt_only.next);
    timer_stop();
}

/*
 * REP goes on where it was, however often ticks come: registers tell.  They
 * come less and less often, or a slow computer would do nothing else.
 */
static void
check_rep(void)
{
    uint32_t count = MB(4);
    uint16_t period = TICK_COUNT;
    struct context c;

    context_init(&c, rep_long.at, 3);
    c.eflags |= EFLAGS_IF;
    c.esi = 0;
    c.ecx = count;
    (void)timer_request();
    for (unsigned ticks = 0;; ticks++) {
        if (ticks % TICKS == 0) {
            pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(2), period);
            period = period > UINT16_MAX / 2 ? TICK_SLOWEST : period * 2;
        }
        context_run(&c);
        if (c.vector != VEC_TIMER || c.esi + c.ecx != count)
            break;
        out8(PIC1, OCW2_EOI);
    }
    timer_stop();
    check("REP with interrupts: it ends", c.vector, VEC_DONE);
    check("REP with interrupts: ESI", c.esi, count);
}

TOPIC(interrupts)
{
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_acknowledge();
    for (size_t n = 0; n < ARRAY_LEN(shadow_cases); n++)
        run_shadow(&shadow_cases[n]);
    check_halt();
    check_rep();
}
