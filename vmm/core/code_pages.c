/*
 * code_pages.c - a table of the pages that have translations, by linear page.
 *
 * A load of CR3 leaves global pages as they are, and a kernel's own code is
 * global wherever it can be: then nothing is walked.  Otherwise one walk tells
 * for all of a large page, so the table is looked at in regions of its size.
 *
 *      hash -> entry        is this page known?
 *      region -> entries    what to look at when something there was flushed
 *
 * The tables that a walk goes through have traces.  As long as none of them was
 * written to and the root is the same, a flush changes nothing here: kernels
 * flush all far more often than they move their code.  A table that is written
 * to loses its trace until the next walk through it, for it may be no table any
 * more.
 *
 * Entries that no translation needs any more do no harm; when the table is
 * full, the owner forgets all translations and begins anew.
 *
 * The vcpu's thread; no locks.  SDM 3A 4.10.4.1.
 */
#include "vmm/core/code_pages.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/x86/paging.h"
#include "vmm/core/memory.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/mmu/trace.h"

#define PAGES_MAX   4096u
#define BATCH_PAGES 256u
#define HASH_SIZE   8192u       /* a power of 2, more than PAGES_MAX */
#define REGIONS     2048u       /* of LARGE_PAGE_SIZE */
#define REGION_PAGES (LARGE_PAGE_SIZE / PAGE_SIZE)
#define DUE_MAX     8u
#define TABLES_MAX  64u
#define ROOTS       4u

/* Numbers of entries are one more than their index; 0 is none. */
struct code_page {
    uint32_t page;              /* linear, in pages */
    uint32_t ppn;
    uint16_t next;              /* in the same region */
};

struct region {
    uint16_t first;
    bool has_large;             /* a page in it was in a large one */
    bool has_local;             /* ... was not global */
};

static struct code_page pages[PAGES_MAX];
static uint32_t count;
static uint16_t hash[HASH_SIZE];
static struct region regions[REGIONS];
static uint16_t used[REGIONS];              /* regions with entries */
static uint32_t used_count;

/* The guest's tables on the way to them: PPNs. */
static uint32_t tables[TABLES_MAX];
static uint32_t table_count;
static bool is_table_written;

/* What decides where walks begin and how they go. */
struct root {
    uint32_t cr0, cr3, cr4, efer;
    uint64_t pdpte[PDPTE_COUNT];
};
/* Under which all, and all but global pages, were looked at last. */
static struct root seen_all, seen_local[ROOTS];
static unsigned next_local;

/* What the guest has flushed and was not yet looked at. */
static bool is_all_due, is_local_due;
static uint32_t due[DUE_MAX];               /* pages */
static uint32_t due_count;

static uint16_t *
find(uint32_t page)
{
    uint32_t n = page % HASH_SIZE;

    while (hash[n] != 0 && pages[hash[n] - 1].page != page)
        n = (n + 1) % HASH_SIZE;
    return &hash[n];
}

/* The page at AT as code sees it; false: there is none now. */
static bool
walk(struct vcpu *v, uint32_t page, struct guest_mapping *mapping)
{
    return guest_walk_peek(v, make_gla(page << PAGE_SHIFT), GUEST_FETCH,
                           mapping);
}

static uint32_t
mapped_ppn(const struct guest_mapping *mapping)
{
    return (uint32_t)ppn_raw(gpa_to_ppn(mapping->at));
}

/* --- The table -------------------------------------------------------------*/

static void
add(uint32_t page, uint16_t *place)
{
    struct region *r = &regions[page / REGION_PAGES];

    ASSERT(count < PAGES_MAX);
    if (r->first == 0)
        used[used_count++] = (uint16_t)(page / REGION_PAGES);
    pages[count] = (struct code_page){ .page = page, .next = r->first };
    r->first = *place = (uint16_t)++count;
}

/* The place of PPN in tables, or table_count. */
static uint32_t
find_table(uint32_t ppn)
{
    uint32_t n = 0;

    while (n < table_count && tables[n] != ppn)
        n++;
    return n;
}

static void
watch_tables(const struct guest_mapping *mapping)
{
    for (unsigned n = 0; n < mapping->tables; n++) {
        uint32_t ppn = (uint32_t)ppn_raw(mapping->table[n]);
        struct shadow *s = memory_shadow();

        if (find_table(ppn) < table_count)
            continue;
        /* Without a trace, as if it were always written. */
        is_table_written |= table_count == TABLES_MAX ||
                            ppn >= s->machine.trace_count;
        if (ppn >= s->machine.trace_count)
            continue;
        if (table_count == TABLES_MAX)
            table_count = 0;
        tables[table_count++] = ppn;
        trace_set(s, make_ppn(ppn));
    }
}

static void
note_mapping(struct region *r, const struct guest_mapping *mapping)
{
    r->has_large |= mapping->page_size >= LARGE_PAGE_SIZE;
    r->has_local |= !mapping->is_global;
    watch_tables(mapping);
}

void
code_pages_written(uint32_t ppn)
{
    uint32_t n = find_table(ppn);

    if (n == table_count)
        return;
    tables[n] = tables[--table_count];
    is_table_written = true;
}

void
code_pages_note(struct vcpu *v, gla_t at, uint32_t ppn)
{
    uint32_t page = gla_raw(at) >> PAGE_SHIFT;
    struct region *r = &regions[page / REGION_PAGES];
    uint16_t *place = find(page);
    struct guest_mapping mapping;

    if (*place != 0 && pages[*place - 1].ppn == ppn)
        return;
    if (*place == 0)
        add(page, place);
    pages[*place - 1].ppn = ppn;
    if (!walk(v, page, &mapping))
        return;
    note_mapping(r, &mapping);
}

bool
code_pages_has_room(void)
{
    return count <= PAGES_MAX - BATCH_PAGES;
}

void
code_pages_forget(void)
{
    count = used_count = table_count = 0;
    memset(hash, 0, sizeof(hash));
    memset(regions, 0, sizeof(regions));
}

/* --- What the guest says ---------------------------------------------------*/

static struct root
root_now(const struct vcpu *v)
{
    struct root r = { v->cpu.cr0, v->cpu.cr3, v->cpu.cr4 & ~(uint32_t)CR4_PGE,
                      (uint32_t)v->cpu.efer, { 0 } };

    if (r.cr4 & CR4_PAE)
        memcpy(r.pdpte, v->cpu.pdpte, sizeof(r.pdpte));
    return r;
}

static bool
is_same_root(const struct root *a, const struct root *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Do all walks find what they found? */
static bool
is_unchanged(const struct root *now)
{
    return !is_table_written && is_same_root(now, &seen_all);
}

static bool
is_local_unchanged(const struct root *now)
{
    for (unsigned n = 0; n < ROOTS && !is_table_written; n++)
        if (is_same_root(now, &seen_local[n]))
            return true;
    return false;
}

/* All, or all but global pages, have been looked at under NOW. */
static void
note_seen(const struct root *now)
{
    if (is_all_due || is_table_written)
        memset(seen_local, 0, sizeof(seen_local));
    seen_local[next_local++ % ROOTS] = *now;
    if (!is_all_due)
        return;
    seen_all = *now;
    is_table_written = false;
}

/* Was it a load of CR3?  CR0, CR4 and EFER concern global pages, too. */
static bool
is_cr3_load(const struct guest_cpu *cpu)
{
    static uint32_t cr0, cr4, efer;
    bool is_same = cpu->cr0 == cr0 && cpu->cr4 == cr4 &&
                   (uint32_t)cpu->efer == efer;

    cr0 = cpu->cr0;
    cr4 = cpu->cr4;
    efer = (uint32_t)cpu->efer;
    return is_same;
}

void
code_pages_flush(const struct vcpu *v)
{
    struct root now = root_now(v);

    if (is_cr3_load(&v->cpu))
        is_local_due |= !is_local_unchanged(&now);
    else
        is_all_due |= !is_unchanged(&now);
}

/* A large page of 4 MB is two regions. */
static bool
is_near_large(uint32_t page)
{
    uint32_t r = page / REGION_PAGES;

    return regions[r].has_large || regions[r ^ 1].has_large;
}

void
code_pages_flush_page(const struct vcpu *v, gla_t at)
{
    uint32_t page = gla_raw(at) >> PAGE_SHIFT;
    struct root now;

    if (!is_near_large(page) && *find(page) == 0)
        return;
    now = root_now(v);
    if (is_unchanged(&now))
        return;
    if (due_count == DUE_MAX)
        is_all_due = true;
    else
        due[due_count++] = page;
}

/* --- Looking ---------------------------------------------------------------*/

static void
check_entry(struct code_page *p, uint32_t ppn, void (*moved)(uint32_t ppn))
{
    if (ppn == p->ppn)
        return;
    moved(p->ppn);
    p->ppn = ppn;
}

/* Where P is now; UINT32_MAX: nowhere. */
static uint32_t
ppn_now(struct vcpu *v, struct region *r, const struct code_page *p)
{
    struct guest_mapping mapping;

    if (!walk(v, p->page, &mapping))
        return UINT32_MAX;
    note_mapping(r, &mapping);
    return mapped_ppn(&mapping);
}

/* One walk for all, if they are in one large page. */
static void
check_region(struct vcpu *v, struct region *r, void (*moved)(uint32_t ppn))
{
    const struct code_page *first = &pages[r->first - 1];
    struct guest_mapping mapping;

    if (r->first == 0)
        return;
    r->has_large = r->has_local = false;
    if (walk(v, first->page, &mapping))
        note_mapping(r, &mapping);
    for (unsigned n = r->first; n != 0; n = pages[n - 1].next) {
        struct code_page *p = &pages[n - 1];

        check_entry(p, r->has_large ? mapped_ppn(&mapping) +
                                      (p->page - first->page)
                                    : ppn_now(v, r, p), moved);
    }
}

static void
check_page(struct vcpu *v, uint32_t page, void (*moved)(uint32_t ppn))
{
    struct region *r = &regions[page / REGION_PAGES];
    uint16_t number = *find(page);

    if (is_near_large(page)) {
        check_region(v, r, moved);
        check_region(v, &regions[page / REGION_PAGES ^ 1], moved);
    } else if (number != 0) {
        struct code_page *p = &pages[number - 1];

        check_entry(p, ppn_now(v, r, p), moved);
    }
}

void
code_pages_check(struct vcpu *v, void (*moved)(uint32_t ppn))
{
    if (LIKELY(!is_all_due && !is_local_due && due_count == 0))
        return;
    if (is_all_due || is_local_due) {
        struct root now = root_now(v);

        note_seen(&now);
    }
    for (uint32_t n = 0; n < used_count && (is_all_due || is_local_due); n++)
        if (is_all_due || regions[used[n]].has_local)
            check_region(v, &regions[used[n]], moved);
    for (uint32_t n = 0; n < due_count && !is_all_due; n++)
        check_page(v, due[n], moved);
    is_all_due = is_local_due = false;
    due_count = 0;
}
