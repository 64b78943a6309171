/*
 * test_interp_vs_cpu.c - the interpreter against the CPU it runs on.
 *
 * Each row of opcodes.def that user code may execute is run with random
 * operands, registers and flags, TIMES times for each operand size, by the CPU
 * and by the interpreter; registers, defined flags, memory, FPU and fault are
 * compared.  Encodings come from decoding all opcodes with all ModRM bytes, so
 * no row can be forgotten; what is left out is listed with its reason.
 */
#include "unit/test.h"

#include "bt/decode.h"
#include "bt/disasm.h"
#include "unit/fake_guest.h"
#include "unit/fake_native.h"

#define TIMES           1000
#define ROW_FAILURES    3               /* shown of each row */
#define TARGET_BYTE     0x68            /* 0x68686868 is no memory */
#define SEEDS           16              /* encodings kept for each row */
#define MODE            (DECODE_32 | DECODE_PROTECTED)
#define ARITH           (EFLAGS_OF | EFLAGS_SF | EFLAGS_ZF | EFLAGS_AF | \
                         EFLAGS_PF | EFLAGS_CF)
#define DATA_SIZE       (NATIVE_FAULT - NATIVE_DATA)
#define MIDDLE          (NATIVE_DATA + DATA_SIZE / 2)
/* Where a kernel puts 32-bit programs and their libraries. */
#define PROGRAM         0x50000000u
#define PROGRAM_END     0x60000000u
#define LIBRARIES       0xe0000000u
#define FPU_POINTERS    8               /* FXSAVE: FIP, FCS, FDP, FDS */
#define FPU_POINTERS_END 24
#define FPU_REST        416             /* reserved bytes behind XMM7: 288 */

/* Operations that this test cannot show, and why. */
static const struct {
    const char *reason;
    uint8_t operations[20];     /* 0 is none of them */
} left_out[] = {
    { "raises #UD in our machines only", { OPERATION_undefined } },
    { "differs from one time to the next",
      { OPERATION_rdtsc, OPERATION_rdtscp } },
    { "shows the virtual CPU", { OPERATION_cpuid } },
    { "goes through the kernel's IDT",
      { OPERATION_int_n, OPERATION_int3, OPERATION_int1, OPERATION_into } },
    { "uses the kernel's GDT",
      { OPERATION_iret, OPERATION_ret_far, OPERATION_jmp_far,
        OPERATION_jmp_far_indirect, OPERATION_call_far,
        OPERATION_call_far_indirect, OPERATION_load_far_pointer,
        OPERATION_mov_to_seg, OPERATION_mov_from_seg, OPERATION_push_seg,
        OPERATION_pop_seg, OPERATION_lar, OPERATION_lsl, OPERATION_verr,
        OPERATION_verw } },
    { "shows the kernel's tables, or is forbidden by UMIP",
      { OPERATION_sgdt, OPERATION_sidt, OPERATION_sldt, OPERATION_str,
        OPERATION_smsw } },
    { "enters the kernel", { OPERATION_sysenter, OPERATION_sysexit } },
    { "depends on the kernel's IOPL and CR4",
      { OPERATION_in, OPERATION_out, OPERATION_ins, OPERATION_outs,
        OPERATION_rdpmc } },
};
STATIC_ASSERT(OPERATION_aaa == 0);

struct seed {
    uint8_t bytes[INSN_LENGTH_MAX + 1];
};

static struct seed seeds[OPCODE_ROW_COUNT][2][SEEDS];
static unsigned seed_count[OPCODE_ROW_COUNT][2];

static unsigned differing;
static struct test_random rnd = { 0x5eed };
static struct native_frame *cpu;
static struct vcpu v;
static struct interp interp;
static uint8_t random_data[DATA_SIZE], target_data[DATA_SIZE];
static uint8_t expected[DATA_SIZE];
static uint8_t memory[NATIVE_SIZE] ALIGNED(4096);

/* --- Encodings -------------------------------------------------------------*/

static void
keep(const uint8_t *bytes)
{
    struct insn insn;
    unsigned *count, place, size;

    if (decode(bytes, INSN_LENGTH_MAX, MODE, &insn) != DECODE_OK)
        return;
    size = insn.op_size == 4;
    count = &seed_count[insn.row][size];
    place = (*count)++;
    if (place >= SEEDS)
        place = test_random_below(&rnd, *count);
    if (place < SEEDS)
        memcpy(seeds[insn.row][size][place].bytes, bytes, INSN_LENGTH_MAX);
}

/* All ModRM bytes behind each opcode of LEAD, with each prefix in turn. */
static void
keep_map(const char *lead, bool has_prefixes)
{
    static const char *const prefixes[] = {
        "", "\x66", "\xf3", "\xf2", "\x66\xf2", "\x66\xf3", "\xf0",
    };
    uint8_t bytes[INSN_LENGTH_MAX + 1] = { 0 };

    for (size_t p = 0; p < (has_prefixes ? ARRAY_LEN(prefixes) : 1); p++) {
        size_t n = strlen(prefixes[p]);

        memcpy(bytes, prefixes[p], n);
        memcpy(bytes + n, lead, strlen(lead));
        n += strlen(lead);
        for (unsigned k = 0; k < 65536; k++) {
            bytes[n] = (uint8_t)k;
            bytes[n + 1] = (uint8_t)(k >> 8);
            for (size_t b = n + 2; b < INSN_LENGTH_MAX; b++)
                bytes[b] = (uint8_t)test_random_next(&rnd);
            keep(bytes);
        }
    }
}

static void
find_encodings(void)
{
    char vex[] = "\xc4\xe2\x00";

    keep_map("", true);
    keep_map("\x67", true);
    keep_map("\x0f", true);
    keep_map("\x0f\x38", true);
    keep_map("\x0f\x3a", true);
    /* VEX: 3 of its registers, 1111b too, and all of pp. */
    for (unsigned n = 0; n < 12; n++) {
        vex[2] = "\x78\x50\x28"[n % 3] | (char)(n / 3);
        vex[1] = (char)0xe2;
        keep_map(vex, false);
        vex[1] = (char)0xe3;
        keep_map(vex, false);
    }
}

/* --- One comparison --------------------------------------------------------*/

static const char *
reason_to_leave_out(const struct opcode *op)
{
    for (size_t n = 0; op->operation != 0 && n < ARRAY_LEN(left_out); n++)
        if (memchr(left_out[n].operations, op->operation,
                   sizeof(left_out[n].operations)) != NULL)
            return left_out[n].reason;
    if (op->class == CLASS_HIDDEN)
        return "raises #UD in our machines only";
    return NULL;
}

static bool
is_branch(const struct opcode *op)
{
    return op->class >= CLASS_JCC && op->class <= CLASS_RET;
}

static uint32_t
random_value(void)
{
    static const uint32_t corners[] = {
        0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
        0x80000000, 0xffffffff, 0x80008000, 31, 32, 33,
    };

    if (test_random_below(&rnd, 4) == 0)
        return corners[test_random_below(&rnd, ARRAY_LEN(corners))];
    return test_random_next(&rnd) >> test_random_below(&rnd, 32);
}

static uint32_t
random_address(uint32_t size)
{
    if (test_random_below(&rnd, 16) == 0)
        return NATIVE_FAULT - 2 * size + test_random_below(&rnd, 3 * size);
    return MIDDLE - 1024 + (test_random_below(&rnd, 2048) & ~15u) +
           (size >= 16 || test_random_below(&rnd, 4) ? 0
            : test_random_below(&rnd, 16));
}

/*
 * Make the memory operand's address ADDRESS: by the base, or by the
 * displacement, which is then patched in CODE.
 */
static void
aim(uint8_t *code, const struct insn *insn, uint32_t address)
{
    uint32_t now = v.cpu.gpr[insn->base] +
                   (v.cpu.gpr[insn->index] << insn->scale) +
                   (uint32_t)insn->disp;

    if (insn->base != GPR_NONE && insn->base != insn->index) {
        v.cpu.gpr[insn->base] += address - now;
    } else if (insn->disp_size == 4) {
        uint32_t disp = (uint32_t)insn->disp + address - now;

        memcpy(code + insn->disp_offset, &disp, sizeof(disp));
    } else if (insn->base != GPR_NONE) {
        v.cpu.gpr[insn->base] = (address - (uint32_t)insn->disp) /
                                ((1u << insn->scale) + 1);
    }
}

static void
choose_registers(uint8_t *code, const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    for (unsigned n = 0; n < GPR_NONE; n++)
        v.cpu.gpr[n] = random_value();
    v.cpu.gpr[GPR_ESP] = random_address(64);
    if (op->operation == OPERATION_enter || op->operation == OPERATION_leave)
        v.cpu.gpr[GPR_EBP] = random_address(64);
    if (op->attr & (A_REP | A_REPZ)) {
        v.cpu.gpr[GPR_ECX] &= 31;
        v.cpu.gpr[GPR_EDI] = random_address(16);
    }
    switch (op->operation) {
    case OPERATION_bt ... OPERATION_bts:
        if (insn_has_memory(insn) && !(op->form & FORM_IMMEDIATE))
            v.cpu.gpr[insn_reg(insn)] =
                (uint32_t)(int16_t)test_random_next(&rnd) / 4;
        break;
    case OPERATION_jmp_indirect:
    case OPERATION_call_indirect:
        if (!insn_has_memory(insn))
            v.cpu.gpr[insn_rm(insn)] = random_address(16);
    }
    if (insn_has_memory(insn) && op->operation != OPERATION_lea)
        aim(code, insn, random_address(MAX(insn->mem_size, 1)));
}

static void
report(const uint8_t *code, const struct insn *insn, const char *what)
{
    char text[80], hex[64] = "";

    disasm(insn, NATIVE_CODE, text, sizeof(text));
    for (unsigned n = 0; n < insn->length; n++)
        sprintf(hex + 3 * n, "%02x ", code[n]);
    differing++;
    print_message("%s: %s differs\n"
             " cpu    eip %x flags %x fault %d vec %u err %x cr2 %x\n"
             " interp eip %x flags %x vec %u err %x cr2 %x\n"
             " eax %x/%x ecx %x/%x edx %x/%x ebx %x/%x\n"
             " esp %x/%x ebp %x/%x esi %x/%x edi %x/%x\n %s",
             text, what, cpu->eip, cpu->eflags, cpu->has_fault, cpu->vector,
             cpu->error, cpu->cr2, v.cpu.eip, v.cpu.eflags, v.fault.vector,
             v.fault.error, gla_raw(v.fault.address), cpu->gpr[0],
             v.cpu.gpr[0], cpu->gpr[1], v.cpu.gpr[1], cpu->gpr[2],
             v.cpu.gpr[2], cpu->gpr[3], v.cpu.gpr[3], cpu->gpr[4],
             v.cpu.gpr[4], cpu->gpr[5], v.cpu.gpr[5], cpu->gpr[6],
             v.cpu.gpr[6], cpu->gpr[7], v.cpu.gpr[7], hex);
}

static const char *
compare_fault(const struct opcode *op, enum interp_result result)
{
    /* AMD's alone: our checks of memory come before #UD. */
    if (cpu->has_fault && cpu->vector == VEC_UD &&
        op->operation == OPERATION_fpu)
        return NULL;
    if (cpu->has_fault != (result == INTERP_FAULT))
        return "fault";
    if (!cpu->has_fault)
        return NULL;
    if (cpu->vector != v.fault.vector)
        return "vector";
    /* Of two operands that fault, the manual does not say which is first. */
    if (op->operation == OPERATION_cmps && cpu->cr2 == cpu->gpr[GPR_EDI])
        return NULL;
    /* Nor which part of an x87 environment or a masked store. */
    if (op->operation == OPERATION_fpu)
        return cpu->vector != VEC_PF ||
               cpu->cr2 >> PAGE_SHIFT == gla_raw(v.fault.address) >> PAGE_SHIFT
               ? NULL : "CR2";
    if (cpu->vector == VEC_PF && cpu->cr2 != gla_raw(v.fault.address))
        return "CR2";
    if (cpu->vector == VEC_PF && cpu->error != v.fault.error)
        return "error code";
    return NULL;
}

static const char *
compare(const struct insn *insn, enum interp_result result)
{
    const struct opcode *op = insn_opcode(insn);
    uint32_t flags = (ARITH | EFLAGS_DF) & ~(uint32_t)op->flags_undefined;
    const char *wrong = compare_fault(op, result);

    if (wrong != NULL)
        return wrong;
    if (cpu->eip != v.cpu.eip)
        return "EIP";
    /* A POPA that faults has loaded some registers; ours has not. */
    if (op->operation == OPERATION_popa && cpu->has_fault)
        return NULL;
    if (memcmp(cpu->gpr, v.cpu.gpr, sizeof(cpu->gpr)) != 0)
        return "register";
    if ((cpu->eflags ^ v.cpu.eflags) & flags)
        return "flag";
    /* The CPU may have pushed some words before it met the fault. */
    if (!cpu->has_fault &&
        memcmp(memory + (NATIVE_DATA - NATIVE_BASE), expected, DATA_SIZE))
        return "memory";
    if (op->operation != OPERATION_fpu || cpu->has_fault)
        return NULL;
    /* All but where the last instruction was. */
    return memcmp(cpu->fpu, v.cpu.fpu, FPU_POINTERS) != 0 ||
           memcmp(cpu->fpu + FPU_POINTERS_END, v.cpu.fpu + FPU_POINTERS_END,
                  FPU_REST - FPU_POINTERS_END) != 0 ? "FPU" : NULL;
}

static void
random_fpu(void)
{
    fake_guest_flat(&v, 3);
    v.cpu.fpu[0] = 0x7f;                        /* all exceptions masked */
    v.cpu.fpu[1] = 0x03;
    v.cpu.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    for (unsigned n = 160; n < 288; n++)        /* XMM0 to XMM7 */
        v.cpu.fpu[n] = (uint8_t)test_random_next(&rnd);
}

static enum interp_result
run_interpreter(void)
{
    enum interp_result result;

    do {
        result = interp_step(&v);
    } while (result == INTERP_OK && v.cpu.eip == NATIVE_CODE &&
             insn_repeats(&interp.now->insn));
    return result;
}

/* A direct branch into itself, the code around it, this program, libraries. */
static bool
goes_to_code(const struct insn *insn)
{
    uint32_t target = insn_target(insn, NATIVE_CODE);

    if (!is_branch(insn_opcode(insn)) ||
        target == NATIVE_CODE + insn->length)
        return false;
    return target - NATIVE_BASE < NATIVE_SIZE || target >= LIBRARIES ||
           (target >= PROGRAM && target < PROGRAM_END);
}

static void
try_one(const struct seed *seed)
{
    uint8_t code[INSN_LENGTH_MAX + 1];
    enum interp_result result;
    struct insn insn;
    const uint8_t *before;
    const char *wrong;

    memcpy(code, seed->bytes, sizeof(code));
    decode(code, INSN_LENGTH_MAX, MODE, &insn);
    for (unsigned n = insn.imm_offset; insn.imm_size > 0 && n < insn.length;
         n++)
        if (insn_opcode(&insn)->class != CLASS_SSE)
            code[n] = (uint8_t)random_value();
    assert_int_equal(decode(code, INSN_LENGTH_MAX, MODE, &insn), DECODE_OK);
    random_fpu();
    interp_init(&interp, &v);
    choose_registers(code, &insn);
    decode(code, INSN_LENGTH_MAX, MODE, &insn);
    if (goes_to_code(&insn))
        return;
    v.cpu.eip = NATIVE_CODE;
    v.cpu.eflags = (test_random_next(&rnd) & (ARITH | EFLAGS_DF)) |
                   EFLAGS_FIXED | EFLAGS_IF;

    before = is_branch(insn_opcode(&insn)) ? target_data : random_data;
    memcpy(memory + (NATIVE_CODE - NATIVE_BASE), code, sizeof(code));
    memcpy(memory + (NATIVE_DATA - NATIVE_BASE), before, DATA_SIZE);
    memcpy((void *)NATIVE_DATA, before, DATA_SIZE);
    memcpy(cpu->gpr, v.cpu.gpr, sizeof(cpu->gpr));
    memcpy(cpu->fpu, v.cpu.fpu, sizeof(cpu->fpu));
    cpu->eflags = v.cpu.eflags;
    native_run(code, insn.length, is_branch(insn_opcode(&insn)));
    memcpy(expected, (void *)NATIVE_DATA, DATA_SIZE);
    struct native_frame seen = *cpu;
    result = run_interpreter();
    *cpu = seen;
    wrong = compare(&insn, result);
    if (wrong != NULL)
        report(code, &insn, wrong);
}

static bool
may_try(const struct insn *insn)
{
    /* Low memory, where 16-bit addresses are, is not ours. */
    if (insn->addr_size == 2 &&
        (insn->mem_size != 0 || insn_has_memory(insn)) &&
        insn_opcode(insn)->operation != OPERATION_lea)
        return false;
    if (insn->segment == SEG_FS || insn->segment == SEG_GS)
        return false;
    /* The address cannot be chosen: no base, or the index is the base. */
    return !insn_has_memory(insn) ||
           insn_opcode(insn)->operation == OPERATION_lea ||
           insn->disp_size == 4 ||
           (insn->base != GPR_NONE && insn->base != insn->index);
}

static bool
is_random(unsigned row)
{
    return strncmp(opcode_name(row), "RDRAND", 6) == 0 ||
           strncmp(opcode_name(row), "RDSEED", 6) == 0;
}

/* --- The tests -------------------------------------------------------------*/

static unsigned
try_row(unsigned row, unsigned size)
{
    bool is_fpu = opcode_rows[row].operation == OPERATION_fpu;
    unsigned usable = 0, count = MIN(seed_count[row][size], SEEDS);
    unsigned times = is_fpu ? TIMES / 5 : TIMES;

    for (unsigned n = 0; n < count; n++) {
        struct seed *seed = &seeds[row][size][n];
        struct insn insn;

        decode(seed->bytes, INSN_LENGTH_MAX, MODE, &insn);
        if (may_try(&insn))
            seeds[row][size][usable++] = *seed;
    }
    for (unsigned n = 0; usable > 0 && n < times && differing < ROW_FAILURES;
         n++)
        try_one(&seeds[row][size][n % usable]);
    return usable > 0 ? times : 0;
}

static bool
is_tested_class(unsigned class)
{
    return class != CLASS_UNDEFINED && class != CLASS_PRIV &&
           class != CLASS_HIDDEN && class != CLASS_FLAGS;
}

static void
rows(void **state)
{
    unsigned tried = 0, total = 0, skipped = 0, bad = 0;

    (void)state;
    native_catch_signals();
    for (unsigned row = 0; row < OPCODE_ROW_COUNT; row++) {
        const struct opcode *op = &opcode_rows[row];
        unsigned done;

        if (op->select != SELECT_INSN || !is_tested_class(op->class))
            continue;
        if (reason_to_leave_out(op) != NULL || is_random(row)) {
            skipped++;
            continue;
        }
        differing = 0;
        done = try_row(row, 0) + try_row(row, 1);
        if (done == 0)
            fail_msg("%s (row %u) was not tried", opcode_name(row), row);
        bad += differing != 0;
        total += done, tried++;
    }
    print_message("%u rows tried, %u times; %u rows left out\n", tried, total,
                  skipped);
    assert_int_equal(bad, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
    };

    cpu = native_frame();
    if (cpu == NULL)
        return EXIT_FAILURE;
    fake_guest_reset(NATIVE_BASE, NATIVE_SIZE, memory);
    for (uint32_t n = NATIVE_FAULT; n < NATIVE_BASE + NATIVE_SIZE;
         n += PAGE_SIZE)
        fake_guest.no_access[(n - NATIVE_BASE) / PAGE_SIZE] = 1;
    for (size_t n = 0; n < DATA_SIZE; n++)
        random_data[n] = (uint8_t)test_random_next(&rnd);
    memset(target_data, TARGET_BYTE, sizeof(target_data));
    find_encodings();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
