/*
 * bt_engine.c - the guest's kernel in translated code: around the translator.
 *
 *      vcpu --load--> frame, slots --guest_enter--> TC ... exit or trap
 *       ^                                                   |
 *       |         stay: the frame is the guest's still -----+
 *       +--store, recover--------------------------------------
 *
 * While `is_live` the guest's state is in guest_frame, with an address of the
 * TC, and in the slots; the vcpu's is old.  An exit that only wants another
 * translation, a hidden page fault, a physical interrupt leave it so.  For all
 * else it is taken back: at an exit it is there, at a trap it is recovered.
 *
 * Whoever changes translations must not do so under a live state, so what the
 * MMU tells us in the middle of a fault takes the state back first.
 *
 * The translator's own memory is in the permanent root alone, and only there TC
 * and tables can be written: it is called between bt_open() and bt_close().
 * That costs two loads of CR3, so answers are remembered: known.h.
 *
 * What the guest could have written into the slots is only ever used as its own
 * state.  Called by the main loop; no locks.
 */
#include "vmm/core/bt_engine.h"

#include "bt/bt.h"
#include "bt/bt_inspect.h"
#include "bt/decode.h"
#include "kernel/base/assert.h"
#include "kernel/x86/exception.h"
#include "kernel/x86/quirks.h"
#include "vmm/core/account.h"
#include "vmm/core/bt_sizes.h"
#include "vmm/core/code_pages.h"
#include "vmm/core/devices.h"
#include "vmm/core/event_log.h"
#include "vmm/core/exit_cause.h"
#include "vmm/core/fpu.h"
#include "vmm/core/gdt_watch.h"
#include "vmm/core/guest_enter.h"
#include "vmm/core/known.h"
#include "vmm/core/lockstep.h"
#include "vmm/core/memory.h"
#include "vmm/core/monitor.h"
#include "vmm/core/stress.h"
#include "vmm/core/tc_area.h"
#include "vmm/core/vmk.h"
#include "vmm/seg/seg.h"

/* A kernel's flags, wherever they are meanwhile. */
#define FLAGS_KERNEL    (BT_FLAGS_MACHINE | BT_FLAGS_SYSTEM | EFLAGS_IF | \
                         EFLAGS_RF)

static struct bt_env env;
static struct bt *bt;
static struct bt_slots *slots;
static struct bt_code code_now;
static struct vcpu *vcpu;
static bool is_live, is_open;

/* Pages with code that the translator's own fetches have written to. */
#define LATE        8u
static uint32_t late_page[LATE], late_count;

/* --- The translator's surroundings -----------------------------------------*/

static void
bt_open(void)
{
    ASSERT(!is_open);
    is_open = true;
    memory_load_permanent();
}

static void
bt_close(void)
{
    const struct bt_stats *stats = bt_get_stats(bt);

    known_flush((uint32_t)stats->flushes);
    vmm_stats->tc_flushes = (uint32_t)stats->flushes;
    vmm_stats->tc_units = (uint32_t)stats->units;
    vmm_stats->tc_used = bt_code_end(bt) - env.code_at;
    is_open = false;
}

void
bt_engine_with(void (*use)(struct bt *bt, uint32_t which), uint32_t which)
{
    bt_open();
    use(bt, which);
    bt_close();
}

static const uint8_t *
fetch(UNUSED void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    gla_t at = segment_linear(&vcpu->cpu.segment[SEG_CS], eip);
    const uint8_t *page =
        memory_fetch(at, (flags & BT_FETCH_UNWATCHED) != 0, id);

    if (page != NULL)
        code_pages_note(vcpu, at, *id);
    return lockstep_misread(at, page);
}

/* --- State to and from the machine -----------------------------------------*/

/* The translator knows segments by what the code in them may assume. */
static bool
set_code(const struct guest_cpu *cpu)
{
    const struct guest_segment *cs = &cpu->segment[SEG_CS];
    const struct bt_code code = {
        .mode = DECODE_PROTECTED | (cs->rights & RIGHTS_DB ? DECODE_32
                                                            : DECODE_16),
        .base = cs->base, .limit = cs->limit,
        .is_stack_16 = (cpu->segment[SEG_SS].rights & RIGHTS_DB) == 0,
    };
    bool is_good;

    if (code.mode == code_now.mode && code.base == code_now.base &&
        code.limit == code_now.limit &&
        code.is_stack_16 == code_now.is_stack_16)
        return true;
    bt_open();
    is_good = bt_set_code(bt, &code);
    bt_close();
    if (is_good)
        code_now = code;
    return is_good;
}

static void
load_slots(struct vcpu *v)
{
    const struct guest_cpu *cpu = &v->cpu;
    bool is_kept = gdt_watch_begin(v);
    const struct guest_segment *gs = &cpu->segment[SEG_GS];
    bool is_usable = segment_is_flat(&cpu->segment[SEG_DS]) &&
                     gs->first == 0 &&
                     (gs->allow & (ALLOW_READ | ALLOW_WRITE)) ==
                     (ALLOW_READ | ALLOW_WRITE);

    bt_slots_set_eflags(slots, cpu->eflags);
    bt_slots_set_pending(slots, devices_is_interrupt_pending());
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (!is_kept || slots->selector[n] != cpu->segment[n].selector)
            bt_slots_set_selector(slots, n, cpu->segment[n].selector,
                                  gdt_watch_is_same(v, n));
    bt_slots_set_cr(slots, 0, cpu->cr0);
    bt_slots_set_cr(slots, 2, cpu->cr2);
    bt_slots_set_cr(slots, 3, cpu->cr3);
    bt_slots_set_cr(slots, 4, cpu->cr4);
    bt_slots_set_gs(slots, gs->base, gs->last, is_usable);
}

static void
flush(void)
{
    bt_flush(bt);
    code_pages_forget();
}

static void
note_late(uint32_t ppn)
{
    if (late_count < LATE)
        late_page[late_count] = ppn;
    late_count++;
}

/* True: there were some, and what was made of them is gone. */
static bool
drop_late(void)
{
    uint32_t count = late_count;

    late_count = 0;
    if (count > LATE)
        flush();
    else
        for (uint32_t i = 0; i < count; i++)
            bt_invalidate_page(bt, late_page[i]);
    return count > 0;
}

/*
 * Where the TC goes on for EIP; 0: it cannot.  A write to a page with code, an
 * A bit that the walk to EIP sets, has had to wait.
 */
static uint32_t
translate(uint32_t eip)
{
    enum vmm_time before = account_switch(TIME_TRANSLATE);
    uint32_t at;

    bt_open();
    if (!code_pages_has_room())
        flush();
    do
        at = bt_entry(bt, eip);
    while (drop_late());
    bt_close();
    account_switch(before);
    return at;
}

static uint32_t
find(uint32_t eip)
{
    uint32_t at = known_find(eip);

    if (at == 0) {
        at = translate(eip);
        known_add(eip, at);
    }
    return at;
}

static void
moved(uint32_t ppn)
{
    bt_engine_with(bt_invalidate_page, ppn);
}

/* A translator that knows nothing yet, with a TC where there is room for it. */
static void
begin(void)
{
    env = (struct bt_env){
        .has_native_tsc = vmm_shared->params.engine != ENGINE_LOCKSTEP,
        .jumps_to_cmpxchg8b = cmpxchg8b_spoils_flags(), .callout = CALLOUT_INT,
        .callout_vector = GUEST_INT_CALLOUT, .slot_segment = SEG_GS,
        .cs_rule = SEGMENT_EMULATE, .gs_rule = SEGMENT_BY_SLOT,
        .mode = DECODE_PROTECTED | DECODE_32,
        .tu_max = VMM_TU_MAX, .point_max = VMM_POINT_MAX,
        .link_max = VMM_LINK_MAX, .fetch = fetch,
    };
    bt_open();
    tc_area_place(&env);
    stress_translator(&env);
    ASSERT(bt_memory_size(&env) <= VMM_BT_SIZE);
    bt = bt_init(&env, (void *)VMM_BT_AT);
    slots = env.slots;
    vmm_stats->tc_size = env.code_size;
    bt_close();
    code_now = (struct bt_code){ 0 };
    known_clear();
    code_pages_forget();
}

/* False: this state is not for translated code. */
static bool
load(struct vcpu *v)
{
    struct trapframe *frame = &guest_frame.regs;
    uint32_t at;

    if (!tc_area_check(begin) || !set_code(&v->cpu) || !seg_enter_bt(v, frame))
        return false;
    code_pages_check(v, moved);
    at = find(v->cpu.eip);
    if (at == 0)
        return false;
    lockstep_enter(v);
    monitor_load_gprs(v, frame);
    load_slots(v);
    frame->eip = at;
    frame->eflags = bt_machine_eflags(v->cpu.eflags);
    is_live = true;
    event_note(NOTE_ENTER_BT, v->cpu.eip, at, frame->esp);
    return true;
}

/* The guest goes on at EIP; at least one instruction is done. */
static void
store(struct vcpu *v, uint32_t machine_eflags, bool is_shadow, uint32_t eip)
{
    uint32_t eflags = bt_slots_eflags(slots, machine_eflags);

    monitor_store_gprs(v, &guest_frame.regs);
    v->cpu.eflags = (v->cpu.eflags & ~(uint32_t)FLAGS_KERNEL) |
                    (eflags & FLAGS_KERNEL);
    v->cpu.block &= ~(uint32_t)(BLOCK_STI | BLOCK_MOV_SS);
    v->cpu.block |= is_shadow ? BLOCK_STI : 0;
    v->cpu.eip = eip;
    is_live = false;
    lockstep_leave(v);
}

/* The guest's state where the machine stopped in the TC. */
static void
recover(struct vcpu *v)
{
    struct trapframe *frame = &guest_frame.regs;
    struct bt_state s = { .eip = frame->eip, .eflags = frame->eflags,
                          .eax = frame->eax, .ecx = frame->ecx,
                          .esp = frame->esp };
    bool is_known;

    bt_open();
    is_known = bt_recover(bt, &s);
    bt_close();
    if (!is_known)
        vmk_end(VMM_END_CRASHED, "the guest was at %04x:%08x, vector %u "
                "error %x, outside of translated code", frame->cs, frame->eip,
                frame->vector, frame->error);
    frame->eax = s.eax;
    frame->ecx = s.ecx;
    frame->esp = s.esp;
    store(v, s.eflags, s.is_shadow, s.eip);
    event_note(NOTE_RECOVERED, frame->eip, s.eip, s.esp);
}

/* --- Code that changes -----------------------------------------------------*/

/* False: the page need not be watched any more. */
static bool
on_written(uint32_t ppn, uint32_t offset, uint32_t size)
{
    enum bt_written written;
    enum vmm_time before;

    code_pages_written(ppn);
    gdt_watch_written(ppn);
    if (is_open) {
        note_late(ppn);
        return true;
    }
    if (is_live) {
        lockstep_give_up();
        recover(vcpu);
    }
    before = account_switch(TIME_TRANSLATE);
    bt_open();
    written = bt_page_written(bt, ppn, offset, size);
    bt_close();
    account_switch(before);
    return written != BT_WRITTEN_UNWATCH;
}

/* --- Exits and traps -------------------------------------------------------*/

/* Was it one that all of a kernel shares, in memcpy() or memset()? */
static bool
is_string(const struct vcpu *v)
{
    return insn_opcode(&v->interp->now->insn)->class == CLASS_STRING;
}

/* The instruction at eip trapped; if that goes on, it becomes an exit. */
static void
emulate_trapped(struct vcpu *v)
{
    uint32_t eip = v->cpu.eip;

    if (monitor_interpret(v) == INTERP_OK && !is_string(v))
        bt_engine_with(bt_note_fault, eip);
}

/* Another translation is all it takes. */
static bool
go_on(struct vcpu *v)
{
    uint32_t eip = slots->exit_eip;
    uint32_t at = translate(eip);

    /* A flush, or a write that it led to, may have taken the state. */
    if (at != 0 && is_live) {
        guest_frame.regs.eip = at;
        return true;
    }
    store(v, guest_frame.regs.eflags, false, eip);
    if (at == 0)
        monitor_interpret(v);
    return false;
}

/*
 * At an exit.  Was it an instruction that the hardware can do, and could have
 * done this time?  Then it may be copied again, some day.
 */
static void
emulate(struct vcpu *v)
{
    uint32_t eip = v->cpu.eip, odd = memory_odd_accesses();
    enum interp_result result = monitor_interpret(v);
    enum vmm_exit cause;

    if (v->interp->now == NULL)
        return;
    cause = exit_cause_of_insn(&v->interp->now->insn);
    if (cause != EXIT_LINK)
        account_exit(cause);
    if (cause != EXIT_MEMORY || result != INTERP_OK ||
        memory_odd_accesses() != odd)
        return;
    bt_open();
    bt_note_emulated(bt, eip, false);
    bt_close();
}

/* A callout.  True: the guest's state is live still. */
static bool
serve_exit(struct vcpu *v)
{
    uint32_t reason = bt_slots_reason(slots);
    enum vmm_exit cause = exit_cause_of_callout(reason);

    event_note(NOTE_EXIT, reason, slots->exit_eip, slots->exit_arg);
    if (cause == EXIT_COUNT)
        vmk_end(VMM_END_REFUSED, "the guest has overwritten the monitor's "
                "slots (exit reason %x)", reason);
    account_exit(cause);
    if (reason == BT_EXIT_LINK || reason == BT_EXIT_MISS ||
        reason == BT_EXIT_SITE || reason == BT_EXIT_CHANGED)
        return go_on(v);
    store(v, guest_frame.regs.eflags, bt_slots_in_shadow(slots),
          slots->exit_eip);
    if (reason == BT_EXIT_EMULATE)
        emulate(v);
    else if (reason != BT_EXIT_STOP)
        monitor_interpret(v);
    return false;
}

static bool
serve_page_fault(struct vcpu *v)
{
    gla_t at = make_gla(guest_frame.cr2);
    uint32_t error = guest_frame.regs.error;
    enum shadow_result result = shadow_fault(memory_shadow(), at, error);

    event_note(NOTE_PAGE_FAULT, gla_raw(at), error, result);
    account_exit(exit_cause_of_fault(result, at));
    if (result == SHADOW_HIDDEN || result == SHADOW_BLOCK)
        return is_live;
    if (is_live)
        recover(v);
    if (result == SHADOW_TRUE)
        monitor_deliver(v, EVENT_FAULT, VEC_PF);
    else
        emulate_trapped(v);
    return false;
}

static bool
serve(struct vcpu *v)
{
    const struct trapframe *frame = &guest_frame.regs;

    if (frame->vector == GUEST_INT_CALLOUT)
        return serve_exit(v);
    event_note(NOTE_TRAP, frame->vector, frame->error, frame->eip);
    if (frame->vector == VEC_PF)
        return serve_page_fault(v);
    if (frame->vector == VEC_NM) {
        account_exit(EXIT_FPU);
        if (fpu_on_nm(v))
            return true;
    }
    recover(v);
    if (seg_on_fault(v))
        monitor_interpret(v);
    else
        emulate_trapped(v);
    return false;
}

void
bt_engine_run(struct vcpu *v)
{
    if (!load(v)) {
        account_exit(EXIT_INTERP);
        monitor_interpret(v);
        return;
    }
    do {
        switch (monitor_enter(v, TIME_BT)) {
        case MONITOR_WAITS:
            recover(v);
            return;
        case MONITOR_LOST:
            vmk_end(VMM_END_CRASHED, "translated code has got into "
                    "virtual-8086 mode");
        case MONITOR_TRAP:
            break;
        }
    } while (serve(v));
}

void
bt_engine_init(struct vcpu *v)
{
    vcpu = v;
    tc_area_init(&vmm_shared->params);
    begin();
    memory_on_written(on_written);
}
