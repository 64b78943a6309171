/*
 * test_shadow.c - the shadow MMU by hand: one test for each thing that guests
 * do with page tables and that a shadow can get wrong.
 */
#include "unit/test.h"

#include "unit/shadow_guest.h"

static void
test_hidden_and_true(void **state)
{
    (void)state;
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    assert_int_equal(faults_of(3, GUEST_READ), 0);
    set_entry(PT, 40, 0);
    assert_int_equal(touch(40, GUEST_WRITE), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_W);
    assert_int_equal(gla_raw(f->vcpu.fault.address), 40 * PAGE_SIZE);
    set_entry(PT, 4, entry_for(DATA, PTE_P));
    fake_shadow_set_cpl(USER);
    assert_int_equal(touch(4, GUEST_READ), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_P | PF_ERR_U);
}

static void
test_accessed_and_dirty(void **state)
{
    (void)state;
    touch(3, GUEST_READ);
    assert_int_equal(get_entry(PD, 0) & (PTE_A | PTE_D), PTE_A);
    assert_int_equal(get_entry(PT, 3) & (PTE_A | PTE_D), PTE_A);
    assert_int_equal(get_entry(PT, 4) & (PTE_A | PTE_D), 0);
    assert_int_equal(faults_of(3, GUEST_WRITE), 1);
    assert_int_equal(get_entry(PT, 3) & (PTE_A | PTE_D), PTE_A | PTE_D);
    /* Cleared and flushed: the next access sets it again. */
    set_entry(PT, 3, entry_for(DATA + 3, ALL | PTE_D));
    shadow_invlpg(&f->shadow, make_gla(3 * PAGE_SIZE));
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    assert_true(get_entry(PT, 3) & PTE_A);
    set_entry(PT, 3, entry_for(DATA + 3, ALL | PTE_A));
    shadow_invlpg(&f->shadow, make_gla(3 * PAGE_SIZE));
    assert_int_equal(faults_of(3, GUEST_WRITE), 1);
    assert_true(get_entry(PT, 3) & PTE_D);
    /* A in the PDE, too. */
    set_entry(PD, 0, entry_for(PT, ALL));
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    assert_true(get_entry(PD, 0) & PTE_A);
}

/* Without INVLPG the old page may still be seen; with it, not. */
static void
test_stale_tlb(void **state)
{
    ppn_t ppn;

    (void)state;
    touch(3, GUEST_WRITE);
    set_entry(PT, 3, entry_for(DATA + 9, ALL | PTE_A | PTE_D));
    assert_int_equal(touch(3, GUEST_READ), FAKE_STALE);
    shadow_invlpg(&f->shadow, make_gla(3 * PAGE_SIZE));
    assert_int_equal(fake_shadow_access(make_gla(3 * PAGE_SIZE), GUEST_READ,
                                        &ppn), FAKE_DONE);
    assert_int_equal(ppn_raw(ppn), DATA + 9);
    /* A page that gets a trace is not written through a stale entry. */
    touch(5, GUEST_WRITE);
    set_entry(PT, 5, 0);
    trace_set(&f->shadow, make_ppn(DATA + 5));
    assert_int_equal(touch(5, GUEST_WRITE), FAKE_FAULT);
}

/* The shadow of a PTE that is written as accessed needs no fault. */
static void
test_filled_by_write(void **state)
{
    (void)state;
    touch(3, GUEST_READ);
    set_entry(PT, 20, entry_for(DATA + 20, ALL | PTE_A | PTE_D));
    assert_int_equal(faults_of(20, GUEST_WRITE), 0);
    set_entry(PT, 21, entry_for(DATA + 21, ALL));
    assert_int_equal(faults_of(21, GUEST_READ), 1);
}

static void
test_write_protect(void **state)
{
    (void)state;
    set_entry(PT, 3, entry_for(DATA + 3, PTE_P));
    assert_int_equal(touch(3, GUEST_WRITE), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_P | PF_ERR_W);
    /* WP = 0: the supervisor may; the hardware's WP stays 1. */
    f->vcpu.cpu.cr0 &= ~CR0_WP;
    fake_shadow_switch();
    assert_int_equal(touch(3, GUEST_WRITE), FAKE_EMULATE);
    assert_int_equal(touch(3, GUEST_READ), FAKE_DONE);
    fake_shadow_set_cpl(USER);
    assert_int_equal(touch(3, GUEST_WRITE), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_P | PF_ERR_W | PF_ERR_U);
}

/* A table in its own address space: reads are free, writes are traced. */
static void
test_table_mapped(void **state)
{
    uint64_t entry = entry_for(DATA + 30, ALL | PTE_A);
    struct guest_mapping mapping;

    (void)state;
    set_entry(PT, 8, entry_for(PT, ALL));
    assert_int_equal(touch(8, GUEST_READ), FAKE_DONE);
    assert_int_equal(touch(8, GUEST_WRITE), FAKE_EMULATE);
    assert_true(guest_walk(&f->vcpu, make_gla(8 * PAGE_SIZE + 9 * 4),
                           GUEST_WRITE, &mapping));
    fake_shadow_write(mapping.at, &entry, 4);
    assert_int_equal(get_entry(PT, 9), entry);
    assert_int_equal(faults_of(9, GUEST_READ), 0);
}

/* A PD that is its own last PT but one: entries are seen as pages. */
static void
test_recursive(void **state)
{
    const uint32_t at = 1000u << 10;        /* linear pages of entry 1000 */

    (void)state;
    set_entry(PD, 1000, entry_for(PD, ALL));
    assert_int_equal(touch(at + 0, GUEST_READ), FAKE_DONE);     /* the PT */
    assert_int_equal(touch(at + 0, GUEST_WRITE), FAKE_DONE);
    /* Until it is walked as a table: then it is traced. */
    assert_int_equal(touch(1, GUEST_READ), FAKE_DONE);
    assert_int_equal(touch(at + 0, GUEST_WRITE), FAKE_EMULATE);
    assert_int_equal(touch(at + 1000, GUEST_READ), FAKE_DONE);  /* the PD */
    assert_int_equal(touch(at + 1000, GUEST_WRITE), FAKE_EMULATE);
    set_entry(PD, 1000, 0);
    assert_int_equal(touch(at + 0, GUEST_READ), FAKE_FAULT);
    assert_int_equal(touch(1, GUEST_READ), FAKE_DONE);
}

static void
test_reused_as_data(void **state)
{
    static const uint8_t zeroes[PAGE_SIZE];

    (void)state;
    set_entry(PT, 8, entry_for(PT, ALL));
    touch(3, GUEST_READ);
    assert_true(trace_is_set(&f->shadow, make_ppn(PT)));
    /* Zeroed as a whole: no table any more. */
    fake_shadow_write(make_gpa(PT * PAGE_SIZE), zeroes, sizeof(zeroes));
    assert_false(trace_is_set(&f->shadow, make_ppn(PT)));
    assert_int_equal(touch(3, GUEST_READ), FAKE_FAULT);
    /* Written to again and again, but in use. */
    set_entry(PT, 3, entry_for(DATA + 3, ALL));
    touch(3, GUEST_READ);
    for (uint32_t n = 0; n < 500; n++) {
        set_entry(PT, 100 + n, n);
        shadow_invlpg(&f->shadow, make_gla(3 * PAGE_SIZE));
        assert_int_equal(faults_of(3, GUEST_READ), 0);
    }
    assert_true(trace_is_set(&f->shadow, make_ppn(PT)));
    /* Or never walked. */
    set_entry(PD, 0, 0);
    for (uint32_t n = 0; n < 200; n++)
        set_entry(PT, 100 + n, n);
    assert_false(trace_is_set(&f->shadow, make_ppn(PT)));
    assert_int_equal(f->shadow.stats.reused_as_data, 2);
}

static void
test_large_page(void **state)
{
    ppn_t ppn;

    (void)state;
    f->mpn[5] = make_mpn(f->next_mpn++);    /* no 2 MB in a row at 0 */
    f->has_large = true;
    set_entry(PD, 2, LARGE_4M | PTE_US | PTE_RW);
    assert_int_equal(fake_shadow_access(make_gla(0x00805123), GUEST_READ,
                                        &ppn), FAKE_DONE);
    assert_int_equal(ppn_raw(ppn), 5);
    assert_int_equal(get_entry(PD, 2) & (PTE_A | PTE_D), PTE_A);
    /* The upper half has, and takes one fault for all of its pages. */
    assert_int_equal(faults_of(0xa00, GUEST_READ), 1);
    assert_int_equal(faults_of(0xa20, GUEST_READ), 0);
    assert_int_equal(faults_of(0xa20, GUEST_WRITE), 1);
    assert_true(get_entry(PD, 2) & PTE_D);
    assert_int_equal(faults_of(0xbff, GUEST_WRITE), 0);
    /* Split by a trace: the page alone is protected. */
    trace_set(&f->shadow, make_ppn(0x220));
    assert_int_equal(faults_of(0xa21, GUEST_WRITE), 1);
    assert_int_equal(touch(0xa20, GUEST_WRITE), FAKE_EMULATE);
    assert_int_equal(touch(0xa20, GUEST_READ), FAKE_DONE);
    /* One INVLPG anywhere in it forgets all of it. */
    set_entry(PD, 2, 0);
    shadow_invlpg(&f->shadow, make_gla(0x00800000));
    assert_int_equal(touch(0xa21, GUEST_READ), FAKE_FAULT);
    assert_int_equal(touch(0x805, GUEST_READ), FAKE_FAULT);
}

/* A machine page inside 2 MB is taken away. */
static void
test_large_page_revoked(void **state)
{
    (void)state;
    f->has_large = true;
    set_entry(PD, 2, LARGE_4M | PTE_US | PTE_RW | PTE_D);
    assert_int_equal(faults_of(0xa00, GUEST_WRITE), 1);
    assert_int_equal(faults_of(0xa23, GUEST_WRITE), 0);
    fake_shadow_revoke(make_ppn(0x223), FAKE_SHARED);
    assert_null(fake_shadow_check());
    assert_int_equal(faults_of(0xa23, GUEST_READ), 1);
    assert_int_equal(faults_of(0xa23, GUEST_WRITE), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(test_hidden_and_true), TEST_BOTH(test_accessed_and_dirty),
        TEST_BOTH(test_stale_tlb), TEST_BOTH(test_filled_by_write),
        TEST_BOTH(test_write_protect), TEST_BOTH(test_table_mapped),
        TEST_BOTH(test_recursive), TEST_BOTH(test_reused_as_data),
        TEST_BOTH(test_large_page), TEST_BOTH(test_large_page_revoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
