/*
 * event.c - interrupts and exceptions through the guest's IDT.
 *
 * All gate kinds, 16 and 32 bits, from protected and virtual-8086 mode, and
 * real mode's vectors.  A fault during delivery is delivered in place of the
 * first event, or makes it a double fault, and then the machine shuts down:
 * SDM 3A table 6-5.  Task gates are refused.
 *
 * Called by whoever runs the vcpu, between instructions, and by INT n; no
 * locks.  SDM 3A chapter 6, 20.1.4.
 */
#include "vmm/interp/far_int.h"

#include "kernel/x86/debug.h"

#define ERROR_EXT       BIT(0)
#define ERROR_IDT       BIT(1)
#define ERROR_SHIFT     3               /* a vector, as a selector */
#define IVT_ENTRY       4
#define GATE_32         8               /* bit of the type */
#define GATE_TRAP       1               /* IF stays */
/* An interrupt, a contributory fault, a page fault, a double fault. */
#define DELIVERIES_MAX  4

/* What an entered handler does not inherit. */
#define FLAGS_CLEARED   (EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM)

/* Exceptions that make another one a double fault. */
#define CONTRIBUTORY    (BIT(VEC_DE) | BIT(VEC_TS) | BIT(VEC_NP) | \
                         BIT(VEC_SS) | BIT(VEC_GP))

struct event {
    enum event_kind kind;
    unsigned vector;
    bool has_error;
    uint32_t error;
    uint32_t return_eip;
};

static bool
idt_fault(struct interp *i, const struct event *e,
          enum exception_vector vector)
{
    return raise_error(i, vector, e->vector << ERROR_SHIFT | ERROR_IDT |
                                  i->external);
}

/* Faults, save debug traps, come back to the same instruction: RF. */
static uint32_t
pushed_flags(const struct interp *i, const struct event *e)
{
    uint32_t flags = i->vcpu->cpu.eflags;

    return e->kind == EVENT_FAULT && e->vector != VEC_DB ? flags | EFLAGS_RF
                                                         : flags;
}

/* --- Real mode: SDM 3A 20.1.4 ----------------------------------------------*/

static bool
deliver_real(struct interp *i, const struct event *e)
{
    struct guest_cpu *cpu = cpu_of(i);
    struct stack_words words = { .size = sizeof(uint16_t) };
    uint32_t at = e->vector * IVT_ENTRY;
    uint16_t entry[2];

    if (at + IVT_ENTRY - 1 > cpu->idtr.limit)
        return idt_fault(i, e, VEC_GP);
    if (!guest_read(i->vcpu, make_gla(cpu->idtr.base + at), entry,
                    sizeof(entry), GUEST_READ | GUEST_SYSTEM))
        return false;
    stack_add(&words, cpu->eflags);
    stack_add(&words, cpu->segment[SEG_CS].selector);
    stack_add(&words, e->return_eip);
    if (!far_check_real(i, entry[0]) || !stack_push_words(i, &words))
        return false;
    far_commit_real(i, entry[1], entry[0]);
    set_flags(i, EFLAGS_IF | EFLAGS_TF | EFLAGS_AC | EFLAGS_RF, 0);
    return true;
}

/* --- Protected mode: SDM 3A 6.12 -------------------------------------------*/

static bool
read_gate(struct interp *i, const struct event *e, struct gate *gate)
{
    const struct guest_cpu *cpu = cpu_of(i);
    uint32_t at = e->vector * sizeof(*gate);
    bool is_interrupt, is_software = e->kind == EVENT_SOFTWARE;

    if (at + sizeof(*gate) - 1 > cpu->idtr.limit)
        return idt_fault(i, e, VEC_GP);
    if (!guest_read(i->vcpu, make_gla(cpu->idtr.base + at), gate, sizeof(*gate),
                    GUEST_READ | GUEST_SYSTEM))
        return false;
    is_interrupt = !gate->s && (gate->type & ~GATE_32) >= SYS_INT16;
    if (!is_interrupt && (gate->s || gate->type != SYS_TASK_GATE))
        return idt_fault(i, e, VEC_GP);
    if (is_software && gate->dpl < cpu->cpl)
        return idt_fault(i, e, VEC_GP);
    if (!gate->p)
        return idt_fault(i, e, VEC_NP);
    return is_interrupt ||
           refuse(i, "an interrupt or exception through a task gate");
}

/* The code segment that the gate names. */
static bool
read_target(struct interp *i, const struct gate *gate,
            struct far_target *target)
{
    const struct segdesc *d = &target->desc;

    target->selector = gate->selector;
    target->offset = gate->offset_low;
    if (gate->type & GATE_32)
        target->offset |= (uint32_t)gate->offset_high << 16;
    if (selector_is_null(target->selector))
        return raise_error(i, VEC_GP, i->external);
    if (!descriptor_read(i, target->selector, VEC_GP, &target->desc))
        return false;
    if (!descriptor_is_code(d) || d->dpl > cpu_of(i)->cpl)
        return selector_fault(i, VEC_GP, target->selector);
    return d->p || selector_fault(i, VEC_NP, target->selector);
}

static void
add_frame(struct interp *i, const struct event *e, struct stack_words *words)
{
    stack_add(words, pushed_flags(i, e));
    stack_add(words, cpu_of(i)->segment[SEG_CS].selector);
    stack_add(words, e->return_eip);
    if (e->has_error)
        stack_add(words, e->error);
}

/* To an inner level; from virtual-8086 mode with all segment registers. */
static bool
enter_inner(struct interp *i, const struct event *e,
            struct far_target *target, struct stack_words *words)
{
    static const uint8_t order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };
    struct guest_cpu *cpu = cpu_of(i);
    struct new_stack n = { .cpl = target->desc.dpl };
    bool is_v86 = has_flag(i, EFLAGS_VM);

    if (is_v86 && n.cpl != 0)
        return selector_fault(i, VEC_GP, target->selector);
    if (!stack_from_tss(i, &n) || !far_check_limit(i, target))
        return false;
    if (is_v86)
        for (size_t k = 0; k < ARRAY_LEN(order); k++)
            stack_add(words, cpu->segment[order[k]].selector);
    stack_add(words, cpu->segment[SEG_SS].selector);
    stack_add(words, cpu->gpr[GPR_ESP]);
    add_frame(i, e, words);
    if (!far_mark(i, target) || !stack_switch(i, &n, words))
        return false;
    if (is_v86)
        for (size_t k = 0; k < ARRAY_LEN(order); k++)
            segment_load_null(i, order[k], 0);
    far_commit(i, target, n.cpl);
    return true;
}

/* To a handler at the same level. */
static bool
enter_same(struct interp *i, const struct event *e,
           struct far_target *target, struct stack_words *words)
{
    if (has_flag(i, EFLAGS_VM))
        return selector_fault(i, VEC_GP, target->selector);
    add_frame(i, e, words);
    if (!stack_probe(i, words->size, words->count) ||
        !far_check_limit(i, target) || !far_mark(i, target) ||
        !stack_push_words(i, words))
        return false;
    far_commit(i, target, cpu_of(i)->cpl);
    return true;
}

static bool
deliver_protected(struct interp *i, const struct event *e)
{
    struct stack_words words = { .count = 0 };
    struct far_target target;
    struct gate gate;
    bool is_inner;

    if (!read_gate(i, e, &gate) || !read_target(i, &gate, &target))
        return false;
    words.size = gate.type & GATE_32 ? 4 : 2;
    is_inner = !descriptor_is_conforming(&target.desc) &&
               target.desc.dpl < cpu_of(i)->cpl;
    if (!(is_inner ? enter_inner(i, e, &target, &words)
                   : enter_same(i, e, &target, &words)))
        return false;
    set_flags(i, FLAGS_CLEARED | (gate.type & GATE_TRAP ? 0 : EFLAGS_IF), 0);
    return true;
}

/* Leaves i->next_eip at the handler. */
static bool
deliver(struct interp *i, const struct event *e)
{
    bool is_program = e->kind == EVENT_SOFTWARE;

    i->external = is_program ? 0 : ERROR_EXT;
    return (cpu_of(i)->cr0 & CR0_PE) != 0 ? deliver_protected(i, e)
                                          : deliver_real(i, e);
}

/*
 * What remains to be delivered when a second fault meets the delivery of FIRST.
 * CR2 is a second page fault's even if that ends in #DF: SDM 3A 6.15 (#PF).
 */
static void
combine(struct interp *i, const struct event *first)
{
    unsigned second = i->vcpu->fault.vector;
    bool is_contributory = (CONTRIBUTORY & BIT(second)) != 0;
    bool is_double = false;

    if (second == VEC_PF)
        cpu_of(i)->cr2 = gla_raw(i->vcpu->fault.address);
    if (first->kind != EVENT_FAULT)
        return;
    if (first->vector == VEC_PF)
        is_double = is_contributory || second == VEC_PF;
    else if (CONTRIBUTORY & BIT(first->vector))
        is_double = is_contributory;
    if (is_double)
        raise_error(i, VEC_DF, 0);
}

/* CR2, DR6 and DR7.GD change when the exception is delivered. */
static struct event
take_fault(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    const struct guest_fault *f = &i->vcpu->fault;

    if (f->vector == VEC_PF)
        cpu->cr2 = gla_raw(f->address);
    if (f->vector == VEC_DB) {
        cpu->dr[DR6] = (cpu->dr[DR6] & ~(uint32_t)DR6_B) |
                       cpu->pending_debug | f->error;
        cpu->dr[DR7] &= ~(uint32_t)DR7_GD;
        cpu->pending_debug = 0;
    }
    return (struct event){ EVENT_FAULT, f->vector, f->has_error, f->error,
                           cpu->eip };
}

enum interp_result
interp_deliver(struct vcpu *v, enum event_kind kind, unsigned vector)
{
    struct interp *i = v->interp;
    struct event e = { .kind = kind, .vector = vector,
                       .return_eip = v->cpu.eip };

    interp_begin(i);
    v->cpu.activity = ACTIVITY_RUNNING;
    v->cpu.block &= ~(uint32_t)(BLOCK_STI | BLOCK_MOV_SS);
    if (kind == EVENT_EXTERNAL && vector == VEC_NMI)
        v->cpu.block |= BLOCK_NMI;
    for (unsigned n = 0; n < DELIVERIES_MAX; n++) {
        if (kind == EVENT_FAULT || n > 0)
            e = take_fault(i);
        if (deliver(i, &e)) {
            v->cpu.eip = i->next_eip;
            v->cpu.pending_debug |= i->hits;
            return INTERP_OK;
        }
        if (i->refusal != NULL)
            return INTERP_REFUSED;
        if (e.kind == EVENT_FAULT && e.vector == VEC_DF)
            break;
        combine(i, &e);
    }
    v->cpu.activity = ACTIVITY_SHUTDOWN;
    return INTERP_SHUTDOWN;
}

/* --- The instructions ------------------------------------------------------*/

/* To return behind the instruction. */
static bool
deliver_software(struct interp *i, enum event_kind kind, unsigned vector)
{
    struct event e = { .kind = kind, .vector = vector,
                       .return_eip = i->next_eip };

    i->no_step = true;
    return deliver(i, &e);
}

bool
interp_int_n(struct interp *i)
{
    if (has_flag(i, EFLAGS_VM) &&
        FIELD_GET(cpu_of(i)->eflags, EFLAGS_IOPL) != IOPL_USER)
        return raise_error(i, VEC_GP, 0);
    return deliver_software(i, EVENT_SOFTWARE, insn_of(i)->imm);
}

bool
interp_int3(struct interp *i)
{
    return deliver_software(i, EVENT_SOFTWARE, VEC_BP);
}

bool
interp_into(struct interp *i)
{
    return !has_flag(i, EFLAGS_OF) ||
           deliver_software(i, EVENT_SOFTWARE, VEC_OF);
}

/* INT1 ignores the gate's DPL, and leaves DR6 alone. */
bool
interp_int1(struct interp *i)
{
    return deliver_software(i, EVENT_INT1, VEC_DB);
}
