/*
 * test_translate_kernel.c - what becomes of a guest kernel's instructions, and
 * that every address of it leads back to the guest.  Nothing is executed here.
 */
#include "unit/test.h"

#include "bt/bt.h"
#include "bt/decode.h"

#define GUEST_AT 0x8000u
#define CODE_AT  0x10000000u
#define LINKS    BT_LINK_MIN
#define PAGE_BYTES 4096
#define NOP      0x90

static uint8_t page[PAGE_BYTES];
static uint8_t code[BT_CODE_MIN];
static struct bt_slots slots;
static struct bt_tables *tables;
static struct bt_env env;
static struct bt *bt;

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    (void)context;
    (void)flags;
    *id = eip / PAGE_BYTES;
    return eip / PAGE_BYTES == GUEST_AT / PAGE_BYTES ? page : NULL;
}

static void
start(void)
{
    tables = calloc(1, sizeof(*tables) + LINKS * sizeof(uint32_t));
    env = (struct bt_env){
        .slot_segment = SEG_GS, .callout = CALLOUT_INT,
        .callout_vector = 0x40, .cs_rule = SEGMENT_AS_DS,
        .gs_rule = SEGMENT_EMULATE, .mode = DECODE_32 | DECODE_PROTECTED,
        .slots_at = 0x1000, .tables_at = 0x20000, .code_at = CODE_AT,
        .code = code, .slots = &slots, .tables = tables,
        .code_size = BT_CODE_MIN, .tu_max = BT_TU_MIN,
        .point_max = BT_POINT_MIN, .link_max = LINKS, .fetch = fetch,
    };
    memset(&slots, 0, sizeof(slots));
    bt_slots_set_eflags(&slots, EFLAGS_FIXED);
    bt = bt_init(&env, calloc(1, bt_memory_size(&env)));
    memset(page, NOP, sizeof(page));
}

static int
setup(void **state)
{
    (void)state;
    start();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    free(bt);
    free(tables);
    return 0;
}

/* The TC's instruction at AT. */
static struct insn
emitted(uint32_t at)
{
    struct insn insn;

    assert_int_equal(decode(code + (at - CODE_AT), INSN_LENGTH_MAX,
                            DECODE_32 | DECODE_PROTECTED, &insn), DECODE_OK);
    return insn;
}

static bool
is(const struct insn *insn, enum operation operation)
{
    return insn_opcode(insn)->operation == operation;
}

#define SLOT_ECX  0xec0u
#define SLOT_EAX  0xea0u
#define LIVE_ECX  0x1ecu
#define LIVE_EAX  0x1eau
#define LIVE_ESP  0x5000u

static struct bt_state
recovered(uint32_t at)
{
    struct bt_state s = { .eip = at, .eax = LIVE_EAX, .ecx = LIVE_ECX,
                          .esp = LIVE_ESP };

    slots.ecx = SLOT_ECX;
    slots.eax = SLOT_EAX;
    assert_true(bt_recover(bt, &s));
    return s;
}

/* The address of the first emitted OPERATION from AT on. */
static uint32_t
find(uint32_t at, enum operation operation)
{
    for (unsigned i = 0; i < 64; i++) {
        struct insn insn = emitted(at);

        if (is(&insn, operation))
            return at;
        at += insn.length;
    }
    fail_msg("no operation %d", operation);
    return 0;
}

static void
test_cli_is_a_store(void **state)
{
    struct insn insn;
    uint32_t at;

    (void)state;
    page[0] = 0xfa;
    at = bt_entry(bt, GUEST_AT);
    insn = emitted(at);
    assert_true(is(&insn, OPERATION_mov));
    assert_int_equal(insn.segment, SEG_GS);
    assert_int_equal(insn.disp, env.slots_at +
                     offsetof(struct bt_slots, iflag));
    assert_int_equal(insn.imm, BT_IF_BIAS);
    assert_int_equal(recovered(at).eip, GUEST_AT);
    assert_int_equal(recovered(at + insn.length).eip, GUEST_AT + 1);
    assert_false(recovered(at + insn.length).is_shadow);
}

static void
test_sti_has_a_shadow_of_one_instruction(void **state)
{
    uint32_t at, land;
    struct insn jecxz, store;

    (void)state;
    page[0] = 0xfb;
    at = bt_entry(bt, GUEST_AT);
    at = find(at, OPERATION_jcxz);
    assert_int_equal(recovered(at).eip, GUEST_AT);
    assert_int_equal(recovered(at).ecx, SLOT_ECX);
    jecxz = emitted(at);
    land = insn_target(&jecxz, at);
    do {
        assert_int_equal(recovered(land).eip, GUEST_AT);
        assert_false(recovered(land).is_shadow);
        store = emitted(land);
        land += store.length;
    } while (store.imm_size == 0);
    assert_int_equal(store.imm, EFLAGS_IF + BT_IF_BIAS);
    assert_int_equal(recovered(land).eip, GUEST_AT + 1);
    assert_int_equal(recovered(land).ecx, SLOT_ECX);
    assert_true(recovered(land).is_shadow);
    slots.old_iflag = EFLAGS_IF + BT_IF_BIAS;       /* IF was set already */
    assert_false(recovered(land).is_shadow);
    slots.old_iflag = BT_IF_BIAS;
    land += emitted(land).length;
    assert_int_equal(code[land - CODE_AT], NOP);
    assert_int_equal(recovered(land).ecx, LIVE_ECX);
    assert_true(recovered(land).is_shadow);
    assert_int_equal(recovered(land + 1).eip, GUEST_AT + 2);
    assert_false(recovered(land + 1).is_shadow);
}

/* The second one finds IF set. */
static void
test_sti_behind_sti_does_nothing(void **state)
{
    uint32_t at;

    (void)state;
    page[0] = page[1] = 0xfb;
    page[2] = 0xf5;
    at = find(bt_entry(bt, GUEST_AT), OPERATION_cmc);
    assert_int_equal(recovered(at).eip, GUEST_AT + 2);
    assert_false(recovered(at).is_shadow);
}

/* The reason that the exit at or behind AT gives. */
static uint32_t
exit_reason(uint32_t at)
{
    uint32_t slot = env.slots_at + offsetof(struct bt_slots, exit_reason);

    for (;;) {
        struct insn insn = emitted(at);

        if (is(&insn, OPERATION_mov) && (uint32_t)insn.disp == slot)
            return insn.imm;
        assert_false(is(&insn, OPERATION_int_n));
        at += insn.length;
    }
}

static void
test_hlt_behind_sti_leaves_with_the_shadow(void **state)
{
    uint32_t at;

    (void)state;
    page[0] = 0xfb;
    page[1] = 0xf4;
    at = bt_entry(bt, GUEST_AT);
    at = find(at, OPERATION_jcxz);
    at += emitted(at).length;
    at = find(at, OPERATION_jmp_rel);   /* the slow way out */
    assert_int_equal(exit_reason(at + emitted(at).length),
                     BT_EXIT_EMULATE | BT_EXIT_SHADOW);
}

/* Wherever an STI is, the instruction behind it is in the same unit. */
static void
test_sti_does_not_end_a_unit(void **state)
{
    uint32_t at, next;

    (void)state;
    for (unsigned n = 0; n < 30; n++) {
        bt_flush(bt);
        memset(page, NOP, sizeof(page));
        page[n] = 0xfb;
        page[n + 1] = 0xf5;             /* cmc */
        bt_entry(bt, GUEST_AT + n + 1); /* a unit of its own */
        at = find(bt_entry(bt, GUEST_AT + n), OPERATION_jcxz);
        next = find(at, OPERATION_cmc);
        assert_int_equal(recovered(next).eip, GUEST_AT + n + 1);
        assert_true(recovered(next).is_shadow);
        bt_flush(bt);
        at = find(bt_entry(bt, GUEST_AT), OPERATION_cmc);
        assert_true(recovered(at).is_shadow);
    }
    page[sizeof(page) - 1] = 0xfb;      /* nothing behind it */
    at = bt_entry(bt, GUEST_AT + sizeof(page) - 1);
    assert_int_equal(exit_reason(at), BT_EXIT_EMULATE);
}

static void
test_pushf_is_undone(void **state)
{
    struct bt_state s;
    uint32_t at, end;

    (void)state;
    page[0] = 0x9c;
    page[1] = 0xf5;
    at = bt_entry(bt, GUEST_AT);
    end = find(at, OPERATION_cmc);
    assert_int_equal(code[at - CODE_AT], 0x9c);
    assert_int_equal(recovered(at).esp, LIVE_ESP);
    s = recovered(at + 1);
    assert_int_equal(s.eip, GUEST_AT);
    assert_int_equal(s.esp, LIVE_ESP + 4);
    assert_int_equal(s.ecx, LIVE_ECX);
    for (at++; at < end; at += emitted(at).length) {
        s = recovered(at);
        if (s.eip == GUEST_AT)
            assert_int_equal(s.esp, LIVE_ESP + 4);
        else
            assert_int_equal(s.esp, LIVE_ESP);
    }
    assert_int_equal(s.eip, GUEST_AT + 1);
    assert_int_equal(s.ecx, SLOT_ECX);
    assert_int_equal(s.eax, SLOT_EAX);
}

static void
test_popf_is_finished(void **state)
{
    const uint32_t popped = EFLAGS_CF | EFLAGS_OF | EFLAGS_NT | EFLAGS_VM;
    struct bt_state s;
    uint32_t at, end;

    (void)state;
    page[0] = 0x9d;
    page[1] = 0xf5;
    at = find(bt_entry(bt, GUEST_AT), OPERATION_alu_add);
    end = find(at, OPERATION_cmc);
    slots.flags = popped;
    for (; at < end; at += emitted(at).length) {
        s = (struct bt_state){ .eip = at, .esp = LIVE_ESP,
                               .eflags = EFLAGS_IF | EFLAGS_ZF };
        assert_true(bt_recover(bt, &s));
        assert_int_equal(s.eip, GUEST_AT + 1);
        assert_int_equal(s.ecx, slots.ecx);
        assert_int_equal(s.eax, slots.eax);
        assert_int_equal(s.esp, LIVE_ESP);
        assert_int_equal(s.eflags, EFLAGS_IF | EFLAGS_CF | EFLAGS_OF);
        assert_false(s.is_shadow);
    }
}

/* Before its one commit, which is a store of ECX, all of it is undone. */
static void
test_popf_is_undone(void **state)
{
    uint32_t at, end, flags;
    bool is_popped = false;
    struct bt_state s;

    (void)state;
    page[0] = 0x9d;
    at = bt_entry(bt, GUEST_AT);
    end = find(at, OPERATION_alu_add);
    for (; at < end; at += emitted(at).length) {
        struct insn insn = emitted(at);

        flags = recovered(at).eflags;
        assert_int_equal(flags, 0);
        s = recovered(at);
        if (s.eip != GUEST_AT)
            break;
        assert_int_equal(s.esp, is_popped ? LIVE_ESP - 4 : LIVE_ESP);
        is_popped |= is(&insn, OPERATION_lea) && insn.base == GPR_ESP;
    }
    assert_true(is_popped);
    assert_int_equal(at, end);
}

/* --- All in-line sequences -------------------------------------------------*/

/* In kernel code, 32 bits; each is one instruction. */
static const struct {
    const char *name;
    uint8_t length;
    uint8_t bytes[9];
} in_line[] = {
    { "cli", 1, { 0xfa } },
    { "sti", 1, { 0xfb } },
    { "pushf", 1, { 0x9c } },
    { "popf", 1, { 0x9d } },
    { "mov %ds, %eax", 2, { 0x8c, 0xd8 } },
    { "mov %cs, %ecx", 2, { 0x8c, 0xc9 } },
    { "mov %ss, %dx", 3, { 0x66, 0x8c, 0xd2 } },
    { "mov %es, (%ebx)", 2, { 0x8c, 0x03 } },
    { "mov %gs, 8(%ecx)", 3, { 0x8c, 0x69, 0x08 } },
    { "mov %cs:(%eax,%edx), %fs", 4, { 0x2e, 0x8e, 0x24, 0x10 } },
    { "mov %ds, (%bx,%si)", 3, { 0x67, 0x8c, 0x18 } },
    { "push %cs", 1, { 0x0e } },
    { "push %gs", 2, { 0x0f, 0xa8 } },
    { "pushw %es", 2, { 0x66, 0x06 } },
    { "mov %eax, %ds", 2, { 0x8e, 0xd8 } },
    { "mov %ecx, %es", 2, { 0x8e, 0xc1 } },
    { "mov 4(%ecx,%eax,2), %fs", 4, { 0x8e, 0x64, 0x41, 0x04 } },
    { "rep opsize mov (%edx), %ds", 4, { 0xf3, 0x66, 0x8e, 0x1a } },
    { "pop %ds", 1, { 0x1f } },
    { "popw %gs", 3, { 0x66, 0x0f, 0xa9 } },
    { "mov %gs:20, %eax", 6, { 0x65, 0xa1, 20 } },
    { "mov %gs:20, %ecx", 7, { 0x65, 0x8b, 0x0d, 20 } },
    { "xor %gs:(%ebx,%ecx,4), %dl", 4, { 0x65, 0x32, 0x14, 0x8b } },
    { "lock addw %cx, %gs:4(%edx)", 6, { 0xf0, 0x66, 0x65, 0x01, 0x4a, 4 } },
    { "push %gs:(%edi)", 3, { 0x65, 0xff, 0x37 } },
    { "mov %cr0, %eax", 3, { 0x0f, 0x20, 0xc0 } },
    { "mov %cr3, %ecx", 3, { 0x0f, 0x20, 0xd9 } },
};

/* Does INSN write general register REG, as its first operand? */
static bool
writes(const struct insn *insn, enum gpr reg)
{
    const struct opcode *opcode = insn_opcode(insn);
    unsigned kind = operand_infos[opcode->operands[0]].kind;

    if ((opcode->access & ACCESS_W) == 0)
        return false;
    return (kind == KIND_GPR_REG && insn_reg(insn) == reg) ||
           (kind == KIND_GPR_RM && !insn_has_memory(insn) &&
            insn_rm(insn) == reg);
}

/* Is REG, after INSN, the guest's again? */
static bool
restores(const struct insn *insn, enum gpr reg)
{
    uint32_t slot = env.slots_at + (reg == GPR_ECX
                                    ? offsetof(struct bt_slots, ecx)
                                    : offsetof(struct bt_slots, eax));

    return is(insn, OPERATION_mov) && insn_has_memory(insn) &&
           insn->base == GPR_NONE && (uint32_t)insn->disp == slot &&
           writes(insn, reg);
}

/* Follow REG through the sequence from AT to END of guest instruction I. */
static void
check_register(unsigned i, uint32_t at, uint32_t end, enum gpr reg)
{
    uint32_t in_slot = reg == GPR_ECX ? SLOT_ECX : SLOT_EAX;
    bool is_scratch = false;

    for (; at < end; at += emitted(at).length) {
        struct insn insn = emitted(at);
        struct bt_state s = recovered(at);
        uint32_t value = reg == GPR_ECX ? s.ecx : s.eax;

        if (s.eip != GUEST_AT && s.eip != GUEST_AT + in_line[i].length)
            fail_msg("%s: recovered to %#x", in_line[i].name, s.eip);
        if (is_scratch && value != in_slot)
            fail_msg("%s: register %d is lost", in_line[i].name, reg);
        if (restores(&insn, reg))
            is_scratch = false;
        else if (writes(&insn, reg) &&
                 recovered(at + insn.length).eip == GUEST_AT)
            is_scratch = true;          /* not the instruction's result */
    }
}

static void
test_scratch_registers_come_back(void **state)
{
    uint32_t at, end;

    (void)state;
    env.gs_rule = SEGMENT_BY_SLOT;
    for (unsigned i = 0; i < ARRAY_LEN(in_line); i++) {
        bt_flush(bt);
        memset(page, NOP, sizeof(page));
        memcpy(page, in_line[i].bytes, in_line[i].length);
        page[in_line[i].length] = 0xf5;         /* cmc */
        at = bt_entry(bt, GUEST_AT);
        end = find(at, OPERATION_cmc);
        assert_true(end - at <= 132);
        assert_int_equal(recovered(at).eip, GUEST_AT);
        assert_int_equal(recovered(end).eip, GUEST_AT + in_line[i].length);
        assert_int_equal(recovered(end).ecx, LIVE_ECX);
        assert_int_equal(recovered(end).eax, LIVE_EAX);
        check_register(i, at, end, GPR_ECX);
        check_register(i, at, end, GPR_EAX);
    }
}

/* What must leave before it has begun. */
static void
test_the_rest_leaves(void **state)
{
    static const uint8_t rest[][4] = {
        { 0x66, 0x9c }, { 0x66, 0x9d },         /* pushfw, popfw */
        { 0x8e, 0xd0 }, { 0x17 },               /* mov and pop to %ss */
        { 0x65, 0x8c, 0x18 },                   /* mov %ds, %gs:(%eax) */
        { 0x65, 0x8e, 0x18 },                   /* and back */
        { 0x2e, 0x8c, 0x18 },                   /* mov %ds, %cs:(%eax) */
        { 0x65, 0x03, 0x0c, 0x02 },     /* add %gs:(%edx,%eax), %ecx */
        { 0x65, 0xa4 }, { 0x65, 0xd7 }, /* movsb, xlat through %gs */
        { 0x65, 0x8b, 0x04, 0x24 },     /* mov %gs:(%esp), %eax */
        { 0x8c, 0x1c, 0x08 },                   /* mov %ds, (%eax,%ecx) */
        { 0x0f, 0x22, 0xd8 }, { 0x0f, 0x31 },   /* to %cr3, rdtsc */
        { 0x0f, 0xa2 }, { 0xec }, { 0xcf },     /* cpuid, in, iret */
        { 0x0f, 0x01, 0xe0 }, { 0x0f, 0x02, 0xc0 }, /* smsw, lar */
        { 0x0f, 0x33 }, { 0x6c }, { 0x0f, 0x06 },   /* rdpmc, insb, clts */
    };

    (void)state;
    env.gs_rule = SEGMENT_BY_SLOT;
    for (unsigned i = 0; i < ARRAY_LEN(rest); i++) {
        bt_flush(bt);
        memset(page, NOP, sizeof(page));
        memcpy(page, rest[i], sizeof(rest[i]));
        assert_int_equal(exit_reason(bt_entry(bt, GUEST_AT)),
                         BT_EXIT_EMULATE);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_cli_is_a_store),
        TEST(test_sti_has_a_shadow_of_one_instruction),
        TEST(test_sti_behind_sti_does_nothing),
        TEST(test_hlt_behind_sti_leaves_with_the_shadow),
        TEST(test_sti_does_not_end_a_unit),
        TEST(test_pushf_is_undone),
        TEST(test_popf_is_finished),
        TEST(test_popf_is_undone),
        TEST(test_scratch_registers_come_back),
        TEST(test_the_rest_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
