/*
 * run.c - a program's subject under translated code, as a monitor runs it.
 *
 * A turn of the loop: take an interrupt if one is pending and let in; enter the
 * translator's code (or the guest's own, natively) at the guest's eip; come
 * back by an exit or a trap; have the reference catch up; then do what the
 * exit wants.  That is nearly always to interpret one instruction on both sides
 * and to deliver its fault, so a turn ends with both sides equal again.
 */
#include "lockstep/run_int.h"

#include <stdio.h>
#include <string.h>

#include "bt/decode.h"
#include "vmm/interp/segment_int.h"

#define TURNS_MAX       1500u
/* A user program's flags are the machine's, all it can change. */
#define FLAGS_USER      (BT_FLAGS_ARITH | EFLAGS_DF | EFLAGS_NT | \
                         EFLAGS_AC | EFLAGS_ID)
/* A kernel's, wherever they are. */
#define FLAGS_KERNEL    (BT_FLAGS_MACHINE | BT_FLAGS_SYSTEM | EFLAGS_IF)
#define SHADOW          (BLOCK_STI | BLOCK_MOV_SS)
#define PF_WRITE        BIT(1)
#define DR7             7
#define DR7_ENABLES     BITS(7, 0)
#define PAGES_HIDDEN    BITS(STACK_PAGE + STACK_PAGES, DATA_PAGE)


struct run_stats run_stats;
bool run_trace;
unsigned run_steps;
static bool is_limited;

void
run_start(uint32_t late_usec)
{
    arena_start();
    is_limited = segments_start(late_usec);
    if (!is_limited)
        puts("lockstep: this kernel refuses modify_ldt(): no truncated "
             "segments, no `segment' configurations");
}

bool
run_has(const struct config *config)
{
    return is_limited || (config->slot_segment == SEG_DS &&
                          !config->is_native);
}

/* --- Registers: the vcpu's and the machine's -------------------------------*/

/* Would loading S's selector again change nothing, till its GDT changes? */
static bool
is_same_in_memory(const struct vcpu *v, enum segment n)
{
    const struct guest_segment *s = &v->cpu.segment[n];
    uint32_t index = s->selector & ~(SEL_RPL | SEL_TI);
    uint32_t at = v->cpu.gdtr.base + index;
    struct guest_segment found;
    struct segdesc d;

    if (selector_is_null(s->selector) || (s->selector & SEL_TI) ||
        index + sizeof(d) - 1 > v->cpu.gdtr.limit ||
        !arena_watch(at, sizeof(d)))
        return false;
    memcpy(&d, reference.memory + (at - ARENA), sizeof(d));
    found = segment_make(s->selector, &d);
    segment_derive(&found, true);
    return memcmp(&found, s, sizeof(found)) == 0;
}

static void
load_slots(struct run *r)
{
    const struct guest_cpu *cpu = &subject.v.cpu;

    bt_slots_set_eflags(engine_slots, cpu->eflags);
    bt_slots_set_pending(engine_slots, r->is_pending);
    for (unsigned n = 0; n < SEG_NONE; n++)
        bt_slots_set_selector(engine_slots, n, cpu->segment[n].selector,
                              is_same_in_memory(&subject.v, n));
    bt_slots_set_cr(engine_slots, 0, cpu->cr0);
    bt_slots_set_cr(engine_slots, 2, cpu->cr2);
    bt_slots_set_cr(engine_slots, 3, cpu->cr3);
    bt_slots_set_cr(engine_slots, 4, cpu->cr4);
}

static void
load(struct run *r)
{
    const struct guest_cpu *cpu = &subject.v.cpu;

    memcpy(r->m.gpr, cpu->gpr, sizeof(r->m.gpr));
    memcpy(r->m.fpu, cpu->fpu, sizeof(r->m.fpu));
    segments_load(r->config, &subject.v, &r->m);
    r->m.eflags = cpu->eflags & FLAGS_USER;
    if (r->config->is_user)
        return;
    r->m.eflags = bt_machine_eflags(cpu->eflags);
    load_slots(r);
}

/* All but eip, which is where in translated code it is. */
static void
store(struct run *r, uint32_t flags)
{
    struct guest_cpu *cpu = &subject.v.cpu;
    uint32_t mask = r->config->is_user ? FLAGS_USER : FLAGS_KERNEL;

    if (!r->config->is_user)
        flags = bt_slots_eflags(engine_slots, flags);
    memcpy(cpu->gpr, r->m.gpr, sizeof(r->m.gpr));
    memcpy(cpu->fpu, r->m.fpu, sizeof(r->m.fpu));
    cpu->eflags = (cpu->eflags & ~mask) | (flags & mask);
    if (r->config->is_user)
        segments_store(&subject.v, &r->m);
}

/* At least one instruction is done: what was for that one is over. */
static void
set_shadow(bool is_shadow)
{
    subject.v.cpu.eflags &= ~EFLAGS_RF;
    subject.v.cpu.block &= ~SHADOW;
    subject.v.cpu.block |= is_shadow ? BLOCK_STI : 0;
}

/* The guest's state where the machine stopped; false: nobody knows. */
static bool
recover(struct run *r)
{
    struct bt_state s = { .eip = r->m.eip, .eflags = r->m.eflags,
                          .eax = r->m.gpr[GPR_EAX],
                          .ecx = r->m.gpr[GPR_ECX],
                          .esp = r->m.gpr[GPR_ESP] };
    uint32_t before = subject.v.cpu.eip;

    if (!r->config->is_native && !bt_recover(r->bt, &s))
        return false;
    store(r, s.eflags);
    subject.v.cpu.eip = s.eip;
    subject.v.cpu.gpr[GPR_EAX] = s.eax;
    subject.v.cpu.gpr[GPR_ECX] = s.ecx;
    subject.v.cpu.gpr[GPR_ESP] = s.esp;
    if (!r->is_step || s.eip != before)
        set_shadow(s.is_shadow);
    return true;
}

/* --- Exits and traps -------------------------------------------------------*/

static bool
exit_is_right(uint32_t reason)
{
    struct insn insn;
    uint32_t at = subject.v.cpu.eip - ARENA;
    enum decode_result result;

    if (reason != BT_EXIT_INT && reason != BT_EXIT_UNDEFINED &&
        reason != BT_EXIT_TOO_LONG)
        return true;
    result = decode(reference.memory + at, INSN_LENGTH_MAX,
                    DECODE_32 | DECODE_PROTECTED, &insn);
    if (reason == BT_EXIT_TOO_LONG)
        return result == DECODE_TOO_LONG;
    if (result == DECODE_OK)
        return insn_opcode(&insn)->class ==
               (reason == BT_EXIT_INT ? CLASS_INT : CLASS_HIDDEN);
    return reason == BT_EXIT_UNDEFINED;
}

static bool
is_served(uint32_t reason)
{
    return reason == BT_EXIT_EMULATE || reason == BT_EXIT_INT ||
           reason == BT_EXIT_UNDEFINED || reason == BT_EXIT_TOO_LONG;
}

static enum turn
serve_exit(struct run *r)
{
    uint32_t reason = bt_slots_reason(engine_slots);
    bool is_shadow = bt_slots_in_shadow(engine_slots);

    store(r, r->m.eflags);
    subject.v.cpu.eip = engine_slots->exit_eip;
    r->trap = NO_TRAP;
    if (reason >= BT_EXIT_STOP)
        return fail(r, "an exit without a reason");
    run_stats.exits[reason]++;
    if (!r->is_step || !is_served(reason))
        set_shadow(is_shadow);
    if (!exit_is_right(reason))
        return fail(r, "the exit's reason is wrong");
    r->is_emulated = reason == BT_EXIT_EMULATE;
    return is_served(reason) ? TURN_SERVE : TURN_ON;
}

/* A trap that the guest must not see: TURN_ON; or one to be served. */
static enum turn
serve_trap(struct run *r)
{
    if (!recover(r))
        return fail(r, "a trap outside of translated code");
    r->trap = r->m.vector;
    if (r->m.vector == MACHINE_LATE)
        return TURN_ON;
    if (r->m.vector != VEC_PF)
        return TURN_SERVE;
    switch (arena_trap(r->m.cr2, (r->m.error & PF_WRITE) != 0)) {
    case TRAP_HIDDEN:
        run_stats.hidden++;
        return TURN_ON;
    case TRAP_WATCHED:
        run_stats.watched++;
        r->trap = NO_TRAP;
        r->wants_step = one_in(r, 2);
        if (!r->wants_step)
            return TURN_SERVE;
        arena_unwatch(r->m.cr2);
        return TURN_ON;
    case TRAP_TRUE:
        break;
    }
    return TURN_SERVE;
}

/*
 * A flag image that PUSHF stored while TF was ours.  POPF's is the guest's, and
 * TF is set again by whoever steps.
 */
static void
hide_tf(struct run *r, uint32_t before)
{
    enum { PUSHF = 0x9c, OPSIZE = 0x66 };
    const uint8_t *code = (const uint8_t *)before;
    uint32_t esp = r->m.gpr[GPR_ESP], high = 1;

    if (code[code[0] == OPSIZE] == PUSHF && esp - ARENA < ARENA_SIZE - high)
        subject.memory[esp - ARENA + high] &= (uint8_t)~(EFLAGS_TF >> 8);
}

/* After a single step: is the guest's state one that the reference has? */
static enum turn
check_step(struct run *r)
{
    run_stats.steps++;
    if (!recover(r))
        return fail(r, "no way back from here");
    return judge(reference_catch_up(r->why, false), TURN_ON);
}

/* TURN_DONE: this is where to stop. */
static enum turn
single_step(struct run *r)
{
    enum turn turn = TURN_ON;

    if (r->t->steps)
        turn = check_step(r);
    if (turn != TURN_ON)
        return turn;
    return ++r->steps == r->t->stop_at || (r->t->stops && one_in(r, 8))
           ? TURN_DONE : TURN_ON;
}

static void
trace(const struct run *r)
{
    const struct machine *m = &r->m;

    if (run_trace)
        printf("from %08x to %08x, vector %x error %x cr2 %08x exit %x at "
               "%08x\n", subject.v.cpu.eip, m->eip, m->vector, m->error,
               m->cr2, engine_slots->exit_reason, engine_slots->exit_eip);
}

/* Run the machine to an exit, a trap, or a stop of ours. */
static enum turn
go(struct run *r)
{
    const struct treatment *t = r->t;
    bool is_stepped = (t->steps || t->stops || r->steps < t->stop_at) &&
                      !r->is_step;

    for (;;) {
        uint32_t before = r->m.eip;
        enum turn turn;

        if (is_stepped)
            r->m.eflags |= EFLAGS_TF;
        machine_run(&r->m);
        trace(r);
        if (engine_is_callout(r->config, &r->m))
            return serve_exit(r);
        if (!is_stepped || r->m.vector != VEC_DB)
            return serve_trap(r);
        hide_tf(r, before);
        if (!r->config->is_native && !engine_has(r->m.eip))
            return fail(r, "it left translated code");
        turn = single_step(r);
        if (turn == TURN_DONE) {
            run_stats.stops++;
            r->trap = NO_TRAP;
            return recover(r) ? TURN_ON : fail(r, "no way back");
        }
        if (turn != TURN_ON)
            return turn;
    }
}

/* --- The loop --------------------------------------------------------------*/

static void
forget(struct run *r)
{
    const struct program *p = r->p;

    switch (test_random_below(&r->random, 12)) {
    case 0:
        bt_flush(r->bt);
        break;
    case 1:
        bt_unlink_all(r->bt);
        break;
    case 2:
        bt_invalidate_page(r->bt, CODE_PAGE +
                           test_random_below(&r->random, CODE_PAGES));
        break;
    case 3:
        engine_slots->exit_reason = BT_EXIT_STOP;
        break;
    case 4:
        if (p->site_count != 0)
            arena_write_both(p->sites[test_random_below(&r->random,
                                                        p->site_count)],
                             test_random_next(&r->random));
        break;
    }
}

/* Where the machine goes on; 0: nothing can be fetched. */
static uint32_t
find_entry(struct run *r)
{
    uint32_t eip = subject.v.cpu.eip;
    uint32_t at;

    if (r->config->is_native)
        return eip;
    r->is_step = r->wants_step || (subject.v.cpu.block & SHADOW) != 0 ||
                 (subject.v.cpu.eflags & EFLAGS_RF) != 0 ||
                 (r->t->single && one_in(r, 4));
    r->wants_step = false;
    at = r->is_step ? bt_step(r->bt, eip) : bt_entry(r->bt, eip);
    engine_slots->exit_reason = BT_EXIT_STOP;
    return at;
}

/* The translator learns from what had to be emulated. */
static enum turn
serve_and_tell(struct run *r)
{
    uint32_t eip = subject.v.cpu.eip;
    bool is_trap = r->trap != NO_TRAP;
    enum turn turn = serve(r);

    if (r->bt == NULL || turn != TURN_ON || !one_in(r, 2))
        return turn;
    if (r->is_emulated)
        bt_note_emulated(r->bt, eip, one_in(r, 2));
    else if (is_trap)
        bt_note_fault(r->bt, eip);
    return turn;
}

/*
 * Does DS, through which translated code reaches its slots, lead it to other
 * bytes instead?  That it leads nowhere does not matter: that is a fault.
 */
static bool
misleads(const struct run *r)
{
    const struct guest_segment *ds = &subject.v.cpu.segment[SEG_DS];

    return r->config->slot_segment == SEG_DS && ds->base != 0 &&
           segment_permits(ds, ENGINE_AT, 1, ALLOW_READ);
}

/* Is the guest still one that translated code of this kind is for? */
static bool
is_fit(const struct run *r)
{
    const struct config *config = r->config;
    const struct guest_cpu *cpu = &subject.v.cpu;
    const struct guest_segment *cs = &cpu->segment[SEG_CS];
    bool by_ds = config->cs_rule == SEGMENT_AS_DS ||
                 config->gs_rule == SEGMENT_AS_DS;

    if (config->is_user)
        return true;
    if (cpu->cpl != 0 || (cpu->eflags & EFLAGS_VM) != 0 ||
        (cpu->cr0 & (CR0_PE | CR0_PG | CR0_EM | CR0_TS)) != CR0_PE ||
        (cpu->cr4 & CR4_OSFXSR) == 0 || misleads(r) ||
        (cpu->dr[DR7] & DR7_ENABLES) != 0)
        return false;
    return segment_is_flat(cs) && (cs->rights & RIGHTS_DB) != 0 &&
           (cpu->segment[SEG_SS].rights & RIGHTS_DB) != 0 &&
           (!by_ds || segment_is_flat(&cpu->segment[SEG_DS])) &&
           (config->gs_rule != SEGMENT_AS_DS ||
            segment_is_flat(&cpu->segment[SEG_GS]));
}

static enum turn
turn(struct run *r)
{
    enum turn turn = take_interrupt(r);
    bool is_late;

    if (turn != TURN_ON)
        return turn;
    if (subject.v.cpu.eip == r->p->end || !is_fit(r))
        return TURN_DONE;
    if (subject.v.cpu.pending_debug != 0 ||
        (subject.v.cpu.eflags & EFLAGS_TF) != 0)
        return serve_traps(r);
    if (r->t->forgets && r->bt != NULL)
        forget(r);
    r->m.eip = find_entry(r);
    run_stats.entries++;
    if (r->m.eip == 0) {
        r->trap = NO_TRAP;
        return serve(r);
    }
    if (r->t->hides && one_in(r, 2))
        arena_hide(PAGES_HIDDEN);
    r->is_emulated = false;
    load(r);
    turn = go(r);
    if (turn != TURN_ON && turn != TURN_SERVE)
        return turn;
    if (subject.v.cpu.eip == r->p->end)
        turn = TURN_ON;
    is_late = r->trap == MACHINE_LATE;
    switch (reference_catch_up(r->why, is_late)) {
    case VERDICT_SAME:
        if (is_late)
            return TURN_DONE;
        return turn == TURN_SERVE ? serve_and_tell(r) : TURN_ON;
    case VERDICT_OPEN:
        return TURN_OPEN;
    default:
        return TURN_FAILED;
    }
}

enum verdict
run_program(const struct program *p, char why[WHY_SIZE])
{
    static struct run r;
    enum turn result = TURN_ON;
    unsigned turns;

    r = (struct run){ .p = p, .config = p->config, .t = &p->treatment,
                      .random = { p->treatment.seed | 1 }, .why = why,
                      .trap = NO_TRAP };
    r.bt = engine_reset(p->config, r.t->is_small_tc);
    arena_reset(r.bt);
    guest_reset(p);
    reference_reset(!r.config->is_user);
    turns = r.t->turns != 0 ? r.t->turns : TURNS_MAX;
    for (unsigned n = 0; n < turns && result == TURN_ON; n++)
        result = turn(&r);
    run_stats.programs++;
    run_steps = r.steps;
    run_stats.open += result == TURN_OPEN;
    return result == TURN_FAILED ? VERDICT_DIFFERENT
           : result == TURN_OPEN ? VERDICT_OPEN : VERDICT_SAME;
}
