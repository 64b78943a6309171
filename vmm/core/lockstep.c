/*
 * lockstep.c - the interpreter does what translated code did.
 *
 *      load     checkpoint; no page may be written to     lockstep_enter()
 *      ...      exits that go on, hidden faults, pages saved when written to
 *      store    the state as it was, old contents         lockstep_leave()
 *               the interpreter, until its state is translated code's
 *               translated code's state, new contents
 *
 * Where the stay ended is known only by its state, which may come up several
 * times on the way (a loop that waits): registers are compared at each boundary
 * and memory whenever they are equal; if that differs, the interpreter goes on.
 * One iteration of a repeated instruction counts as a boundary; QEMU has one
 * more behind the last, where the count is 0 and eip has not moved.
 *
 * Nothing that happens inside of a stay reaches beyond registers and memory:
 * ports, control registers and, in lockstep, RDTSC are exits.  User code is not
 * compared, but runs directly.  Not compared are flags that an instruction
 * leaves undefined, where the last x87 instruction was, and what lies below the
 * stack.  A stay that makes use of any such thing, or asks for random numbers,
 * ends the comparison, and so does one that writes to too many pages by itself.
 * So does, at times, one that has gone wrong: the interpreter, which has missed
 * the end, comes to such an instruction behind it.  Of long stays only a sample
 * is compared.  `vm stats` shows how many there were of each kind
 * (vmm/vmm_comparisons.def).
 *
 * The VM's clock stands still for all but translated code itself: a guest that
 * is slower than its timer does nothing but serve that.
 *
 * The vcpu's thread; no locks.
 */
#include "vmm/core/lockstep.h"

#include "bt/decode.h"
#include "bt/disasm.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "vmm/core/account.h"
#include "vmm/core/devices.h"
#include "vmm/core/fpu.h"
#include "vmm/core/lockstep_pages.h"
#include "vmm/core/memory_int.h"
#include "vmm/core/undefined_flags.h"
#include "vmm/core/vmk.h"
#include "vmm/guest_mem.h"
#include "vmm/interp/interp.h"

/* No stay is as long: physical interrupts come, and attention. */
#define STEPS_MAX       100000000u

#define FLAGS_COMPARED  (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF |  \
                         EFLAGS_SF | EFLAGS_IF | EFLAGS_DF | EFLAGS_OF |  \
                         EFLAGS_IOPL | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID)
#define SHADOW          (BLOCK_STI | BLOCK_MOV_SS)
/* Of FXSAVE's image: control words; registers, of 10 bytes each; XMM. */
#define FX_CONTROL      6u
#define FX_MXCSR        24u
#define FX_REGISTERS    32u
#define FX_SLOT         16u
#define FX_ST_SIZE      10u
#define FX_XMM          160u
#define FX_END          288u
/* Below ESP: a push that was undone; what PUSHA and ENTER wrote and faulted. */
#define BELOW_STACK     128u
#define REPNE           0xf2u
#define REP             0xf3u

/* Beside enum vmm_comparison. */
#define DIFFERENT       COMPARISON_COUNT

/*
 * What takes the CPU a tenth of a millisecond takes an emulated interpreter a
 * hundred times that.  Of longer stays, which are those that loop, the first
 * few and then one in LONG_PERIOD are compared, whatever they do.
 */
#define LONG_FIRST      4u
#define LONG_PER_SEC    10000u
#define LONG_PERIOD     64u

static struct guest_cpu before, after;
static const char never[] = "an eip that never comes";
static struct lockstep_difference difference;
/* TSC: when the stay began; and what all before it have taken. */
static uint64_t entered, bt_time;
static gla_t wrong_at;                  /* vm.misread; 0: nowhere */
static bool is_expecting;               /* an interrupt waits for IF */
static uint32_t undefined, in_middle;   /* flags */
static uint32_t also_at;                /* QEMU's boundary: another eip */

/* --- Stays -----------------------------------------------------------------*/

static uint64_t
time_in_stay(void)
{
    return vmm_stats->time[TIME_BT] - bt_time;
}

static void
count(enum vmm_comparison how)
{
    vmm_stats->comparisons[how].stays++;
    vmm_stats->comparisons[how].cycles += time_in_stay();
}

void
lockstep_init(const struct vmm_params *params)
{
    if (params->engine != ENGINE_LOCKSTEP)
        return;
    lockstep_phase = LOCKSTEP_OUTSIDE;
    wrong_at = make_gla(params->misread);
    if (params->misread != 0)
        log_warn(MOD_VMM, "vm.misread: code at %08x is translated wrongly",
                 params->misread);
}

/* One byte has one linear page, so that one copy is enough. */
const uint8_t *
lockstep_misread(gla_t at, const uint8_t *page)
{
    static uint8_t copy[PAGE_SIZE];

    if (LIKELY(gla_raw(wrong_at) == 0) || page == NULL ||
        !vpn_eq(gla_to_vpn(at), gla_to_vpn(wrong_at)))
        return page;
    memcpy(copy, page, sizeof(copy));
    copy[gla_raw(wrong_at) & PAGE_MASK] ^= 1;
    return copy;
}

void
lockstep_enter(struct vcpu *v)
{
    if (LIKELY(lockstep_phase == LOCKSTEP_OFF))
        return;
    fpu_sync(v);
    before = v->cpu;
    entered = rdtsc();
    bt_time = vmm_stats->time[TIME_BT];
    is_expecting = devices_is_interrupt_pending();
    lockstep_pages_begin();
}

void
lockstep_give_up(void)
{
    if (lockstep_phase != LOCKSTEP_STAY)
        return;
    count(COMPARISON_FAULT);
    lockstep_phase = LOCKSTEP_OUTSIDE;
}

/* --- The same state --------------------------------------------------------*/

#define FIELD(member) { #member, offsetof(struct guest_cpu, member) }
static const struct {
    const char *name;
    uint32_t offset;
} fields[] = {
    FIELD(gpr[GPR_EAX]), FIELD(gpr[GPR_ECX]), FIELD(gpr[GPR_EDX]),
    FIELD(gpr[GPR_EBX]), FIELD(gpr[GPR_ESP]), FIELD(gpr[GPR_EBP]),
    FIELD(gpr[GPR_ESI]), FIELD(gpr[GPR_EDI]), FIELD(cr0), FIELD(cr2),
    FIELD(cr3), FIELD(cr4), FIELD(cpl), FIELD(activity),
};

static bool
differ(const char *what, uint32_t which, uint32_t found, uint32_t expected)
{
    difference = (struct lockstep_difference){ what, which, found, expected };
    return false;
}

static bool
is_compared(unsigned n)
{
    if (n < FX_REGISTERS)
        return n < FX_CONTROL || (n >= FX_MXCSR && n < FX_MXCSR +
                                  sizeof(uint32_t));
    return n >= FX_XMM || n % FX_SLOT < FX_ST_SIZE;
}

static bool
are_same_fpus(const struct guest_cpu *cpu)
{
    for (unsigned n = 0; n < FX_END; n++)
        if (after.fpu[n] != cpu->fpu[n] && is_compared(n))
            return differ("the byte in FXSAVE's image", n, after.fpu[n],
                          cpu->fpu[n]);
    return true;
}

static bool
are_same_registers(const struct guest_cpu *cpu)
{
    uint32_t ignored = undefined | in_middle;

    for (size_t n = 0; n < ARRAY_LEN(fields); n++) {
        uint32_t a, b;

        memcpy(&a, (const uint8_t *)&after + fields[n].offset, sizeof(a));
        memcpy(&b, (const uint8_t *)cpu + fields[n].offset, sizeof(b));
        if (a != b)
            return differ(fields[n].name, 0, a, b);
    }
    if ((after.eflags ^ cpu->eflags) & FLAGS_COMPARED & ~ignored)
        return differ("eflags, but for", ignored, after.eflags, cpu->eflags);
    if ((after.block ^ cpu->block) & SHADOW)
        return differ("block", 0, after.block, cpu->block);
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (memcmp(&after.segment[n], &cpu->segment[n],
                   sizeof(after.segment[n])) != 0)
            return differ("segment", n, after.segment[n].selector,
                          cpu->segment[n].selector);
    return are_same_fpus(cpu);
}

static void
take_what_is_below_stack(const struct guest_cpu *cpu)
{
    uint32_t at = cpu->gpr[GPR_ESP] - BELOW_STACK;

    lockstep_pages_take(segment_linear(&cpu->segment[SEG_SS], at), BELOW_STACK);
}

static bool
is_same(const struct guest_cpu *cpu)
{
    if (cpu->eip != after.eip && also_at != after.eip)
        return false;
    if (!are_same_registers(cpu))
        return false;
    take_what_is_below_stack(cpu);
    return lockstep_pages_are_same(&difference);
}

/* --- Catching up -----------------------------------------------------------*/

/*
 * Does INSN make use of what differs by nature - undefined flags, where x87
 * code was, random numbers - or belong to no stay?  Else COMPARISON_SAME.
 */
static enum vmm_comparison
judge(const struct insn *insn)
{
    static const uint32_t exits =
        BIT(CLASS_JMP_FAR) | BIT(CLASS_CALL_FAR) | BIT(CLASS_RET_FAR) |
        BIT(CLASS_IRET) | BIT(CLASS_INT) | BIT(CLASS_SYSCALL) |
        BIT(CLASS_IO) | BIT(CLASS_SENSITIVE) | BIT(CLASS_PRIV);
    static const char random[] = "RD";
    const struct opcode *op = insn_opcode(insn);

    if ((exits & BIT(op->class)) && op->operation != OPERATION_mov_from_cr)
        return DIFFERENT;
    if (flags_used(insn) & undefined)
        return COMPARISON_FLAGS;
    if (op->operation != OPERATION_native && op->operation != OPERATION_fpu)
        return COMPARISON_SAME;
    if (op->mem_size == SIZE_E || op->mem_size == SIZE_FS ||
        op->mem_size == SIZE_FX || op->mem_size == SIZE_XS)
        return COMPARISON_FPU;
    if (strncmp(opcode_name(insn->row), random, sizeof(random) - 1) == 0)
        return COMPARISON_RANDOM;
    return COMPARISON_SAME;
}

static bool
is_prefix(uint8_t byte)
{
    static const uint8_t prefix[] = {
        0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67
    };

    for (size_t n = 0; n < sizeof(prefix); n++)
        if (byte == prefix[n])
            return true;
    return false;
}

/* Has the instruction at eip a REP prefix?  Many that do not repeat do. */
static bool
has_rep(struct vcpu *v)
{
    const struct guest_segment *cs = &v->cpu.segment[SEG_CS];
    uint8_t byte = 0;

    for (unsigned n = 0; n < INSN_LENGTH_MAX; n++) {
        if (!guest_read(v, segment_linear(cs, v->cpu.eip + n), &byte,
                        sizeof(byte), GUEST_FETCH))
            return false;
        if (!is_prefix(byte))
            break;
    }
    return byte == REPNE || byte == REP;
}

/*
 * One instruction.  Where the stay ended it is one iteration of a repeated one,
 * by a single step: only code with TF = 0 is ever translated.
 */
static enum interp_result
step(struct vcpu *v, enum vmm_comparison *how)
{
    uint32_t eip = v->cpu.eip, ecx = v->cpu.gpr[GPR_ECX];
    enum interp_result result;
    const struct insn *insn;

    if (eip == after.eip && has_rep(v))
        v->cpu.eflags |= EFLAGS_TF;
    result = interp_step(v);
    v->cpu.eflags &= ~EFLAGS_TF;
    v->cpu.pending_debug = before.pending_debug;
    *how = COMPARISON_SAME;
    in_middle = 0;
    also_at = v->cpu.eip;
    if (v->interp->now == NULL)
        return result;
    insn = &v->interp->now->insn;
    if (result == INTERP_OK && is_count_zero(insn, v->cpu.gpr[GPR_ECX]))
        also_at = eip;
    if (result == INTERP_OK && v->cpu.eip == eip && insn_repeats(insn))
        in_middle = insn_opcode(insn)->flags_written;
    *how = judge(insn);
    undefined = flags_undefined_after(insn, ecx, undefined);
    return result;
}

static bool
is_open(const struct guest_cpu *cpu)
{
    return (cpu->eflags & EFLAGS_IF) != 0 && (cpu->block & SHADOW) == 0;
}

/* If it has been where the stay ended, what differed there says more. */
static enum vmm_comparison
different(const char *what, uint32_t which)
{
    if (difference.what == never)
        (void)differ(what, which, after.eip, before.eip);
    return DIFFERENT;
}

static enum vmm_comparison
catch_up(struct vcpu *v)
{
    enum vmm_comparison how;

    difference = (struct lockstep_difference){ never, 0, after.eip,
                                               before.eip };
    undefined = in_middle = 0;
    also_at = v->cpu.eip;
    for (uint32_t n = 0; n < STEPS_MAX; n++) {
        enum interp_result result;

        if (is_same(&v->cpu))
            return COMPARISON_SAME;
        if (is_expecting && is_open(&v->cpu))
            return different("an interrupt that is let in at", v->cpu.eip);
        result = step(v, &how);
        if (how != COMPARISON_SAME)
            return how;
        if (result != INTERP_OK)
            return different("a fault at", v->cpu.eip);
    }
    return DIFFERENT;
}

NORETURN static void
end(void)
{
    vmk_end(VMM_END_CRASHED, "lockstep: from %08x to %08x: %s (%x) is %x, "
            "should be %x", before.eip, after.eip, difference.what,
            difference.which, difference.found, difference.expected);
}

static bool
is_left_out(void)
{
    static unsigned longs;

    if (time_in_stay() <= vmm_shared->params.tsc_hz / LONG_PER_SEC)
        return false;
    longs++;
    return longs > LONG_FIRST && longs % LONG_PERIOD != 0;
}

static enum vmm_comparison
compare(struct vcpu *v)
{
    uint64_t instructions = v->instructions;
    struct guest_fault fault = v->fault;
    enum vmm_comparison how;

    if (is_left_out())
        return COMPARISON_LONG;
    if (!lockstep_pages_swap())
        return COMPARISON_PAGES;
    fpu_sync(v);
    fpu_forget();
    after = v->cpu;
    v->cpu = before;
    memory_forget_linear();
    how = catch_up(v);
    if (how == DIFFERENT)
        end();
    vmm_stats->comparisons[how].instructions += v->instructions - instructions;
    lockstep_pages_keep();
    memory_forget_linear();
    v->cpu = after;
    fpu_forget();
    v->fault = fault;
    v->instructions = instructions;
    return how;
}

void
lockstep_leave(struct vcpu *v)
{
    if (LIKELY(lockstep_phase != LOCKSTEP_STAY))
        return;
    count(compare(v));
    lockstep_phase = LOCKSTEP_OUTSIDE;
    devices_hide_time(rdtsc() - entered - time_in_stay());
}
