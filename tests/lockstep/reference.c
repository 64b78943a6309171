/*
 * reference.c - the interpreter follows the subject; what the same state is.
 *
 * A repeated string instruction is taken one iteration at a time, because the
 * CPU may have stopped between any two of them.  Flags mean nothing then: only
 * the last comparison's count, and CPUs differ.
 */
#include "lockstep/reference.h"

#include <stdio.h>
#include <string.h>

#include "bt/decode.h"
#include "bt/disasm.h"

#define STEPS_MAX       200000u         /* of one catching up */
#define STEPS_LATE      20000u
#define FLAGS_CPU       (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | \
                         EFLAGS_OF | EFLAGS_IOPL | EFLAGS_NT |           \
                         EFLAGS_AC | EFLAGS_ID)
/* FXSAVE's image: not where the last instruction was, nor what is reserved. */
#define FPU_POINTERS    6
#define FPU_POINTERS_END 24
#define FPU_MXCSR_MASK  28
#define FPU_REGISTERS   32
#define FPU_ST_SIZE     10
#define FPU_SLOT        16
#define FPU_XMM         160
#define FPU_END         288
#define TEXT_SIZE       (WHY_SIZE / 2)   /* of what differs */
#define PUSHES_MAX      128u            /* bytes: PUSHA 32, ENTER 31 * 4 */
#define SHADOW          (BLOCK_STI | BLOCK_MOV_SS)

static uint32_t undefined, in_middle;   /* flags */
static uint32_t blocks;
static bool is_expecting;
static uint32_t last_eip;

void
reference_reset(bool has_mov_ss)
{
    blocks = has_mov_ss ? UINT32_MAX : ~(uint32_t)BLOCK_MOV_SS;
    undefined = in_middle = 0;
    is_expecting = false;
    last_eip = reference.v.cpu.eip;
}

void
reference_expect_interrupt(bool is_pending)
{
    is_expecting = is_pending;
}

uint32_t
reference_last_eip(void)
{
    return last_eip;
}

bool
vcpu_is_open(const struct vcpu *v)
{
    return (v->cpu.eflags & EFLAGS_IF) != 0 && (v->cpu.block & SHADOW) == 0;
}

static bool
decode_at(uint32_t eip, struct insn *insn)
{
    return eip - ARENA < ARENA_SIZE - INSN_LENGTH_MAX &&
           decode(reference.memory + (eip - ARENA), INSN_LENGTH_MAX,
                  DECODE_32 | DECODE_PROTECTED, insn) == DECODE_OK;
}

/* --- The same state --------------------------------------------------------*/

#define FIELD(member) { #member, offsetof(struct guest_cpu, member) }
static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    FIELD(gpr[0]), FIELD(gpr[1]), FIELD(gpr[2]), FIELD(gpr[3]), FIELD(gpr[4]),
    FIELD(gpr[5]), FIELD(gpr[6]), FIELD(gpr[7]), FIELD(eip), FIELD(cr0),
    FIELD(cr2), FIELD(cr3), FIELD(cr4), FIELD(dr[0]), FIELD(dr[1]),
    FIELD(dr[2]), FIELD(dr[3]), FIELD(dr[6]), FIELD(dr[7]),
    FIELD(gdtr.base), FIELD(gdtr.limit), FIELD(idtr.base), FIELD(idtr.limit),
    FIELD(ldtr.base), FIELD(ldtr.limit), FIELD(tr.base), FIELD(cpl),
    FIELD(activity), FIELD(pending_debug),
    FIELD(sysenter_cs), FIELD(sysenter_esp), FIELD(sysenter_eip),
};

static uint32_t
field(const struct vcpu *v, size_t n)
{
    uint32_t value;

    memcpy(&value, (const uint8_t *)&v->cpu + fields[n].offset,
           sizeof(value));
    return value;
}

/* Where the images differ, or FPU_END. */
static unsigned
compare_fpus(const uint8_t *a, const uint8_t *b)
{
    for (unsigned n = 0; n < FPU_END; n++) {
        bool is_pointer = n >= FPU_POINTERS && n < FPU_POINTERS_END;
        bool is_mask = n >= FPU_MXCSR_MASK && n < FPU_REGISTERS;
        bool is_gap = n >= FPU_REGISTERS && n < FPU_XMM &&
                      n % FPU_SLOT >= FPU_ST_SIZE;

        if (a[n] != b[n] && !is_pointer && !is_mask && !is_gap)
            return n;
    }
    return FPU_END;
}

/*
 * Is V at an MMX instruction?  One that faults on memory may have made x87
 * registers MMX ones already (TOP = 0), which nobody can tell from here.
 */
static bool
is_mmx(const struct vcpu *v)
{
    struct insn insn;

    return decode_at(v->cpu.eip, &insn) &&
           insn_opcode(&insn)->class == CLASS_MMX;
}

/* The registers: how many differ, and which, as text. */
static unsigned
compare_cpus(char *text)
{
    const struct vcpu *a = &subject.v, *b = &reference.v;
    unsigned count = 0, fpu;
    char *end = text + TEXT_SIZE;

#define SAY(...) (count++, text += snprintf(text, end - text, __VA_ARGS__))
    for (size_t n = 0; n < ARRAY_LEN(fields); n++)
        if (field(a, n) != field(b, n))
            SAY("  %s %08x, should be %08x\n", fields[n].name, field(a, n),
                field(b, n));
    if ((a->cpu.eflags ^ b->cpu.eflags) & FLAGS_CPU & ~(undefined | in_middle))
        SAY("  eflags %08x, should be %08x\n", a->cpu.eflags, b->cpu.eflags);
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (memcmp(&a->cpu.segment[n], &b->cpu.segment[n],
                   sizeof(a->cpu.segment[n])) != 0)
            SAY("  segment %u %04x (base %x last %x), should be %04x (base "
                "%x last %x)\n", n, a->cpu.segment[n].selector,
                a->cpu.segment[n].base, a->cpu.segment[n].last,
                b->cpu.segment[n].selector, b->cpu.segment[n].base,
                b->cpu.segment[n].last);
    if ((a->cpu.block ^ b->cpu.block) & blocks)
        SAY("  block %x, should be %x\n", a->cpu.block, b->cpu.block);
    fpu = is_mmx(b) ? FPU_END : compare_fpus(a->cpu.fpu, b->cpu.fpu);
    if (fpu != FPU_END)
        SAY("  FXSAVE's byte %u %02x, should be %02x\n", fpu,
            a->cpu.fpu[fpu], b->cpu.fpu[fpu]);
    if (subject.reads != reference.reads || subject.writes != reference.writes)
        SAY("  port accesses differ\n");
#undef SAY
    *text = '\0';
    return count;
}

/* Quick: most boundaries differ in these. */
static bool
may_be_same(void)
{
    return subject.v.cpu.eip == reference.v.cpu.eip &&
           memcmp(subject.v.cpu.gpr, reference.v.cpu.gpr,
                  sizeof(subject.v.cpu.gpr)) == 0;
}

/*
 * What the subject may have left below its stack, on which no guest can count:
 * a word by a push of translated code that was undone; more by PUSHA and ENTER,
 * whose stores before one that faults remain.
 */
static void
take_what_is_below_stack(void)
{
    uint32_t esp = reference.v.cpu.gpr[GPR_ESP], size = sizeof(esp);
    struct insn insn;

    if (decode_at(reference.v.cpu.eip, &insn) &&
        (insn_opcode(&insn)->operation == OPERATION_pusha ||
         insn_opcode(&insn)->operation == OPERATION_enter))
        size = PUSHES_MAX;
    arena_copy_back(esp - size, size);
}

static bool
is_same(char *text)
{
    uint32_t where;

    if (compare_cpus(text) != 0)
        return false;
    take_what_is_below_stack();
    if (!arena_same(&where)) {
        sprintf(text, "  memory at %08x: %02x, should be %02x\n", where,
                subject.memory[where - ARENA],
                reference.memory[where - ARENA]);
        return false;
    }
    if (is_mmx(&reference.v))
        memcpy(reference.v.cpu.fpu, subject.v.cpu.fpu, FXSAVE_SIZE);
    reference.v.cpu.eflags ^= (reference.v.cpu.eflags ^
                               subject.v.cpu.eflags) &
                              (undefined | in_middle);
    undefined = 0;
    /* What only the interpreter knows: RF inside a repeated instruction. */
    subject.v.cpu.eflags &= ~EFLAGS_RF;
    subject.v.cpu.eflags |= reference.v.cpu.eflags & EFLAGS_RF;
    return true;
}

enum verdict
reference_compare(char why[WHY_SIZE])
{
    return is_same(why) ? VERDICT_SAME : VERDICT_DIFFERENT;
}

/* --- Going on --------------------------------------------------------------*/

static bool
repeats(uint32_t eip)
{
    struct insn insn;

    return decode_at(eip, &insn) && insn_repeats(&insn);
}

/* Does it show what differs by nature: where x87 code was, random numbers? */
static bool
is_unknowable(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);
    const char *name = opcode_name(insn->row);

    return op->mem_size == SIZE_E || op->mem_size == SIZE_FS ||
           op->mem_size == SIZE_FX || op->mem_size == SIZE_XS ||
           strncmp(name, "RDRAND", 6) == 0 || strncmp(name, "RDSEED", 6) == 0;
}

/* False: it reads what is undefined. */
static bool
note_flags(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    if ((insn_flags_read(insn) & undefined) || is_unknowable(insn))
        return false;
    undefined = (undefined & ~op->flags_written) | op->flags_undefined;
    return true;
}

static void
note_eip(uint32_t eip)
{
    if (eip - CODE_AT < CODE_SIZE)
        last_eip = eip;
}

/* One instruction, or one iteration of a repeated one. */
static enum interp_result
step(bool *is_defined)
{
    struct vcpu *v = &reference.v;
    uint32_t eip = v->cpu.eip, tf = v->cpu.eflags & EFLAGS_TF;
    bool is_repeated = repeats(eip);
    enum interp_result result;

    if (is_repeated)
        v->cpu.eflags |= EFLAGS_TF;
    result = interp_step(v);
    if (is_repeated && tf == 0) {
        v->cpu.eflags &= ~EFLAGS_TF;
        v->cpu.pending_debug = 0;
    }
    note_eip(eip);
    in_middle = 0;
    if (is_repeated && result == INTERP_OK && v->cpu.eip == eip)
        in_middle = insn_opcode(&v->interp->now->insn)->flags_written;
    *is_defined = v->interp->now == NULL || note_flags(&v->interp->now->insn);
    return result;
}

enum interp_result
reference_step(void)
{
    uint32_t eip = reference.v.cpu.eip;
    enum interp_result result = interp_step(&reference.v);

    note_eip(eip);
    if (result != INTERP_FAULT)
        note_flags(&reference.v.interp->now->insn);
    return result;
}

static void
explain_event(enum interp_result result, char *why)
{
    sprintf(why, "the reference meets event %d (vector %u error %x cr2 %x) at "
            "%08x on its way to %08x\n", result, reference.v.fault.vector,
            reference.v.fault.error, gla_raw(reference.v.fault.address),
            reference.v.cpu.eip, subject.v.cpu.eip);
}

/* The best of the states that were not the same: the fewest differences. */
static void
keep_best(char *best, unsigned *least)
{
    char text[TEXT_SIZE];
    unsigned count;

    if (subject.v.cpu.eip != reference.v.cpu.eip)
        return;
    count = compare_cpus(text);
    if (count == 0)
        is_same(text);
    if (count >= *least)
        return;
    *least = count;
    strcpy(best, text);
}

/*
 * Outside of the arena may be memory of this process, which the subject alone
 * reaches.
 */
static bool
missed_arena(void)
{
    const struct guest_fault *fault = &reference.v.fault;

    return fault->vector == VEC_PF &&
           gla_raw(fault->address) - ARENA >= ARENA_SIZE;
}

enum verdict
reference_catch_up(char why[WHY_SIZE], bool may_be_late)
{
    char best[TEXT_SIZE] = "  it never comes to that eip\n";
    unsigned least = UINT32_MAX;
    uint32_t from = reference.v.cpu.eip;
    bool is_defined;

    for (unsigned n = 0; n < (may_be_late ? STEPS_LATE : STEPS_MAX); n++) {
        enum interp_result result;

        if (may_be_same() && is_same(best))
            return VERDICT_SAME;
        keep_best(best, &least);
        if (is_expecting && vcpu_is_open(&reference.v)) {
            sprintf(why, "an interrupt is pending and let in at %08x, not "
                    "later\n%s", reference.v.cpu.eip, best);
            return VERDICT_DIFFERENT;
        }
        result = step(&is_defined);
        if (!is_defined)
            return VERDICT_OPEN;
        if (result == INTERP_FAULT && missed_arena())
            return VERDICT_OPEN;
        if (result != INTERP_OK) {
            explain_event(result, why);
            strcat(why, best);
            return VERDICT_DIFFERENT;
        }
    }
    if (may_be_late)
        return VERDICT_OPEN;
    sprintf(why, "from %08x on the reference never has the state at %08x\n%s",
            from, subject.v.cpu.eip, best);
    return VERDICT_DIFFERENT;
}
