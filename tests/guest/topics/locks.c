/*
 * locks.c - read-modify-write instructions: results, what LOCK may stand
 * before, and that a compare that fails still writes.
 *
 * SDM 2 "LOCK", "CMPXCHG", "CMPXCHG8B", "XADD", "XCHG"; SDM 3A 8.1.2.
 */
#include "guest/paging.h"

#define EDX_EAX         "mov $1, %eax; mov $2, %edx; mov $3, %ebx; " \
                        "mov $4, %ecx; "

static uint32_t data[2] ALIGNED(8);

SNIPPET(cmpxchg8b, EDX_EAX, "lock cmpxchg8b (%esi)", "");
SNIPPET(cmpxchg8b_plain, EDX_EAX, "cmpxchg8b (%esi)", "");
SNIPPET(cmpxchg8b_register, "", ".byte 0x0f, 0xc7, 0xc8", "");
SNIPPET(cmpxchg, "mov $1, %eax; mov $9, %ebx", "lock cmpxchg %ebx, (%esi)",
        "");
SNIPPET(xadd, "mov $9, %ebx", "lock xadd %ebx, (%esi)", "");
SNIPPET(xchg, "mov $9, %ebx", "xchg %ebx, (%esi)", "");
SNIPPET(bts, "", "lock btsl $33, (%esi)", "");
SNIPPET(bts_far, "mov $33, %eax", "lock bts %eax, (%esi)", "");
SNIPPET(lock_cmp, "", ".byte 0xf0, 0x39, 0x06", "");
SNIPPET(lock_bt, "", ".byte 0xf0, 0x0f, 0xa3, 0x06", "");
SNIPPET(lock_load, "", ".byte 0xf0, 0x03, 0x06", "");
SNIPPET(lock_xchg, "mov $9, %ebx", ".byte 0xf0, 0x87, 0x1e", "");
SNIPPET(lock_inc, "", "lock incl (%esi)", "");
SNIPPET(lock_neg, "", "lock negl (%esi)", "");
SNIPPET(lock_not, "", "lock notl (%esi)", "");
SNIPPET(lock_test, "", ".byte 0xf0, 0xf7, 0x06, 1, 0, 0, 0", "");

static void
run(struct context *c, const struct snippet *s, uint32_t low, uint32_t high)
{
    data[0] = low;
    data[1] = high;
    context_init(c, s->start, 3);
    c->esi = (uint32_t)data;
    context_run(c);
}

static void
check_cmpxchg8b(void)
{
    struct context c;

    run(&c, &cmpxchg8b, 1, 2);
    check("CMPXCHG8B, equal: low", data[0], 3);
    check("CMPXCHG8B, equal: high", data[1], 4);
    check("CMPXCHG8B, equal: ZF", c.eflags & EFLAGS_ZF, EFLAGS_ZF);
    check("CMPXCHG8B, equal: EAX stays", c.eax, 1);
    run(&c, &cmpxchg8b_plain, 1, 7);
    check("CMPXCHG8B, different: low stays", data[0], 1);
    check("CMPXCHG8B, different: high stays", data[1], 7);
    check("CMPXCHG8B, different: ZF", c.eflags & EFLAGS_ZF, 0);
    check("CMPXCHG8B, different: EDX", c.edx, 7);
    run(&c, &cmpxchg8b_register, 0, 0);
    check_trap("CMPXCHG8B of a register", &c, VEC_UD, 0,
               cmpxchg8b_register.at);
}

static void
check_others(void)
{
    struct context c;

    run(&c, &cmpxchg, 1, 0);
    check("CMPXCHG, equal", data[0], 9);
    run(&c, &cmpxchg, 5, 0);
    check("CMPXCHG, different: EAX", c.eax, 5);
    check("CMPXCHG, different: CF of 1 - 5", c.eflags & EFLAGS_CF, EFLAGS_CF);
    run(&c, &xadd, 5, 0);
    check("XADD: sum", data[0], 14);
    check("XADD: what was there", c.ebx, 5);
    run(&c, &xchg, 5, 0);
    check("XCHG", data[0] << 16 | c.ebx, 9 << 16 | 5);
    run(&c, &bts, 0, 0);
    check("BTS of 33 by an immediate is bit 1", data[0], 2);
    run(&c, &bts_far, 0, 0);
    check("BTS of 33 by a register is the next word's", data[1], 2);
    run(&c, &lock_xchg, 5, 0);
    check("LOCK XCHG", data[0], 9);
    run(&c, &lock_inc, UINT32_MAX, 0);
    check("LOCK INC", data[0], 0);
    run(&c, &lock_neg, 1, 0);
    check("LOCK NEG", data[0], UINT32_MAX);
    run(&c, &lock_not, 1, 0);
    check("LOCK NOT", data[0], ~1u);
}

static void
check_undefined(const char *name, const struct snippet *s)
{
    struct context c;

    run(&c, s, 0, 0);
    check_trap(name, &c, VEC_UD, 0, s->at);
}

/* A compare that fails writes what it read: a read-only page faults, as W. */
static void
check_read_only(void)
{
    struct context c;

    paging_on();
    window_pt[0] = window_entry(0, (uint32_t)(PTE_P | PTE_US));
    invlpg(WINDOW);
    context_init(&c, cmpxchg.start, 3);
    c.esi = WINDOW;
    context_run(&c);
    check_page_fault("CMPXCHG, different, of a read-only page", &c, 7, WINDOW);
    context_init(&c, cmpxchg8b.start, 3);
    c.esi = WINDOW;
    context_run(&c);
    check_page_fault("CMPXCHG8B, different, of a read-only page", &c, 7,
                     WINDOW);
    paging_off();
}

TOPIC(locks)
{
    check_cmpxchg8b();
    check_others();
    check_undefined("#UD LOCK CMP", &lock_cmp);
    check_undefined("#UD LOCK BT", &lock_bt);
    check_undefined("#UD LOCK ADD to a register", &lock_load);
    check_undefined("#UD LOCK TEST", &lock_test);
    check_read_only();
}
