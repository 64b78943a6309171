/*
 * guest_enter.c - the monitor's descriptor tables, and traps from its own code.
 *
 * One of each for an instance: GDT (a region of its own, which seg/ fills with
 * the guest's descriptors), IDT and TSS, made at the start and never changed
 * while the guest runs.  All gates are interrupt gates, so every entry has
 * interrupts masked.  What must not depend on the stack it may have broken -
 * #DF - or can come anywhere - NMI, #MC - has a task of its own, whose page
 * tables are a root that nothing of the guest's is in (SDM 3A 6.12.2, 7.3).
 * These tasks end the VM and never return, so that one stack does for each.
 *
 * An exception in the monitor's own code ends the VM, too, save where the
 * guest's state is being loaded (vmm_entry.S): there it is the guest's doing.
 */
#include "vmm/core/guest_enter.h"

#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "vmm/core/fpu.h"
#include "vmm/core/native_exec.h"
#include "vmm/core/vmk.h"
#include "vmm/core/vmm_entry_int.h"
#include "vmm/layout.h"

#define TASK_STACK_SIZE 4096u
#define TASKS           2u
#define NATIVE_RING     1u              /* native_exec.c: ends with an INT3 */

/* What loading a selector, or IRET, raises for it: SDM 2A, IRET. */
#define REFUSALS    (BIT(VEC_TS) | BIT(VEC_NP) | BIT(VEC_SS) | BIT(VEC_GP))

static struct gate idt[VMM_STUBS] ALIGNED(16);
static struct tss tss, task[TASKS];
static uint8_t task_stack[TASKS][TASK_STACK_SIZE] ALIGNED(16);
static bool is_gdt_short;

/* --- Descriptors -----------------------------------------------------------*/

void
gdt_set(unsigned selector, const struct segdesc *descriptor)
{
    struct segdesc *gdt = (void *)VMM_GDT_AT;

    gdt[selector >> SEL_INDEX_SHIFT] = *descriptor;
}

static void
load_gdt(unsigned size)
{
    struct table_register gdtr = {
        .limit = (uint16_t)(size - 1), .base = VMM_GDT_AT
    };

    lgdt(&gdtr);
}

void
gdt_limit_for_direct(bool is_direct)
{
    if (is_direct == is_gdt_short)
        return;
    is_gdt_short = is_direct;
    load_gdt(is_direct ? VMM_SEL_BT : VMM_DESCRIPTORS_SIZE);
}

static void
set_tss(unsigned selector, const struct tss *t)
{
    uint32_t base = (uint32_t)t;
    struct segdesc d = {
        .limit_low = sizeof(*t) - 1, .base_low = base & 0xffff,
        .base_mid = (base >> 16) & 0xff, .type = SYS_TSS32_AVAIL, .p = 1,
        .base_high = base >> 24
    };

    gdt_set(selector, &d);
}

static void
init_gdt(void)
{
    static const struct segdesc code =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_CODE | SEG_CODE_R | SEG_ACCESSED,
                      0);
    static const struct segdesc data =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED, 0);

    gdt_set(VMM_SEL_CODE, &code);
    gdt_set(VMM_SEL_DATA, &data);
    gdt_set(VMM_SEL_STACK16, &data);    /* stack16.S: its base */
    set_tss(VMM_SEL_TSS, &tss);
    set_tss(VMM_SEL_DF_TSS, &task[0]);
    set_tss(VMM_SEL_NMI_TSS, &task[1]);
    load_gdt(VMM_DESCRIPTORS_SIZE);
    load_code_selector(VMM_SEL_CODE);
    write_ss(VMM_SEL_DATA);
    write_ds(VMM_SEL_DATA);
    write_es(VMM_SEL_DATA);
    write_fs(0);
    write_gs(0);
    lldt(0);
}

static void
init_task(unsigned n, void (*entry)(void))
{
    task[n] = (struct tss){
        .cr3 = vmm_shared->params.permanent_cr3, .eip = (uint32_t)entry,
        .eflags = EFLAGS_FIXED, .esp = (uint32_t)&task_stack[n + 1],
        .cs = VMM_SEL_CODE, .ss = VMM_SEL_DATA, .ds = VMM_SEL_DATA,
        .es = VMM_SEL_DATA, .iomap = sizeof(struct tss)
    };
}

static void
init_tss(void)
{
    tss.ss0 = VMM_SEL_DATA;
    tss.esp0 = (uint32_t)(&guest_frame.regs + 1);
    tss.iomap = sizeof(tss);
    init_task(0, vmm_double_fault_entry);
    init_task(1, vmm_nmi_entry);
    ltr(VMM_SEL_TSS);
}

static struct gate
interrupt_gate(unsigned vector, unsigned ring)
{
    uint32_t offset = (uint32_t)&vmm_stubs[vector * VMM_STUB_SIZE];

    return (struct gate){
        .offset_low = offset & 0xffff, .selector = VMM_SEL_CODE,
        .type = SYS_INT32, .dpl = ring & SEL_RPL, .p = 1,
        .offset_high = offset >> 16
    };
}

/*
 * INT3 and INTO of ring 3 are #GP like INT n: with EIP on them, whatever their
 * length.  Ring 1 is native_exec()'s.
 */
static void
init_idt(void)
{
    static const uint8_t open_to_guests[] = {
        GUEST_INT_SYSCALL, GUEST_INT_CALLOUT
    };
    struct table_register idtr = {
        .limit = sizeof(idt) - 1, .base = (uint32_t)idt
    };
    struct gate to_task = { .type = SYS_TASK_GATE, .p = 1 };

    for (unsigned n = 0; n < VMM_STUBS; n++)
        idt[n] = interrupt_gate(n, 0);
    for (size_t n = 0; n < ARRAY_LEN(open_to_guests); n++)
        idt[open_to_guests[n]] = interrupt_gate(open_to_guests[n], SEL_RPL);
    idt[VEC_BP] = interrupt_gate(VEC_BP, NATIVE_RING);
    to_task.selector = VMM_SEL_DF_TSS;
    idt[VEC_DF] = to_task;
    to_task.selector = VMM_SEL_NMI_TSS;
    idt[VEC_NMI] = idt[VEC_MC] = to_task;
    lidt(&idtr);
}

void
guest_enter_init(void)
{
    init_gdt();
    init_tss();
    init_idt();
    native_exec_init();
    fpu_init();
}

/* --- Traps from the monitor's own code -------------------------------------*/

static bool
is_refusal(const struct trapframe *f)
{
    return f->vector < EXCEPTION_COUNT && (BIT(f->vector) & REFUSALS) != 0 &&
           f->eip >= (uint32_t)guest_load &&
           f->eip < (uint32_t)guest_load_end;
}

void
vmm_on_exception(const struct trapframe *f)
{
    uint32_t cr2 = read_cr2();

    if (is_refusal(f)) {
        guest_frame.regs.vector = f->vector;
        guest_frame.regs.error = f->error;
        guest_frame.is_refused = 1;
        return;
    }
    log_error(MOD_VMM, "eax=%08x ebx=%08x ecx=%08x edx=%08x esi=%08x "
              "edi=%08x ebp=%08x esp=%08x", f->eax, f->ebx, f->ecx, f->edx,
              f->esi, f->edi, f->ebp, (uint32_t)&f->esp);
    vmk_end(VMM_END_CRASHED, "%s in the monitor at %08x, error code %x, "
            "cr2 %08x, eflags %08x", exception_name(f->vector), f->eip,
            f->error, cr2, f->eflags);
}

/* The processor has left the state of what it interrupted in the TSS. */
NORETURN static void
end_in_task(const char *what)
{
    uint32_t cr2 = read_cr2();

    log_error(MOD_VMM, "eax=%08x ebx=%08x ecx=%08x edx=%08x esi=%08x "
              "edi=%08x ebp=%08x esp=%08x", tss.eax, tss.ebx, tss.ecx,
              tss.edx, tss.esi, tss.edi, tss.ebp, tss.esp);
    vmk_end(VMM_END_CRASHED, "%s at %04x:%08x, cr2 %08x", what,
            tss.cs & 0xffff, tss.eip, cr2);
}

void
vmm_on_double_fault(void)
{
    end_in_task(tss.esp - VMM_STACK_GUARD <= VMM_STACK_AT - VMM_STACK_GUARD
                ? "the monitor's stack overflowed" : "#DF Double Fault");
}

/* The machine's business: the VMkernel stops, or has been told to. */
void
vmm_on_nmi(void)
{
    vmk_interrupt(VEC_NMI);
    end_in_task("NMI or #MC Machine Check");
}
