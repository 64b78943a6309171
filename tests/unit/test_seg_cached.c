/*
 * test_seg_cached.c - the descriptors that translated code runs on, as a
 * processor would load them.
 */
#include "unit/test.h"

#include "unit/fake_guest.h"
#include "unit/fake_loader.h"
#include "vmm/seg/seg_int.h"

#define CODE_AT     0x1000u

static union seg_slot gdt[SHADOW_SLOTS_MAX], ldt[SHADOW_SLOTS_MAX];
static uint8_t memory[2 * PAGE_SIZE];
static struct vcpu v;
static struct trapframe frame;

static const struct fake_tables machine = {
    .gdt = gdt, .gdt_limit = sizeof(gdt) - 1,
};

static const enum segment cached_registers[] = {
    SEG_ES, SEG_SS, SEG_DS, SEG_FS,
};

static void
start(bool is_truncated)
{
    memset(gdt, 0, sizeof(gdt));
    memset(&frame, 0xee, sizeof(frame));
    fake_guest_reset(CODE_AT, sizeof(memory), memory);
    fake_guest_flat(&v, 0);
    seg_init_at(gdt, ldt, is_truncated);
}

static uint32_t
selector_of(enum segment reg)
{
    const uint32_t selectors[SEG_NONE] = {
        [SEG_ES] = frame.es, [SEG_CS] = frame.cs, [SEG_SS] = frame.ss,
        [SEG_DS] = frame.ds, [SEG_FS] = frame.fs, [SEG_GS] = frame.gs,
    };

    return selectors[reg];
}

/* What the machine has as REG, in the ring that FRAME's CS says. */
static struct fake_segment
loaded(enum segment reg)
{
    struct fake_segment s;

    assert_true(fake_load(&machine, reg, selector_of(reg), frame.cs & 3, &s));
    return s;
}

static void
set(enum segment reg, uint32_t base, uint32_t limit, uint32_t rights)
{
    struct guest_segment *s = &v.cpu.segment[reg];

    s->base = base;
    s->limit = limit;
    s->rights = (uint16_t)rights;
    segment_derive(s, true);
}

/* --- What is the same for all guests ---------------------------------------*/

static void
own_segments(void **state)
{
    (void)state;
    for (unsigned is_truncated = 0; is_truncated < 2; is_truncated++) {
        struct fake_segment cs, gs;

        start(is_truncated);
        assert_true(seg_enter_bt(&v, &frame));
        assert_int_equal(frame.cs & 3, is_truncated ? 1 : 3);
        cs = loaded(SEG_CS);
        assert_true(cs.base == 0 && cs.is_big && cs.last == UINT32_MAX);
        assert_int_equal(cs.can_read, !is_truncated);
        gs = loaded(SEG_GS);
        assert_int_equal(gs.base, VMM_SLOTS_AT);
        assert_true(gs.first == 0 && gs.can_write);
        assert_int_equal(gs.base + gs.last + 1, VMM_UPPER);
    }
}

/* The machine must never want to write to the monitor's table. */
static void
accessed(void **state)
{
    (void)state;
    start(true);
    for (unsigned n = 0; n < ARRAY_LEN(cached_registers); n++)
        v.cpu.segment[cached_registers[n]].rights &= ~SEG_ACCESSED;
    assert_true(seg_enter_bt(&v, &frame));
    for (enum segment reg = 0; reg < SEG_NONE; reg++)
        assert_true(gdt[selector_of(reg) >> 3].desc.type & SEG_ACCESSED);
}

/* --- All kinds of segments -------------------------------------------------*/

/* What the machine should have for what the guest has. */
static struct fake_segment
expected(const struct guest_segment *s, enum segment reg)
{
    struct fake_segment held = fake_held(s);

    if ((s->rights & RIGHTS_S) == 0 || !held.can_read ||
        (reg == SEG_SS && !held.can_write))
        held.is_usable = false;
    held.is_code = false;
    return held;
}

static void
check_register(enum segment reg, bool is_in)
{
    struct fake_segment want = expected(&v.cpu.segment[reg], reg), have;

    if (reg == SEG_SS) {
        assert_int_equal(is_in, want.is_usable);
        if (!is_in)
            return;
    }
    have = loaded(reg);
    assert_true(fake_segment_equal(&want, &have));
}

/* Below the monitor there is no difference between the sandboxes. */
static void
all_rights(void **state)
{
    (void)state;
    for (unsigned is_truncated = 0; is_truncated < 2; is_truncated++)
        for (uint32_t rights = 0; rights <= RIGHTS_MASK; rights++) {
            /* Expand-down to 4 GB reaches the monitor. */
            bool is_down = (rights & (SEG_CODE | SEG_DATA_E)) == SEG_DATA_E;

            if ((rights & ~RIGHTS_MASK) != 0 || (rights & RIGHTS_G) != 0 ||
                (is_truncated && is_down && (rights & RIGHTS_DB)))
                continue;
            start(is_truncated);
            for (unsigned n = 0; n < ARRAY_LEN(cached_registers); n++)
                set(cached_registers[n], 0x12345, 0x4567, rights);
            bool is_in = seg_enter_bt(&v, &frame);

            for (unsigned n = 0; n < ARRAY_LEN(cached_registers); n++)
                check_register(cached_registers[n], is_in);
        }
}

/* In the paging sandbox nothing is cut; what has no descriptor is refused. */
static void
exact_in_paging(void **state)
{
    const uint32_t rights = RIGHTS_P | RIGHTS_S | RIGHTS_DB | SEG_DATA_W;

    (void)state;
    start(false);
    set(SEG_DS, 0x40000000, UINT32_MAX, rights);
    set(SEG_ES, 0, UINT32_MAX, rights);
    set(SEG_FS, VMM_BASE, 0x3fffff, rights | SEG_DATA_E);
    assert_true(seg_enter_bt(&v, &frame));
    check_register(SEG_DS, true);
    check_register(SEG_ES, true);
    check_register(SEG_FS, true);

    set(SEG_DS, 0, 0x123456, rights);
    assert_true(seg_enter_bt(&v, &frame));
    assert_int_equal(frame.ds, 0);
    set(SEG_SS, 0, 0x123456, rights);
    assert_false(seg_enter_bt(&v, &frame));
}

/* A register that changed, and changed back, is seen each time. */
static void
changes(void **state)
{
    const uint32_t rights = RIGHTS_P | RIGHTS_S | RIGHTS_DB | SEG_DATA_W;
    const uint32_t base[] = { 0, 0x1000, 0x1000, 0, 0 };
    const uint32_t limit[] = { 0xffff, 0xffff, 0xfff, 0xfff, 0xffff };

    (void)state;
    start(true);
    for (unsigned n = 0; n < ARRAY_LEN(base); n++) {
        set(SEG_ES, base[n], limit[n], rights);
        set(SEG_FS, base[n], limit[n], rights);
        assert_true(seg_enter_bt(&v, &frame));
        check_register(SEG_ES, true);
        check_register(SEG_FS, true);
        set(SEG_FS, base[n], limit[n], rights & ~SEG_DATA_W);
        assert_true(seg_enter_bt(&v, &frame));
        check_register(SEG_FS, true);
        set(SEG_FS, 0, 0, 0);
        assert_true(seg_enter_bt(&v, &frame));
        assert_int_equal(frame.fs, 0);
    }
}

/* --- Which half ------------------------------------------------------------*/

#define WRAP_BASE   0x40000000u
#define WRAP_RIGHTS (RIGHTS_P | RIGHTS_S | RIGHTS_DB | SEG_DATA_W)

/*
 * The instruction CODE faults, with EAX and so on as the test set them: did a
 * half move?
 */
static bool
fault(const char *code, size_t size)
{
    bool has_moved;

    memcpy(memory, code, size);
    v.cpu.eip = CODE_AT;
    has_moved = seg_on_fault(&v);
    assert_true(seg_enter_bt(&v, &frame));
    return has_moved;
}

#define FAULT(code) fault(code, sizeof(code) - 1)

static bool
has_offset(enum segment reg, uint32_t offset)
{
    struct fake_segment s = loaded(reg);

    return s.is_usable && offset >= s.first && offset <= s.last;
}

static void
start_wrapping(void)
{
    start(true);
    set(SEG_DS, WRAP_BASE, UINT32_MAX, WRAP_RIGHTS);
    set(SEG_ES, WRAP_BASE, UINT32_MAX, WRAP_RIGHTS);
    set(SEG_SS, WRAP_BASE, UINT32_MAX, WRAP_RIGHTS);
    assert_true(seg_enter_bt(&v, &frame));
    assert_true(has_offset(SEG_DS, 0x1000));
    v.cpu.gpr[GPR_ESP] = 0x2000;
}

static void
half_of_operand(void **state)
{
    (void)state;
    start_wrapping();
    v.cpu.gpr[GPR_EAX] = 0xc1000000;
    v.cpu.gpr[GPR_ECX] = 0x1000;
    /* mov (%eax), %edx */
    assert_true(FAULT("\x8b\x10"));
    assert_true(has_offset(SEG_DS, 0xc1000000));
    assert_false(has_offset(SEG_DS, 0x1000));
    assert_true(has_offset(SEG_SS, 0x1000));
    assert_false(FAULT("\x8b\x10"));
    assert_true(has_offset(SEG_DS, 0xc1000000));
    /* mov (%ecx), %edx */
    assert_true(FAULT("\x8b\x11"));
    assert_true(has_offset(SEG_DS, 0x1000));
    /* mov (%bx), %eax */
    assert_false(FAULT("\x67\x8b\x07"));
    assert_true(has_offset(SEG_DS, 0x1000));
    v.cpu.gpr[GPR_ECX] = 0x10000000;
    /* mov -16M(%eax,%ecx,4), %edx */
    assert_false(FAULT("\x8b\x94\x88\x00\x00\x00\xff"));
    assert_true(has_offset(SEG_DS, 0x1000));
    /* mov -16M(%eax,%ecx), %edx */
    assert_true(FAULT("\x8b\x94\x08\x00\x00\x00\xff"));
    assert_true(has_offset(SEG_DS, 0xd0000000));
}

static void
half_of_stack_and_strings(void **state)
{
    (void)state;
    start_wrapping();
    v.cpu.gpr[GPR_ESP] = 0xc1000000;
    /* push %eax */
    assert_true(FAULT("\x50"));
    assert_true(has_offset(SEG_SS, 0xc0ffffff));
    assert_true(has_offset(SEG_DS, 0x1000));
    v.cpu.gpr[GPR_EBP] = 0x1000;
    /* mov (%ebp), %eax */
    assert_true(FAULT("\x8b\x45\x00"));
    assert_true(has_offset(SEG_SS, 0x1000));
    v.cpu.gpr[GPR_ESI] = 0x1000;
    v.cpu.gpr[GPR_EDI] = 0xc2000000;
    /* mov (%esi), %eax */
    assert_true(FAULT("\x8b\x06"));
    assert_true(has_offset(SEG_ES, 0x1000));
    /* movsl */
    assert_true(FAULT("\xa5"));
    assert_true(has_offset(SEG_DS, 0x1000));
    assert_true(has_offset(SEG_ES, 0xc2000000));
}

/* What wraps not has no halves; nor is there anything in the other sandbox. */
static void
half_of_others(void **state)
{
    (void)state;
    start(true);
    v.cpu.gpr[GPR_EAX] = VMM_BASE;
    assert_true(seg_enter_bt(&v, &frame));
    assert_false(FAULT("\x8b\x10"));
    assert_true(has_offset(SEG_DS, VMM_BASE - 1));
    assert_false(has_offset(SEG_DS, VMM_BASE));
    /* ud2 */
    assert_false(FAULT("\x0f\x0b"));
    fake_guest.no_access[0] = 1;
    assert_false(FAULT("\x8b\x10"));
    assert_true(has_offset(SEG_DS, 0));

    start(false);
    set(SEG_DS, WRAP_BASE, UINT32_MAX, WRAP_RIGHTS);
    v.cpu.gpr[GPR_EAX] = 0xc1000000;
    assert_false(FAULT("\x8b\x10"));
    assert_true(has_offset(SEG_DS, 0) && has_offset(SEG_DS, 0xc1000000));
}

/* A hostile guest: any bytes, any registers, any segments. */
static void
half_random(void **state)
{
    struct test_random r = { 0xfa17 };
    unsigned moved = 0;

    (void)state;
    start(true);
    for (unsigned n = 0; n < 20000; n++) {
        for (unsigned i = 0; i < INSN_LENGTH_MAX; i++)
            memory[i] = (uint8_t)test_random_next(&r);
        for (unsigned i = 0; i < GPR_NONE; i++)
            v.cpu.gpr[i] = test_random_next(&r);
        for (enum segment reg = 0; reg < SEG_NONE; reg++)
            if (reg != SEG_CS)
                set(reg, test_random_next(&r), test_random_next(&r) | 0xfff,
                    test_random_next(&r) & RIGHTS_MASK);
        v.cpu.eip = CODE_AT;
        if (seg_on_fault(&v))
            moved++;
        bool is_in = seg_enter_bt(&v, &frame);

        assert_true(gdt[0].word.low == 0 && gdt[0].word.high == 0);
        for (unsigned i = 0; i < ARRAY_LEN(cached_registers); i++) {
            enum segment reg = cached_registers[i];
            struct fake_segment s = { .is_usable = false };

            if (is_in || reg != SEG_SS)
                s = loaded(reg);
            assert_true(!s.is_usable ||
                        (s.base + (uint32_t)s.first < VMM_BASE &&
                         s.last - s.first <
                         VMM_BASE - (s.base + (uint32_t)s.first)));
        }
    }    assert_true(moved > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_segments),
        cmocka_unit_test(accessed),
        cmocka_unit_test(all_rights),
        cmocka_unit_test(exact_in_paging),
        cmocka_unit_test(changes),
        cmocka_unit_test(half_of_operand),
        cmocka_unit_test(half_of_stack_and_strings),
        cmocka_unit_test(half_of_others),
        cmocka_unit_test(half_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
