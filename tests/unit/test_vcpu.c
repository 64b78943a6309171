/*
 * test_vcpu.c - vmm/vcpu.c: power-on state, derived segments, saved fields.
 */
#include "unit/test.h"

#include "kernel/x86/descriptor.h"
#include "vmm/guest_mem.h"
#include "vmm/vcpu.h"

#define RW      (ALLOW_READ | ALLOW_WRITE)
#define USABLE  (RIGHTS_P | RIGHTS_S)

static void
power_on(void **state)
{
    struct vcpu v;
    const struct guest_segment *cs = &v.cpu.segment[SEG_CS];

    (void)state;
    memset(&v, 0xa5, sizeof(v));
    vcpu_reset(&v);
    assert_false(vcpu_is_protected(&v));
    assert_int_equal(gla_raw(segment_linear(cs, v.cpu.eip)), 0xfffffff0);
    assert_true(segment_permits(cs, 0xffff, 1, RW | ALLOW_EXECUTE));
    assert_false(segment_permits(cs, 0xffff, 2, ALLOW_READ));
    assert_int_equal(v.cpu.cr0, 0x60000010);
    assert_int_equal(v.cpu.eflags, 2);
    assert_int_equal(v.cpu.cpl, 0);
    assert_int_equal(v.cpu.gpr[GPR_NONE], 0);
    assert_int_equal(v.attention, 0);
}

/* Each offset from a to b exists, the ones around do not. */
static void
check_range(const struct guest_segment *s, uint32_t a, uint32_t b)
{
    assert_true(segment_permits(s, a, 1, ALLOW_READ));
    assert_true(segment_permits(s, b, 1, ALLOW_READ));
    assert_true(segment_permits(s, b - 3, 4, ALLOW_READ));
    if (a > 0)
        assert_false(segment_permits(s, a - 1, 4, ALLOW_READ));
    assert_false(segment_permits(s, b - 2, 4, ALLOW_READ));
    assert_false(segment_permits(s, b, 2, ALLOW_READ));
    if (b < UINT32_MAX)
        assert_false(segment_permits(s, b + 1, 1, ALLOW_READ));
    /* A size that reaches around 4 GB does not come back into the segment. */
    assert_false(segment_permits(s, b - 3, UINT32_MAX, ALLOW_READ));
}

static void
limits(void **state)
{
    struct guest_segment s = { .rights = USABLE | SEG_DATA_W, .limit = 0xfff };

    (void)state;
    segment_derive(&s, true);
    check_range(&s, 0, 0xfff);
    s.limit = UINT32_MAX;
    segment_derive(&s, true);
    check_range(&s, 0, UINT32_MAX);
    assert_true(segment_is_flat(&s));
    s.base = 0x40000000;
    assert_false(segment_is_flat(&s));

    s = (struct guest_segment){ .rights = USABLE | SEG_DATA_W | SEG_DATA_E,
                                .limit = 0xfff };
    segment_derive(&s, true);
    check_range(&s, 0x1000, 0xffff);
    s.rights |= RIGHTS_DB;
    segment_derive(&s, true);
    check_range(&s, 0x1000, UINT32_MAX);
    s.limit = UINT32_MAX;
    segment_derive(&s, true);
    assert_false(segment_permits(&s, 0, 1, ALLOW_READ));
    assert_false(segment_permits(&s, UINT32_MAX, 1, ALLOW_READ));
}

static void
rights(void **state)
{
    static const struct {
        unsigned type, allow;
    } samples[] = {
        { 0, ALLOW_READ },
        { SEG_DATA_W, RW },
        { SEG_CODE, ALLOW_EXECUTE },
        { SEG_CODE | SEG_CODE_R, ALLOW_READ | ALLOW_EXECUTE },
        { SEG_CODE | SEG_CODE_C, ALLOW_EXECUTE },
    };
    struct guest_segment s = { .limit = 0xffff };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        s.rights = (uint16_t)(USABLE | samples[i].type);
        segment_derive(&s, true);
        assert_int_equal(s.allow, samples[i].allow);
        assert_int_equal(s.last, 0xffff);
        segment_derive(&s, false);
        assert_int_equal(s.allow, RW | ALLOW_EXECUTE);
    }
    s.rights = 0;
    segment_derive(&s, true);
    assert_false(segment_permits(&s, 0, 1, 0));
}

/* Every byte of struct guest_cpu is a field, and in order. */
static void
nothing_forgotten(void **state)
{
    static const struct {
        const char *name;
        size_t offset, size;
    } fields[] = {
#define FIELD(name, since)                                                \
        { #name, offsetof(struct guest_cpu, name),                        \
          sizeof(((struct guest_cpu *)NULL)->name) },
#include "vmm/vcpu_fields.def"
#undef FIELD
    };
    size_t end = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i].offset != end)
            fail_msg("%s at %zu, not %zu", fields[i].name, fields[i].offset,
                     end);
        end += fields[i].size;
    }
    assert_in_range(sizeof(struct guest_cpu) - end, 0, 15);
}

static void
faults(void **state)
{
    struct vcpu v = { .fault = { .vector = VEC_DE } };

    (void)state;
    assert_false(vcpu_fault_error(&v, VEC_GP, 0x18));
    assert_int_equal(v.fault.vector, VEC_GP);
    assert_true(v.fault.has_error);
    assert_int_equal(v.fault.error, 0x18);
    assert_false(vcpu_fault(&v, VEC_UD));
    assert_false(v.fault.has_error);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_on),
        cmocka_unit_test(limits),
        cmocka_unit_test(rights),
        cmocka_unit_test(nothing_forgotten),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
