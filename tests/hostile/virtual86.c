/*
 * virtual86.c - user code that wants to be in virtual-8086 mode.
 *
 * IRET at CPL 3 does not change EFLAGS.VM, IF and IOPL (SDM 2A, IRET); QEMU's
 * TCG loads all three, and whoever waits there in a loop with IF = 0 has the
 * processor for ever.  The frame makes sense in both modes: there is one
 * address if CS is a selector, and another if it is not.
 *
 * Where the processor is wrong, #GP instead is the best that a monitor can do.
 */
#include "hostile/hostile.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"

#define PLACE           0x2000u
#define PARAGRAPH       16u
#define INT_SIZE        2u
#define NAME_SIZE       48
#define PIT_COMMAND     0x43
#define PIT_RATE        0x34            /* channel 0, mode 2 */
#define PIT_0           0x40
#define PIC_MASK        0x21
#define PIC_COMMAND     0x20
#define TICKS_ONLY      0xfe
#define EOI             0x20

/* EIP EDX, CS ECX, EFLAGS EAX; behind them SS:ESP and the data segments. */
SNIPPET(far_frame, "push $0; push $0; push $0; push $0; push $0x100;"
        "push $0x1000; push %eax; push %ecx; push %edx", "iret", "");

static const uint8_t int_done[] = { 0xcd, VEC_DONE };
/* What waits in virtual-8086 mode, each for ever. */
static const struct {
    const char *name;
    uint8_t code[4];
} waits[] = {
    { "a loop", { 0xeb, 0xfe } },
    { "CLI", { 0xfa, 0xeb, 0xfd } },
    { "STI", { 0xfb, 0xeb, 0xfd } },
    { "INT 30h", { 0xcd, 0x30, 0xeb, 0xfc } },
    { "INT 80h", { 0xcd, 0x80, 0xeb, 0xfc } },
    { "INT 81h", { 0xcd, 0x81, 0xeb, 0xfc } },
    { "HLT", { 0xf4, 0xeb, 0xfd } },
    { "OUT", { 0xe6, 0x80, 0xeb, 0xfc } },
};

static const uint32_t flags[] = {
    EFLAGS_VM | EFLAGS_IF, EFLAGS_VM, EFLAGS_VM | EFLAGS_IF | EFLAGS_IOPL,
    EFLAGS_VM | EFLAGS_IOPL, EFLAGS_VM | EFLAGS_IOPL | EFLAGS_TF,
    EFLAGS_VM | EFLAGS_NT | EFLAGS_IOPL,
};

static void
start_ticks(void)
{
    out8(PIT_COMMAND, PIT_RATE);
    out8(PIT_0, 0);
    out8(PIT_0, 0);
    out8(PIC_MASK, TICKS_ONLY);
}

/*
 * As if there were no VM in the frame; or the fault.  TF makes no difference:
 * the instruction behind IRET is INT n, which clears it (SDM 3A 17.3.1.4).
 */
static bool
is_right(const struct context *c, uint32_t cs)
{
    if (c->cs != SEL_CODE3 || (c->eflags & EFLAGS_VM) != 0)
        return false;
    if (c->vector == VEC_GP)
        return c->error == 0 || c->error == (cs & ~(uint32_t)SEL_RPL);
    if (c->vector == VEC_IRQ0)
        return true;
    return c->vector == VEC_DONE && c->eip == PLACE + INT_SIZE;
}

static bool
try(uint32_t eflags, uint32_t cs)
{
    struct context c;

    start_ticks();
    context_init(&c, far_frame.start, 3);
    c.eflags |= EFLAGS_IF;
    c.eax = eflags | EFLAGS_FIXED;
    c.ecx = cs;
    c.edx = PLACE;
    context_run(&c);
    out8(PIC_COMMAND, EOI);
    if (is_right(&c, cs))
        return true;
    print("# vector %u (%x) at %04x:%08x, flags %x for %x\n", c.vector,
          c.error, c.cs, c.eip, c.eflags, eflags);
    return false;
}

TOPIC(virtual86)
{
    char name[NAME_SIZE];

    memcpy((void *)PLACE, int_done, sizeof(int_done));
    for (size_t n = 0; n < ARRAY_LEN(waits); n++) {
        unsigned right = 0;

        for (uint32_t cs = SEL_CODE3 & ~SEL_RPL; cs <= SEL_CODE3; cs++) {
            memcpy((void *)(cs * PARAGRAPH + PLACE), waits[n].code,
                   sizeof(waits[n].code));
            for (size_t k = 0; k < ARRAY_LEN(flags); k++)
                right += try(flags[k], cs);
        }
        format_buf(name, sizeof(name), "%s in virtual-8086 mode",
                   waits[n].name);
        check(name, right, (SEL_RPL + 1) * ARRAY_LEN(flags));
    }
}
