/*
 * iret.c - IRET: within a ring and outwards, 16 and 32 bits, and what it
 * refuses.
 *
 * The frame comes from registers: EBX is EIP, ECX CS, EDX the flags, ESI ESP
 * and EDI SS.  Whoever faults does so at the IRET, with the stack as it was.
 * SDM 2 "IRET", protected mode; IRET from and to virtual-8086 mode and with NT
 * are not here.
 */
#include "guest/guest.h"
#include "kernel/base/string.h"

#define NOWHERE         0x00200000u     /* beyond a limit of 1 MB - 1 */
#define INT_SIZE        2
#define SEL_BEYOND      0x7fb8u
#define SEL_ABSENT      SEL_FREE
#define SEL_SHORT       (SEL_FREE + 8)  /* code with a small limit */
#define SEL_CONFORMING  (SEL_FREE + 16)
#define SEL_READ_ONLY   (SEL_FREE + 24)
#define SEL_BASED       (SEL_FREE + 32) /* code that starts at iretw_next */
#define INDEX(s)        ((s) >> SEL_INDEX_SHIFT)
#define CODE            (SEG_CODE | SEG_CODE_R)

SNIPPET(iretd, "push %edi; push %esi; push %edx; push %ecx; push %ebx",
        "iretl", "");
SNIPPET(end, "", "nop", "");
SNIPPET(iretw, "push %dx; push %cx; push %bx", "iretw", "");

struct iret_case {
    const char *name;
    uint32_t cs, ss;
    unsigned ring, vector;
    uint32_t error;
    uint32_t eip;               /* 0: the instruction behind */
};

static const struct iret_case cases[] = {
    { "within ring 0", SEL_CODE0, 0, 0, VEC_DONE },
    { "within ring 3", SEL_CODE3, 0, 3, VEC_DONE },
    { "to ring 3", SEL_CODE3, SEL_DATA3, 0, VEC_DONE },
    { "to conforming code with RPL 3", SEL_CONFORMING | 3, SEL_DATA3, 0,
      VEC_DONE },
    { "CS is null", 0, 0, 0, VEC_GP, 0 },
    { "CS is null with RPL 3", 3, SEL_DATA3, 0, VEC_GP, 0 },
    { "CS is data", SEL_DATA0, 0, 0, VEC_GP, SEL_DATA0 },
    { "CS is a TSS", GDT_TSS << 3, 0, 0, VEC_GP, GDT_TSS << 3 },
    { "CS is beyond the GDT", SEL_BEYOND, 0, 0, VEC_GP, SEL_BEYOND },
    { "CS is inner", SEL_CODE0, 0, 3, VEC_GP, SEL_CODE0 },
    { "DPL of CS is not its RPL", SEL_CODE0 | 3, SEL_DATA3, 0, VEC_GP,
      SEL_CODE0 },
    { "CS is absent", SEL_ABSENT, 0, 0, VEC_NP, SEL_ABSENT },
    { "EIP is beyond the limit", SEL_SHORT, 0, 0, VEC_GP, 0, NOWHERE },
    { "SS is null", SEL_CODE3, 3, 0, VEC_GP, 0 },
    { "RPL of SS is another", SEL_CODE3, SEL_DATA0, 0, VEC_GP, SEL_DATA0 },
    { "DPL of SS is another", SEL_CODE3, SEL_DATA0 | 3, 0, VEC_GP,
      SEL_DATA0 },
    { "SS is code", SEL_CODE3, SEL_CODE3, 0, VEC_GP, SEL_CODE3 & ~SEL_RPL },
    { "SS is read-only", SEL_CODE3, SEL_READ_ONLY | 3, 0, VEC_GP,
      SEL_READ_ONLY },
    { "SS is beyond the GDT", SEL_CODE3, SEL_BEYOND | 3, 0, VEC_GP,
      SEL_BEYOND },
    { "SS is absent", SEL_CODE3, SEL_ABSENT | 3, 0, VEC_NP, SEL_ABSENT },
};

static void
set_segments(uint8_t absent_type)
{
    struct segdesc *d = gdt_set(INDEX(SEL_ABSENT), 0, UINT32_MAX, absent_type);

    d->p = 0;
    d->dpl = absent_type & SEG_CODE ? 0 : 3;
    gdt_set(INDEX(SEL_SHORT), 0, NOWHERE - 1, CODE);
    gdt_set(INDEX(SEL_CONFORMING), 0, UINT32_MAX, CODE | SEG_CODE_C);
    gdt_set(INDEX(SEL_READ_ONLY), 0, UINT32_MAX, 0)->dpl = 3;
    gdt_set(INDEX(SEL_BASED), (uint32_t)iretw.next, UINT16_MAX, CODE)->dpl = 3;
}

static void
run_case(const struct iret_case *i)
{
    struct context c;
    uint32_t frame;

    memcpy((void *)NOWHERE, end.start, end.next - end.start + INT_SIZE);
    context_init(&c, iretd.start, i->ring);
    set_segments(i->cs == SEL_ABSENT ? CODE : SEG_DATA_W);
    frame = c.esp - 5 * sizeof(uint32_t);
    c.ebx = i->eip != 0 ? i->eip : (uint32_t)iretd.next;
    c.ecx = i->cs;
    c.edx = EFLAGS_FIXED | EFLAGS_CF;
    c.esi = c.esp;
    c.edi = i->ss;
    context_run(&c);
    if (i->vector != VEC_DONE) {
        check_trap(i->name, &c, i->vector, i->error, iretd.at);
        return;
    }
    /* From the stack come EIP, CS, flags; outwards all five words, and ESP. */
    frame += (i->ss != 0 ? 5 : 3) * sizeof(uint32_t);
    check(i->name, c.vector == VEC_DONE && c.cs == i->cs &&
                   c.esp == frame && (c.eflags & EFLAGS_CF), true);
}

/* A fault leaves ESP, CS, SS and the flags as they were. */
static void
check_unchanged(void)
{
    struct context c;
    uint32_t esp;

    context_init(&c, iretd.start, 0);
    esp = c.esp - 5 * sizeof(uint32_t);
    c.ebx = (uint32_t)iretd.next;
    c.ecx = SEL_CODE3;
    c.edx = EFLAGS_FIXED | EFLAGS_CF;
    c.edi = SEL_DATA0;
    context_run(&c);
    check("an IRET that faults leaves ESP", c.esp, esp);
    check("an IRET that faults leaves CS", c.cs, SEL_CODE0);
    check("an IRET that faults leaves SS", c.ss, SEL_DATA0);
    check("an IRET that faults leaves the flags", c.eflags & EFLAGS_CF, 0);
}

/* Six bytes, EIP of 16 bits, and the upper flags stay. */
static void
check_word(void)
{
    struct context c;
    uint32_t esp;

    context_init(&c, iretw.start, 3);
    esp = c.esp;
    c.eflags |= EFLAGS_AC;
    c.ebx = 0;
    c.ecx = SEL_BASED | 3;
    c.edx = EFLAGS_FIXED | EFLAGS_CF;
    context_run(&c);
    check_trap("IRET of words", &c, VEC_DONE, 0, (const void *)2);
    check("IRET of words takes six bytes", c.esp, esp);
    check("IRET of words leaves the upper flags",
          c.eflags & (EFLAGS_AC | EFLAGS_CF), EFLAGS_AC | EFLAGS_CF);
}

TOPIC(iret)
{
    set_segments(CODE);
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_unchanged();
    check_word();
}
