/*
 * test_interp_unicorn.c - the interpreter against Unicorn, where user code on
 * the real CPU shows nothing: real, virtual-8086 and 16-bit protected mode,
 * segment registers, far transfers, privilege, paging.
 *
 * Both enter an environment by the same code; then random instructions are
 * executed one at a time from there, with random registers, descriptors, page
 * tables and stacks.  Registers, defined flags, memory (accessed and dirty
 * bits included) and the vector of an exception must be the same, save where
 * Unicorn (QEMU's TCG) leaves the manual: `deviations`, and the table of them
 * by instruction, unicorn_deviations.def.
 */
#include "unit/test.h"

#include "bt/decode.h"
#include "bt/disasm.h"
#include "kernel/x86/descriptor.h"
#include "kernel/x86/paging.h"
#include "oracle/unicorn.h"
#include "unit/fake_environment.h"
#include "unit/fake_guest.h"
#include "unit/fake_tables.h"

#define TRIALS          8000            /* in each environment */
#define SHOWN           5               /* differences, in each */
#define HLT             0xf4
#define STEPS_MAX       64              /* of the stub, of a repetition */
#define FLAGS           (EFLAGS_OF | EFLAGS_SF | EFLAGS_ZF | EFLAGS_AF |   \
                         EFLAGS_PF | EFLAGS_CF | EFLAGS_DF)
#define FLAGS_COMPARED  (FLAGS | EFLAGS_IF | EFLAGS_IOPL | EFLAGS_NT |     \
                         EFLAGS_VM | EFLAGS_AC | EFLAGS_ID | EFLAGS_TF)

static uint8_t ours[ENV_MEMORY] ALIGNED(4096);
static uint8_t theirs[ENV_MEMORY] ALIGNED(4096);
static uint8_t before[ENV_MEMORY];
static const struct environment *env;
static struct vcpu v, entered, tried, seen;     /* seen: Unicorn's */
static struct interp interp;
static struct insn insn;
static struct test_random rnd = { 0x5eed };
static unsigned differing, compared;

/* --- One instruction -------------------------------------------------------*/

/* Operations that this test leaves out, and why. */
static bool
is_left_out(const struct opcode *op)
{
    switch (op->operation) {
    case OPERATION_fpu:             /* executed natively, by 32-bit code */
    case OPERATION_native:
    case OPERATION_fwait:
    case OPERATION_undefined:       /* depend on what CPUID shows */
    case OPERATION_popcnt:
    case OPERATION_lzcnt:
    case OPERATION_tzcnt:
    case OPERATION_movbe:
    case OPERATION_nop:
    case OPERATION_cache_hint:
    case OPERATION_int_n:           /* Unicorn has no IDT */
    case OPERATION_int1:
    case OPERATION_int3:
    case OPERATION_into:
    case OPERATION_in:              /* nor ports */
    case OPERATION_out:
    case OPERATION_ins:
    case OPERATION_outs:
    case OPERATION_cpuid:           /* the virtual machine's own */
    case OPERATION_rdtsc:
    case OPERATION_rdtscp:
    case OPERATION_rdpmc:
    case OPERATION_rdmsr:
    case OPERATION_wrmsr:
    case OPERATION_mov_to_cr:       /* modes are environments */
    case OPERATION_mov_to_dr:
    case OPERATION_mov_from_cr:
    case OPERATION_mov_from_dr:
    case OPERATION_lmsw:
    case OPERATION_sysenter:        /* Unicorn's caller's */
    case OPERATION_sysexit:
        return true;
    default:
        return op->class == CLASS_HIDDEN;
    }
}

static void
random_code(uint8_t *code)
{
    unsigned mode = (env->is_code32 ? DECODE_32 : DECODE_16) |
                    (env->is_real || env->is_v86 ? 0 : DECODE_PROTECTED);
    uint16_t selector = (uint16_t)random_selector(&rnd);

    do {
        random_instruction(code, &rnd);
    } while (decode(code, INSN_LENGTH_MAX, mode, &insn) != DECODE_OK ||
             is_left_out(insn_opcode(&insn)));
    if (insn_opcode(&insn)->operation == OPERATION_jmp_far ||
        insn_opcode(&insn)->operation == OPERATION_call_far)
        memcpy(code + insn.length - sizeof(selector), &selector,
               sizeof(selector));
}

/* Offsets that are in memory, mostly in data. */
static uint32_t
random_offset(void)
{
    uint32_t offset = test_random_below(&rnd, 0x7f00);

    if (env->paging != PAGING_NONE && test_random_below(&rnd, 8) == 0)
        offset += environment_large_page(env);
    return env->is_flat ? offset + ENV_DATA : offset;
}

/* Registers so that most memory operands are in memory. */
static void
random_registers(uint8_t *code)
{
    uint32_t *gpr = v.cpu.gpr;
    unsigned n;

    for (n = 0; n < GPR_NONE; n++) {
        gpr[n] = test_random_next(&rnd) >> test_random_below(&rnd, 32);
        if (test_random_below(&rnd, 4) == 0)
            gpr[n] = random_selector(&rnd);
    }
    gpr[GPR_ESP] = entered.cpu.gpr[GPR_ESP] + test_random_below(&rnd, 64);
    if (insn_opcode(&insn)->class == CLASS_STRING) {
        gpr[GPR_ESI] = random_offset();
        gpr[GPR_EDI] = random_offset();
        gpr[GPR_ECX] &= BITS(31, 16) | 7;
        if (insn.addr_size == 4)
            gpr[GPR_ECX] &= 7;
    }
    if (insn.addr_size == 2 && !env->is_flat)
        return;
    if (insn.index != GPR_NONE)
        gpr[insn.index] &= 0xff;
    if (insn.base != GPR_NONE && insn.base != GPR_ESP)
        gpr[insn.base] = random_offset();
    if (insn.disp_size == 4) {
        uint32_t disp = insn.base == GPR_NONE ? random_offset()
                        : test_random_below(&rnd, 256);

        memcpy(code + insn.disp_offset, &disp, sizeof(disp));
    }
}

/* --- Comparing -------------------------------------------------------------*/

static void
read_unicorn(void)
{
    seen = v;
    for (unsigned n = 0; n < GPR_NONE; n++)
        seen.cpu.gpr[n] = unicorn_get(unicorn_gpr[n]);
    for (unsigned n = 0; n < SEG_NONE; n++)
        seen.cpu.segment[n].selector =
            (uint16_t)unicorn_get(unicorn_segment[n]);
    seen.cpu.eip = unicorn_eip(&v);
    seen.cpu.eflags = unicorn_get(UC_X86_REG_EFLAGS);
}

static void
report(const uint8_t *code, const char *what)
{
    char text[80];

    disasm(&insn, entered.cpu.eip, text, sizeof(text));
    print_message("%s: %s: %s differs\n ", env->name, text, what);
    for (unsigned n = 0; n < insn.length; n++)
        print_message("%02x ", code[n]);
    print_message("\n ours   %d (%x at %x) eip %x flags %x\n"
                  " theirs %d eip %x flags %x\n",
                  v.fault.vector, v.fault.error, gla_raw(v.fault.address),
                  v.cpu.eip, v.cpu.eflags, unicorn.vector, seen.cpu.eip,
                  seen.cpu.eflags);
    for (unsigned n = 0; n < GPR_NONE; n++)
        print_message(" %x/%x", v.cpu.gpr[n], seen.cpu.gpr[n]);
    for (unsigned n = 0; n < SEG_NONE; n++)
        print_message(" %x/%x", v.cpu.segment[n].selector,
                      seen.cpu.segment[n].selector);
    print_message("\n");
    for (size_t n = 0; n < ENV_MEMORY; n++)
        if (ours[n] != theirs[n])
            print_message(" %zx: %02x %02x/%02x", n, before[n], ours[n],
                          theirs[n]);
    print_message("\n");
}

static const char *
compare(enum interp_result result)
{
    uint32_t flags = FLAGS_COMPARED &
                     ~(uint32_t)insn_opcode(&insn)->flags_undefined;
    int vector = result == INTERP_FAULT ? v.fault.vector : UNICORN_NONE;

    /* It stopped at the target of a branch, which is the next fault. */
    if (result == INTERP_OK && v.cpu.eip == seen.cpu.eip &&
        v.cpu.eip != entered.cpu.eip)
        unicorn.vector = UNICORN_NONE;
    if (vector != unicorn.vector)
        return "vector";
    if (vector == VEC_PF && unicorn_get(UC_X86_REG_CR2) !=
        gla_raw(v.fault.address))
        return "CR2";
    if (v.cpu.eip != seen.cpu.eip)
        return "EIP";
    if (memcmp(v.cpu.gpr, seen.cpu.gpr, sizeof(v.cpu.gpr)) != 0)
        return "register";
    if (((v.cpu.eflags ^ seen.cpu.eflags) & flags) != 0)
        return "flag";
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (v.cpu.segment[n].selector != seen.cpu.segment[n].selector)
            return "selector";
    if (memcmp(ours, theirs, ENV_MEMORY) != 0)
        return "memory";
    return NULL;
}

/* --- Where Unicorn is wrong ------------------------------------------------*/

/* The memory operand's offset, by registers as they were. */
static uint32_t
operand_offset(void)
{
    uint32_t offset = tried.cpu.gpr[insn.base] + (uint32_t)insn.disp +
                      (tried.cpu.gpr[insn.index] << insn.scale);

    return insn.addr_size == 2 ? (uint16_t)offset : offset;
}

/* Some of what the instruction accesses is beyond 64 KB. */
static bool
is_beyond_limit(void)
{
    unsigned operation = insn_opcode(&insn)->operation;
    uint32_t size = insn.mem_size + sizeof(uint16_t);

    if (env->is_flat)
        return false;
    if (operation == OPERATION_enter || operation == OPERATION_leave)
        return true;
    if (operation >= OPERATION_bt && operation <= OPERATION_bts)
        return insn_has_memory(&insn);
    if (insn_opcode(&insn)->class == CLASS_STRING)
        return MAX(v.cpu.gpr[GPR_ESI], v.cpu.gpr[GPR_EDI]) >
               UINT16_MAX - size;
    return insn_has_memory(&insn) && operand_offset() > UINT16_MAX - size;
}

static bool
no_limits(bool is_fault)
{
    return is_fault && v.fault.vector != VEC_PF &&
           (is_beyond_limit() ||
            (v.fault.error == 0 && seen.cpu.eip > UINT16_MAX &&
             (!env->is_flat || seen.cpu.segment[SEG_CS].selector !=
                               entered.cpu.segment[SEG_CS].selector)));
}

static bool
no_types(bool is_fault)
{
    return is_fault && v.fault.vector == VEC_GP && v.fault.error == 0 &&
           insn.segment == SEG_CS && vcpu_is_protected(&tried);
}

/* Nothing but accessed bits, of descriptors or pages, differs. */
static bool
only_accessed(void)
{
    for (size_t n = 0; n < ENV_MEMORY; n++) {
        bool is_descriptor = n % 8 == 5 && n >= ENV_GDT &&
                             n < ENV_LDT + ENV_LDT_SIZE;
        bool is_pte = n >= ENV_TABLES && n < ENV_PTES + PAGE_SIZE;
        unsigned bits = is_descriptor ? SEG_ACCESSED : is_pte ? PTE_A : 0;

        if (((ours[n] ^ theirs[n]) & ~bits) != 0)
            return false;
    }
    return true;
}

/* The page of the target is accessed when the next instruction is. */
static bool
far_transfer(bool is_fault)
{
    return !is_fault && unicorn.vector == UNICORN_NONE &&
           insn_opcode(&insn)->class >= CLASS_JMP_FAR &&
           insn_opcode(&insn)->class <= CLASS_IRET && only_accessed();
}

static bool
both_reps(UNUSED bool is_fault)
{
    const uint8_t *bytes = (const uint8_t *)interp.now->bytes;

    return memchr(bytes, 0xf2, insn.opcode_offset) != NULL &&
           memchr(bytes, 0xf3, insn.opcode_offset) != NULL;
}

static bool
test_1(UNUSED bool is_fault)
{
    return insn_opcode(&insn)->operation == OPERATION_alu_test &&
           unicorn.vector == VEC_UD;
}

static bool
ret_imm16(UNUSED bool is_fault)
{
    return (insn_opcode(&insn)->operation == OPERATION_ret ||
            insn_opcode(&insn)->operation == OPERATION_ret_far) &&
           (insn.imm & BIT(15)) != 0;
}

/* Both fault, at one of two operands or reading before they write. */
static bool
faulting(bool is_fault)
{
    return is_fault && v.fault.vector == VEC_PF &&
           unicorn.vector == VEC_PF && only_accessed();
}

enum outcome { ANY, FAULTS, WORKS };

static bool
is_known(unsigned operation, unsigned op_size, enum outcome ours_is,
         bool is_fault)
{
    return insn_opcode(&insn)->operation == operation &&
           (op_size == 0 || insn.op_size == op_size) &&
           (ours_is == ANY || (ours_is == FAULTS) == is_fault);
}

static const struct {
    const char *what, *manual;
    bool (*applies)(bool is_fault);
} deviations[] = {
    { "no segment limits", "3A 5.3", no_limits },
    { "no segment types", "3A 5.5", no_types },
    { "far transfers leave code not accessed", "3A 3.4.5.1", far_transfer },
    { "an access that faults leaves accessed bits", "3A 4.8", faulting },
    { "of F2 and F3 the first counts, not the last", "2 2.1", both_reps },
    { "TEST has no second encoding", "APM 3 TEST", test_1 },
    { "RET's immediate is signed", "2 RET", ret_imm16 },
};

static bool
is_deviation(enum interp_result result)
{
    bool is_fault = result == INTERP_FAULT;

    for (size_t n = 0; n < ARRAY_LEN(deviations); n++)
        if (deviations[n].applies(is_fault))
            return true;
#define DEVIATION(operation, op_size, outcome, manual, what)              \
    if (is_known(OPERATION_##operation, op_size, outcome, is_fault))      \
        return true;
#include "oracle/unicorn_deviations.def"
#undef DEVIATION
    return false;
}

/* --- Running ---------------------------------------------------------------*/

static enum interp_result
run_interpreter(void)
{
    enum interp_result result;
    unsigned n = 0;

    do {
        result = interp_step(&v);
    } while (result == INTERP_OK && v.cpu.eip == entered.cpu.eip &&
             insn_repeats(&insn) && ++n < STEPS_MAX);
    return result;
}

/* One iteration at a time, where an instruction repeats. */
static void
run_unicorn(void)
{
    unsigned n = 0;

    if (env->paging != PAGING_NONE) {
        unicorn_restore(unicorn.start);
        unicorn_run(ENV_FLUSH, 2);
        assert_int_equal(unicorn.vector, UNICORN_NONE);
        memcpy(theirs, before, sizeof(theirs));
    }
    unicorn_restore(unicorn.entered);
    for (unsigned r = 0; r < GPR_NONE; r++)
        unicorn_set(unicorn_gpr[r], v.cpu.gpr[r]);
    unicorn_set(UC_X86_REG_EFLAGS, v.cpu.eflags);
    do {
        unicorn_run(entered.cpu.eip, 1);
    } while (unicorn.vector == UNICORN_NONE && insn_repeats(&insn) &&
             unicorn_eip(&entered) == entered.cpu.eip && ++n < STEPS_MAX);
}

static void
try_one(void)
{
    uint32_t at = gla_raw(segment_linear(&entered.cpu.segment[SEG_CS],
                                         entered.cpu.eip));
    uint8_t code[2 * INSN_LENGTH_MAX];
    enum interp_result result;
    const char *wrong;

    random_code(code);
    v = entered;
    v.memory_generation = ++entered.memory_generation;
    random_registers(code);
    memset(code + insn.length, HLT, sizeof(code) - insn.length);
    v.cpu.eflags = (v.cpu.eflags & ~FLAGS) | (test_random_next(&rnd) & FLAGS);
    tried = v;
    memcpy(before + at, code, sizeof(code));
    memcpy(ours, before, sizeof(ours));
    memcpy(theirs, before, sizeof(theirs));
    unicorn_restore(unicorn.entered);   /* which translates AT */
    uc_ctl_remove_cache(unicorn.engine, at, at + sizeof(code));
    run_unicorn();
    result = run_interpreter();
    read_unicorn();
    if (result == INTERP_REFUSED || unicorn.vector == UNICORN_MEMORY)
        return;
    compared++;
    wrong = compare(result);
    if (wrong == NULL || is_deviation(result))
        return;
    if (differing++ < SHOWN)
        report(code, wrong);
}

static void
enter(void)
{
    unsigned n = 0;

    environment_build(env, before);
    memset(before + ENV_CODE, HLT, ENV_RANGE);
    for (uint32_t at = ENV_DATA; at < ENV_DATA + ENV_RANGE; at++)
        before[at] = (uint8_t)test_random_next(&rnd);
    memcpy(ours, before, sizeof(ours));
    memcpy(theirs, before, sizeof(theirs));
    fake_guest_reset(0, ENV_MEMORY, ours);
    environment_start(env, &v);
    if (env->paging != PAGING_NONE)
        fake_guest.walk = guest_walk;
    interp_init(&interp, &v);
    unicorn_open(theirs, ENV_MEMORY, environment_large_page(env));
    unicorn_set_table(UC_X86_REG_GDTR, ENV_GDT, ENV_GDT_SIZE - 1);
    unicorn_set_table(UC_X86_REG_IDTR, ENV_IDT, ENV_IDT_SIZE - 1);
    unicorn_set(UC_X86_REG_ESP, v.cpu.gpr[GPR_ESP]);
    unicorn_set(UC_X86_REG_CR4, v.cpu.cr4);
    unicorn_set(UC_X86_REG_CR3, v.cpu.cr3);
    unicorn_set(UC_X86_REG_CR0, v.cpu.cr0);
    unicorn_save(unicorn.start);
    while (!environment_is_reached(env, &v)) {
        unicorn_run(v.cpu.eip, 1);
        assert_int_equal(unicorn.vector, UNICORN_NONE);
        assert_int_equal(interp_step(&v), INTERP_OK);
        assert_int_equal(unicorn_eip(&v), v.cpu.eip);
        assert_true(++n < STEPS_MAX);
    }
    unicorn_save(unicorn.entered);
    entered = v;
    memcpy(before, ours, sizeof(before));
}

static void
try_environment(void **state)
{
    env = *state;
    differing = compared = 0;
    enter();
    for (unsigned n = 0; n < TRIALS; n++) {
        if (n % 16 == 0)
            random_tables(env, before, &rnd);
        try_one();
    }
    print_message("%s: %u compared, %u differ\n", env->name, compared,
                  differing);
    assert_int_equal(differing, 0);
}

int
main(void)
{
    struct CMUnitTest tests[ENVIRONMENTS];

    for (size_t n = 0; n < ENVIRONMENTS; n++)
        tests[n] = (struct CMUnitTest){
            environments[n].name, try_environment, NULL, NULL,
            (void *)(uintptr_t)&environments[n],
        };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
