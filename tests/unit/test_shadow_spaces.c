/*
 * test_shadow_spaces.c - address spaces and views of the shadow MMU, the pages
 * behind them, the bounds of its memory, and whether the audit sees errors.
 */
#include "unit/test.h"

#include "unit/shadow_guest.h"
#include "vmm/mmu/mmu_audit.h"

/* Global pages may leave the TLB at any time; ours do with every CR3. */
static void
test_global(void **state)
{
    (void)state;
    f->vcpu.cpu.cr4 |= CR4_PGE;
    fake_shadow_switch();
    set_entry(PT, 3, entry_for(DATA + 3, ALL | PTE_G));
    touch(3, GUEST_WRITE);
    set_entry(PT, 3, entry_for(DATA + 7, ALL | PTE_G));
    f->vcpu.cpu.cr4 &= ~CR4_PGE;
    fake_shadow_switch();
    assert_int_equal(touch(3, GUEST_READ), FAKE_DONE);
}

/* A known address space comes back with all of its shadow. */
static void
test_switch_back(void **state)
{
    (void)state;
    set_entry(OTHER_PD, 0, entry_for(PT, ALL));
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    f->vcpu.cpu.cr3 = OTHER_PD * PAGE_SIZE;
    fake_shadow_switch();
    /* The PT' is shared: only the link is missing. */
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    f->vcpu.cpu.cr3 = PD * PAGE_SIZE;
    fake_shadow_switch();
    assert_int_equal(faults_of(3, GUEST_READ), 0);
    f->vcpu.cpu.cr3 = OTHER_PD * PAGE_SIZE;
    fake_shadow_switch();
    assert_int_equal(faults_of(3, GUEST_READ), 0);
}

static void
test_paging_off_and_on(void **state)
{
    ppn_t ppn;

    (void)state;
    touch(3, GUEST_READ);
    f->vcpu.cpu.cr0 &= ~CR0_PG;
    fake_shadow_switch();
    assert_int_equal(fake_shadow_access(make_gla(3 * PAGE_SIZE), GUEST_WRITE,
                                        &ppn), FAKE_DONE);
    assert_int_equal(ppn_raw(ppn), 3);
    /* Tables are still traced, so the shadow is true when paging is back. */
    assert_int_equal(touch(PT, GUEST_WRITE), FAKE_EMULATE);
    set_entry(PT, 3, 0);
    f->vcpu.cpu.cr0 |= CR0_PG;
    fake_shadow_switch();
    assert_int_equal(touch(3, GUEST_READ), FAKE_FAULT);
    assert_int_equal(faults_of(4, GUEST_READ), 1);
}

static void
test_views(void **state)
{
    (void)state;
    /* Page 3 is the kernel's, page 4 the user's, under one U PDE. */
    set_entry(PT, 3, entry_for(DATA + 3, PTE_P | PTE_RW));
    fake_shadow_set_cpl(USER);
    assert_int_equal(touch(3, GUEST_READ), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_P | PF_ERR_U);
    assert_int_equal(faults_of(4, GUEST_READ), 1);
    assert_int_equal(faults_of(12, GUEST_READ), 1);
    fake_shadow_set_cpl(0);
    /* The kernel's link is missing; then its own PT', for page 3. */
    assert_int_equal(faults_of(4, GUEST_READ), 1);
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    assert_int_equal(faults_of(4, GUEST_READ), 0);
    /* A user page that is new to the kernel's does not undo that. */
    assert_int_equal(faults_of(12, GUEST_READ), 1);
    assert_int_equal(faults_of(3, GUEST_READ), 0);
    /* Back and forth: no more faults, and still no leak. */
    for (unsigned n = 0; n < 3; n++) {
        fake_shadow_set_cpl(USER);
        assert_int_equal(faults_of(4, GUEST_READ), 0);
        assert_int_equal(touch(3, GUEST_READ), FAKE_FAULT);
        fake_shadow_set_cpl(0);
        assert_int_equal(faults_of(4, GUEST_READ), 0);
        assert_int_equal(faults_of(3, GUEST_READ), 0);
    }
}

/* U in the PTEs means nothing under a supervisor's PDE. */
static void
test_views_supervisor_pde(void **state)
{
    (void)state;
    set_entry(PD, 0, entry_for(PT, PTE_P | PTE_RW));
    assert_int_equal(faults_of(4, GUEST_READ), 1);
    fake_shadow_set_cpl(USER);
    assert_int_equal(touch(4, GUEST_READ), FAKE_FAULT);
    /* And a PDE that becomes the kernel's leaves the user view at once. */
    set_entry(PD, 0, entry_for(PT, ALL));
    assert_int_equal(touch(4, GUEST_READ), FAKE_DONE);
    set_entry(PD, 0, entry_for(PT, PTE_P | PTE_RW));
    assert_int_equal(touch(4, GUEST_READ), FAKE_FAULT);
    fake_shadow_set_cpl(0);
    assert_int_equal(touch(4, GUEST_READ), FAKE_DONE);
}

/* What the machine wants of linear 0 to 2 MB: of user code only. */
static void
test_low_rights(void **state)
{
    const uint32_t above = LARGE_PAGE_SIZE / PAGE_SIZE;

    (void)state;
    for (unsigned has_nx = 0; has_nx < 2; has_nx++) {
        start(true);
        set_entry(PT, above, entry_for(DATA, ALL));
        f->shadow.machine.low_set = has_nx ? PTE_NX : 0;
        f->shadow.machine.low_clear = has_nx ? 0 : PTE_US;
        fake_shadow_set_cpl(USER);
        assert_int_equal(touch(4, GUEST_FETCH), FAKE_EMULATE);
        assert_int_equal(touch(4, GUEST_WRITE),
                         has_nx ? FAKE_DONE : FAKE_EMULATE);
        assert_int_equal(touch(above, GUEST_FETCH), FAKE_DONE);
        fake_shadow_set_cpl(0);
        assert_int_equal(touch(4, GUEST_FETCH), FAKE_DONE);
        assert_null(fake_shadow_check());
    }
}

static void
test_pae(void **state)
{
    uint64_t pde = PT * PAGE_SIZE | ALL;
    uint64_t pte = DATA * PAGE_SIZE | ALL | PTE_NX;

    (void)state;
    f->vcpu.cpu.cr4 = CR4_PAE;
    f->vcpu.cpu.efer = EFER_NXE;
    f->vcpu.cpu.pdpte[1] = OTHER_PD * PAGE_SIZE | PTE_P;
    fake_shadow_write(make_gpa(OTHER_PD * PAGE_SIZE), &pde, sizeof(pde));
    fake_shadow_write(make_gpa(PT * PAGE_SIZE), &pte, sizeof(pte));
    fake_shadow_switch();
    assert_int_equal(touch(0x40000, GUEST_WRITE), FAKE_DONE);
    assert_int_equal(touch(0x40000, GUEST_FETCH), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_P | PF_ERR_I);
    assert_int_equal(touch(0, GUEST_READ), FAKE_FAULT);
    /* Without NXE the bit is reserved. */
    f->vcpu.cpu.efer = 0;
    fake_shadow_switch();
    assert_int_equal(touch(0x40000, GUEST_READ), FAKE_FAULT);
    assert_int_equal(error_code(), PF_ERR_P | PF_ERR_RSVD);
    /* PDPTEs count when they are latched. */
    f->vcpu.cpu.efer = EFER_NXE;
    f->vcpu.cpu.pdpte[1] = 0;
    fake_shadow_switch();
    assert_int_equal(touch(0x40000, GUEST_READ), FAKE_FAULT);
}

static void
test_emulated_places(void **state)
{
    (void)state;
    /* The monitor's 4 MB, whatever the guest has there. */
    set_entry(PD, 1023, entry_for(PT, ALL));
    assert_int_equal(touch(0xffc03, GUEST_READ), FAKE_EMULATE);
    /* Device memory; ROM; a PT where there is no memory, or in ROM. */
    set_entry(PT, 3, entry_for(0xb8000 >> PAGE_SHIFT, ALL));
    set_entry(PT, 4, entry_for(FAKE_RAM_PAGES, ALL));
    set_entry(PT, 5, entry_for(FAKE_ROM_PAGE, ALL));
    set_entry(PD, 5, entry_for(FAKE_RAM_PAGES + 1, ALL));
    assert_int_equal(touch(3, GUEST_READ), FAKE_DONE);
    assert_int_equal(touch(4, GUEST_READ), FAKE_EMULATE);
    assert_int_equal(touch(5, GUEST_READ), FAKE_DONE);
    assert_int_equal(touch(5, GUEST_WRITE), FAKE_EMULATE);
    assert_int_equal(touch(5 << 10, GUEST_READ), FAKE_EMULATE);
    memset(fake_guest.memory + FAKE_ROM_PAGE * PAGE_SIZE, 0x27, PAGE_SIZE);
    set_entry(PD, 6, entry_for(FAKE_ROM_PAGE, ALL));
    assert_int_not_equal(touch(6 << 10, GUEST_READ), FAKE_FAULT);
}

static void
test_revocation(void **state)
{
    uint64_t blocks = count(SHADOW_BLOCK);

    (void)state;
    touch(3, GUEST_WRITE);
    fake_shadow_revoke(make_ppn(DATA + 3), FAKE_SHARED);
    assert_null(fake_shadow_check());
    assert_int_equal(faults_of(3, GUEST_READ), 1);
    /* The first write takes a copy. */
    assert_int_equal(faults_of(3, GUEST_WRITE), 1);
    fake_shadow_revoke(make_ppn(DATA + 3), FAKE_ABSENT);
    assert_int_equal(touch(3, GUEST_READ), FAKE_DONE);
    assert_int_equal(count(SHADOW_BLOCK), blocks + 1);
    /* Waiting commits nothing: A and D are as they were. */
    fake_shadow_revoke(make_ppn(DATA + 6), FAKE_ABSENT);
    assert_int_equal(shadow_fault(&f->shadow, make_gla(6 * PAGE_SIZE),
                                  PF_ERR_W), SHADOW_BLOCK);
    assert_int_equal(get_entry(PT, 6) & (PTE_A | PTE_D), 0);
    /* A table moves: what it says does not. */
    fake_shadow_revoke(make_ppn(PT), FAKE_OWN);
    assert_int_equal(faults_of(3, GUEST_READ), 0);
}

static void
test_code_trace(void **state)
{
    uint8_t byte = 0x90;

    (void)state;
    touch(3, GUEST_WRITE);
    trace_set(&f->shadow, make_ppn(DATA + 3));
    assert_int_equal(touch(3, GUEST_WRITE), FAKE_EMULATE);
    fake_shadow_write(make_gpa((DATA + 3) * PAGE_SIZE), &byte, 1);
    fake_shadow_write(make_gpa((DATA + 4) * PAGE_SIZE), &byte, 1);
    assert_int_equal(f->code_writes, 1);
    trace_clear(&f->shadow, make_ppn(DATA + 3));
    assert_int_equal(faults_of(3, GUEST_WRITE), 1);
    assert_int_equal(f->code_writes, 1);
}

/* More tables than shadow pages: slower, and nothing else. */
static void
test_reclaim(void **state)
{
    (void)state;
    fake_shadow_reset(true, SHADOW_PAGES_MIN);
    f->vcpu.cpu.cr0 |= CR0_PG;
    f->vcpu.cpu.cr3 = PD * PAGE_SIZE;
    for (uint32_t n = 0; n < 40; n++) {
        set_entry(PD, n * 20, entry_for(100 + n, ALL));
        set_entry(100 + n, 7, entry_for(200 + n, ALL));
    }
    fake_shadow_switch();
    for (uint32_t n = 0; n < 400; n++) {
        fake_shadow_set_cpl(n % 3 == 0 ? USER : 0);
        assert_int_equal(touch((n % 40 * 20 << 10) + 7, GUEST_WRITE),
                         FAKE_DONE);
        assert_null(fake_shadow_check());
    }
    assert_true(f->shadow.stats.reclaimed > 300);
    assert_int_equal(f->shadow.allocated, SHADOW_PAGES_MIN);
}

/* The monitor's own table is not taken while the hardware goes through it. */
static void
test_switches_without_entry(void **state)
{
    (void)state;
    fake_shadow_reset(true, SHADOW_PAGES_MIN);
    f->vcpu.cpu.cr0 |= CR0_PG;
    f->vcpu.cpu.cr3 = PD * PAGE_SIZE;
    fake_shadow_switch();
    assert_int_equal(touch(3, GUEST_READ), FAKE_FAULT);
    for (uint32_t n = 0; n < 40; n++) {
        f->vcpu.cpu.cr3 = (100 + n) * PAGE_SIZE;
        fake_shadow_switch();
    }
    assert_true(f->shadow.stats.reclaimed > 20);
}

static void
test_too_little_memory(void **state)
{
    struct shadow_machine machine = f->shadow.machine;

    (void)state;
    f->page_limit = SHADOW_PAGES_MIN - 1;
    assert_int_equal(shadow_init(&f->shadow, &f->vcpu, &machine, false),
                     ERR_NO_MEMORY);
}

/* Flip a bit of the first entry of a table: does the audit see it? */
static bool
audit_sees(pte_t *entries, pte_t flip)
{
    struct mmu_audit audit;
    bool is_clean;

    while ((*entries & PTE_P) == 0)
        entries++;
    *entries ^= flip;
    is_clean = mmu_audit(&f->shadow, &audit);
    *entries ^= flip;
    return !is_clean;
}

/* A supervisor's page that may only be read: any other right is too much. */
static void
test_audit(void **state)
{
    static const pte_t wrong[] = { PTE_RW, PTE_US, PTE_P, PAGE_SIZE, BIT(20) };
    unsigned tables = 0;

    (void)state;
    set_entry(PD, 0, entry_for(PT, PTE_P));
    set_entry(PT, 3, entry_for(DATA + 3, PTE_P));
    touch(3, GUEST_READ);
    for (unsigned page = 0; page < f->shadow.allocated; page++) {
        pte_t *entries = f->shadow.machine.map(f, page, SHADOW_TABLE);

        if (f->shadow.machine.page[page].live == 0)
            continue;
        tables++;
        for (unsigned n = 0; n < ARRAY_LEN(wrong); n++)
            assert_true(audit_sees(entries, wrong[n]));
        assert_false(audit_sees(entries, PTE_NX));
        assert_false(audit_sees(entries, PTE_A));
    }
    assert_int_equal(tables, 2);
    f->shadow.machine.pdpt[VIEW_EXACT][0] = 0;
    assert_non_null(fake_shadow_check());
    fake_shadow_switch();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(test_global), TEST_BOTH(test_switch_back),
        TEST_BOTH(test_paging_off_and_on), TEST_VIEWS(test_views),
        TEST_VIEWS(test_views_supervisor_pde), TEST_BOTH(test_pae),
        TEST_VIEWS(test_low_rights),
        TEST_BOTH(test_emulated_places), TEST_BOTH(test_revocation),
        TEST_BOTH(test_code_trace), TEST(test_reclaim), TEST(test_audit),
        TEST(test_switches_without_entry),
        cmocka_unit_test_setup(test_too_little_memory, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
