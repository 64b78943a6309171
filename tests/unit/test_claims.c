/*
 * test_claims.c - which pages of the monitor's 4 MB a guest has memory at.
 */
#include "unit/test.h"

#include "unit/shadow_guest.h"
#include "vmm/mmu/claims.h"

#define LAST            1023u       /* the PDE of the monitor's 4 MB */
#define TOP_PT          5u
#define NO_MEMORY       0x80000u

static struct claims claims;

static int
begin(void **state)
{
    (void)state;
    start(true);
    claims_init(&claims, &f->shadow);
    claims_look(&claims);
    return 0;
}

/* As the monitor does when a trace fires. */
static void
write_top(uint32_t index, uint32_t entry)
{
    set_entry(TOP_PT, index, entry);
    claims_written(&claims, make_ppn(TOP_PT), index * 4, 4);
}

static uint32_t
claimed(void)
{
    return bitmap_count(claims.page, CLAIM_PAGES);
}

static void
test_none(void **state)
{
    (void)state;
    assert_false(claims_look(&claims));
    assert_int_equal(claimed(), 0);
}

static void
test_table(void **state)
{
    (void)state;
    set_entry(TOP_PT, 7, entry_for(DATA, PTE_P));
    set_entry(PD, LAST, entry_for(TOP_PT, ALL));
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 1);
    assert_true(bitmap_test(claims.page, 7));
    assert_true(trace_is_set(&f->shadow, make_ppn(TOP_PT)));
    /* The upper half is no business of ours, but the trace stays. */
    set_entry(TOP_PT, CLAIM_PAGES, entry_for(DATA, ALL));
    assert_true(claims_written(&claims, make_ppn(TOP_PT), CLAIM_PAGES * 4, 4));
    assert_false(claims_look(&claims));
    write_top(CLAIM_PAGES - 1, entry_for(DATA, ALL));
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 2);
    write_top(7, 0);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 1);
    assert_false(claims_written(&claims, make_ppn(PT), 0, 4));
    set_entry(PD, LAST, 0);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 0);
}

/* The same table in another space: nothing to look at. */
static void
test_spaces(void **state)
{
    (void)state;
    set_entry(TOP_PT, 7, entry_for(DATA, PTE_P));
    set_entry(PD, LAST, entry_for(TOP_PT, ALL));
    set_entry(OTHER_PD, LAST, entry_for(TOP_PT, ALL));
    assert_true(claims_look(&claims));
    f->vcpu.cpu.cr3 = OTHER_PD * PAGE_SIZE;
    fake_shadow_switch();
    claims_flush(&claims);
    assert_false(claims_look(&claims));
    set_entry(OTHER_PD, LAST, 0);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 0);
    f->vcpu.cpu.cr3 = PD * PAGE_SIZE;
    fake_shadow_switch();
    claims_flush(&claims);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 1);
}

/* The directory is the table: each PDE is a page. */
static void
test_recursive(void **state)
{
    (void)state;
    set_entry(PD, 3, entry_for(NO_MEMORY, ALL));
    set_entry(PD, LAST, entry_for(PD, ALL));
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 1);
    assert_true(bitmap_test(claims.page, 0));
    set_entry(PD, 5, entry_for(OTHER_PD, ALL));
    assert_true(claims_written(&claims, make_ppn(PD), 5 * 4, 4));
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 2);
}

/* Large pages, and no paging: what is there physically. */
static void
test_direct(void **state)
{
    (void)state;
    set_entry(PD, LAST, LARGE_4M | NO_MEMORY << PAGE_SHIFT);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 0);
    set_entry(PD, LAST, LARGE_4M);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), CLAIM_PAGES);
    f->vcpu.cpu.cr0 &= ~CR0_PG;
    fake_shadow_switch();
    claims_flush(&claims);
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 0);
}

static void
test_pae(void **state)
{
    uint64_t entry = entry_for(TOP_PT, PTE_P);

    (void)state;
    f->vcpu.cpu.cr4 |= CR4_PAE;
    f->vcpu.cpu.pdpte[PDPT_ENTRIES - 1] = entry_for(OTHER_PD, PTE_P);
    fake_shadow_switch();
    claims_flush(&claims);
    assert_false(claims_look(&claims));
    fake_shadow_write(make_gpa(OTHER_PD * PAGE_SIZE + MONITOR_INDEX * 8),
                      &entry, sizeof(entry));
    assert_true(claims_look(&claims));
    assert_int_equal(claimed(), 0);
    entry = entry_for(DATA, PTE_P);
    fake_shadow_write(make_gpa(TOP_PT * PAGE_SIZE + PAGE_SIZE - 8), &entry,
                      sizeof(entry));
    assert_true(claims_written(&claims, make_ppn(TOP_PT), PAGE_SIZE - 8, 8));
    assert_true(claims_look(&claims));
    assert_true(bitmap_test(claims.page, CLAIM_PAGES - 1));
    assert_int_equal(claimed(), 1);
}

#define TEST_CLAIMS(name) cmocka_unit_test_setup_teardown(name, begin, check)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CLAIMS(test_none),
        TEST_CLAIMS(test_table),
        TEST_CLAIMS(test_spaces),
        TEST_CLAIMS(test_recursive),
        TEST_CLAIMS(test_direct),
        TEST_CLAIMS(test_pae),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
