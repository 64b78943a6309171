/*
 * direct_exec.c - the guest's user code on the machine itself.
 *
 * Ring 3 with the guest's own selectors, from the shadow GDT and LDT, and its
 * own flags; page tables that allow what the guest's allow user code.  What
 * user code may not do traps, and is given to the interpreter at the same
 * instruction, which does it or finds the guest's fault.  So nothing here needs
 * to know why an instruction trapped.
 *
 * Never entered with IF = 0 or IOPL > 0, because the hardware's IF is 1 and its
 * IOPL 0 for as long as guest code runs: user code could see the difference.
 *
 * Called by the main loop; no locks.
 */
#include "vmm/core/direct_exec.h"

#include "kernel/base/log.h"
#include "kernel/x86/debug.h"
#include "kernel/x86/exception.h"
#include "vmm/core/account.h"
#include "vmm/core/event_log.h"
#include "vmm/core/exit_cause.h"
#include "vmm/core/fpu.h"
#include "vmm/core/gdt_watch.h"
#include "vmm/core/guest_enter.h"
#include "vmm/core/memory.h"
#include "vmm/core/monitor.h"
#include "vmm/seg/seg.h"

/* All that user code can change of the flags. */
#define FLAGS_USER  (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                     EFLAGS_SF | EFLAGS_TF | EFLAGS_DF | EFLAGS_OF | \
                     EFLAGS_NT | EFLAGS_AC | EFLAGS_ID)

#define INT_N_SIZE  2u

static bool is_told;

static bool
load(struct vcpu *v)
{
    struct trapframe *frame = &guest_frame.regs;

    if (!seg_enter_direct(v, frame))
        return false;
    gdt_watch_rearm();
    monitor_load_gprs(v, frame);
    frame->eip = v->cpu.eip;
    frame->eflags = (v->cpu.eflags & FLAGS_USER) | EFLAGS_IF | EFLAGS_FIXED;
    event_note(NOTE_ENTER_DIRECT, frame->eip, frame->cs, frame->esp);
    return true;
}

static void
store(struct vcpu *v)
{
    const struct trapframe *frame = &guest_frame.regs;

    monitor_store_gprs(v, frame);
    v->cpu.eip = frame->eip;
    v->cpu.eflags = (v->cpu.eflags & ~(uint32_t)(FLAGS_USER | EFLAGS_RF)) |
                    (frame->eflags & FLAGS_USER);
    seg_leave_direct(v, frame);
}

/* True: go on where it was. */
static bool
serve_page_fault(struct vcpu *v)
{
    gla_t at = make_gla(guest_frame.cr2);
    uint32_t error = guest_frame.regs.error;
    enum shadow_result result = shadow_fault(memory_shadow(), at, error);

    event_note(NOTE_PAGE_FAULT, gla_raw(at), error, result);
    account_exit(exit_cause_of_fault(result, at));
    if (result == SHADOW_HIDDEN || result == SHADOW_BLOCK)
        return true;
    store(v);
    if (result == SHADOW_TRUE)
        monitor_deliver(v, EVENT_FAULT, VEC_PF);
    else
        monitor_interpret(v);
    return false;
}

/* A single step that POPF began; or INT1, which comes here as a trap, too. */
static void
serve_debug(struct vcpu *v)
{
    store(v);
    if (v->cpu.eflags & EFLAGS_TF) {
        v->cpu.pending_debug |= DR6_BS;
    } else {
        v->cpu.eip--;
        monitor_interpret(v);
    }
}

/*
 * An IRET that set VM, and should not have.  Where that was nobody knows any
 * more: the guest's kernel finds a #GP, which is the end of a program, and the
 * registers of when we went there last.
 */
static void
serve_lost(struct vcpu *v)
{
    account_exit(EXIT_FAULT_USER);
    if (!is_told)
        log_warn(MOD_VMM, "this processor's IRET lets user code into "
                 "virtual-8086 mode: #GP for the guest");
    is_told = true;
    vcpu_fault_error(v, VEC_GP, 0);
    monitor_deliver(v, EVENT_FAULT, VEC_GP);
}

static bool
serve(struct vcpu *v)
{
    unsigned vector = guest_frame.regs.vector;

    event_note(NOTE_TRAP, vector, guest_frame.regs.error,
               guest_frame.regs.eip);
    switch (vector) {
    case VEC_PF:
        return serve_page_fault(v);
    case VEC_NM:
        account_exit(EXIT_FPU);
        if (fpu_on_nm(v))
            return true;
        break;
    case VEC_DB:
        account_exit(EXIT_FAULT_USER);
        serve_debug(v);
        return false;
    case GUEST_INT_CALLOUT:
    case GUEST_INT_SYSCALL:
        /* The gate let it through: EIP is behind the INT n. */
        guest_frame.regs.eip -= INT_N_SIZE;
        account_exit(EXIT_INT_USER);
        break;
    default:
        account_exit(EXIT_FAULT_USER);
        break;
    }
    store(v);
    monitor_interpret(v);
    return false;
}

void
direct_exec(struct vcpu *v)
{
    if (!load(v)) {
        account_exit(EXIT_INTERP);
        monitor_interpret(v);
        return;
    }
    do {
        switch (monitor_enter(v, TIME_DIRECT)) {
        case MONITOR_WAITS:
            store(v);
            return;
        case MONITOR_LOST:
            serve_lost(v);
            return;
        case MONITOR_TRAP:
            break;
        }
    } while (serve(v));
}
