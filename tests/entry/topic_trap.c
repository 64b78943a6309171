/*
 * topic_trap.c - interrupts in the guest and in the monitor, and the monitor's
 * own faults, which end the VM with a reason.
 */
#include "entry/bare.h"

#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "vmm/core/vmk.h"

#define ROUNDS          20u
/* The local APIC: SDM 3A 10.4.1, 10.6.1. */
#define APIC_ID         0xfee00020u
#define ICR_LOW         0xfee00300u
#define ICR_HIGH        0xfee00310u     /* who: as in APIC_ID */
#define ICR_NMI         0x00004400u

CODE(code_loop, "jmp code_loop");

void
topic_interrupts(void)
{
    unsigned right = 0;

    bare_timer(true);
    for (unsigned n = 0; n < ROUNDS; n++) {
        bare_run(code_loop);
        right += guest_frame.regs.vector == BARE_TIMER &&
                 guest_frame.regs.eip == (uint32_t)code_loop &&
                 (read_eflags() & EFLAGS_IF) == 0;
        /* The VMkernel's part. */
        vmk_interrupt(guest_frame.regs.vector);
    }
    check("in the guest", right, ROUNDS);

    said = (struct vmm_said){ .last = 0 };
    while (said.interrupts < ROUNDS)
        sti_hlt();
    cli();
    bare_timer(false);
    check("in the monitor", said.last, BARE_TIMER);
    check("interrupts are on behind them", said.interrupts >= ROUNDS, true);
}

/* --- Faults of our own -----------------------------------------------------*/

static void
divide(void)
{
    uint32_t zero = 0, quotient;

    __asm__ volatile("divl %1" : "=a"(quotient), "+r"(zero)
                     : "0"(1), "d"(0) : "cc");
}

static void
touch_guard(void)
{
    mmio_write32((void *)VMM_STACK_GUARD, 0);
}

static void
overflow_stack(void)
{
    __asm__ volatile("1: pushl %eax; jmp 1b");
}

static void
nmi(void)
{
    mmio_write32((void *)ICR_HIGH, mmio_read32((void *)APIC_ID));
    mmio_write32((void *)ICR_LOW, ICR_NMI);
    for (;;)
        cpu_pause();
}

static void
check_end(const char *name, void (*crash)(void), const char *reason)
{
    const char *end = bare_crash(crash);
    bool is_right = str_starts_with(end, reason);

    if (!is_right)
        print("# %s\n", end);
    check(name, is_right, true);
}

void
topic_crash(void)
{
    check_end("#DE", divide, "#DE Divide Error in the monitor at ");
    check_end("#PF", touch_guard, "#PF Page Fault in the monitor at ");
    check_end("stack", overflow_stack, "the monitor's stack overflowed at ");
    check_end("NMI", nmi, "NMI or #MC Machine Check at ");
    bare_timer(true);
    bare_run(code_loop);
    check("another guest runs", guest_frame.regs.vector, BARE_TIMER);
    bare_timer(false);
}
