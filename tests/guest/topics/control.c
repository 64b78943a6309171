/*
 * control.c - bits of CR0 and CR4 that change what other instructions do.
 *
 * TSD keeps RDTSC from ring 3, PCE lets ring 3 have RDPMC, and without NE an
 * error of the x87 is no exception: the processor says so by a pin, which a PC
 * has wired to IRQ 13, and the next x87 instruction waits for that.  The
 * interrupt comes before that instruction, or at a processor that does not wait
 * behind it.  SDM 2 "RDTSC", "RDPMC"; SDM 3A 2.5; SDM 1 8.7.2.
 */
#include "guest/devices.h"

#define VEC_FPU         (VEC_IRQ0 + 13)
#define IRQ_FPU         5               /* of the second PIC */
#define PORT_FPU        0xf0            /* lets IRQ 13 go */
#define NO_COUNTER      0x3fffffffu
#define CPUID_EXTENDED  0x80000001u
#define CPUID_RDTSCP    BIT(27)         /* of its EDX */
#define NO_ERROR        0
#define FSW_ERROR       (BIT(7) | BIT(2))  /* ES, ZE */
#define CR0_PLAIN       (CR0_PE | CR0_ET)

SNIPPET(read_tsc, "", "rdtsc", "");
SNIPPET(read_tscp, "", "rdtscp", "");
SNIPPET(read_pmc, "", "rdpmc", "");
/* Zero divide is not masked; ESI is the status with the error in it. */
#define ERROR           "fninit; push $0x37b; fldcw (%esp); fld1; fldz; fdivrp"
SNIPPET(error_wait, ERROR, "fwait", "nop");
SNIPPET(error_load, ERROR, "fld1", "nop");
SNIPPET(error_quiet, ERROR, "fnstsw %ax", "mov %eax, %esi; fnclex; fwait");

static void
run(struct context *c, const struct snippet *s, unsigned ring, uint32_t ecx)
{
    context_init(c, s->start, ring);
    c->ecx = ecx;
    context_run(c);
}

/* --- CR4 -------------------------------------------------------------------*/

static uint64_t
tsc_of(const struct context *c)
{
    return (uint64_t)c->edx << 32 | c->eax;
}

static void
check_tsd(void)
{
    struct context first, second, c;
    struct cpuid_regs regs;

    run(&first, &read_tsc, 3, 0);
    check("RDTSC in ring 3", first.vector, VEC_DONE);
    write_cr4(CR4_TSD);
    check("TSD can be read", read_cr4(), CR4_TSD);
    run(&c, &read_tsc, 3, 0);
    check_trap("RDTSC in ring 3 with TSD", &c, VEC_GP, NO_ERROR, read_tsc.at);
    run(&c, &read_tsc, 0, 0);
    check("RDTSC in ring 0 with TSD", c.vector, VEC_DONE);
    write_cr4(0);
    run(&second, &read_tsc, 3, 0);
    check("without TSD again", second.vector, VEC_DONE);
    check("one clock: ring 3 before ring 0", tsc_of(&first) < tsc_of(&c), 1);
    check("one clock: ring 0 before ring 3", tsc_of(&c) < tsc_of(&second), 1);
    cpuid(CPUID_EXTENDED, 0, &regs);
    if ((regs.edx & CPUID_RDTSCP) == 0)
        return;
    write_cr4(CR4_TSD);
    run(&c, &read_tscp, 3, 0);
    check_trap("RDTSCP in ring 3 with TSD", &c, VEC_GP, NO_ERROR,
               read_tscp.at);
    write_cr4(0);
}

static void
check_pce(void)
{
    struct context c;

    run(&c, &read_pmc, 3, 0);
    check_trap("RDPMC in ring 3", &c, VEC_GP, NO_ERROR, read_pmc.at);
    run(&c, &read_pmc, 0, NO_COUNTER);
    check_trap("RDPMC of no counter", &c, VEC_GP, NO_ERROR, read_pmc.at);
    write_cr4(CR4_PCE);
    check("PCE can be read", read_cr4(), CR4_PCE);
    run(&c, &read_pmc, 3, NO_COUNTER);
    check_trap("RDPMC of no counter in ring 3 with PCE", &c, VEC_GP, NO_ERROR,
               read_pmc.at);
    write_cr4(0);
}

/* --- CR0.NE ----------------------------------------------------------------*/

static void
acknowledge(void)
{
    __asm__ volatile("fnclex");
    out8(PORT_FPU, 0);
    out8(PIC2, OCW2_EOI);
    out8(PIC1, OCW2_EOI);
}

struct fpu_case {
    const char *name, *where;
    const struct snippet *snippet;
    unsigned ring;
};

static const struct fpu_case cases[] = {
    { "ring 0: IRQ 13 at WAIT", "ring 0: before or behind WAIT", &error_wait,
      0 },
    { "ring 3: IRQ 13 at WAIT", "ring 3: before or behind WAIT", &error_wait,
      3 },
    { "ring 0: IRQ 13 at FLD1", "ring 0: before or behind FLD1", &error_load,
      0 },
    { "ring 3: IRQ 13 at FLD1", "ring 3: before or behind FLD1", &error_load,
      3 },
};

static void
check_fpu_irq(void)
{
    struct context c;

    if (machine_is_gentle()) {
        skip("errors of the x87 without NE");
        return;
    }
    write_cr0(CR0_PLAIN);
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_CASCADE));
    out8(PIC2 + 1, (uint8_t)~BIT(IRQ_FPU));
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        const struct fpu_case *f = &cases[n];

        context_init(&c, f->snippet->start, f->ring);
        c.eflags |= EFLAGS_IF;
        context_run(&c);
        check(f->name, c.vector, VEC_FPU);
        check(f->where, c.eip == (uint32_t)f->snippet->at ||
              c.eip == (uint32_t)f->snippet->next, true);
        acknowledge();
    }
    check("F0h: IRQ 13 is gone", pic_read(PIC2, OCW3_READ_IRR) & BIT(IRQ_FPU),
          0);
    write_cr0(CR0_PLAIN | CR0_NE);
    context_init(&c, error_wait.start, 3);
    context_run(&c);
    check_trap("with NE: #MF", &c, VEC_MF, NO_ERROR, error_wait.at);
    __asm__ volatile("fnclex");
    check("with NE: no IRQ 13", pic_read(PIC2, OCW3_READ_IRR) & BIT(IRQ_FPU),
          0);
    out8(PIC1 + 1, UINT8_MAX);
    out8(PIC2 + 1, UINT8_MAX);
}

/* What does not wait sees the error, and may clear it. */
static void
check_quiet(void)
{
    struct context c;

    run_snippet(&c, &error_quiet, 3);
    check("FNSTSW, FNCLEX do not wait", c.vector, VEC_DONE);
    check("FNSTSW: ES and ZE", c.esi & FSW_ERROR, FSW_ERROR);
}

TOPIC(control)
{
    check_tsd();
    check_pce();
    check_fpu_irq();
    check_quiet();
}
