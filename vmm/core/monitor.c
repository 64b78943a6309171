/*
 * monitor.c - the main loop: who executes the guest?
 *
 * Between two guest instructions, at the safe point, all of the guest's state
 * is in the vcpu.  There the loop lets time pass, delivers what is pending, and
 * decides by a few virtual registers who goes on:
 *
 *      direct execution    CPL 3, IF = 1, IOPL = 0, protected mode
 *      translated code     CPL 0, protected mode
 *      the interpreter     whatever else: real and virtual-8086 mode, rings 1
 *                          and 2, single stepping, breakpoints, the instruction
 *                          behind STI and MOV SS, user code that may use CLI
 *
 * An engine comes back when the guest is somewhere else, or when somebody wants
 * the safe point: `attention` of the vcpu, or the VMkernel's requests.
 */
#include "vmm/core/monitor.h"

#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/debug.h"
#include "kernel/x86/exception.h"
#include "vmm/core/account.h"
#include "vmm/core/bt_engine.h"
#include "vmm/core/devices.h"
#include "vmm/core/direct_exec.h"
#include "vmm/core/event_log.h"
#include "vmm/core/fpu.h"
#include "vmm/core/gdt_watch.h"
#include "vmm/core/guest_enter.h"
#include "vmm/core/lockstep.h"
#include "vmm/core/memory.h"
#include "vmm/core/stress.h"
#include "vmm/core/vmk.h"
#include "vmm/guest_mem.h"
#include "vmm/seg/seg.h"

#define CPL_USER        3u
#define VECTOR_DEVICE   EXCEPTION_COUNT

/* Instructions that one call of the interpreter does: alone, or in between. */
#define RUN_ALONE       20000u
#define RUN_BETWEEN     64u

/* Calls to the safe point without an instruction of the guest in between. */
#define CALLS_IN_A_ROW  4u

static struct vcpu vcpu;
static struct interp interp;

/* --- What the engines share ------------------------------------------------*/

static void
end_of(const struct vcpu *v, enum interp_result result)
{
    if (result == INTERP_SHUTDOWN)
        vmk_end(VMM_END_RESET, "triple fault at %04x:%08x",
                v->cpu.segment[SEG_CS].selector, v->cpu.eip);
    if (result == INTERP_REFUSED)
        vmk_end(VMM_END_REFUSED, "%s, at %04x:%08x", v->interp->refusal,
                v->cpu.segment[SEG_CS].selector, v->cpu.eip);
}

void
monitor_deliver(struct vcpu *v, enum event_kind kind, unsigned vector)
{
    if (kind == EVENT_FAULT) {
        vmm_stats->faults++;
        event_note(NOTE_FAULT, v->fault.vector, v->fault.error,
                   v->cpu.eip);
    } else {
        vmm_stats->interrupts++;
        event_note(NOTE_INTERRUPT, vector, v->cpu.eip, v->cpu.gpr[GPR_ESP]);
    }
    end_of(v, interp_deliver(v, kind, vector));
}

static void
finish(struct vcpu *v, enum interp_result result)
{
    if (result == INTERP_FAULT)
        monitor_deliver(v, EVENT_FAULT, v->fault.vector);
    else
        end_of(v, result);
}

static enum interp_result
interpret(struct vcpu *v, uint64_t limit)
{
    enum vmm_time before = account_switch(TIME_INTERP);
    uint64_t instructions = v->instructions;
    enum interp_result result;

    event_note(NOTE_INTERP, v->cpu.eip, v->cpu.segment[SEG_CS].selector,
               v->cpu.gpr[GPR_ESP]);
    result = limit == 1 ? interp_step(v) : interp_run(v, limit);
    vmm_stats->interpreted += v->instructions - instructions;
    account_switch(before);
    finish(v, result);
    return result;
}

enum interp_result
monitor_interpret(struct vcpu *v)
{
    return interpret(v, 1);
}

static bool
has_attention(const struct vcpu *v)
{
    return (atomic_load(&v->attention) | atomic_load(&vmm_shared->requests)) !=
           0 || stress_wants_exit();
}

/* Is VECTOR, which ended guest_enter(), one of the hardware's interrupts? */
static bool
is_interrupt(unsigned vector)
{
    return vector >= VECTOR_DEVICE && vector != GUEST_INT_CALLOUT &&
           vector != GUEST_INT_SYSCALL;
}

/*
 * QEMU's TCG, on its way into virtual-8086 mode, loads VIF and VIP as well, and
 * changes them nowhere else: other VMs would find them set.  So once more in,
 * with both clear, to where nothing is mapped, and out.
 */
static void
clear_virtual_flags(void)
{
    unsigned vector = guest_frame.regs.vector;

    memory_load_permanent();
    guest_frame.regs = (struct trapframe){
        .eflags = EFLAGS_FIXED | EFLAGS_VM, .ss = VMM_SEL_DATA,
    };
    guest_enter();
    guest_frame.regs.vector = vector;
}

/*
 * Interrupts are masked from the look at attention to the guest, so that
 * nothing that one brought can be overlooked, and from the guest to the
 * VMkernel, whose interrupt it is.
 */
enum monitor_stop
monitor_enter(struct vcpu *v, enum vmm_time time)
{
    bool is_user = time == TIME_DIRECT, is_again, is_lost;

    do {
        memory_audit_sometimes();
        cli();
        if (has_attention(v)) {
            sti();
            return MONITOR_WAITS;
        }
        memory_load_view();
        fpu_prepare(v);
        gdt_limit_for_direct(is_user);
        account_enter(time);
        guest_enter();
        account_exit(is_user ? EXIT_FAULT_USER : EXIT_FAULT_KERNEL);
        is_lost = guest_frame.is_lost;
        if (is_lost)
            clear_virtual_flags();
        is_again = is_interrupt(guest_frame.regs.vector);
        if (is_again) {
            account_exit(EXIT_INTERRUPT);
            vmk_interrupt(guest_frame.regs.vector);
        }
        sti();
        if (is_lost)
            return MONITOR_LOST;
    } while (is_again);
    return MONITOR_TRAP;
}

/* PUSHA's order is that of the numbers, downwards. */
void
monitor_load_gprs(const struct vcpu *v, struct trapframe *frame)
{
    const uint32_t *gpr = v->cpu.gpr;

    frame->eax = gpr[GPR_EAX];
    frame->ecx = gpr[GPR_ECX];
    frame->edx = gpr[GPR_EDX];
    frame->ebx = gpr[GPR_EBX];
    frame->esp = gpr[GPR_ESP];
    frame->ebp = gpr[GPR_EBP];
    frame->esi = gpr[GPR_ESI];
    frame->edi = gpr[GPR_EDI];
}

void
monitor_store_gprs(struct vcpu *v, const struct trapframe *frame)
{
    uint32_t *gpr = v->cpu.gpr;

    gpr[GPR_EAX] = frame->eax;
    gpr[GPR_ECX] = frame->ecx;
    gpr[GPR_EDX] = frame->edx;
    gpr[GPR_EBX] = frame->ebx;
    gpr[GPR_ESP] = frame->esp;
    gpr[GPR_EBP] = frame->ebp;
    gpr[GPR_ESI] = frame->esi;
    gpr[GPR_EDI] = frame->edi;
}

/* --- The safe point --------------------------------------------------------*/

static void
serve_attention(struct vcpu *v)
{
    enum vmm_end end;

    atomic_store(&v->attention, 0);
    devices_poll();
    end = devices_take_end();
    if (end != VMM_END_COUNT)
        vmk_end(end, "%s", end == VMM_END_RESET ? "reset by the guest"
                                                : "switched off by the guest");
}

/* What the CPU takes at this boundary. */
static void
serve_events(struct vcpu *v)
{
    switch (vcpu_pending(v, devices_is_interrupt_pending())) {
    case PENDING_DEBUG:
        vcpu_fault(v, VEC_DB);
        monitor_deliver(v, EVENT_FAULT, VEC_DB);
        break;
    case PENDING_NMI:
        v->cpu.pending_nmi = 0;
        monitor_deliver(v, EVENT_EXTERNAL, VEC_NMI);
        break;
    case PENDING_INTERRUPT:
        account_exit_behind(EXIT_VIRTUAL);
        monitor_deliver(v, EVENT_EXTERNAL, devices_acknowledge());
        break;
    default:
        break;
    }
}

/* --- Who goes on -----------------------------------------------------------*/

enum engine { RUN_INTERP, RUN_ONE, RUN_DIRECT, RUN_BT };

/* What the hardware's traps would get wrong for the guest. */
static bool
is_stepping(const struct guest_cpu *cpu)
{
    return (cpu->eflags & EFLAGS_TF) != 0 ||
           (cpu->dr[DR7] & DR7_ENABLED) != 0 ||
           (cpu->block & (BLOCK_STI | BLOCK_MOV_SS)) != 0;
}

static bool
is_checking_alignment(const struct guest_cpu *cpu)
{
    return (cpu->eflags & EFLAGS_AC) != 0 && (cpu->cr0 & CR0_AM) != 0;
}

/*
 * The translator begins again when the size of the stack changes.  32-bit code
 * on a 16-bit stack is not worth that: it is a kernel's last few instructions
 * before an IRET to a user's stack of that kind.
 */
static bool
is_passing(const struct guest_cpu *cpu)
{
    return (cpu->segment[SEG_SS].rights & RIGHTS_DB) == 0 &&
           (cpu->segment[SEG_CS].rights & RIGHTS_DB) != 0;
}

static enum engine
choose(const struct vcpu *v)
{
    const struct guest_cpu *cpu = &v->cpu;

    if (vmm_shared->params.engine == ENGINE_INTERP || !vcpu_is_protected(v))
        return RUN_INTERP;
    if (is_stepping(cpu))
        return RUN_ONE;
    if (cpu->cpl == 0)
        return is_passing(cpu) ? RUN_ONE : RUN_BT;
    if (cpu->cpl == CPL_USER && !is_checking_alignment(cpu) &&
        (cpu->eflags & (EFLAGS_IF | EFLAGS_IOPL)) == EFLAGS_IF)
        return RUN_DIRECT;
    return RUN_INTERP;
}

/* An interrupt that waits for IF is taken at the first boundary it may be. */
static uint64_t
run_length(void)
{
    if (devices_is_interrupt_pending())
        return 1;
    return vmm_shared->params.engine == ENGINE_INTERP ? RUN_ALONE
                                                      : RUN_BETWEEN;
}

/*
 * On a slow machine the next deadline may have come before the last one was
 * served, again and again: the guest gets an instruction all the same.
 */
static enum engine
choose_next(const struct vcpu *v, bool was_called)
{
    static unsigned calls;

    calls = was_called && has_attention(v) ? calls + 1 : 0;
    if (calls < CALLS_IN_A_ROW)
        return choose(v);
    calls = 0;
    return RUN_ONE;
}

static void
run_once(struct vcpu *v)
{
    bool was_called = has_attention(v);

    if (was_called)
        serve_attention(v);
    stress_safe_point(v);
    serve_events(v);
    if (v->cpu.activity == ACTIVITY_HALTED) {
        account_exit(EXIT_HALT);
        devices_halt();
        return;
    }
    switch (choose_next(v, was_called)) {
    case RUN_DIRECT:
        direct_exec(v);
        break;
    case RUN_BT:
        bt_engine_run(v);
        break;
    case RUN_ONE:
        account_exit(EXIT_INTERP);
        interpret(v, 1);
        break;
    case RUN_INTERP:
        account_exit(EXIT_INTERP);
        interpret(v, run_length());
        break;
    }
}

NORETURN void
monitor_main(void)
{
    const struct vmm_params *params = &vmm_shared->params;
    struct vcpu *v = &vcpu;

    stress_init(&vmm_shared->params);
    lockstep_init(params);
    guest_enter_init();
    v->cpu = vmm_shared->boot_cpu;
    interp_init(&interp, v);
    vcpu_derive_segments(v);
    memory_init(v, params);
    devices_init(v, params);
    seg_init(params->sandbox == VMM_SANDBOX_SEGMENT);
    bt_engine_init(v);
    guest_mem_flush(v, true);
    sti();
    for (;;)
        run_once(v);
}
