/*
 * test_translate_cpu.c - single instructions, translated and interpreted.
 *
 * What ordinary 32-bit kernel code does is compared elsewhere, in programs.
 * Here are the less ordinary surroundings: 16-bit code in a segment with a
 * base, and a GS that is reached through a slot.  One random instruction at a
 * time runs in the translation cache, on the real CPU, and in the interpreter,
 * from the same registers and memory; HLT is behind it and wherever it may
 * branch to.  A fault goes through bt_recover().
 */
#include "unit/test.h"

#include <sys/mman.h>

#include "bt/bt.h"
#include "bt/decode.h"
#include "bt/disasm.h"
#include "unit/fake_guest.h"
#include "unit/fake_native.h"

#define TIMES       20000
#define LINKS       BT_LINK_MIN
#define GUEST_PAGE  (NATIVE_BASE + 0x3000)
#define START       0x200u
#define HLT         0xf4
#define JMP_SIZE    5
#define DATA_SIZE   (NATIVE_FAULT - NATIVE_DATA)
#define MIDDLE      (NATIVE_DATA + DATA_SIZE / 2)
#define MODE_16     (DECODE_16 | DECODE_PROTECTED)
#define MODE_32     (DECODE_32 | DECODE_PROTECTED)
#define FLAGS       (BT_FLAGS_MACHINE)
#define PF_USER     4u
#define FAILURES    5

static struct bt_slots slots;
static struct {
    struct bt_tables t;
    uint32_t links[LINKS];
} tables;
static struct bt_env env;
static struct bt *bt;
static struct bt_code segments;
static struct native_frame *cpu;
static struct vcpu v;
static struct interp interp;
static struct test_random rnd = { 0x16 };
static uint8_t memory[NATIVE_SIZE] ALIGNED(4096);
static uint8_t data[DATA_SIZE], seen[DATA_SIZE];
static unsigned compared, emulated, faulted;

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    (void)context;
    (void)flags;
    *id = 0;
    return ((eip + segments.base) & ~(uint32_t)PAGE_MASK) == GUEST_PAGE
           ? (const uint8_t *)GUEST_PAGE : NULL;
}

static void
start(void)
{
    cpu = native_frame();
    native_catch_signals();
    env = (struct bt_env){
        .slot_segment = SEG_DS, .mode = MODE_32, .cs_rule = SEGMENT_EMULATE,
        .gs_rule = SEGMENT_BY_SLOT, .slots_at = (uint32_t)&slots,
        .tables_at = (uint32_t)&tables, .slots = &slots, .tables = &tables.t,
        .code_size = BT_CODE_MIN, .tu_max = BT_TU_MIN,
        .point_max = BT_POINT_MIN, .link_max = LINKS, .fetch = fetch,
    };
    tables.t.exit = NATIVE_CODE + JMP_SIZE;
    env.code = mmap(NULL, BT_CODE_MIN, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(env.code, MAP_FAILED);
    env.code_at = (uint32_t)env.code;
    bt = bt_init(&env, calloc(1, bt_memory_size(&env)));
    fake_guest_reset(NATIVE_BASE, NATIVE_SIZE, memory);
    for (uint32_t at = NATIVE_FAULT; at < NATIVE_BASE + NATIVE_SIZE;
         at += PAGE_SIZE)
        fake_guest.no_access[(at - NATIVE_BASE) / PAGE_SIZE] = 1;
    for (unsigned n = 0; n < DATA_SIZE; n++)
        data[n] = (uint8_t)test_random_next(&rnd);
}

static uint32_t
random_value(void)
{
    switch (test_random_below(&rnd, 4)) {
    case 0:
        return test_random_next(&rnd);
    case 1:
        return test_random_below(&rnd, 40);
    default:
        return MIDDLE - 1024 + test_random_below(&rnd, 2048);
    }
}

/* An address that the test has, or (with 16 bits) that nobody has. */
static bool
is_ours(uint32_t address)
{
    return address - NATIVE_DATA < NATIVE_BASE + NATIVE_SIZE - NATIVE_DATA -
                                   64 || address < UINT16_MAX;
}

/*
 * Let the memory operand be at ADDRESS (an offset), by base or displacement;
 * false: it is wherever it is.
 */
static bool
aim(uint8_t *code, const struct insn *insn, uint32_t address)
{
    uint32_t now = v.cpu.gpr[insn->base] + (uint32_t)insn->disp +
                   (v.cpu.gpr[insn->index] << insn->scale);
    uint32_t disp = (uint32_t)insn->disp + address - now;

    if (insn->addr_size == 2)
        return true;
    if (insn->base != GPR_NONE && insn->base != insn->index &&
        insn->base != GPR_ESP) {
        v.cpu.gpr[insn->base] += address - now;
        return true;
    }
    if (insn->disp_size != sizeof(disp))
        return is_ours(now);
    memcpy(code + insn->disp_offset, &disp, sizeof(disp));
    return true;
}

/* ... in a segment at BASE; sometimes it faults. */
static uint32_t
random_offset(uint32_t base)
{
    if (test_random_below(&rnd, 16) == 0)
        return NATIVE_FAULT - 8 + test_random_below(&rnd, 16) - base;
    if (base != 0 && test_random_below(&rnd, 3) == 0)
        return test_random_below(&rnd, 72);
    return MIDDLE + test_random_below(&rnd, 1024) - base;
}

static void
set_pointers(const struct insn *insn)
{
    v.cpu.gpr[GPR_ESP] = MIDDLE + test_random_below(&rnd, 256);
    if (insn_opcode(insn)->operation == OPERATION_leave)
        v.cpu.gpr[GPR_EBP] = MIDDLE;
    if (insn_opcode(insn)->class == CLASS_STRING) {
        v.cpu.gpr[GPR_EDI] = MIDDLE + test_random_below(&rnd, 512);
        v.cpu.gpr[GPR_ESI] = MIDDLE + test_random_below(&rnd, 512);
        v.cpu.gpr[GPR_ECX] &= 7;
    }
}

/* The guest before the instruction, in the interpreter and for the slots. */
static void
reset_guest(bool is_16)
{
    uint32_t gs_limit = test_random_below(&rnd, 3) ? UINT32_MAX : 63;

    fake_guest_flat(&v, 0);
    interp_init(&interp, &v);
    for (unsigned n = 0; n < GPR_NONE; n++)
        v.cpu.gpr[n] = random_value();
    v.cpu.eflags = (test_random_next(&rnd) & (FLAGS | EFLAGS_IF)) |
                   EFLAGS_FIXED;
    v.cpu.segment[SEG_CS].base = segments.base;
    if (is_16)
        v.cpu.segment[SEG_CS].rights &= (uint16_t)~RIGHTS_DB;
    v.cpu.segment[SEG_GS].base = NATIVE_DATA + 16;
    v.cpu.segment[SEG_GS].limit = gs_limit;
    vcpu_derive_segments(&v);
    v.cpu.eip = START + (is_16 ? 0 : GUEST_PAGE);
    bt_slots_set_eflags(&slots, v.cpu.eflags);
    for (enum segment s = SEG_ES; s < SEG_NONE; s++)
        bt_slots_set_selector(&slots, s, v.cpu.segment[s].selector, false);
    bt_slots_set_gs(&slots, NATIVE_DATA + 16, gs_limit, true);
}

/* Run the instruction at EIP from the TC. */
static void
run_translated(uint32_t eip)
{
    uint8_t jmp[JMP_SIZE] = { 0xe9 };
    uint32_t distance;

    slots.exit_reason = BT_EXIT_STOP;
    distance = bt_entry(bt, eip) - (NATIVE_CODE + JMP_SIZE);
    memcpy(jmp + 1, &distance, sizeof(distance));
    memcpy(cpu->gpr, v.cpu.gpr, sizeof(cpu->gpr));
    cpu->eflags = bt_machine_eflags(v.cpu.eflags);
    memcpy((void *)NATIVE_DATA, data, DATA_SIZE);
    native_run(jmp, sizeof(jmp), false);
    memcpy(seen, (void *)NATIVE_DATA, DATA_SIZE);
}

/* The guest's state of the machine's, into CPU. */
static void
recover(void)
{
    struct bt_state s = { cpu->eip, cpu->eflags, cpu->gpr[GPR_EAX],
                          cpu->gpr[GPR_ECX], cpu->gpr[GPR_ESP], false };

    if (!cpu->has_fault) {
        cpu->eip = slots.exit_eip;
    } else {
        assert_true(bt_recover(bt, &s));
        cpu->eip = s.eip;
        cpu->eflags = s.eflags;
        cpu->gpr[GPR_EAX] = s.eax;
        cpu->gpr[GPR_ECX] = s.ecx;
        cpu->gpr[GPR_ESP] = s.esp;
    }
    cpu->eflags = bt_slots_eflags(&slots, cpu->eflags);
}

static enum interp_result
run_interpreter(uint32_t eip)
{
    enum interp_result result;

    memcpy(memory + (NATIVE_DATA - NATIVE_BASE), data, DATA_SIZE);
    memcpy(memory + (GUEST_PAGE - NATIVE_BASE), (void *)GUEST_PAGE,
           PAGE_SIZE);
    do {
        result = interp_step(&v);
    } while (result == INTERP_OK && v.cpu.eip == eip);
    return result;
}

static const char *
compare(const struct insn *insn, enum interp_result result)
{
    const struct opcode *op = insn_opcode(insn);
    uint32_t flags = ~(uint32_t)op->flags_undefined;

    if (cpu->has_fault != (result == INTERP_FAULT))
        return "fault";
    if (cpu->has_fault && cpu->vector != v.fault.vector)
        return "vector";
    if (cpu->has_fault && cpu->vector == VEC_PF &&
        ((cpu->error ^ v.fault.error) & ~PF_USER) != 0 &&
        op->operation != OPERATION_cmps)
        return "error";
    if (cpu->eip != v.cpu.eip)
        return "EIP";
    if (op->operation == OPERATION_popa && cpu->has_fault)
        return NULL;                /* some are loaded by then */
    if (memcmp(cpu->gpr, v.cpu.gpr, sizeof(cpu->gpr)) != 0)
        return "register";
    if ((cpu->eflags ^ v.cpu.eflags) & flags)
        return "flag";
    return !cpu->has_fault &&
           memcmp(memory + (NATIVE_DATA - NATIVE_BASE), seen, DATA_SIZE) != 0
           ? "memory" : NULL;
}

/* The classes with handlers that depend on the surroundings. */
static bool
is_in_class(const struct opcode *op)
{
    switch (op->class) {
    case CLASS_IDENT:
        return op->operation != OPERATION_enter;    /* may write anywhere */
    case CLASS_STRING:
    case CLASS_JCC ... CLASS_RET:
    case CLASS_SEG_STORE:
    case CLASS_FLAGS:
        return true;
    default:
        return false;
    }
}

/* Instructions that differ from one time to the next, or never end here. */
static bool
may_try(const struct insn *insn, uint32_t eip)
{
    const struct opcode *op = insn_opcode(insn);
    bool has_target = op->class >= CLASS_JCC && op->class <= CLASS_CALL;

    if (!is_in_class(op) || insn->segment == SEG_FS ||
        op->operation == OPERATION_cache_hint ||
        strncmp(opcode_name(insn->row), "RD", 2) == 0)
        return false;
    /* A register is a distance in bits. */
    if (op->operation >= OPERATION_bt && op->operation <= OPERATION_bts &&
        (op->form & FORM_IMMEDIATE) == 0)
        return false;
    return !has_target ||
           insn_target(insn, eip) - eip >= (uint32_t)insn->length;
}

static bool
choose(uint8_t *code, struct insn *insn, bool is_16)
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x36,
                                        0xf0, 0x67, 0x66 };
    uint32_t eip = START + (is_16 ? 0 : GUEST_PAGE);
    unsigned n = 0;

    for (unsigned i = 0; i < INSN_LENGTH_MAX; i++)
        code[i] = (uint8_t)test_random_next(&rnd);
    if (!is_16)
        code[n++] = 0x65;
    while (n < 4 && test_random_below(&rnd, 2) != 0)
        code[n++] = prefixes[test_random_below(&rnd, sizeof(prefixes))];
    if (test_random_below(&rnd, 4) == 0)
        code[n] = 0x0f;
    return decode(code, INSN_LENGTH_MAX, is_16 ? MODE_16 : MODE_32, insn) ==
               DECODE_OK && may_try(insn, eip) &&
           (is_16 || insn->segment == SEG_GS);
}

static bool
try_one(bool is_16)
{
    uint32_t eip = START + (is_16 ? 0 : GUEST_PAGE);
    uint8_t code[INSN_LENGTH_MAX];
    const char *wrong;
    char text[DISASM_TEXT_MAX];
    struct insn insn;
    struct native_frame frame;

    if (!choose(code, &insn, is_16))
        return true;
    memset((void *)GUEST_PAGE, HLT, PAGE_SIZE);
    bt_flush(bt);
    reset_guest(is_16);
    set_pointers(&insn);
    if (insn_has_memory(&insn) &&
        !aim(code, &insn, random_offset(is_16 ? 0 : NATIVE_DATA + 16)))
        return true;
    memcpy((void *)(GUEST_PAGE + START), code, insn.length);
    run_translated(eip);
    recover();
    if (!cpu->has_fault && slots.exit_eip == eip) {
        emulated++;
        return true;
    }
    frame = *cpu;
    wrong = compare(&insn, run_interpreter(eip));
    *cpu = frame;
    compared++;
    faulted += cpu->has_fault;
    if (wrong == NULL)
        return true;
    disasm(&insn, eip, text, sizeof(text));
    print_message("%s (%u): %s differs; fault %u %u vec %u %u eip %x %x"
                  " flags %x %x\n", text, insn.length, wrong, cpu->has_fault,
                  v.fault.vector, cpu->vector, v.fault.vector, cpu->eip,
                  v.cpu.eip, cpu->eflags, v.cpu.eflags);
    return false;
}

static void
run_all(bool is_16)
{
    unsigned failures = 0;

    start();
    segments = (struct bt_code){ .mode = is_16 ? MODE_16 : MODE_32,
                                 .base = is_16 ? GUEST_PAGE : 0,
                                 .limit = UINT32_MAX };
    assert_true(bt_set_code(bt, &segments));
    compared = emulated = faulted = 0;
    for (unsigned n = 0; n < TIMES && failures < FAILURES; n++)
        failures += !try_one(is_16);
    print_message("%u compared, %u of them faults; %u left\n", compared,
                  faulted, emulated);
    munmap(env.code, BT_CODE_MIN);
    free(bt);
    assert_int_equal(failures, 0);
    assert_true(compared > faulted * 11 / 10);
}

static void
test_16_bit_code(void **state)
{
    (void)state;
    run_all(true);
}

static void
test_gs_by_slot(void **state)
{
    (void)state;
    run_all(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_16_bit_code),
        cmocka_unit_test(test_gs_by_slot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
