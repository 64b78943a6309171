/*
 * v86.c - virtual-8086 mode: segments, what it traps, and the way out and back.
 *
 * Code runs at V86_AT, below 1 MB.  SDM 3A 20.1 (addresses), 20.2 (entering and
 * leaving), 20.2.7 and table 20-2 (sensitive instructions); SDM 2 "IRET".
 */
#include "guest/guest.h"
#include "kernel/base/string.h"

#define V86_AT          0x8000u
#define V86_SEGMENT     (V86_AT >> 4)
#define V86_STACK       0x1000u         /* SP, in a segment of its own */
#define V86_STACK_AT    0x9000u
#define CODE_MAX        16
#define IOPL_3          EFLAGS_IOPL
#define LOW_WORD        0xffffu
#define INT_DONE        0xcd, VEC_DONE

struct v86_case {
    const char *name;
    uint8_t code[CODE_MAX];
    uint32_t flags;
    unsigned vector;
    uint32_t error, ip;
};

/* INT VEC_DONE needs IOPL 3, too; without it HLT ends the code, by #GP. */
static const struct v86_case cases[] = {
    { "INT n with IOPL 3", { INT_DONE }, IOPL_3, VEC_DONE, 0, 2 },
    { "INT n with IOPL 0", { INT_DONE }, 0, VEC_GP, 0, 0 },
    { "INT n of a gate of DPL 0", { 0xcd, 14 }, IOPL_3, VEC_GP, 14 << 3 | 2,
      0 },
    { "INT3 with IOPL 0", { 0xcc }, 0, VEC_BP, 0, 1 },
    { "INTO with IOPL 0", { 0xce }, EFLAGS_OF, VEC_OF, 0, 1 },
    { "HLT with IOPL 3", { 0xf4 }, IOPL_3, VEC_GP, 0, 0 },
    { "CLI with IOPL 3", { 0xfa, INT_DONE }, IOPL_3, VEC_DONE, 0, 3 },
    { "CLI with IOPL 0", { 0xfa }, 0, VEC_GP, 0, 0 },
    { "STI with IOPL 0", { 0xfb }, 0, VEC_GP, 0, 0 },
    { "PUSHF with IOPL 3", { 0x9c, INT_DONE }, IOPL_3, VEC_DONE, 0, 3 },
    { "PUSHF with IOPL 0", { 0x9c }, 0, VEC_GP, 0, 0 },
    { "POPF with IOPL 0", { 0x9d }, 0, VEC_GP, 0, 0 },
    { "IRET with IOPL 0", { 0xcf }, 0, VEC_GP, 0, 0 },
    { "32-bit PUSHF with IOPL 0", { 0x66, 0x9c }, 0, VEC_GP, 0, 0 },
    { "IN of a port that is not allowed", { 0xe4, 0x80 }, IOPL_3, VEC_GP, 0,
      0 },
    { "MOV CR0", { 0x0f, 0x20, 0xc0 }, IOPL_3, VEC_GP, 0, 0 },
    { "LGDT", { 0x0f, 0x01, 0x16, 0, 0 }, IOPL_3, VEC_GP, 0, 0 },
    { "SLDT is no instruction here", { 0x0f, 0, 0xc0 }, IOPL_3, VEC_UD, 0,
      0 },
    { "LAR is no instruction here", { 0x0f, 2, 0xc0 }, IOPL_3, VEC_UD, 0, 0 },
    { "ARPL is no instruction here", { 0x63, 0xc0 }, IOPL_3, VEC_UD, 0, 0 },
    { "division by zero", { 0x31, 0xc9, 0xf7, 0xf1 }, 0, VEC_DE, 0, 2 },
    { "UD2", { 0x0f, 0x0b }, 0, VEC_UD, 0, 0 },
    { "MOV DS of any value", { 0xb8, 0xff, 0xff, 0x8e, 0xd8, 0xf4 }, 0,
      VEC_GP, 0, 5 },
    { "word at offset FFFF", { 0xa1, 0xff, 0xff, 0xf4 }, 0, VEC_GP, 0, 0 },
    { "byte at offset 10000", { 0x67, 0x8a, 0x03, 0xf4 }, 0, VEC_GP, 0, 0 },
};

static void
init(struct context *c, const uint8_t *code, uint32_t flags)
{
    memcpy((void *)V86_AT, code, CODE_MAX);
    *c = (struct context){
        .cs = V86_SEGMENT, .eflags = EFLAGS_FIXED | EFLAGS_VM | flags,
        .ss = V86_STACK_AT >> 4, .esp = V86_STACK, .ebx = 0x10000,
    };
}

static void
run_case(const struct v86_case *v)
{
    struct context c;

    init(&c, v->code, v->flags);
    context_run(&c);
    check_trap(v->name, &c, v->vector, v->error, (const void *)v->ip);
}

/* What a trap out of it leaves: SDM 3A 20.2.3 and figure 20-4. */
static void
check_frame(void)
{
    static const uint8_t code[CODE_MAX] = {
        0x8c, 0xd8,                     /* mov ax, ds */
        0xa3, 0, 0,                     /* mov [0], ax */
        INT_DONE,
    };
    struct context c;

    init(&c, code, IOPL_3);
    c.v86_ds = 0xa00;
    c.v86_es = 0x1234;
    c.v86_fs = 0xffff;
    c.v86_gs = 1;
    context_run(&c);
    check("CS", c.cs & LOW_WORD, V86_SEGMENT);
    check("SS", c.ss & LOW_WORD, V86_STACK_AT >> 4);
    check("ESP", c.esp, V86_STACK);
    check("DS", c.v86_ds & LOW_WORD, 0xa00);
    check("ES", c.v86_es & LOW_WORD, 0x1234);
    check("FS", c.v86_fs & LOW_WORD, 0xffff);
    check("GS", c.v86_gs & LOW_WORD, 1);
    check("VM in the flags", c.eflags & EFLAGS_VM, EFLAGS_VM);
    check("the handler finds null in DS, ES, FS, GS",
          (c.ds | c.es | c.fs | c.gs) & LOW_WORD, 0);
    check("DS has its base", *(const uint16_t *)0xa000, 0xa00);
    check("VM is clear in the handler", trap_eflags & EFLAGS_VM, 0);
}

/* PUSHF, POPF and IRET neither show nor change IOPL and VM. */
static void
check_flags(void)
{
    static const uint8_t code[CODE_MAX] = {
        0x68, 0x01, 0x02,               /* push 0201h */
        0x9d, 0x9c, 0x58,               /* popf; pushf; pop ax */
        INT_DONE,
    };
    static const uint8_t iret[CODE_MAX] = {
        0x6a, 1, 0x0e, 0x6a, 8,         /* push 1; push cs; push 8 */
        0xcf, 0x90, 0x90, 0x90,         /* iret */
        INT_DONE,
    };
    struct context c;

    init(&c, code, IOPL_3);
    context_run(&c);
    check("POPF leaves IOPL", c.eax & LOW_WORD,
          IOPL_3 | EFLAGS_IF | EFLAGS_CF | EFLAGS_FIXED);
    check("POPF leaves VM", c.eflags & EFLAGS_VM, EFLAGS_VM);
    init(&c, iret, IOPL_3 | EFLAGS_IF);
    context_run(&c);
    check("IRET with IOPL 3: IP", c.eip, 11);
    check("IRET with IOPL 3: flags", c.eflags & ~EFLAGS_RF,
          EFLAGS_VM | IOPL_3 | EFLAGS_CF | EFLAGS_FIXED);
    check("IRET with IOPL 3: SP", c.esp, V86_STACK);
}

/* 64 KB and no more: FFFF:FFFF is 10FFEF with A20 on. */
static void
check_addresses(void)
{
    static const uint8_t high[CODE_MAX] = {
        0xa0, 0x10, 0,                  /* mov al, [10h] */
        INT_DONE,
    };
    struct context c;

    init(&c, high, IOPL_3);
    c.v86_ds = LOW_WORD;
    context_run(&c);
    check("FFFF:0010 is 1 MB", c.eax & UINT8_MAX, *(const uint8_t *)MB(1));
}

/* SDM 3A 20.3.3, method 5: with IOPL 3, a gate must lead to ring 0. */
static void
check_gate(void)
{
    static const uint8_t code[CODE_MAX] = { 0xcd, 0x50 };
    struct context c;

    idt_set(0x50, SYS_INT32, 3)->selector = SEL_CODE3;
    init(&c, code, IOPL_3);
    context_run(&c);
    check_trap("a gate to ring 3", &c, VEC_GP, SEL_CODE3 & ~SEL_RPL,
               (const void *)0);
}

/* The I/O permission bitmap counts whatever IOPL is: SDM 3A 20.2.8.1. */
static void
check_ports(void)
{
    static const uint8_t in80[CODE_MAX] = { 0xe4, 0x80, 0xf4 };
    static const uint8_t in81[CODE_MAX] = { 0xe4, 0x81, 0xf4 };
    static struct {
        struct tss tss;
        uint8_t bitmap[0x20];
    } wide;
    struct segdesc *d = gdt_set(GDT_FREE, (uint32_t)&wide, sizeof(wide) - 1,
                                SYS_TSS32_AVAIL);
    struct context c;

    d->s = d->db = 0;
    wide.tss = tss;
    memset(wide.bitmap, UINT8_MAX, sizeof(wide.bitmap));
    wide.bitmap[0x80 / 8] = (uint8_t)~BIT(0);
    ltr((uint16_t)selector(GDT_FREE, 0));
    init(&c, in80, 0);
    context_run(&c);
    check_trap("IN of a port that is allowed", &c, VEC_GP, 0,
               (const void *)2);
    init(&c, in81, 0);
    context_run(&c);
    check_trap("IN of its neighbour", &c, VEC_GP, 0, (const void *)0);
}

TOPIC(v86)
{
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_frame();
    check_flags();
    check_addresses();
    check_gate();
    check_ports();
}
