/*
 * shadow_guest.h - a small guest for tests of the shadow MMU by hand.
 *
 * It has two levels of tables: its PD is page 1, its PT page 2, which maps
 * linear page n to physical page 16 + n.  After each test the audit must be
 * clean.
 */
#ifndef TESTS_UNIT_SHADOW_GUEST_H
#define TESTS_UNIT_SHADOW_GUEST_H

#include "unit/test.h"

#include "unit/fake_guest.h"
#include "unit/fake_shadow.h"
#include "vmm/mmu/trace.h"

#define PD          1u
#define PT          2u
#define OTHER_PD    3u
#define DATA        16u             /* linear page 0 is this */
#define LARGE_4M    (PTE_PS | PTE_P)
#define ALL         (PTE_P | PTE_RW | PTE_US)
#define USER        3u

static struct fake_shadow *const f = &fake_shadow;

static inline void
set_entry(uint32_t table, uint32_t index, uint64_t entry)
{
    fake_shadow_write(make_gpa(table * PAGE_SIZE + index * 4), &entry, 4);
}

static inline uint32_t
get_entry(uint32_t table, uint32_t index)
{
    uint32_t entry;

    memcpy(&entry, fake_guest.memory + table * PAGE_SIZE + index * 4, 4);
    return entry;
}

static inline uint32_t
entry_for(uint32_t page, uint64_t flags)
{
    return page << PAGE_SHIFT | (uint32_t)flags;
}

static inline void
start(bool has_views)
{
    fake_shadow_reset(has_views, FAKE_SHADOW_PAGES);
    f->vcpu.cpu.cr0 |= CR0_PG | CR0_WP;
    f->vcpu.cpu.cr4 = CR4_PSE;
    f->vcpu.cpu.cr3 = PD * PAGE_SIZE;
    set_entry(PD, 0, entry_for(PT, ALL));
    for (uint32_t n = 0; n < 32; n++)
        set_entry(PT, n, entry_for(DATA + n, ALL));
    fake_shadow_switch();
}

static inline int
setup(void **state)
{
    (void)state;
    start(false);
    return 0;
}

static inline int
setup_views(void **state)
{
    (void)state;
    start(true);
    return 0;
}

static inline int
check(void **state)
{
    const char *wrong = fake_shadow_check();

    (void)state;
    if (wrong != NULL)
        print_error("%s\n", wrong);
    return wrong != NULL;
}

static inline uint64_t
count(enum shadow_result result)
{
    return f->shadow.stats.faults[result];
}

/* Touch linear page PAGE. */
static inline enum fake_outcome
touch(uint32_t page, unsigned access)
{
    ppn_t ppn;

    return fake_shadow_access(make_gla(page * PAGE_SIZE), access, &ppn);
}

/* The same; how many hidden faults it took. */
static inline unsigned
faults_of(uint32_t page, unsigned access)
{
    uint64_t before = count(SHADOW_HIDDEN);

    assert_int_equal(touch(page, access), FAKE_DONE);
    return (unsigned)(count(SHADOW_HIDDEN) - before);
}

static inline uint32_t
error_code(void)
{
    assert_int_equal(f->vcpu.fault.vector, VEC_PF);
    return f->vcpu.fault.error;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, check)
#define TEST_VIEWS(name) \
    cmocka_unit_test_setup_teardown(name, setup_views, check)
#define TEST_BOTH(name) TEST(name), TEST_VIEWS(name)

#endif
