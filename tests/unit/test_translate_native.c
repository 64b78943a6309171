/*
 * test_translate_native.c - a kernel's flags, by code that really runs.
 *
 * A guest function is translated as kernel code and called like a C function:
 * its final RET misses in the lookup table and leaves to a stub that goes to
 * slots.exit_eip.  So does an instruction that leaves to its owner; the rest of
 * the function then runs natively, which is why the functions here do nothing
 * that a process may not.
 */
#include "unit/test.h"

#include <sys/mman.h>

#include "bt/bt.h"
#include "bt/decode.h"

#define LINKS      BT_LINK_MIN
#define PAGE_BYTES 4096
#define ROUNDS     20000
#define CANARY     0x1234abcdu

static struct bt_slots slots;
static struct {
    struct bt_tables t;
    uint32_t links[LINKS];
} tables;
static struct bt_env env;
static struct bt *bt;
static uint8_t *guest;

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    (void)context;
    (void)flags;
    *id = eip / PAGE_BYTES;     /* the first page: for 16-bit code */
    return *id == (uint32_t)guest / PAGE_BYTES || *id == 0 ? guest : NULL;
}

static uint8_t *
executable(size_t size)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static int
setup(void **state)
{
    static const uint8_t jmp_indirect[] = { 0xff, 0x25 };
    uint8_t *stub = executable(PAGE_BYTES);
    uint32_t at = (uint32_t)&slots.exit_eip;

    (void)state;
    memcpy(stub, jmp_indirect, sizeof(jmp_indirect));
    memcpy(stub + sizeof(jmp_indirect), &at, sizeof(at));
    tables.t.exit = (uint32_t)stub;
    guest = executable(PAGE_BYTES);
    env = (struct bt_env){
        .slot_segment = SEG_DS, .mode = DECODE_32 | DECODE_PROTECTED,
        .gs_rule = SEGMENT_BY_SLOT,
        .slots_at = (uint32_t)&slots, .tables_at = (uint32_t)&tables,
        .slots = &slots, .tables = &tables.t, .code_size = BT_CODE_MIN,
        .tu_max = BT_TU_MIN, .point_max = BT_POINT_MIN, .link_max = LINKS,
        .fetch = fetch,
    };
    env.code = executable(BT_CODE_MIN);
    env.code_at = (uint32_t)env.code;
    bt = bt_init(&env, calloc(1, bt_memory_size(&env)));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    munmap((void *)tables.t.exit, PAGE_BYTES);
    munmap(guest, PAGE_BYTES);
    munmap(env.code, BT_CODE_MIN);
    free(bt);
    return 0;
}

/* Run the function of SIZE BYTES; what EAX and EDX are then. */
static uint64_t
run(const uint8_t *bytes, size_t size)
{
    uint64_t (*function)(void);

    bt_flush(bt);
    slots.exit_reason = BT_EXIT_STOP;
    memcpy(guest, bytes, size);
    function = (uint64_t (*)(void))bt_entry(bt, (uint32_t)guest);
    return function();
}

#define IMM32(value) \
    (uint8_t)(value), (uint8_t)((value) >> 8), (uint8_t)((value) >> 16), \
    (uint8_t)((value) >> 24)

/* POPF of FLAGS and PUSHF in a kernel whose flags were BEFORE. */
static void
check_popf(uint32_t flags, uint32_t before)
{
    const uint8_t code[] = {
        0x68, IMM32(flags), 0xb9, IMM32(CANARY),    /* push; mov %ecx */
        0x9d, 0x9c, 0x58,                           /* popf; pushf; pop */
        0x89, 0xca, 0xfc, 0xc3,                     /* mov %ecx,%edx; cld */
    };
    uint32_t allowed, expected;
    uint64_t result;

    bt_slots_set_eflags(&slots, before);
    bt_slots_set_pending(&slots, false);
    allowed = flags >> 16 == 0 ? slots.popf[flags >> 8 & UINT8_MAX] : 0;
    result = run(code, sizeof(code));
    if (allowed == 0) {
        assert_int_equal(slots.exit_reason, BT_EXIT_EMULATE);
        return;
    }
    expected = (flags & (BT_FLAGS_ARITH | EFLAGS_IF)) | EFLAGS_FIXED |
               (before & EFLAGS_IOPL);
    assert_int_equal(slots.exit_reason, BT_EXIT_SITE);
    assert_int_equal((uint32_t)result, expected);
    assert_int_equal(result >> 32, CANARY);
    assert_int_equal(slots.iflag, (flags & EFLAGS_IF) + BT_IF_BIAS);
}

/* Others would stop or fault this process: the table has a test of its own. */
static void
test_popf_and_pushf(void **state)
{
    const uint32_t flags = BT_FLAGS_ARITH | EFLAGS_IF | EFLAGS_IOPL;
    struct test_random r = { 11 };

    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        uint32_t popped = test_random_next(&r) & flags;
        uint32_t before = test_random_next(&r) & (EFLAGS_IF | EFLAGS_IOPL);

        if (n % 4 != 0)     /* most of them in line */
            popped = (popped & ~(uint32_t)EFLAGS_IOPL) |
                     (before & EFLAGS_IOPL);
        check_popf(popped | EFLAGS_FIXED, before | EFLAGS_FIXED);
    }
}

/* DF was set in the machine: in-line POPF clears it. */
static void
test_popf_clears_df(void **state)
{
    const uint8_t code[] = {
        0x6a, 0x02, 0xfd, 0x9d, 0x9c, 0x58, 0xfc, 0xc3, /* push; std; popf */
    };

    (void)state;
    bt_slots_set_eflags(&slots, EFLAGS_FIXED);
    assert_int_equal((uint32_t)run(code, sizeof(code)), EFLAGS_FIXED);
    assert_int_equal(slots.exit_reason, BT_EXIT_SITE);
}

static void
test_pushf_shows_the_guests(void **state)
{
    const uint8_t code[] = {
        0xf9, 0x9c, 0x58, 0xba, IMM32(CANARY), 0xc3,    /* stc; pushf; pop */
    };
    struct test_random r = { 12 };

    (void)state;
    for (unsigned n = 0; n < 500; n++) {
        uint32_t system = test_random_next(&r) &
                          (BT_FLAGS_SYSTEM | EFLAGS_IF);

        bt_slots_set_eflags(&slots, system);
        assert_int_equal((uint32_t)run(code, sizeof(code)) & ~BT_FLAGS_ARITH,
                         system | EFLAGS_FIXED);
    }
}

/* mov of selectors and control registers, push and pop of what is the same. */
static void
test_registers_in_slots(void **state)
{
    const uint8_t code[] = {
        0x8c, 0xd8, 0x0f, 0x20, 0xda,       /* mov %ds,%eax; %cr3,%edx */
        0x1e, 0x1f, 0x50, 0x07,             /* push, pop %ds; %eax to %es */
        0x8e, 0xe0, 0xc3,                   /* mov %eax,%fs; ret */
    };
    uint64_t result;

    (void)state;
    bt_slots_set_eflags(&slots, EFLAGS_FIXED);
    bt_slots_set_selector(&slots, SEG_DS, 0x68, true);
    bt_slots_set_selector(&slots, SEG_ES, 0x68, true);
    bt_slots_set_selector(&slots, SEG_FS, 0x68, true);
    bt_slots_set_cr(&slots, 3, CANARY);
    result = run(code, sizeof(code));
    assert_int_equal(result, (uint64_t)CANARY << 32 | 0x68);
    assert_int_equal(slots.exit_reason, BT_EXIT_SITE);
}

static void
test_cli_and_sti(void **state)
{
    static const uint8_t cli[] = { 0xfa, 0xc3 }, sti[] = { 0xfb, 0x90, 0xc3 };

    (void)state;
    bt_slots_set_eflags(&slots, EFLAGS_FIXED | EFLAGS_IF);
    run(cli, sizeof(cli));
    assert_false(bt_slots_eflags(&slots, 0) & EFLAGS_IF);
    run(sti, sizeof(sti));
    assert_true(bt_slots_eflags(&slots, 0) & EFLAGS_IF);
    assert_int_equal(slots.exit_reason, BT_EXIT_SITE);
}

/* Let the first COUNT indirect branches have gone to TARGET often enough. */
static void
teach(unsigned count, uint32_t target)
{
    enum { OFTEN = 64 };

    for (unsigned i = 0; i < count * OFTEN; i++) {
        slots.exit_reason = BT_EXIT_SITE;
        slots.exit_arg = i % count;
        slots.exit_eip = target;
        assert_int_not_equal(bt_entry(bt, target), 0);
    }
}

/* GS is an array of ours, whatever the machine's GS is. */
static void
test_gs_by_slot(void **state)
{
    static const uint8_t code[] = {
        0xb9, 2, 0, 0, 0, 0xba, 8, 0, 0, 0, /* mov $2,%ecx; mov $8,%edx */
        0x65, 0xa1, 20, 0, 0, 0,            /* mov %gs:20,%eax */
        0x65, 0x03, 0x42, 4,                /* add %gs:4(%edx),%eax */
        0x65, 0x89, 0x4c, 0x8a, 4,          /* mov %ecx,4(%edx,%ecx,4) */
        0x65, 0xc6, 0x02, 0x7f,             /* movb $0x7f,%gs:(%edx) */
        0x65, 0x66, 0xff, 0x05, 24, 0, 0, 0, /* incw %gs:24 */
        0x89, 0xca, 0xc3,                   /* mov %ecx,%edx; ret */
    };
    uint32_t array[8] = { 0, 0, 0, 11, 0, 100, UINT32_MAX, 0 };

    (void)state;
    bt_slots_set_gs(&slots, (uint32_t)array, UINT32_MAX, true);
    assert_int_equal(run(code, sizeof(code)), 2ull << 32 | 111);
    assert_int_equal(slots.exit_reason, BT_EXIT_SITE);
    assert_int_equal(array[2], 0x7f);
    assert_int_equal(array[5], 2);
    assert_int_equal(array[6], 0xffff0000);
    assert_int_equal(array[7], 0);
}

/* A sum, by a loop with a call, in 16-bit code on a 32-bit stack. */
static void
test_16_bit_code(void **state)
{
    static const uint8_t code[] = {
        0x66, 0x31, 0xc0, 0xb9, 100, 0,     /* xor %eax,%eax; mov $100,%cx */
        0xe8, 4, 0, 0xe2, 0xfb, 0x66, 0xc3, /* 1: call 2f; loop 1b; retl */
        0x01, 0xc8, 0x53, 0x5b, 0xc3,       /* 2: add %cx,%ax; push, pop */
    };
    struct bt_code segments = { .mode = DECODE_16 | DECODE_PROTECTED,
                                .limit = UINT32_MAX };
    uint32_t (*function)(void);

    (void)state;
    assert_true(bt_set_code(bt, &segments));
    memcpy(guest, code, sizeof(code));
    slots.exit_reason = BT_EXIT_STOP;
    function = (uint32_t (*)(void))bt_entry(bt, 0);
    teach(2, 9);                                /* both returns: to the loop */
    assert_int_equal(function(), 5050);
    assert_int_equal(slots.exit_reason, BT_EXIT_MISS);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_popf_and_pushf),
        TEST(test_popf_clears_df),
        TEST(test_pushf_shows_the_guests),
        TEST(test_registers_in_slots),
        TEST(test_cli_and_sti),
        TEST(test_16_bit_code),
        TEST(test_gs_by_slot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
