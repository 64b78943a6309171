/*
 * fuzz_interp.c - the interpreter on any code, in any state, in any mode.
 *
 *      environment, breakpoints, registers, flags | code | tables | stack
 *
 * Beyond what the sanitizers see: an instruction that faults has changed
 * nothing, save what the manual lets it (progress of a repetition, accessed
 * and dirty bits, ENTER's words below the stack); EIP goes on behind the
 * instruction, to itself if it repeats, or to where the code segment permits;
 * privilege, mode and the derived parts of segments fit together; deliveries
 * end; and all of it ends.
 */
#include <stdint.h>
#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/x86/descriptor.h"
#include "kernel/x86/exception.h"
#include "unit/fake_environment.h"
#include "unit/fake_guest.h"

#define STEPS_MAX       12
#define HANDLER         0x400u          /* in the stub's segments: IRET */
#define IRET            0xcf
#define CODE_BYTES      48
#define TABLE_BYTES     (ENV_GDT_SIZE - ENV_SEL_FREE)
#define STACK_BYTES     64
/* What a fault may leave set: accessed, busy; accessed and dirty of pages. */
#define BITS_MARKED     (BIT(0) | BIT(1))
#define BITS_PAGED      (BIT(5) | BIT(6))
#define MARKS_MAX       32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct entered {
    bool is_ready;
    struct guest_cpu cpu;
    uint8_t memory[ENV_MEMORY];
};

static struct entered entered[ENVIRONMENTS];
static uint8_t memory[ENV_MEMORY] ALIGNED(4096);
static uint8_t before[ENV_MEMORY];
static struct vcpu v;
static struct interp interp;

static const uint8_t *input;
static size_t left;

/* The next bytes of the input, or zeros. */
static void
take(void *to, size_t size)
{
    size_t count = MIN(size, left);

    memset(to, 0, size);
    memcpy(to, input, count);
    input += count;
    left -= count;
}

/* Gates of all kinds to an IRET; in real mode, vectors. */
static void
put_handlers(const struct environment *env)
{
    static const uint8_t types[] = {
        SYS_INT32, SYS_TRAP32, SYS_INT16, SYS_TRAP16,
    };
    const uint16_t vector[] = { HANDLER, ENV_STUB >> 4 };

    memory[ENV_STUB + HANDLER] = IRET;
    for (unsigned n = 0; n < EXCEPTION_COUNT; n++) {
        struct gate gate = {
            .offset_low = HANDLER, .selector = ENV_SEL_STUB16,
            .type = types[n % ARRAY_LEN(types)], .dpl = 3, .p = 1,
        };

        if (env->is_real)
            memcpy(memory + ENV_IDT + n * sizeof(vector), vector,
                   sizeof(vector));
        else
            memcpy(memory + ENV_IDT + n * sizeof(gate), &gate, sizeof(gate));
    }
}

static void
enter(const struct environment *env, struct entered *e)
{
    environment_build(env, memory);
    environment_start(env, &v);
    interp_init(&interp, &v);
    while (!environment_is_reached(env, &v))
        ASSERT(interp_step(&v) == INTERP_OK);
    put_handlers(env);
    e->cpu = v.cpu;
    memcpy(e->memory, memory, sizeof(memory));
    e->is_ready = true;
}

/* An environment, with what the input wants to be otherwise. */
static void
prepare(void)
{
    const uint32_t flags = BITS(11, 0) | EFLAGS_NT | EFLAGS_AC | EFLAGS_RF;
    uint32_t choice, bits;
    struct entered *e;
    uint32_t at;

    take(&choice, sizeof(choice));
    fake_guest_reset(0, ENV_MEMORY, memory);
    fake_guest.walk = guest_walk;
    e = &entered[choice % ENVIRONMENTS];
    if (!e->is_ready)
        enter(&environments[choice % ENVIRONMENTS], e);
    memcpy(memory, e->memory, sizeof(memory));
    memset(&v, 0, sizeof(v));
    v.cpu = e->cpu;
    interp_init(&interp, &v);
    take(&bits, sizeof(bits));
    v.cpu.eflags = (v.cpu.eflags & ~flags) | (bits & flags) | EFLAGS_FIXED;
    if (choice & BIT(8)) {
        take(&v.cpu.dr[DR7], sizeof(v.cpu.dr[DR7]));
        take(&v.cpu.dr[0], 4 * sizeof(v.cpu.dr[0]));
    }
    if (choice & BIT(9))
        v.cpu.cr0 |= CR0_AM;
    for (unsigned n = 0; n < GPR_NONE; n++)
        if (choice & BIT(16 + n))
            take(&v.cpu.gpr[n], sizeof(v.cpu.gpr[n]));
    at = gla_raw(segment_linear(&v.cpu.segment[SEG_CS], v.cpu.eip));
    take(memory + at, CODE_BYTES);
    take(memory + ENV_GDT + ENV_SEL_FREE, TABLE_BYTES);
    take(memory + ENV_STACK + ENV_ESP, STACK_BYTES);
    take(memory + ENV_IDT, left);
}

/* --- What must hold --------------------------------------------------------*/

static bool
is_mark(uint8_t was, uint8_t is)
{
    uint8_t bits = was ^ is;

    return (was & bits) == 0 &&
           ((bits & ~BITS_MARKED) == 0 || (bits & ~BITS_PAGED) == 0);
}

static void
check_memory_unchanged(void)
{
    unsigned marks = 0;

    if (memcmp(memory, before, sizeof(memory)) == 0)
        return;
    for (size_t n = 0; n < sizeof(memory); n++)
        if (memory[n] != before[n]) {
            ASSERT(is_mark(before[n], memory[n]));
            ASSERT(++marks <= MARKS_MAX);
        }
}

/* V's instruction faulted, or was refused: state as it was, and why. */
static void
check_unchanged(const struct guest_cpu *was, bool has_insn)
{
    struct guest_cpu now = v.cpu;
    bool repeats = has_insn && insn_repeats(&interp.now->insn);

    if (repeats) {
        now.gpr[GPR_ECX] = was->gpr[GPR_ECX];
        now.gpr[GPR_ESI] = was->gpr[GPR_ESI];
        now.gpr[GPR_EDI] = was->gpr[GPR_EDI];
        now.gpr[GPR_EAX] = was->gpr[GPR_EAX];
    }
    ASSERT(memcmp(&now, was, sizeof(now)) == 0);
    if (!repeats && !(has_insn && insn_opcode(&interp.now->insn)->operation ==
                                  OPERATION_enter))
        check_memory_unchanged();
}

static void
check_fault(void)
{
    const struct guest_fault *f = &v.fault;

    ASSERT(f->vector < EXCEPTION_COUNT);
    ASSERT(f->has_error == ((EXCEPTIONS_WITH_ERROR >> f->vector & 1) != 0));
    ASSERT(f->vector == VEC_DB || f->vector == VEC_PF ||
           f->error <= UINT16_MAX);
}

static void
check_eip(const struct guest_cpu *was)
{
    const struct insn *insn = &interp.now->insn;
    uint32_t next = was->eip + insn->length;

    if (v.cpu.eip == next || (v.cpu.eip == was->eip && insn_repeats(insn)))
        return;
    ASSERT(insn_opcode(insn)->class >= CLASS_JCC);
    ASSERT(insn_opcode(insn)->class <= CLASS_SYSCALL);
    ASSERT(insn_opcode(insn)->class == CLASS_SYSCALL ||
           segment_permits(&v.cpu.segment[SEG_CS], v.cpu.eip, 1,
                           ALLOW_EXECUTE));
}

static void
check_state(void)
{
    static struct vcpu copy;

    copy.cpu = v.cpu;
    vcpu_derive_segments(&copy);
    ASSERT(memcmp(&copy.cpu, &v.cpu, sizeof(v.cpu)) == 0);
    ASSERT(v.cpu.cpl == 0 || v.cpu.cpl == 3);
    ASSERT((v.cpu.eflags & EFLAGS_VM) == 0 || v.cpu.cpl == 3);
    ASSERT((v.cpu.eflags & EFLAGS_FIXED) != 0);
    ASSERT((v.cpu.cr0 & CR0_PE) != 0 || v.cpu.cpl == 0);
    ASSERT((v.cpu.cr0 & CR0_PG) == 0 || (v.cpu.cr0 & CR0_PE) != 0);
}

/* Deliver what waits; does it go on? */
static bool
deliver(enum event_kind kind, unsigned vector)
{
    enum interp_result result = interp_deliver(&v, kind, vector);

    ASSERT(result == INTERP_OK || result == INTERP_SHUTDOWN ||
           result == INTERP_REFUSED);
    ASSERT((result == INTERP_REFUSED) == (interp.refusal != NULL));
    return result == INTERP_OK;
}

static bool
step(void)
{
    struct guest_cpu was = v.cpu;
    enum interp_result result;

    memcpy(before, memory, sizeof(memory));
    interp.now = NULL;
    result = interp_step(&v);
    switch (result) {
    case INTERP_OK:
        if (interp.now->operation != NULL)
            check_eip(&was);
        return true;
    case INTERP_FAULT:
        check_unchanged(&was, interp.now != NULL);
        check_fault();
        return deliver(EVENT_FAULT, 0);
    case INTERP_REFUSED:
        ASSERT(interp.refusal != NULL);
        check_unchanged(&was, interp.now != NULL);
        return false;
    default:
        ASSERT(result == INTERP_HALTED);
        return false;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    prepare();
    for (unsigned n = 0; n < STEPS_MAX; n++) {
        check_state();
        if (vcpu_pending(&v, false) == PENDING_DEBUG) {
            vcpu_fault(&v, VEC_DB);
            if (!deliver(EVENT_FAULT, 0))
                break;
        } else if (!step()) {
            break;
        }
    }
    return 0;
}
