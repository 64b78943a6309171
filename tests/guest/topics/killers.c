/*
 * killers.c - what has brought down monitors and kernels.
 *
 * A #DB that comes on the first instruction of ring 0, behind SYSENTER or
 * behind an INT in the shadow of MOV SS; bits of CR4 that do not exist; lazily
 * switched FPUs; alignment checks that a handler inherits.  SDM 2 "SYSENTER",
 * "MOV"; SDM 3A 2.5, 6.8.3.
 */
#include "guest/guest.h"
#include "kernel/x86/debug.h"

#define DR7_ACCESS_WORD (3u << 16 | 1u << 18 | BIT(0))
#define CR4_RESERVED    BIT(31)

static uint16_t watched ALIGNED(4);
static uint32_t stack[64];

SNIPPET(enter, "", "sysenter", "");
SNIPPET(inside, "", "nop", "nop");
SNIPPET(shadow_int, "", "movw (%ebx), %ss", "");
SNIPPET(load_cr4, "", "mov %eax, %cr4", "");
SNIPPET(float_one, "", "fld1", "");

static void
write_dr(uint32_t dr0, uint32_t dr7)
{
    __asm__ volatile("mov %0, %%dr0" : : "r"(dr0));
    __asm__ volatile("mov %0, %%dr6" : : "r"(0));
    __asm__ volatile("mov %0, %%dr7" : : "r"(dr7));
}

static void
check_sysenter(void)
{
    struct context c;

    wrmsr(MSR_SYSENTER_CS, SEL_CODE0);
    wrmsr(MSR_SYSENTER_ESP, (uint32_t)&stack[ARRAY_LEN(stack)]);
    wrmsr(MSR_SYSENTER_EIP, (uint32_t)inside.start);
    write_dr(0, 0);
    context_init(&c, enter.start, 3);
    c.eflags |= EFLAGS_TF;
    context_run(&c);
    check_trap("TF and SYSENTER: before ring 0's first", &c, VEC_DB, 0,
               inside.start);
    check("TF and SYSENTER: in ring 0", c.cs & SEL_RPL, 0);
    check("TF and SYSENTER: DR6", read_dr6() & DR6_BS, DR6_BS);
    wrmsr(MSR_SYSENTER_CS, 0);
}

/* The breakpoint of MOV SS waits, and INT is already in ring 0 then. */
static void
check_shadow(void)
{
    struct context c;

    watched = SEL_DATA3;
    context_init(&c, shadow_int.start, 3);
    c.ebx = (uint32_t)&watched;
    write_dr((uint32_t)&watched, DR7_ACCESS_WORD);
    context_run(&c);
    write_dr(0, 0);
    check_trap("MOV SS and INT: before the handler's first", &c, VEC_DB, 0,
               trap_stubs[VEC_DONE]);
    check("MOV SS and INT: in ring 0", c.cs & SEL_RPL, 0);
}

static void
check_cr4(void)
{
    struct context c;

    if (machine_is_gentle()) {
        skip("a bit of CR4 that does not exist");
        skip("which stays clear");
        return;
    }
    context_init(&c, load_cr4.start, 0);
    c.eax = CR4_RESERVED;
    context_run(&c);
    check_trap("a bit of CR4 that does not exist", &c, VEC_GP, 0,
               load_cr4.at);
    check("which stays clear", read_cr4(), 0);
}

static void
check_fpu(void)
{
    struct context c;

    write_cr0(read_cr0() | CR0_TS);
    run_snippet(&c, &float_one, 3);
    check_trap("TS: the first x87 instruction", &c, VEC_NM, 0, float_one.at);
    check("TS stays behind #NM", read_cr0() & CR0_TS, CR0_TS);
    write_cr0(read_cr0() & ~CR0_TS);
    context_run(&c);
    check("TS is clear, and it goes on", c.vector, VEC_DONE);
}

/* A handler runs in ring 0 with AC and AM set, on a stack at an odd address. */
static void
check_alignment(void)
{
    uint32_t esp0 = tss.esp0;
    struct context c;

    write_cr0(read_cr0() | CR0_AM);
    tss.esp0 = esp0 - 1;
    context_init(&c, inside.start, 3);
    c.eflags |= EFLAGS_AC;
    context_run(&c);
    tss.esp0 = esp0;
    write_cr0(read_cr0() & ~CR0_AM);
    check("AC and a handler's odd stack", c.vector, VEC_DONE);
}

TOPIC(killers)
{
    check_sysenter();
    check_shadow();
    check_cr4();
    check_fpu();
    check_alignment();
}
