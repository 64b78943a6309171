/*
 * test_guest_walk.c - the guest walker: hand-made tables, and random ones
 * against a second implementation that follows the manual's figures bit by bit.
 */
#include "unit/test.h"

#include "kernel/x86/paging.h"
#include "unit/fake_guest.h"
#include "vmm/mmu/guest_walk.h"

#define MEMORY      (TABLES * PAGE_SIZE)
#define TABLES      16u             /* pages that entries point to */
#define ROUNDS      100000
#define NO_FAULT    UINT32_MAX

static uint8_t memory[MEMORY], copy[MEMORY];
static struct vcpu vcpu;

static uint32_t
get32(const uint8_t *from, uint64_t at)
{
    uint32_t value = UINT32_MAX;

    if (at <= MEMORY - 4)
        memcpy(&value, from + at, 4);
    return value;
}

static uint64_t
get64(const uint8_t *from, uint64_t at)
{
    uint64_t value = UINT64_MAX;

    if (at <= MEMORY - 8)
        memcpy(&value, from + at, 8);
    return value;
}

static void
put32(uint64_t at, uint32_t value)
{
    memcpy(memory + at, &value, 4);
}

static void
put64(uint64_t at, uint64_t value)
{
    memcpy(memory + at, &value, 8);
}

static void
or_byte(uint8_t *to, uint64_t at, uint8_t bits)
{
    if (at < MEMORY)
        to[at] |= bits;
}

/* --- The naive walker ------------------------------------------------------*/

struct naive {
    bool write, user, fetch, nx;
    uint64_t at;            /* result */
    bool r_w, u_s, xd;      /* sums of rights so far */
};

static uint32_t
code(const struct naive *n, bool p, bool rsvd)
{
    return (uint32_t)(p | n->write << 1 | n->user << 2 | rsvd << 3 |
                      (n->fetch && n->nx) << 4);
}

static void
add_rights(struct naive *n, uint64_t entry)
{
    n->r_w &= entry >> 1 & 1;
    n->u_s &= entry >> 2 & 1;
    n->xd |= entry >> 63 & 1;
}

static bool
forbidden(const struct naive *n)
{
    bool wp = vcpu.cpu.cr0 >> 16 & 1;

    if (n->user && !n->u_s)
        return true;
    if (n->write && !n->r_w && (n->user || wp))
        return true;
    return n->fetch && n->nx && n->xd;
}

/* Figures 4-2, 4-4: 10 + 10 + 12 bits, or 10 + 22. */
static uint32_t
naive_32(struct naive *n, uint32_t linear, uint8_t *m)
{
    uint64_t pde_at = (vcpu.cpu.cr3 & 0xfffff000u) + 4 * (linear >> 22);
    uint32_t pde = get32(m, pde_at), pte;
    uint64_t pte_at;

    if (!(pde & 1))
        return code(n, false, false);
    add_rights(n, pde);
    if ((pde & 0x80) && (vcpu.cpu.cr4 & 0x10)) {
        if (pde & 0x003fe000)
            return code(n, true, true);
        if (forbidden(n))
            return code(n, true, false);
        or_byte(m, pde_at, n->write ? 0x60 : 0x20);
        n->at = (pde & 0xffc00000) | (linear & 0x003fffff);
        return NO_FAULT;
    }
    pte_at = (pde & 0xfffff000u) + 4 * (linear >> 12 & 0x3ff);
    pte = get32(m, pte_at);
    if (!(pte & 1))
        return code(n, false, false);
    add_rights(n, pte);
    if (forbidden(n))
        return code(n, true, false);
    or_byte(m, pde_at, 0x20);
    or_byte(m, pte_at, n->write ? 0x60 : 0x20);
    n->at = (pte & 0xfffff000) | (linear & 0xfff);
    return NO_FAULT;
}

/* Figures 4-5, 4-6: 2 + 9 + 9 + 12 bits, or 2 + 9 + 21. */
static uint32_t
naive_pae(struct naive *n, uint32_t linear, uint8_t *m)
{
    uint64_t pdpte = vcpu.cpu.pdpte[linear >> 30];
    uint64_t reserved = 0x7ffffff000000000ull | (n->nx ? 0 : 1ull << 63);
    uint64_t pde_at, pde, pte_at, pte;

    if (!(pdpte & 1))
        return code(n, false, false);
    pde_at = (pdpte & 0xffffff000ull) + 8 * (linear >> 21 & 0x1ff);
    pde = get64(m, pde_at);
    if (!(pde & 1))
        return code(n, false, false);
    if ((pde & reserved) || ((pde & 0x80) && (pde & 0x1fe000)))
        return code(n, true, true);
    add_rights(n, pde);
    if (pde & 0x80) {
        if (forbidden(n))
            return code(n, true, false);
        or_byte(m, pde_at, n->write ? 0x60 : 0x20);
        n->at = (pde & 0xfffe00000ull) | (linear & 0x1fffff);
        return NO_FAULT;
    }
    pte_at = (pde & 0xffffff000ull) + 8 * (linear >> 12 & 0x1ff);
    pte = get64(m, pte_at);
    if (!(pte & 1))
        return code(n, false, false);
    if (pte & reserved)
        return code(n, true, true);
    add_rights(n, pte);
    if (forbidden(n))
        return code(n, true, false);
    or_byte(m, pde_at, 0x20);
    or_byte(m, pte_at, n->write ? 0x60 : 0x20);
    n->at = (pte & 0xffffff000ull) | (linear & 0xfff);
    return NO_FAULT;
}

/* --- Random tables ---------------------------------------------------------*/

/* Mostly good entries: to a table, few bits of everything else. */
static uint64_t
random_entry(struct test_random *r, bool is_pae)
{
    uint64_t entry = (uint64_t)test_random_below(r, TABLES) << 12 |
                     (test_random_next(r) & 0xe7f) | 1;
    unsigned dice = test_random_below(r, 64);

    if (test_random_below(r, 4) != 0)
        entry |= 6;                     /* user, writable */
    if (dice < 4)
        entry &= ~1ull;
    if (dice >= 4 && dice < 12)
        entry = (entry & 0xfff) | 0x80 |
                (uint64_t)test_random_below(r, 64) << 22;
    if (dice == 12)
        entry |= 1ull << test_random_below(r, is_pae ? 64 : 32);
    if (dice >= 13 && dice < 18 && is_pae)
        entry |= 1ull << 63;
    return entry;
}

static void
random_tables(struct test_random *r, bool is_pae)
{
    uint32_t size = is_pae ? 8 : 4;

    for (uint32_t at = 0; at < TABLES * PAGE_SIZE; at += size) {
        if (is_pae)
            put64(at, random_entry(r, true));
        else
            put32(at, (uint32_t)random_entry(r, false));
    }
}

static void
random_cpu(struct test_random *r, bool is_pae)
{
    struct guest_cpu *cpu = &vcpu.cpu;
    uint32_t bits = test_random_next(r);

    cpu->cr0 = CR0_PE | CR0_PG | (bits & 1 ? CR0_WP : 0);
    cpu->cr4 = (is_pae ? CR4_PAE : 0) | (bits & 2 ? CR4_PSE : 0);
    cpu->efer = bits & 4 ? EFER_NXE : 0;
    cpu->cpl = bits & 8 ? 3 : 0;
    cpu->cr3 = test_random_below(r, TABLES) << 12 | (bits >> 8 & 0xfff);
    for (unsigned n = 0; n < PDPTE_COUNT; n++)
        cpu->pdpte[n] = (uint64_t)test_random_below(r, TABLES) << 12 |
                        (test_random_below(r, 8) != 0);
}

/* Compare one walk with the naive one's; return whether it faulted. */
static bool
compare(uint32_t linear, unsigned access)
{
    bool is_pae = (vcpu.cpu.cr4 & CR4_PAE) != 0;
    struct naive n = {
        .write = (access & 3) == GUEST_WRITE,
        .fetch = (access & 3) == GUEST_FETCH,
        .user = vcpu.cpu.cpl == 3 && !(access & GUEST_SYSTEM),
        .nx = is_pae && (vcpu.cpu.efer & EFER_NXE),
        .r_w = true, .u_s = true,
    };
    struct guest_mapping mapping, peek;
    uint32_t error;
    bool is_ok, is_peek;

    error = is_pae ? naive_pae(&n, linear, copy) : naive_32(&n, linear, copy);
    is_peek = guest_walk_peek(&vcpu, make_gla(linear), access, &peek);
    is_ok = guest_walk(&vcpu, make_gla(linear), access, &mapping);
    assert_int_equal(is_ok, is_peek);
    assert_int_equal(is_ok, error == NO_FAULT);
    assert_int_equal(memcmp(memory, copy, sizeof(copy)), 0);
    if (is_ok) {
        assert_true(gpa_raw(mapping.at) == n.at);
        assert_true(gpa_raw(peek.at) == n.at);
        assert_true(mapping.is_writable || !n.write);
        assert_true(mapping.is_dirty || !n.write);
        return false;
    }
    assert_int_equal(vcpu.fault.vector, VEC_PF);
    assert_true(vcpu.fault.has_error);
    assert_int_equal(vcpu.fault.error, error);
    assert_int_equal(gla_raw(vcpu.fault.address), linear);
    return true;
}

static void
test_random(void **state)
{
    struct test_random r = { 4 };
    unsigned faults = 0;
    bool is_pae = false;

    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned access = test_random_below(&r, 3) |
                          (test_random_below(&r, 4) == 0 ? GUEST_SYSTEM : 0);

        if (n % 1024 == 0) {
            is_pae = test_random_below(&r, 2);
            random_tables(&r, is_pae);
            memcpy(copy, memory, sizeof(copy));
        }
        random_cpu(&r, is_pae);
        faults += compare(test_random_next(&r), access);
    }
    /* Both outcomes are well represented. */
    assert_in_range(faults, ROUNDS / 5, ROUNDS * 4 / 5);
}

/* --- By hand ---------------------------------------------------------------*/

static int
setup(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    fake_guest_reset(0, MEMORY, memory);
    fake_guest_flat(&vcpu, 0);
    return 0;
}

static void
test_no_paging(void **state)
{
    struct guest_mapping m;

    (void)state;
    vcpu.cpu.cpl = 3;
    assert_true(guest_walk(&vcpu, make_gla(0xfffffff0), GUEST_WRITE, &m));
    assert_int_equal(gpa_raw(m.at), 0xfffffff0);
    assert_true(m.is_writable && m.is_dirty);
}

/* A table beyond RAM reads as ones: the PDE then is a bad 4 MB page. */
static void
test_table_in_a_hole(void **state)
{
    struct guest_mapping m;

    (void)state;
    vcpu.cpu.cr0 |= CR0_PG;
    vcpu.cpu.cr3 = MEMORY;
    vcpu.cpu.cr4 = CR4_PSE;
    assert_false(guest_walk(&vcpu, make_gla(0), GUEST_READ, &m));
    assert_int_equal(vcpu.fault.error, PF_ERR_P | PF_ERR_RSVD);
    /* Without PSE: tables of ones, to the last page there is. */
    vcpu.cpu.cr4 = 0;
    assert_true(guest_walk(&vcpu, make_gla(0x123), GUEST_WRITE, &m));
    assert_int_equal(gpa_raw(m.at), 0xfffff123);
}

/* A PDE that points to its own table maps the tables: no endless walk. */
static void
test_recursive(void **state)
{
    struct guest_mapping m;

    (void)state;
    vcpu.cpu.cr0 |= CR0_PG;
    vcpu.cpu.cr3 = 0x1000;
    put32(0x1000 + 4 * 1023, 0x1000 | 3);
    put32(0x1000, 0x2000 | 3);
    assert_true(guest_walk(&vcpu, make_gla(0xfffff000), GUEST_WRITE, &m));
    assert_int_equal(gpa_raw(m.at), 0x1000);
    /* The same entry was PDE and PTE: A, and D from its second role. */
    assert_int_equal(get32(memory, 0x1000 + 4 * 1023), 0x1000 | 0x63);
    assert_true(guest_walk(&vcpu, make_gla(0xffc00008), GUEST_READ, &m));
    assert_int_equal(gpa_raw(m.at), 0x2008);
}

/* A user's stack is written as supervisor when an event is delivered. */
static void
test_system_access(void **state)
{
    struct guest_mapping m;

    (void)state;
    vcpu.cpu.cr0 |= CR0_PG | CR0_WP;
    vcpu.cpu.cr3 = 0x1000;
    vcpu.cpu.cpl = 3;
    put32(0x1000, 0x2000 | 7);
    put32(0x2000, 0x5000 | 3);
    assert_false(guest_walk(&vcpu, make_gla(0), GUEST_WRITE, &m));
    assert_int_equal(vcpu.fault.error, PF_ERR_P | PF_ERR_W | PF_ERR_U);
    assert_int_equal(get32(memory, 0x2000), 0x5000 | 3);
    assert_true(guest_walk(&vcpu, make_gla(0), GUEST_WRITE | GUEST_SYSTEM,
                           &m));
    assert_int_equal(get32(memory, 0x2000), 0x5000 | 0x63);
}

/* WP = 0 lets a supervisor write anywhere, and D is set all the same. */
static void
test_write_protect(void **state)
{
    struct guest_mapping m;

    (void)state;
    vcpu.cpu.cr0 |= CR0_PG;
    vcpu.cpu.cr3 = 0x1000;
    put32(0x1000, 0x2000 | 1);
    put32(0x2000, 0x5000 | 1 | 0x100);
    vcpu.cpu.cr4 = CR4_PGE;
    assert_true(guest_walk(&vcpu, make_gla(0x10), GUEST_WRITE, &m));
    assert_true(m.is_dirty && m.is_writable && m.is_global);
    vcpu.cpu.cr0 |= CR0_WP;
    assert_false(guest_walk(&vcpu, make_gla(0x10), GUEST_WRITE, &m));
    assert_int_equal(vcpu.fault.error, PF_ERR_P | PF_ERR_W);
    assert_true(guest_walk(&vcpu, make_gla(0x10), GUEST_READ, &m));
    assert_false(m.is_writable);
}

/* The latched PDPTEs count, not those in memory. */
static void
test_latched_pdptes(void **state)
{
    struct guest_mapping m;

    (void)state;
    vcpu.cpu.cr0 |= CR0_PG;
    vcpu.cpu.cr4 = CR4_PAE;
    vcpu.cpu.cr3 = 0x1000;
    vcpu.cpu.pdpte[3] = 0x3000 | 1;
    put64(0x3000, 0x80 | 0x40000000 | 3);
    assert_true(guest_walk(&vcpu, make_gla(0xc0012345), GUEST_READ, &m));
    assert_int_equal(gpa_raw(m.at), 0x40012345);
    assert_int_equal(m.page_size, LARGE_PAGE_SIZE);
    assert_false(m.is_dirty);
    assert_false(guest_walk(&vcpu, make_gla(0x80012345), GUEST_READ, &m));
    assert_int_equal(vcpu.fault.error, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_random, setup),
        cmocka_unit_test_setup(test_no_paging, setup),
        cmocka_unit_test_setup(test_table_in_a_hole, setup),
        cmocka_unit_test_setup(test_recursive, setup),
        cmocka_unit_test_setup(test_system_access, setup),
        cmocka_unit_test_setup(test_write_protect, setup),
        cmocka_unit_test_setup(test_latched_pdptes, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
