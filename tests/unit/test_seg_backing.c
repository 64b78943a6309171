/*
 * test_seg_backing.c - what of a segment may reach the machine, and how it is
 * written into a descriptor.
 */
#include "unit/test.h"

#include "unit/fake_loader.h"
#include "vmm/seg/seg_int.h"

#define RIGHTS_DATA (RIGHTS_P | RIGHTS_S | RIGHTS_DB | SEG_ACCESSED)
#define SELECTOR    8u

static const uint32_t bases[] = {
    0, 1, 0xfff, 0x1000, 0x12345, 0x40000000, 0x7fffffff, 0x80000000,
    VMM_BASE - 0x100000, VMM_BASE - 0x1001, VMM_BASE - 0x1000, VMM_BASE - 1,
    VMM_BASE, VMM_BASE + 1, VMM_BASE + 0x1000, 0xfff00000, 0xfffff000,
    0xffffffff,
};

static const uint32_t limits[] = {
    0, 1, 0xfff, 0x1000, 0xfffe, 0xffff, 0x10000, 0xffffe, 0xfffff,
    0x100fff, 0x3fffff, 0x400fff, 0x3fffffff, 0x7fffffff, 0xbfffffff,
    VMM_BASE - 0x1001, VMM_BASE - 1, VMM_BASE + 0xfff, 0xffffefff, 0xffffffff,
};

static const uint32_t kinds[] = {
    RIGHTS_DATA, RIGHTS_DATA | SEG_DATA_W, RIGHTS_DATA | SEG_DATA_E,
    RIGHTS_DATA | SEG_DATA_E | SEG_DATA_W, RIGHTS_DATA & ~RIGHTS_DB,
    (RIGHTS_DATA & ~RIGHTS_DB) | SEG_DATA_E,
};

static struct guest_segment
make(uint32_t base, uint32_t limit, uint32_t rights)
{
    struct guest_segment s = {
        .rights = (uint16_t)rights, .base = base, .limit = limit,
    };

    segment_derive(&s, true);
    return s;
}

/* What the machine makes of S's descriptor, at ring 0. */
static struct fake_segment
machine(const struct guest_segment *s)
{
    union seg_slot table[2] = { 0 };
    const struct fake_tables tables = {
        .gdt = table, .gdt_limit = sizeof(table) - 1,
    };
    struct fake_segment out = { .is_usable = false };

    if (s->rights & RIGHTS_P) {
        assert_true(seg_encode(s, &table[1]));
        assert_true(fake_load(&tables, SEG_DS, SELECTOR, 0, &out));
    }
    return out;
}

/* --- Encoding --------------------------------------------------------------*/

static void
encode_one(uint32_t base, uint32_t limit, uint32_t rights, bool can)
{
    struct guest_segment s = make(base, limit, rights), back;
    union seg_slot slot;

    assert_int_equal(seg_encode(&s, &slot), can);
    if (!can)
        return;
    back = segment_make(SELECTOR, &slot.desc);
    assert_int_equal(back.base, base);
    assert_int_equal(back.limit, limit);
    assert_int_equal((back.rights ^ rights) & RIGHTS_MASK & ~RIGHTS_G, 0);
    assert_int_equal(back.first, s.first);
    assert_int_equal(back.last, s.last);
}

/* All limits that are, and most that are not. */
static void
encode_limits(void **state)
{
    (void)state;
    for (uint32_t n = 0; n <= 0xfffff; n++) {
        uint32_t in_pages = n << 12 | 0xfff;

        encode_one(0x12345678, n, RIGHTS_DATA, true);
        encode_one(0x12345678, in_pages, RIGHTS_DATA, true);
        encode_one(0, in_pages - 1, RIGHTS_DATA, in_pages <= 0x100000);
        encode_one(0, in_pages ^ 0x800, RIGHTS_DATA, in_pages <= 0xfffff);
    }
}

/* G is chosen by the limit, whatever the guest's was; all else is kept. */
static void
encode_rights(void **state)
{
    (void)state;
    for (uint32_t rights = 0; rights <= UINT16_MAX; rights++)
        if ((rights & ~RIGHTS_MASK) == 0)
            for (unsigned n = 0; n < ARRAY_LEN(bases); n++)
                encode_one(bases[n], n & 1 ? 0xffffffff : 0x1234, rights,
                           true);
}

/* --- Backing ---------------------------------------------------------------*/

static bool
is_offset_in(const struct fake_segment *s, uint64_t offset)
{
    return s->is_usable && offset >= s->first && offset <= s->last;
}

static bool
is_safe(const struct fake_segment *s, uint64_t offset)
{
    return (uint32_t)(s->base + offset) < VMM_BASE;
}

/*
 * Offsets at which anything can change: both ends of both segments, the
 * monitor, the wrap; and their neighbours to a page away.
 */
static unsigned
interesting(const struct fake_segment *a, const struct fake_segment *b,
            uint64_t *offsets)
{
    const uint64_t edges[] = {
        0, 0xffff, 0xffffffff, a->first, a->last, b->first, b->last,
        (uint32_t)(VMM_BASE - a->base), (uint32_t)(0 - a->base),
    };
    const int64_t around[] = { -0x1001, -0x1000, -1, 0, 1, 0xfff, 0x1000 };
    unsigned count = 0;

    for (unsigned e = 0; e < ARRAY_LEN(edges); e++)
        for (unsigned n = 0; n < ARRAY_LEN(around); n++)
            offsets[count++] = (uint32_t)(edges[e] + (uint64_t)around[n]);
    return count;
}

/* The backing allows nothing that the guest's does not, nor the monitor. */
static void
check_safety(const struct fake_segment *guest, const struct fake_segment *cut)
{
    uint64_t offsets[100];
    unsigned count = interesting(guest, cut, offsets);

    if (!cut->is_usable)
        return;
    assert_true(cut->base == guest->base && cut->is_big == guest->is_big);
    assert_true(cut->can_write == guest->can_write);
    for (unsigned n = 0; n < count; n++)
        if (is_offset_in(cut, offsets[n])) {
            assert_true(is_offset_in(guest, offsets[n]));
            assert_true(is_safe(guest, offsets[n]));
        }
}

/* Is OFFSET in a part that HALF alone can back?  A page at its end may lack. */
static bool
is_owed(const struct fake_segment *guest, enum seg_half half, uint32_t offset)
{
    uint32_t wrap = 0 - guest->base;
    bool is_behind = guest->base != 0 && offset >= wrap;

    if (!is_offset_in(guest, offset) || !is_safe(guest, offset))
        return false;
    if (half == HALF_LOW)
        return guest->first == 0 && !is_behind &&
               is_safe(guest, (uint64_t)offset + PAGE_SIZE) &&
               (offset + PAGE_SIZE < wrap || guest->base == 0);
    return guest->last == 0xffffffff && guest->is_big && is_behind &&
           guest->base <= VMM_BASE && offset - wrap >= PAGE_SIZE &&
           offset - guest->first >= PAGE_SIZE;
}

static bool
is_whole_safe(const struct fake_segment *s)
{
    return s->first <= s->last && is_safe(s, s->first) &&
           s->last - s->first < VMM_BASE - (uint32_t)(s->base + s->first);
}

/* The half that was wanted, or else the other; all that it owes. */
static void
check_backing(const struct guest_segment *s, enum seg_half half)
{
    struct guest_segment cut = seg_backing(s, half);
    struct fake_segment guest = fake_held(s), found = machine(&cut);
    uint64_t offsets[100];
    unsigned count = interesting(&guest, &found, offsets);
    bool is_high = s->base != 0 && found.first >= 0 - s->base;

    check_safety(&guest, &found);
    if (is_whole_safe(&guest)) {
        assert_true(fake_segment_equal(&guest, &found));
        return;
    }
    for (unsigned n = 0; n < count; n++) {
        uint32_t offset = (uint32_t)offsets[n];

        if (is_owed(&guest, half, offset))
            assert_true(is_offset_in(&found, offset));
        if (is_owed(&guest, !half, offset))
            assert_true(found.is_usable);
        if (found.is_usable && is_owed(&guest, is_high, offset))
            assert_true(is_offset_in(&found, offset));
    }
}

static void
backing_all(void **state)
{
    (void)state;
    for (unsigned b = 0; b < ARRAY_LEN(bases); b++)
        for (unsigned l = 0; l < ARRAY_LEN(limits); l++)
            for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
                struct guest_segment s = make(bases[b], limits[l], kinds[k]);

                check_backing(&s, HALF_LOW);
                check_backing(&s, HALF_HIGH);
            }
}

static void
backing_random(void **state)
{
    struct test_random r = { 0x5e6 };

    (void)state;
    for (unsigned n = 0; n < 300000; n++) {
        uint32_t limit = test_random_next(&r) >> test_random_below(&r, 32);
        uint32_t base = test_random_next(&r) << test_random_below(&r, 32);
        struct guest_segment s =
            make(base, limit > 0xfffff ? limit | 0xfff : limit,
                 kinds[test_random_below(&r, ARRAY_LEN(kinds))]);

        check_backing(&s, HALF_LOW);
        check_backing(&s, HALF_HIGH);
    }
}

static void
expect(struct guest_segment s, enum seg_half half, uint32_t first,
       uint32_t last)
{
    struct guest_segment cut = seg_backing(&s, half);

    assert_int_equal(cut.first, first);
    assert_int_equal(cut.last, last);
    assert_int_equal((cut.rights & RIGHTS_P) != 0, first <= last);
}

/* The segments of known guests. */
static void
backing_known(void **state)
{
    const uint32_t rights = RIGHTS_DATA | SEG_DATA_W;
    struct guest_segment flat = make(0, UINT32_MAX, rights);
    struct guest_segment mach = make(0x40000000, UINT32_MAX, rights);
    struct guest_segment percpu = make(0x36400000, UINT32_MAX, rights);

    (void)state;
    expect(flat, HALF_LOW, 0, VMM_BASE - 1);
    expect(flat, HALF_HIGH, 0, VMM_BASE - 1);
    expect(mach, HALF_LOW, 0, VMM_BASE - 0x40000000 - 1);
    expect(mach, HALF_HIGH, 0xc0000000, UINT32_MAX);
    expect(percpu, HALF_LOW, 0, VMM_BASE - 0x36400000 - 1);
    expect(make(0x9000, 0xffff, rights), HALF_HIGH, 0, 0xffff);
    /* Expand-down: all of 64 KB, or what is behind the wrap. */
    expect(make(0x9000, 0xfff, (rights | SEG_DATA_E) & ~RIGHTS_DB),
           HALF_LOW, 0x1000, 0xffff);
    expect(make(0, 0xfff, rights | SEG_DATA_E), HALF_LOW, 1, 0);
    expect(make(0x40000000, 0xfff, rights | SEG_DATA_E), HALF_LOW,
           0xc0000000, UINT32_MAX);
    expect(make(0x40000000, 0xc0000fff, rights | SEG_DATA_E), HALF_LOW,
           0xc0001000, UINT32_MAX);
    /* Nothing but the monitor; and a base from which nothing ends below. */
    expect(make(VMM_BASE, 0xffff, rights), HALF_LOW, 1, 0);
    expect(make(0xfffff000, UINT32_MAX, rights), HALF_HIGH, 1, 0);
    /* No offset at all. */
    expect(make(0, UINT32_MAX, rights | SEG_DATA_E), HALF_LOW, 1, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode_limits),
        cmocka_unit_test(encode_rights),
        cmocka_unit_test(backing_known),
        cmocka_unit_test(backing_all),
        cmocka_unit_test(backing_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
