/*
 * debug.c - single step, the four breakpoints, and the registers for them.
 *
 * What a #DB tells is in DR6 and EIP: a breakpoint on an instruction is a fault
 * before it, everything else a trap behind it.  SDM 3B 17.2 (registers), 17.3.1
 * (#DB); SDM 3A 6.8.3 (MOV SS), 6.9 (priorities).
 */
#include "guest/guest.h"
#include "kernel/base/string.h"
#include "kernel/x86/debug.h"

#define DR7_L0          BIT(0)
#define DR7_G0          BIT(1)
#define DR7_L1          BIT(2)
#define EXECUTE         0u              /* R/W0 */
#define WRITE           1u
#define PORT            2u
#define ACCESS          3u
#define LEN_1           0u              /* LEN0 */
#define LEN_2           1u
#define LEN_4           3u
#define KIND(rw, len)   ((rw) << 16 | (len) << 18 | DR7_L0)
#define KIND_1(rw, len) ((rw) << 20 | (len) << 22 | DR7_L1)
#define POST_PORT       0x80

#define DEBUG_REGISTER(n)                                                 \
    static inline void                                                    \
    write_dr##n(uint32_t v)                                               \
    {                                                                     \
        __asm__ volatile("mov %0, %%dr" #n : : "r"(v) : "memory");        \
    }
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(6)
DEBUG_REGISTER(7)

static uint32_t data[4] ALIGNED(16);

SNIPPET(nops, "", "nop", "nop; nop");
SNIPPET(store, "", "movl %eax, (%ebx)", "nop");
SNIPPET(store_word, "", "movw %ax, (%ebx)", "nop");
SNIPPET(store_byte, "", "movb %al, (%ebx)", "nop");
SNIPPET(load, "", "movl (%ebx), %eax", "nop");
SNIPPET(add, "", "addl %eax, (%ebx)", "nop");
SNIPPET(push, "mov %ebx, %esp", "push %eax", "nop");
SNIPPET(port, "", "outb %al, $0x80", "nop");
SNIPPET(repeat, "mov $3, %ecx; mov %ebx, %edi; cld", "rep stosb", "nop");
SNIPPET(popf, "push $0x102", "popfl", "nop; nop");
SNIPPET(shadow, "mov %ss, %ecx", "mov %ecx, %ss", "nop; nop");
SNIPPET(pop_shadow, "", "pop %ss", "nop; nop");
SNIPPET(shadow_load, "", "movw (%ebx), %ss", "nop; nop");
SNIPPET(read_dr7_word, "", "mov %dr7, %eax", "");
SNIPPET(write_dr0_word, "", "mov %eax, %dr0", "");
SNIPPET(read_dr4, "", "mov %dr4, %eax", "");
SNIPPET(read_dr5, "", "mov %dr5, %eax", "");
SNIPPET(fault, "", "ud2", "");
SNIPPET(soft_int, "", "int $0x40", "nop");

static void
prepare(struct context *c, const struct snippet *s, unsigned ring)
{
    context_init(c, s->start, ring);
    c->ebx = (uint32_t)data;
    write_dr6(0);
}

/*
 * A #DB with EIP, and HITS in DR6, where breakpoints that are not enabled may
 * show, too: SDM 3B 17.2.3.
 */
static void
check_debug(const char *name, struct context *c, const char *eip,
            uint32_t hits)
{
    uint32_t dr6 = read_dr6() & (hits | (DR6_WRITABLE & ~DR6_B));

    if (c->vector == VEC_DB && c->eip == (uint32_t)eip)
        check(name, dr6, hits);
    else
        check_trap(name, c, VEC_DB, 0, eip);
}

/* --- Breakpoints on data ---------------------------------------------------*/

struct data_case {
    const char *name;
    const struct snippet *snippet;
    uint32_t kind, offset;      /* of the breakpoint in `data` */
    bool is_hit;
};

static const struct data_case cases[] = {
    { "write: store", &store, KIND(WRITE, LEN_4), 0, true },
    { "write: load", &load, KIND(WRITE, LEN_4), 0, false },
    { "write: add", &add, KIND(WRITE, LEN_4), 0, true },
    { "access: load", &load, KIND(ACCESS, LEN_4), 0, true },
    { "access: store", &store, KIND(ACCESS, LEN_4), 0, true },
    { "one byte, the last of a store", &store, KIND(WRITE, LEN_1), 3, true },
    { "one byte behind a store", &store, KIND(WRITE, LEN_1), 4, false },
    { "byte store, four bytes", &store_byte, KIND(WRITE, LEN_4), 0, true },
    { "word store, the next word", &store_word, KIND(WRITE, LEN_2), 2,
      false },
    { "low bits of the address do not count", &store_byte,
      KIND(WRITE, LEN_4), 3, true },
    { "PUSH", &push, KIND(WRITE, LEN_4), (uint32_t)-4, true },
    { "not enabled", &store, KIND(WRITE, LEN_4) & ~DR7_L0, 0, false },
    { "enabled by G", &store, (KIND(WRITE, LEN_4) & ~DR7_L0) | DR7_G0, 0,
      true },
};

static void
run_case(const struct data_case *d)
{
    struct context c;

    prepare(&c, d->snippet, 3);
    c.ebx = (uint32_t)&data[1];
    write_dr0((uint32_t)&data[1] + d->offset);
    write_dr7(d->kind);
    context_run(&c);
    write_dr7(0);
    if (d->is_hit)
        check_debug(d->name, &c, d->snippet->next, DR6_B0);
    else
        check(d->name, c.vector, VEC_DONE);
}

/* --- Breakpoints on instructions -------------------------------------------*/

static void
check_execute(void)
{
    struct context c;

    write_dr0((uint32_t)nops.at);
    write_dr1((uint32_t)nops.next);
    write_dr7(KIND(EXECUTE, LEN_1) | KIND_1(EXECUTE, LEN_1));
    prepare(&c, &nops, 3);
    context_run(&c);
    check_debug("execute: before it", &c, nops.at, DR6_B0);
    c.eflags |= EFLAGS_RF;
    write_dr6(0);
    context_run(&c);
    check_debug("execute: RF passes it, and one only", &c, nops.next,
                DR6_B0 << 1);
    c.eflags |= EFLAGS_RF | EFLAGS_TF;
    write_dr6(0);
    context_run(&c);
    check_debug("execute: RF does not hold off TF", &c, nops.next + 1,
                DR6_BS);
    prepare(&c, &nops, 0);
    context_run(&c);
    check_debug("execute: in ring 0", &c, nops.at, DR6_B0);
    write_dr0((uint32_t)fault.at);
    write_dr7(KIND(EXECUTE, LEN_1));
    prepare(&c, &fault, 3);
    context_run(&c);
    check_debug("execute: comes before #UD", &c, fault.at, DR6_B0);
    write_dr0((uint32_t)shadow.next);
    prepare(&c, &shadow, 3);
    context_run(&c);
    check("execute: not behind MOV SS", c.vector, VEC_DONE);
    write_dr7(0);
}

/* --- Single step -----------------------------------------------------------*/

static void
check_step(void)
{
    struct context c;

    prepare(&c, &nops, 3);
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check_debug("step: behind one instruction", &c, nops.next, DR6_BS);
    check("step: TF in the flags", c.eflags & EFLAGS_TF, EFLAGS_TF);
    check("step: TF is clear in the handler", trap_eflags & EFLAGS_TF, 0);
    prepare(&c, &popf, 3);
    context_run(&c);
    check_debug("step: POPF itself is not traced", &c, popf.next + 1, DR6_BS);
    prepare(&c, &shadow, 3);
    c.eip = (uint32_t)shadow.at;
    c.ecx = c.ss;
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check_debug("step: not behind MOV SS", &c, shadow.next + 1, DR6_BS);
    prepare(&c, &pop_shadow, 3);
    c.esp -= sizeof(c.ss);
    memcpy((void *)c.esp, &c.ss, sizeof(c.ss));
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check_debug("step: not behind POP SS", &c, pop_shadow.next + 1, DR6_BS);
    prepare(&c, &soft_int, 3);
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check("step: not behind INT n", c.vector, VEC_DONE);
    prepare(&c, &repeat, 3);
    c.eip = (uint32_t)repeat.at;
    c.edi = (uint32_t)data;
    c.ecx = 3;
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check_debug("step: an iteration of REP", &c, repeat.at, DR6_BS);
    check("step: an iteration of REP is one", c.ecx, 2);
    prepare(&c, &fault, 3);
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check("step: not behind a fault", c.vector, VEC_UD);
}

/* Both at once, and what waits for the end of MOV SS's shadow. */
static void
check_together(void)
{
    struct context c;

    write_dr0((uint32_t)data);
    write_dr7(KIND(WRITE, LEN_4));
    prepare(&c, &store, 3);
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check_debug("data and step at once", &c, store.next, DR6_B0 | DR6_BS);
    prepare(&c, &repeat, 3);
    context_run(&c);
    check_debug("data within REP", &c, repeat.at, DR6_B0);
    check("data within REP: iterations left", c.ecx, 2);
    write_dr7(0);
    data[0] = SEL_DATA3;
    prepare(&c, &shadow_load, 3);
    c.eip = (uint32_t)shadow_load.at;
    write_dr7(KIND(ACCESS, LEN_2));
    context_run(&c);
    check_debug("data of MOV SS: one instruction later", &c,
                shadow_load.next + 1, DR6_B0);
    write_dr7(0);
}

static void
check_port(void)
{
    struct context c;

    write_cr4(CR4_DE);
    write_dr0(POST_PORT);
    write_dr7(KIND(PORT, LEN_1));
    prepare(&c, &port, 0);
    context_run(&c);
    write_dr7(0);
    check_debug("a port", &c, port.next, DR6_B0);
    write_cr4(0);
}

/* --- The registers ---------------------------------------------------------*/

static void
check_registers(void)
{
    struct context c;

    write_dr6(0);
    check("DR6: bits that are always set", read_dr6(), DR6_FIXED);
    write_dr6(UINT32_MAX);
    check("DR6: bit 12 is always clear", read_dr6() & BIT(12), 0);
    write_dr7(0);
    check("DR7: bit 10 is always set", read_dr7(), DR7_FIXED);
    run_snippet(&c, &read_dr5, 0);
    check("DR5 is DR7", c.eax, DR7_FIXED);
    run_snippet(&c, &read_dr4, 0);
    check("DR4 is DR6", c.eax, read_dr6());
    write_cr4(CR4_DE);
    run_snippet(&c, &read_dr5, 0);
    check_trap("#UD for DR5 with CR4.DE", &c, VEC_UD, 0, read_dr5.at);
    write_cr4(0);
    prepare(&c, &read_dr7_word, 0);
    write_dr7(DR7_GD);
    context_run(&c);
    check("general detect: GD is clear in the handler", read_dr7() & DR7_GD,
          0);
    check_debug("general detect: MOV from DR7", &c, read_dr7_word.at, DR6_BD);
    write_dr6(0);
    context_init(&c, write_dr0_word.start, 0);
    write_dr7(DR7_GD);
    context_run(&c);
    check_debug("general detect: MOV to DR0", &c, write_dr0_word.at, DR6_BD);
    context_init(&c, read_dr7_word.start, 0);   /* clears GD, if it is set */
    context_run(&c);
    write_dr7(0);
}

TOPIC(debug)
{
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_execute();
    check_step();
    check_together();
    check_port();
    check_registers();
}
