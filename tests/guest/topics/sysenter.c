/*
 * sysenter.c - SYSENTER and SYSEXIT: what they load, and from where.
 *
 * Selectors come from IA32_SYSENTER_CS by arithmetic, segments are flat
 * whatever the GDT says of them, and no stack is touched.  SDM 2 "SYSENTER",
 * "SYSEXIT"; SDM 3A 5.8.7.
 */
#include "guest/guest.h"

#define CPUID_SEP       BIT(11)         /* leaf 1, EDX */
#define CS_BASE         (GDT_FREE << 3) /* four descriptors, all absent */
#define ENTRY_ESP       ((uint32_t)&entry_stack[ARRAY_LEN(entry_stack)])
#define SELECTOR_BITS   0xffffu

static uint32_t entry_stack[64];

SNIPPET(enter, "", "sysenter", "");
SNIPPET(inside, "", "nop", "");
SNIPPET(leave, "mov $leave_next, %edx; mov %esp, %ecx", "sysexit", "");
SNIPPET(leave_user, "", "sysexit", "");
SNIPPET(flat, "push $1", "movl (%esp), %eax", "");
SNIPPET(trip, "mov %esp, %ecx; mov $trip_next, %edx", "sysenter", "");
SNIPPET(trip_inside, "", "sysexit", "");

static void
set_msrs(uint32_t cs, const struct snippet *to)
{
    wrmsr(MSR_SYSENTER_CS, cs);
    wrmsr(MSR_SYSENTER_ESP, ENTRY_ESP);
    wrmsr(MSR_SYSENTER_EIP, (uint32_t)to->start);
}

static void
check_enter(void)
{
    struct context c;

    set_msrs(SEL_CODE0, &inside);
    context_init(&c, enter.start, 3);
    c.eflags |= EFLAGS_IF | EFLAGS_CF | EFLAGS_IOPL;
    c.edx = 7;
    context_run(&c);
    check_trap("SYSENTER: where it goes", &c, VEC_DONE, 0, inside.next + 2);
    check("SYSENTER: CS", c.cs & SELECTOR_BITS, SEL_CODE0);
    check("SYSENTER: SS", c.ss & SELECTOR_BITS, SEL_DATA0);
    check("SYSENTER: ESP", c.esp, ENTRY_ESP);
    check("SYSENTER: IF is clear, other flags stay",
          c.eflags & (EFLAGS_IF | EFLAGS_CF | EFLAGS_IOPL),
          EFLAGS_CF | EFLAGS_IOPL);
    check("SYSENTER: data segments stay", c.ds & SELECTOR_BITS, SEL_DATA3);
    check("SYSENTER: registers stay", c.edx, 7);
    set_msrs(SEL_CODE0 | SEL_RPL, &inside);
    run_snippet(&c, &enter, 3);
    check("SYSENTER: RPL of the MSR does not count", c.cs & SELECTOR_BITS,
          SEL_CODE0);
    run_snippet(&c, &enter, 0);
    check("SYSENTER in ring 0", c.vector, VEC_DONE);
    set_msrs(0, &inside);
    run_snippet(&c, &enter, 3);
    check_trap("SYSENTER: CS is null", &c, VEC_GP, 0, enter.at);
    set_msrs(SEL_RPL, &inside);
    run_snippet(&c, &enter, 3);
    check_trap("SYSENTER: CS is null with RPL 3", &c, VEC_GP, 0, enter.at);
}

static void
check_exit(void)
{
    struct context c;
    uint32_t esp;

    set_msrs(SEL_CODE0, &inside);
    context_init(&c, leave.start, 0);
    esp = c.esp;
    c.eflags |= EFLAGS_IF;
    context_run(&c);
    check("SYSEXIT: vector", c.vector, VEC_DONE);
    check("SYSEXIT: CS", c.cs & SELECTOR_BITS, (SEL_CODE0 + 16) | 3);
    check("SYSEXIT: SS", c.ss & SELECTOR_BITS, (SEL_CODE0 + 24) | 3);
    check("SYSEXIT: ESP", c.esp, esp);
    check("SYSEXIT: IF stays", c.eflags & EFLAGS_IF, EFLAGS_IF);
    run_snippet(&c, &leave_user, 3);
    check_trap("SYSEXIT in ring 3", &c, VEC_GP, 0, leave_user.at);
    set_msrs(0, &inside);
    run_snippet(&c, &leave, 0);
    check_trap("SYSEXIT: CS is null", &c, VEC_GP, 0, leave.at);
}

/* The descriptors at the selectors are of no segment, and nobody looks. */
static void
check_flat(void)
{
    struct context c;

    set_msrs(CS_BASE, &flat);
    run_snippet(&c, &enter, 3);
    check("SYSENTER looks at no descriptor", c.vector, VEC_DONE);
    check("SYSENTER without descriptors: CS", c.cs & SELECTOR_BITS, CS_BASE);
    set_msrs(SEL_CODE0, &trip_inside);
    context_init(&c, trip.start, 3);
    context_run(&c);
    check_trap("there and back", &c, VEC_DONE, 0, trip.next + 2);
    check("there and back: CS", c.cs & SELECTOR_BITS, SEL_CODE3);
}

TOPIC(sysenter)
{
    struct cpuid_regs regs;

    cpuid(1, 0, &regs);
    if ((regs.edx & CPUID_SEP) == 0) {
        skip("all");
        return;
    }
    check_enter();
    check_exit();
    check_flat();
    wrmsr(MSR_SYSENTER_CS, 0);
}
