/*
 * registers.c - flags, control and debug registers, MSRs and ports of any kind.
 *
 * Values that no sane guest uses, one after the other.  What comes of each is
 * the guest's affair; it goes on with the next one as long as it can.
 */
#include "hostile/hostile.h"

#include "kernel/x86/debug.h"

#define ALL_PORTS       0x10000u
#define MSR_RANGE       0x2000u
#define FLAG_BITS       22u
#define MODRM_COUNT     6u

SNIPPET(pop_flags, "push %eax", "popf", "nop; pushf; pop %edx");
SNIPPET(return_flags, "push %eax; push %cs; push $1f", "iret", "1: nop");
SNIPPET(flags_system, "push %eax; popf", "int $0x40", "");
SNIPPET(flags_enter, "push %eax; popf", "sysenter", "");
SNIPPET(flags_stack, "push %eax; popf; mov %ss, %edx", "mov %edx, %ss",
        "int $0x40");
SNIPPET(read_msr, "", "rdmsr", "");
SNIPPET(write_msr, "", "wrmsr", "");
SNIPPET(in_byte, "", "in %dx, %al", "");
SNIPPET(in_word, "", "in %dx, %ax", "");
SNIPPET(in_long, "", "in %dx, %eax", "");
SNIPPET(cr0_and_back, "mov %cr0, %edx; mov %eax, %cr0", "nop",
        "mov %edx, %cr0");
SNIPPET(cr4_and_back, "mov %cr4, %edx; mov %eax, %cr4", "nop",
        "mov %edx, %cr4");
SNIPPET(dr_all, "mov %eax, %dr0; mov %eax, %dr1; mov %eax, %dr6", "nop",
        "mov %eax, %dr7; xor %eax, %eax; mov %eax, %dr7");

static unsigned
run(const struct snippet *s, unsigned ring, uint32_t eax, uint32_t ecx)
{
    struct context c;

    context_init(&c, s->start, ring);
    c.eax = eax;
    c.ecx = ecx;
    c.edx = ecx;
    context_run(&c);
    return c.vector;
}

/* Pairs of flags, by each way to load them. */
static void
try_flags(unsigned ring)
{
    static const struct snippet *const ways[] = {
        &pop_flags, &return_flags, &flags_system, &flags_enter, &flags_stack,
    };

    for (size_t n = 0; n < ARRAY_LEN(ways); n++)
        for (unsigned i = 0; i < FLAG_BITS; i++)
            for (unsigned j = i; j < FLAG_BITS; j++)
                (void)run(ways[n], ring,
                          EFLAGS_FIXED | BIT(i) | BIT(j), 0);
    check(ring == 0 ? "ring 0: flags" : "ring 3: flags", 0, 0);
}

static void
try_msrs(void)
{
    static const uint32_t starts[] = { 0, 0x40000000, 0xc0000000, 0xc0010000,
                                       0xfffff000 };

    for (size_t n = 0; n < ARRAY_LEN(starts); n++)
        for (uint32_t msr = starts[n]; msr - starts[n] < MSR_RANGE; msr += 1) {
            (void)run(&read_msr, 0, 0, msr);
            if (msr % 7 == 0)
                (void)run(&write_msr, 0, hostile_random(), msr);
        }
    check("MSRs", 0, 0);
    check("RDMSR in ring 3", run(&read_msr, 3, 0, 0), VEC_GP);
}

static void
try_ports(void)
{
    for (uint32_t port = 0; port < ALL_PORTS; port++) {
        (void)in8((uint16_t)port);
        if (port % 3 == 0)
            (void)in16((uint16_t)port);
        if (port % 5 == 0)
            (void)in32((uint16_t)port);
    }
    check("IN of all ports", 0, 0);
    check("IN in ring 3", run(&in_byte, 3, 0, 0x80), VEC_GP);
    check("IN of a word in ring 3", run(&in_word, 3, 0, 0xffff), VEC_GP);
    check("IN of a long in ring 3", run(&in_long, 3, 0, 0xfffd), VEC_GP);
}

static void
try_control(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        (void)run(&cr4_and_back, 0, BIT(bit), 0);
        (void)run(&dr_all, 0, BIT(bit) | BIT(10), 0);
        /* Without PE or with PG the rest is not what it was. */
        if (BIT(bit) != CR0_PG)
            (void)run(&cr0_and_back, 0, CR0_PE | CR0_ET | BIT(bit), 0);
        machine_init();
    }
    check("control registers", 0, 0);
}

TOPIC(registers)
{
    try_flags(3);
    try_flags(0);
    try_control();
    try_ports();
    try_msrs();
}
