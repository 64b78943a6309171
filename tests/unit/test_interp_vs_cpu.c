/*
 * test_interp_vs_cpu.c - the interpreter against the CPU it runs on.
 *
 * Each row of opcodes.def that user code may execute is run with random
 * operands, registers and flags, TIMES times for each operand size, by the CPU
 * and by the interpreter; registers, defined flags, memory, FPU and fault are
 * compared.  No row can be forgotten; what is left out is listed with its
 * reason.  Some have their memory operand in FS, with 32- or 16-bit addresses:
 * a segment with a base and a limit, expand-down or read-only.
 */
#include "unit/test.h"

#include "bt/decode.h"
#include "bt/disasm.h"
#include "kernel/x86/descriptor.h"
#include "unit/fake_encodings.h"
#include "unit/fake_guest.h"
#include "unit/fake_native.h"

#define TIMES           1000
#define ROW_FAILURES    3               /* shown of each row */
#define TARGET_BYTE     0x68            /* 0x68686868 is no memory */
#define MODE            ENCODING_MODE
#define ARITH           (EFLAGS_OF | EFLAGS_SF | EFLAGS_ZF | EFLAGS_AF | \
                         EFLAGS_PF | EFLAGS_CF)
#define DATA_SIZE       (NATIVE_FAULT - NATIVE_DATA)
#define MIDDLE          (NATIVE_DATA + DATA_SIZE / 2)
#define FS_LIMIT        (MIDDLE - NATIVE_BASE + 0x1ff)  /* half the data */
#define FS_ONE_IN       32              /* how often it is used */
#define FS_PREFIX       0x64
#define ADDR_PREFIX     0x67
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

static unsigned differing;
static struct test_random rnd = { 0x5eed };
static struct native_frame *cpu;
static struct vcpu v;
static struct interp interp;
static uint8_t random_data[DATA_SIZE], target_data[DATA_SIZE];
static uint8_t expected[DATA_SIZE];
static uint8_t memory[NATIVE_SIZE] ALIGNED(4096);

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

    address -= v.cpu.segment[insn->segment].base;
    if (insn->base != GPR_NONE && insn->base != insn->index) {
        v.cpu.gpr[insn->base] += address - now;
    } else if (insn->disp_size == insn->addr_size) {
        uint32_t disp = (uint32_t)insn->disp + address - now;

        memcpy(code + insn->disp_offset, &disp, insn->disp_size);
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
    uint32_t flags = (ARITH | EFLAGS_DF | EFLAGS_IF | EFLAGS_ID) &
                     ~(uint32_t)op->flags_undefined;
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

/* The address cannot be chosen without a base, or if it is the index. */
static bool
can_aim(const struct insn *insn)
{
    return !insn_has_memory(insn) ||
           insn_opcode(insn)->operation == OPERATION_lea ||
           insn->disp_size == insn->addr_size ||
           (insn->base != GPR_NONE && insn->base != insn->index);
}

/* What FS may be; the kernel makes it so with set_thread_area(). */
static void
choose_fs(void)
{
    static const uint16_t types[] = {
        SEG_DATA_W, SEG_DATA_W | SEG_DATA_E, 0,
    };
    struct guest_segment *fs = &v.cpu.segment[SEG_FS];

    fs->base = NATIVE_BASE;
    fs->limit = FS_LIMIT;
    fs->rights = (uint16_t)(RIGHTS_P | RIGHTS_S | RIGHTS_DPL | RIGHTS_DB |
                            SEG_ACCESSED |
                            types[test_random_below(&rnd, ARRAY_LEN(types))]);
    vcpu_derive_segments(&v);
    native_set_fs(fs);
}

/* Move the memory operand of CODE to FS, if that leaves the instruction. */
static void
move_to_fs(uint8_t *code, struct insn *insn)
{
    uint8_t moved[INSN_LENGTH_MAX + 1] = { FS_PREFIX, ADDR_PREFIX };
    unsigned prefixes = test_random_below(&rnd, 2) + 1;
    struct insn decoded;

    if (!insn_has_memory(insn) || insn->addr_size == 2 ||
        (insn->prefixes & PFX_SEG) != 0)
        return;
    memcpy(moved + prefixes, code, INSN_LENGTH_MAX - prefixes);
    if (decode(moved, INSN_LENGTH_MAX, MODE, &decoded) != DECODE_OK ||
        decoded.row != insn->row || decoded.segment != SEG_FS ||
        !can_aim(&decoded))
        return;
    memcpy(code, moved, sizeof(moved));
    *insn = decoded;
    choose_fs();
}

/* No flag from the stack may stop us, or the kernel, at what comes next. */
static void
tame_popf(uint8_t *data)
{
    uint32_t wild = EFLAGS_TF | EFLAGS_NT | EFLAGS_AC;

    for (uint32_t at = v.cpu.gpr[GPR_ESP] - NATIVE_DATA; wild != 0; at++) {
        if (at < DATA_SIZE)
            data[at] &= (uint8_t)~wild;
        wild >>= 8;
    }
}

static void
put_data(const struct opcode *op)
{
    uint8_t *data = memory + (NATIVE_DATA - NATIVE_BASE);

    memcpy(data, is_branch(op) ? target_data : random_data, DATA_SIZE);
    if (op->operation == OPERATION_popf)
        tame_popf(data);
    memcpy((void *)NATIVE_DATA, data, DATA_SIZE);
}

static void
try_one(const struct encoding *seed)
{
    uint8_t code[INSN_LENGTH_MAX + 1];
    enum interp_result result;
    struct insn insn;
    const char *wrong;

    memcpy(code, seed->bytes, sizeof(code));
    random_fpu();
    decode(code, INSN_LENGTH_MAX, MODE, &insn);
    if (test_random_below(&rnd, FS_ONE_IN) == 0)
        move_to_fs(code, &insn);
    for (unsigned n = insn.imm_offset; insn.imm_size > 0 && n < insn.length;
         n++)
        if (insn_opcode(&insn)->class != CLASS_SSE)
            code[n] = (uint8_t)random_value();
    assert_int_equal(decode(code, INSN_LENGTH_MAX, MODE, &insn), DECODE_OK);
    interp_init(&interp, &v);
    choose_registers(code, &insn);
    decode(code, INSN_LENGTH_MAX, MODE, &insn);
    if (goes_to_code(&insn))
        return;
    v.cpu.eip = NATIVE_CODE;
    v.cpu.eflags = (test_random_next(&rnd) & (ARITH | EFLAGS_DF)) |
                   EFLAGS_FIXED | EFLAGS_IF;

    memcpy(memory + (NATIVE_CODE - NATIVE_BASE), code, sizeof(code));
    put_data(insn_opcode(&insn));
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

/* Low memory, where 16-bit addresses are, is not ours; GS is libc's. */
static bool
may_try(const struct insn *insn)
{
    bool is_memory = insn->mem_size != 0 || insn_has_memory(insn);

    return (insn->addr_size == 4 || !is_memory ||
            insn_opcode(insn)->operation == OPERATION_lea) &&
           insn->segment != SEG_FS && insn->segment != SEG_GS &&
           can_aim(insn);
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
    unsigned usable = 0, count = MIN(encoding_count[row][size], ENCODINGS);
    unsigned times = is_fpu ? TIMES / 5 : TIMES;

    for (unsigned n = 0; n < count; n++) {
        struct encoding *seed = &encodings[row][size][n];
        struct insn insn;

        decode(seed->bytes, INSN_LENGTH_MAX, MODE, &insn);
        if (may_try(&insn))
            encodings[row][size][usable++] = *seed;
    }
    for (unsigned n = 0; usable > 0 && n < times && differing < ROW_FAILURES;
         n++)
        try_one(&encodings[row][size][n % usable]);
    return usable > 0 ? times : 0;
}

static bool
is_tested_class(unsigned class)
{
    return class != CLASS_UNDEFINED && class != CLASS_PRIV &&
           class != CLASS_HIDDEN;
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
    find_encodings(&rnd);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
