/*
 * arena.c - guest memory of both sides, as guest_mem.h wants it, and the
 * machine around them, as guest_port.h does.
 *
 * Linear memory is physical memory; rights belong to pages and are the same on
 * both sides.  The subject's side also does what a monitor does about
 * translated code: fetching watches a page, a write to one that is watched
 * tells the translator.  All answers of the machine are functions of how much
 * was asked before, so that both sides get the same.
 */
#include "lockstep/arena.h"

#include <cpuid.h>
#include <string.h>
#include <sys/mman.h>

#include "bt/bt.h"
#include "kernel/base/assert.h"
#include "vmm/guest_mem.h"
#include "vmm/guest_port.h"

#define PF_PRESENT      BIT(0)
#define PF_WRITE        BIT(1)
#define PF_USER         BIT(2)
#define PF_FETCH        BIT(4)
#define CPL_USER        3
#define LEAF_PROCESSOR  1

enum right { RIGHT_R = 1, RIGHT_W = 2, RIGHT_X = 4 };

struct side subject, reference;

static uint8_t copy[ARENA_SIZE] ALIGNED(4096);
static uint8_t rights[ARENA_PAGES];
static uint32_t watched, hidden;        /* masks of pages */
static struct bt *translator;

static void
set_rights(unsigned first, unsigned count, uint8_t right)
{
    memset(&rights[first], right, count);
}

/* What the subject's page is to the CPU. */
static void
protect(unsigned page)
{
    int prot = PROT_NONE;

    if (rights[page] != 0 && (hidden & BIT(page)) == 0) {
        prot = PROT_READ;
        if ((rights[page] & RIGHT_W) && (watched & BIT(page)) == 0)
            prot |= PROT_WRITE;
        if (rights[page] & RIGHT_X)
            prot |= PROT_EXEC;
    }
    mprotect(subject.memory + page * PAGE_SIZE, PAGE_SIZE, prot);
}

void
arena_start(void)
{
    subject.is_subject = true;
    subject.memory = mmap((void *)ARENA, ARENA_SIZE, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                          -1, 0);
    ASSERT(subject.memory == (uint8_t *)ARENA);
    reference.memory = copy;
    set_rights(CODE_PAGE, CODE_PAGES, RIGHT_R | RIGHT_W | RIGHT_X);
    set_rights(DATA_PAGE, DATA_PAGES, RIGHT_R | RIGHT_W);
    set_rights(CONST_PAGE, 1, RIGHT_R);
    set_rights(STACK_PAGE, STACK_PAGES, RIGHT_R | RIGHT_W);
    set_rights(TABLE_PAGE, 1, RIGHT_R | RIGHT_W);
    set_rights(HANDLER_PAGE, 1, RIGHT_R | RIGHT_W | RIGHT_X);
}

void
arena_reset(struct bt *bt)
{
    translator = bt;
    watched = hidden = 0;
    mprotect(subject.memory, ARENA_SIZE, PROT_READ | PROT_WRITE);
    memset(subject.memory, 0, ARENA_SIZE);
    subject.reads = reference.reads = 0;
    subject.writes = reference.writes = 0;
}

void
arena_seal(void)
{
    memcpy(copy, subject.memory, ARENA_SIZE);
    for (unsigned page = 0; page < ARENA_PAGES; page++)
        protect(page);
}

void
arena_copy_back(uint32_t at, uint32_t size)
{
    for (; size > 0; at++, size--) {
        unsigned page = (at - ARENA) / PAGE_SIZE;

        if (at - ARENA >= ARENA_SIZE || (rights[page] & RIGHT_W) == 0)
            continue;
        arena_trap(at, false);
        copy[at - ARENA] = subject.memory[at - ARENA];
    }
}

bool
arena_same(uint32_t *where)
{
    for (unsigned page = 0; page < ARENA_PAGES; page++) {
        const uint8_t *a = subject.memory + page * PAGE_SIZE;
        const uint8_t *b = copy + page * PAGE_SIZE;

        if ((rights[page] & RIGHT_W) == 0)
            continue;
        if (hidden & BIT(page))
            arena_trap(PAGE_AT(page), false);
        if (memcmp(a, b, PAGE_SIZE) == 0)
            continue;
        *where = PAGE_AT(page);
        while (*a++ == *b++)
            (*where)++;
        return false;
    }
    return true;
}

void
arena_hide(uint32_t mask)
{
    for (unsigned page = DATA_PAGE; page < STACK_PAGE + STACK_PAGES; page++) {
        if ((mask & BIT(page)) == 0 || rights[page] == 0)
            continue;
        hidden |= BIT(page);
        protect(page);
    }
    subject.v.memory_generation++;
}

enum arena_trap
arena_trap(uint32_t at, bool is_write)
{
    unsigned page = (at - ARENA) / PAGE_SIZE;

    if (at - ARENA >= ARENA_SIZE)
        return TRAP_TRUE;
    if (hidden & BIT(page)) {
        hidden &= ~BIT(page);
        protect(page);
        return TRAP_HIDDEN;
    }
    return is_write && (watched & BIT(page)) != 0 ? TRAP_WATCHED : TRAP_TRUE;
}

void
arena_unwatch(uint32_t at)
{
    unsigned page = (at - ARENA) / PAGE_SIZE;

    watched &= ~BIT(page);
    protect(page);
    bt_page_written(translator, page, 0, PAGE_SIZE);
}

static void
watch(unsigned page)
{
    if (watched & BIT(page))
        return;
    watched |= BIT(page);
    protect(page);
    subject.v.memory_generation++;
}

bool
arena_watch(uint32_t at, uint32_t size)
{
    uint32_t last = at + size - 1;

    if (at - ARENA >= ARENA_SIZE || last - ARENA >= ARENA_SIZE ||
        rights[(at - ARENA) / PAGE_SIZE] == 0 ||
        rights[(last - ARENA) / PAGE_SIZE] == 0)
        return false;
    watch((at - ARENA) / PAGE_SIZE);
    watch((last - ARENA) / PAGE_SIZE);
    return true;
}

const uint8_t *
arena_fetch(uint32_t at, bool is_watched)
{
    unsigned page = (at - ARENA) / PAGE_SIZE;

    if (at - ARENA >= ARENA_SIZE || (rights[page] & RIGHT_X) == 0)
        return NULL;
    if (is_watched)
        watch(page);
    return subject.memory + page * PAGE_SIZE;
}

void
arena_write_both(uint32_t at, uint32_t value)
{
    uint32_t first = (at - ARENA) / PAGE_SIZE;
    uint32_t last = (at + sizeof(value) - 1 - ARENA) / PAGE_SIZE;
    uint32_t before = watched;

    for (unsigned page = first; page <= last; page++) {
        watched &= ~BIT(page);
        protect(page);
    }
    memcpy(subject.memory + (at - ARENA), &value, sizeof(value));
    memcpy(copy + (at - ARENA), &value, sizeof(value));
    watched = before;
    for (unsigned page = first; page <= last; page++) {
        protect(page);
        bt_invalidate_page(translator, page);
    }
}

/* --- guest_mem.h -----------------------------------------------------------*/

static struct side *
side_of(struct vcpu *v)
{
    return CONTAINER_OF(v, struct side, v);
}

static bool
may(uint32_t at, unsigned access)
{
    static const uint8_t needed[] = {
        [GUEST_READ] = RIGHT_R, [GUEST_WRITE] = RIGHT_W,
        [GUEST_FETCH] = RIGHT_X,
    };

    return at - ARENA < ARENA_SIZE &&
           (rights[(at - ARENA) / PAGE_SIZE] &
            needed[access & GUEST_ACCESS_MASK]) != 0;
}

/* The bytes at AT, which may be accessed, to the end of the page. */
static uint8_t *
reach(struct vcpu *v, uint32_t at)
{
    struct side *side = side_of(v);

    if (side->is_subject)
        arena_trap(at, false);
    return side->memory + (at - ARENA);
}

/* SIZE bytes of one page, which may be written; the translator is told. */
static void
write_in_page(struct vcpu *v, uint32_t at, const void *from, size_t size)
{
    uint8_t *to = reach(v, at);
    unsigned page = (at - ARENA) / PAGE_SIZE;
    bool is_watched = side_of(v)->is_subject && (watched & BIT(page)) != 0;

    watched &= ~(is_watched ? BIT(page) : 0);
    if (is_watched)
        protect(page);
    memcpy(to, from, size);
    if (!is_watched || bt_page_written(translator, page, at & PAGE_MASK,
                                       (uint32_t)size) == BT_WRITTEN_UNWATCH)
        return;
    watched |= BIT(page);
    protect(page);
}

static bool
page_fault(struct vcpu *v, uint32_t at, unsigned access)
{
    unsigned kind = access & GUEST_ACCESS_MASK;
    uint32_t error = may(at, GUEST_READ) ? PF_PRESENT : 0;

    if (kind == GUEST_WRITE)
        error |= PF_WRITE;
    if (kind == GUEST_FETCH)
        error |= PF_FETCH;
    if (v->cpu.cpl == CPL_USER && (access & GUEST_SYSTEM) == 0)
        error |= PF_USER;
    vcpu_fault_error(v, VEC_PF, error);
    v->fault.address = make_gla(at);
    return false;
}

bool
guest_probe(struct vcpu *v, gla_t at, size_t size, unsigned access)
{
    uint32_t first = gla_raw(at);

    for (uint32_t n = 0; n < size; n++)
        if (!may(first + n, access))
            return page_fault(v, first + n, access);
    return true;
}

bool
guest_read(struct vcpu *v, gla_t at, void *to, size_t size, unsigned access)
{
    uint8_t *bytes = to;

    if (!guest_probe(v, at, size, access))
        return false;
    for (uint32_t n = 0; n < size; n++)
        bytes[n] = *reach(v, gla_raw(at) + n);
    return true;
}

bool
guest_write(struct vcpu *v, gla_t at, const void *from, size_t size,
            unsigned access)
{
    uint32_t here = PAGE_SIZE - (gla_raw(at) & PAGE_MASK);

    if (!guest_probe(v, at, size, access))
        return false;
    write_in_page(v, gla_raw(at), from, MIN(here, size));
    if (here < size)
        write_in_page(v, gla_raw(at) + here, (const uint8_t *)from + here,
                      size - here);
    return true;
}

bool
guest_compare_exchange(struct vcpu *v, gla_t at, size_t size, uint64_t *old,
                       uint64_t new)
{
    uint64_t found = 0;

    if (!guest_probe(v, at, size, GUEST_WRITE) ||
        !guest_read(v, at, &found, size, GUEST_READ))
        return false;
    if (found == *old && !guest_write(v, at, &new, size, GUEST_WRITE))
        return false;
    *old = found;
    return true;
}

void *
guest_window(struct vcpu *v, gla_t at, unsigned access, size_t *size)
{
    bool is_write = (access & GUEST_ACCESS_MASK) == GUEST_WRITE;

    *size = PAGE_SIZE - (gla_raw(at) & PAGE_MASK);
    if (!may(gla_raw(at), access) ||
        (side_of(v)->is_subject && arena_trap(gla_raw(at), is_write) ==
                                   TRAP_WATCHED))
        return NULL;
    return reach(v, gla_raw(at));
}

void
guest_mem_flush(struct vcpu *v, UNUSED bool with_global)
{
    v->memory_generation++;
}

void
guest_mem_flush_page(struct vcpu *v, UNUSED gla_t at)
{
    v->memory_generation++;
}

bool
guest_phys_read(UNUSED struct vcpu *v, UNUSED gpa_t at, UNUSED void *to,
                UNUSED size_t size)
{
    return false;
}

bool
guest_phys_write(UNUSED struct vcpu *v, UNUSED gpa_t at,
                 UNUSED const void *from, UNUSED size_t size)
{
    return false;
}

/* --- guest_port.h ----------------------------------------------------------*/

/* Knuth's multiplier: something different each time. */
#define SPREAD 2654435761u

static uint32_t
answer(struct vcpu *v, uint32_t question)
{
    return (++side_of(v)->reads + question) * SPREAD;
}

static void
note(struct vcpu *v, uint32_t what)
{
    struct side *side = side_of(v);

    side->writes = (side->writes ^ what) * SPREAD + 1;
}

uint32_t
guest_port_in(struct vcpu *v, uint16_t port, unsigned size)
{
    return answer(v, port) >> (32 - 8 * size);
}

void
guest_port_out(struct vcpu *v, uint16_t port, unsigned size, uint32_t value)
{
    note(v, port);
    note(v, size);
    note(v, value);
}

bool
guest_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    *value = answer(v, msr);
    return true;
}

bool
guest_msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    note(v, msr);
    note(v, (uint32_t)value);
    return true;
}

/* The machine's: native runs must agree about what exists. */
void
guest_cpuid(UNUSED struct vcpu *v, uint32_t leaf, uint32_t subleaf,
            struct cpuid_leaf *out)
{
    __cpuid_count(leaf, subleaf, out->eax, out->ebx, out->ecx, out->edx);
    if (leaf == LEAF_PROCESSOR)         /* its APIC's number may change */
        out->ebx = 0;
}

uint64_t
guest_machine_tsc(struct vcpu *v)
{
    return answer(v, 0);
}

void
guest_fpu_error(struct vcpu *v)
{
    note(v, 0);
}
