/*
 * topic_enter.c - into ring 3 and out of it: what comes back, and what state
 * the monitor's code finds itself in.
 *
 * "refuse" puts into guest_frame what no processor loads: SDM 2A, MOV and IRET.
 */
#include "entry/bare.h"

#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/debug.h"
#include "kernel/x86/exception.h"
#include "vmm/layout.h"

#define INT_N_SIZE      2
#define NO_DEVICE       0x20
#define INT_ERROR(n)    ((n) * 8 + 2)   /* of #GP at the gate of INT n */
#define FLAGS_FOREIGN   (EFLAGS_IF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | \
                         EFLAGS_TF)
#define SELECTOR_BITS   0xffffu
/* Breakpoint 0: enabled, at writes of 4 bytes. */
#define DR7_WATCH       (DR7_FIXED | 0x000d0002u)

#define WRITE_DEBUG(name, value)                                          \
    __asm__ volatile("mov %0, %%" #name : : "r"(value))

CODE(code_callout, "int $0x81");
CODE(code_int80, "int $0x80");
CODE(code_int20, "int $0x20");
CODE(code_int3, "int3");
CODE(code_into, "into");
CODE(code_hlt, "hlt");
/* To AX:2000, where there is an HLT, with VM, IF, IOPL 0. */
CODE(code_iret, "movl %eax, %ecx; shll $4, %ecx; movb $0xf4, 0x2000(%ecx);"
     "pushl $0; pushl $0; pushl $0; pushl $0; pushl $0x100; pushl $0x1000;"
     "pushl $0x20202; pushl %eax; pushl $0x2000; iretl");
CODE(code_nop, "nop; nop");
CODE(code_read, "movl 0xfffb0000, %eax");
CODE(code_write, "movl %eax, 0xfffe0000");

/* What world_switch.h and C want. */
static bool
is_monitors_own(void)
{
    return (read_eflags() & FLAGS_FOREIGN) == 0 &&
           (read_ds() & SELECTOR_BITS) == VMM_SEL_DATA &&
           (read_es() & SELECTOR_BITS) == VMM_SEL_DATA &&
           (read_ss() & SELECTOR_BITS) == VMM_SEL_DATA &&
           (read_fs() & SELECTOR_BITS) == 0 &&
           (read_gs() & SELECTOR_BITS) == 0;
}

static void
check_registers(void)
{
    struct trapframe before, *f = &guest_frame.regs;

    bare_frame(code_callout);
    f->fs = f->gs = BARE_DATA;
    before = *f;
    guest_enter();
    check("segments of the monitor", is_monitors_own(), true);
    bare_check("a callout", GUEST_INT_CALLOUT, 0, code_callout + INT_N_SIZE);
    check("not refused", guest_frame.is_refused, 0);
    check("general registers", memcmp(&f->edi, &before.edi, 3 * 4) == 0 &&
          memcmp(&f->ebx, &before.ebx, 4 * 4) == 0, true);
    check("ESP", f->esp, before.esp);
    check("EFLAGS", f->eflags, before.eflags);
    check("selectors", (f->cs & SELECTOR_BITS) == BARE_CODE &&
          (f->ss & SELECTOR_BITS) == BARE_DATA &&
          (f->ds & SELECTOR_BITS) == BARE_DATA &&
          (f->gs & SELECTOR_BITS) == BARE_DATA, true);
}

static void
check_flags(void)
{
    uint32_t flags = EFLAGS_FIXED | EFLAGS_IF | EFLAGS_DF | EFLAGS_NT |
                     EFLAGS_AC | EFLAGS_TF;

    bare_frame(code_nop);
    guest_frame.regs.eflags = flags;
    guest_enter();
    check("flags of the monitor", is_monitors_own(), true);
    bare_check("a single step", VEC_DB, 0, code_nop + 1);
    check("its flags", guest_frame.regs.eflags, flags);
}

/*
 * The processor's own push onto guest_frame is watched: #DB at the first
 * instruction of the stub, in ring 0, as behind MOV SS.  QEMU 7.2 aborts.
 */
static void
check_debug_on_entry(void)
{
    if (bare_is_gentle()) {
        skip("a debug trap on the way in");
        return;
    }
    bare_frame(code_int80);
    WRITE_DEBUG(dr6, DR6_FIXED);
    WRITE_DEBUG(dr0, (uint32_t)&guest_frame.regs.eflags);
    WRITE_DEBUG(dr7, DR7_WATCH);
    guest_enter();
    WRITE_DEBUG(dr7, DR7_FIXED);
    bare_check("a debug trap on the way in", GUEST_INT_SYSCALL, 0,
               code_int80 + INT_N_SIZE);
    check("... is in DR6", read_dr6() & DR6_B, DR6_B0);
    check("... and leaves the registers", guest_frame.regs.eax, 0x1007);
}

/*
 * Only TCG goes there: its IRET at CPL 3 takes VM from the frame.  The frame of
 * a trap from there has four words more, and its CS may have RPL 0.  Elsewhere
 * CS is a null selector.
 */
static void
check_virtual86(void)
{
    static const char *const names[] = { "virtual-8086 mode: CS with RPL 0",
                                         "virtual-8086 mode: CS with RPL 3" };

    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        bare_frame(code_iret);
        guest_frame.regs.eax = n * SEL_RPL;
        guest_enter();
        check(names[n], guest_frame.is_lost == bare_is_gentle() &&
              is_monitors_own() && guest_frame.regs.vector == VEC_GP, true);
    }
    bare_run(code_callout);
    check("none behind it", guest_frame.is_lost, false);
}

void
topic_enter(void)
{
    check_registers();
    check_flags();
    bare_run(code_int80);
    bare_check("INT 80h", GUEST_INT_SYSCALL, 0, code_int80 + INT_N_SIZE);
    bare_run(code_int20);
    bare_check("INT n", VEC_GP, INT_ERROR(NO_DEVICE), code_int20);
    bare_run(code_int3);
    bare_check("INT3", VEC_GP, INT_ERROR(VEC_BP), code_int3);
    bare_frame(code_into);
    guest_frame.regs.eflags |= EFLAGS_OF;
    guest_enter();
    bare_check("INTO", VEC_GP, INT_ERROR(VEC_OF), code_into);
    bare_run(code_hlt);
    bare_check("HLT", VEC_GP, 0, code_hlt);
    bare_run(code_read);
    bare_check("a read of the monitor", VEC_PF, 5, code_read);
    check("... and CR2", guest_frame.cr2, VMM_GDT_AT);
    bare_run(code_write);
    bare_check("a write to the monitor", VEC_PF, 7, code_write);
    check("... and its CR2", guest_frame.cr2, VMM_SHARED_AT);
    check_debug_on_entry();
    check_virtual86();
}

/* --- What cannot be loaded -------------------------------------------------*/

struct refusal {
    const char *name;
    uint32_t *field;
    uint32_t value;
    unsigned vector;
};

static const struct refusal refusals[] = {
#define REGS guest_frame.regs
    { "DS beyond the GDT's present", &REGS.ds, 0x1003, VEC_GP },
    { "ES in no LDT", &REGS.es, 0x0007, VEC_GP },
    { "FS of ring 0 for RPL 3", &REGS.fs, VMM_SEL_DATA | 3, VEC_GP },
    { "GS with a TSS", &REGS.gs, VMM_SEL_TSS, VEC_GP },
    { "DS not present", &REGS.ds, BARE_ABSENT, VEC_NP },
    { "CS null", &REGS.cs, 3, VEC_GP },
    { "CS with data", &REGS.cs, BARE_DATA, VEC_GP },
    { "CS of ring 0 for RPL 3", &REGS.cs, VMM_SEL_CODE | 3, VEC_GP },
    { "CS in no LDT", &REGS.cs, 0x000f, VEC_GP },
    { "SS null", &REGS.ss, 0, VEC_GP },
    { "SS with code", &REGS.ss, BARE_CODE, VEC_GP },
    { "SS with another RPL", &REGS.ss, BARE_DATA & ~3u, VEC_GP },
    { "SS not present", &REGS.ss, BARE_ABSENT, VEC_NP },
#undef REGS
};

static void
check_refusal(const struct refusal *r)
{
    struct trapframe before;

    bare_frame(code_callout);
    *r->field = r->value;
    before = guest_frame.regs;
    guest_enter();
    before.vector = r->vector;
    before.error = r->value & ~SEL_RPL;
    check(r->name, guest_frame.is_refused && is_monitors_own() &&
          memcmp(&before, &guest_frame.regs, sizeof(before)) == 0, true);
}

void
topic_refuse(void)
{
    for (size_t n = 0; n < ARRAY_LEN(refusals); n++)
        check_refusal(&refusals[n]);
    gdt_limit_for_direct(true);
    bare_run(code_callout);
    check("what translated code runs on, in direct execution",
          guest_frame.is_refused, true);
    gdt_limit_for_direct(false);
    bare_run(code_callout);
    check("none behind them", guest_frame.is_refused, false);
}
