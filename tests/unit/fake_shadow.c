/*
 * fake_shadow.c - machine, pmap, hardware page walk and TLB for shadow tests.
 *
 * The TLB forgets only when told to, or when it needs the room.  So a missing
 * flush shows: as an entry to a machine page that was taken away, or one that
 * may write to a traced page.
 */
#include "unit/fake_shadow.h"

#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/base/bitmap.h"
#include "unit/fake_guest.h"
#include "vmm/mmu/mmu_audit.h"
#include "vmm/mmu/trace.h"

#define CPL_USER        3
#define SHADOW_MPN      0x800000u       /* machine pages of shadow tables */
#define GUEST_MPN       0x100000u       /* ... and of guest memory, at first */
#define MONITOR_PDE     0x8000e3ull
#define TRIES_MAX       8

struct fake_shadow fake_shadow;

static uint8_t ram[FAKE_RAM_PAGES * PAGE_SIZE];
static pte_t part[SHADOW_PART_COUNT][FAKE_SHADOW_PAGES][PT_ENTRIES];
static struct shadow_page pages[FAKE_SHADOW_PAGES];
static uint32_t traces[2][BITMAP_WORDS(FAKE_RAM_PAGES)];
static pte_t pdpt[VIEW_COUNT][PDPT_ENTRIES];

/* --- What the monitor provides ---------------------------------------------*/

static bool
is_rom(uint32_t ppn)
{
    return ppn == FAKE_ROM_PAGE;
}

/* Another machine page: the old one is used by somebody else from now on. */
static void
move(uint32_t ppn, enum fake_page_state state)
{
    struct fake_shadow *f = &fake_shadow;
    mpn_t old = f->mpn[ppn];

    f->state[ppn] = state;
    f->mpn[ppn] = make_mpn(f->next_mpn++);
    shadow_revoke(&f->shadow, old);
}

static enum pmap_result
pmap_get(void *ctx, ppn_t ppn, enum pmap_intent intent, struct pmap_page *page)
{
    struct fake_shadow *f = ctx;
    uint32_t n = ppn_raw(ppn);

    if (n >= FAKE_RAM_PAGES || (is_rom(n) && intent == PMAP_WRITE))
        return PMAP_EMULATE;
    if (f->state[n] == FAKE_ABSENT) {
        f->blocked = ppn;
        return PMAP_BLOCK;
    }
    if (intent == PMAP_WRITE && f->state[n] == FAKE_SHARED)
        move(n, FAKE_OWN);
    *page = (struct pmap_page){ f->mpn[n],
                                f->state[n] == FAKE_OWN && !is_rom(n) };
    return PMAP_OK;
}

static mpn_t
large_page(void *ctx, ppn_t first)
{
    struct fake_shadow *f = ctx;
    uint32_t n = ppn_raw(first);

    if (!f->has_large || n + PT_ENTRIES > FAKE_RAM_PAGES)
        return INVALID_MPN;
    for (uint32_t k = 0; k < PT_ENTRIES; k++)
        if (f->state[n + k] != FAKE_OWN || is_rom(n + k) ||
            mpn_diff(f->mpn[n + k], f->mpn[n]) != k)
            return INVALID_MPN;
    return f->mpn[n];
}

static bool
alloc(void *ctx, unsigned index, mpn_t *mpn)
{
    struct fake_shadow *f = ctx;

    *mpn = make_mpn(SHADOW_MPN + index);
    return index < f->page_limit;
}

/* The page that the hardware goes through to reach the monitor, or NULL. */
static const struct shadow_page *
monitor_page(const struct fake_shadow *f)
{
    pte_t pdpte = f->latched[PDPT_ENTRIES - 1];
    uint32_t n = (uint32_t)((pdpte & PTE_ADDR) >> PAGE_SHIFT) - SHADOW_MPN;

    return pdpte & PTE_P ? &pages[n] : NULL;
}

/* Whatever is done to the shadow, that page stays what it was. */
static void
check_monitor(const struct fake_shadow *f)
{
    const struct shadow_page *page = monitor_page(f);

    ASSERT(page == NULL || (ppn_eq(page->key.ppn, f->latched_key.ppn) &&
                            page->key.role == f->latched_key.role));
}

static void *
map(void *ctx, unsigned index, enum shadow_part which)
{
    ASSERT(index < FAKE_SHADOW_PAGES);
    check_monitor(ctx);
    return part[which][index];
}

static void
forget(struct fake_tlb *e)
{
    e->is_valid = false;
}

static void
invalidate(void *ctx, gla_t at)
{
    struct fake_shadow *f = ctx;

    for (unsigned n = 0; n < FAKE_TLB_ENTRIES; n++)
        if (f->tlb[n].vpn == gla_raw(at) / PAGE_SIZE)
            forget(&f->tlb[n]);
}

/* As loading CR3 with the PDPT of the present view. */
static void
load_view(struct fake_shadow *f)
{
    for (unsigned n = 0; n < FAKE_TLB_ENTRIES; n++)
        forget(&f->tlb[n]);
    memcpy(f->latched, pdpt[shadow_view(&f->shadow)], sizeof(f->latched));
    f->is_flush_due = false;
    if (monitor_page(f) != NULL)
        f->latched_key = monitor_page(f)->key;
}

/* Put off as long as it may be: until the guest runs, or settle(). */
static void
flush(void *ctx)
{
    struct fake_shadow *f = ctx;

    f->is_flush_due = true;
}

static void
settle(void *ctx)
{
    struct fake_shadow *f = ctx;

    if (f->is_flush_due)
        load_view(f);
}

static void
written(void *ctx, UNUSED ppn_t ppn, UNUSED uint32_t offset,
        UNUSED uint32_t size)
{
    struct fake_shadow *f = ctx;

    f->code_writes++;
}

/* --- The hardware ----------------------------------------------------------*/

static pte_t *
shadow_table(pte_t entry)
{
    uint32_t n = (uint32_t)((entry & PTE_ADDR) >> PAGE_SHIFT) - SHADOW_MPN;

    ASSERT(n < fake_shadow.shadow.allocated);
    return part[SHADOW_TABLE][n];
}

/* What the tables say, as one entry; 0: not present.  Sets A in the PDE. */
static pte_t
hardware_walk(uint32_t at)
{
    pte_t pdpte = fake_shadow.latched[pdpt_index(at)], *pde, pte;

    if ((pdpte & PTE_P) == 0)
        return 0;
    pde = &shadow_table(pdpte)[pd_index(at)];
    if ((*pde & PTE_P) == 0)
        return 0;
    *pde |= PTE_A;
    if (*pde & PTE_PS)
        return *pde + (at & (LARGE_PAGE_SIZE - 1) & ~PAGE_MASK);
    pte = shadow_table(*pde)[pt_index(at)];
    if ((pte & PTE_P) == 0)
        return 0;
    return (pte & (*pde | ~(PTE_RW | PTE_US))) | (*pde & PTE_NX);
}

/* CR0.WP = 1; with views all guest code is user code. */
static bool
hardware_allows(pte_t entry, unsigned access)
{
    bool is_user = fake_shadow.shadow.has_views ||
                   fake_shadow.vcpu.cpu.cpl == CPL_USER;

    if ((entry & PTE_P) == 0 || (is_user && (entry & PTE_US) == 0))
        return false;
    if (access == GUEST_WRITE)
        return (entry & PTE_RW) != 0;
    return access != GUEST_FETCH || (entry & PTE_NX) == 0;
}

static struct fake_tlb *
tlb_find(uint32_t vpn)
{
    for (unsigned n = 0; n < FAKE_TLB_ENTRIES; n++)
        if (fake_shadow.tlb[n].is_valid && fake_shadow.tlb[n].vpn == vpn)
            return &fake_shadow.tlb[n];
    return NULL;
}

static ppn_t
find_ppn(mpn_t mpn)
{
    for (uint32_t n = 0; n < FAKE_RAM_PAGES; n++)
        if (mpn_eq(fake_shadow.mpn[n], mpn))
            return make_ppn(n);
    return INVALID_PPN;
}

static mpn_t
tlb_mpn(const struct fake_tlb *e)
{
    return maddr_to_mpn(make_maddr(e->entry & PTE_ADDR));
}

static struct fake_tlb *
tlb_fill(gla_t at, pte_t entry)
{
    struct fake_shadow *f = &fake_shadow;
    struct fake_tlb *e = &f->tlb[f->tlb_hand++ % FAKE_TLB_ENTRIES];
    struct guest_mapping mapping = { .page_size = 0 };

    if (!guest_walk_peek(&f->vcpu, at, GUEST_READ, &mapping))
        mapping.page_size = PAGE_SIZE;
    *e = (struct fake_tlb){ true, gla_raw(at) / PAGE_SIZE, mapping.page_size,
                            entry, INVALID_PPN };
    e->ppn = find_ppn(tlb_mpn(e));
    return e;
}

/* Through the TLB if it allows it; else walk; NULL: #PF. */
static struct fake_tlb *
hardware_access(gla_t at, unsigned access, bool *was_cached)
{
    struct fake_tlb *e = tlb_find(gla_raw(at) / PAGE_SIZE);
    pte_t entry;

    *was_cached = e != NULL && hardware_allows(e->entry, access);
    if (*was_cached)
        return e;
    if (e != NULL)
        forget(e);
    entry = hardware_walk(gla_raw(at));
    /* The monitor's pages are the supervisor's; segments keep ring 1 away. */
    if (gla_raw(at) >= SHADOW_MONITOR_BASE) {
        ASSERT((entry & PTE_US) == 0);
        return NULL;
    }
    return hardware_allows(entry, access) ? tlb_fill(at, entry) : NULL;
}

/* --- The test's side -------------------------------------------------------*/

static bool
is_current(gla_t at, unsigned access, ppn_t ppn)
{
    struct guest_mapping mapping;

    return guest_walk_peek(&fake_shadow.vcpu, at, access, &mapping) &&
           ppn_eq(gpa_to_ppn(mapping.at), ppn);
}

enum fake_outcome
fake_shadow_access(gla_t at, unsigned access, ppn_t *ppn)
{
    struct fake_shadow *f = &fake_shadow;
    uint32_t error = access == GUEST_WRITE ? PF_ERR_W :
                     access == GUEST_FETCH ? PF_ERR_I : 0;
    struct fake_tlb *e;
    bool was_cached;

    for (unsigned n = 0; n < TRIES_MAX; n++) {
        settle(f);
        e = hardware_access(at, access, &was_cached);
        if (e != NULL) {
            *ppn = e->ppn;
            return was_cached && !is_current(at, access, e->ppn) ?
                   FAKE_STALE : FAKE_DONE;
        }
        switch (shadow_fault(&f->shadow, at, error)) {
        case SHADOW_TRUE:
            return FAKE_FAULT;
        case SHADOW_EMULATE:
            return FAKE_EMULATE;
        case SHADOW_BLOCK:
            f->state[ppn_raw(f->blocked)] = FAKE_OWN;
            break;
        default:
            break;
        }
    }
    NOT_REACHED();
}

static void
phys_written(gpa_t at, size_t size)
{
    mmu_guest_write(&fake_shadow.shadow, gpa_to_ppn(at),
                    gpa_raw(at) & PAGE_MASK, (uint32_t)size);
}

void
fake_shadow_write(gpa_t at, const void *from, size_t size)
{
    if (!guest_phys_write(&fake_shadow.vcpu, at, from, size))
        NOT_REACHED();
}

void
fake_shadow_revoke(ppn_t ppn, enum fake_page_state state)
{
    move(ppn_raw(ppn), state);
}

void
fake_shadow_switch(void)
{
    shadow_switch(&fake_shadow.shadow);
}

void
fake_shadow_set_cpl(unsigned cpl)
{
    enum shadow_view old = shadow_view(&fake_shadow.shadow);

    fake_shadow.vcpu.cpu.cpl = cpl;
    if (shadow_view(&fake_shadow.shadow) != old)
        load_view(&fake_shadow);
}

bool
fake_shadow_is_flushed(gla_t at)
{
    if (fake_shadow.is_flush_due)
        return true;
    for (unsigned n = 0; n < FAKE_TLB_ENTRIES; n++) {
        const struct fake_tlb *e = &fake_shadow.tlb[n];
        gla_t page = make_gla(e->vpn * PAGE_SIZE);
        uint32_t size = MAX(e->guest_size, PAGE_SIZE);

        if (e->is_valid && (gla_raw(page) ^ gla_raw(at)) < size &&
            !is_current(page, GUEST_READ | GUEST_SYSTEM, e->ppn))
            return false;
    }
    return true;
}

static const char *
check_tlb(const struct fake_tlb *e)
{
    if (!e->is_valid)
        return NULL;
    if (ppn_eq(e->ppn, INVALID_PPN) ||
        !mpn_eq(tlb_mpn(e), fake_shadow.mpn[ppn_raw(e->ppn)]))
        return "the TLB has a machine page that was taken away";
    if ((e->entry & PTE_RW) && trace_is_set(&fake_shadow.shadow, e->ppn))
        return "the TLB may write to a traced page";
    if ((e->entry & PTE_RW) &&
        (fake_shadow.state[ppn_raw(e->ppn)] != FAKE_OWN ||
         is_rom(ppn_raw(e->ppn))))
        return "the TLB may write to a page that is not the VM's own";
    return NULL;
}

const char *
fake_shadow_check(void)
{
    struct mmu_audit audit;

    if (!mmu_audit(&fake_shadow.shadow, &audit))
        return audit.wrong;
    if (fake_shadow.is_flush_due)
        return NULL;
    for (unsigned n = 0; n < FAKE_TLB_ENTRIES; n++)
        if (check_tlb(&fake_shadow.tlb[n]) != NULL)
            return check_tlb(&fake_shadow.tlb[n]);
    return NULL;
}

void
fake_shadow_reset(bool has_views, unsigned count)
{
    struct fake_shadow *f = &fake_shadow;
    struct shadow_machine machine = {
        .ctx = f, .pmap_get = pmap_get, .large_page = large_page,
        .alloc = alloc, .map = map, .invalidate = invalidate, .flush = flush,
        .settle = settle, .written = written,
        .page = pages, .page_count = FAKE_SHADOW_PAGES,
        .table_traces = traces[0], .code_traces = traces[1],
        .trace_count = FAKE_RAM_PAGES,
    };

    memset(f, 0, sizeof(*f));
    memset(ram, 0, sizeof(ram));
    memset(traces, 0, sizeof(traces));
    memset(part, 0xa5, sizeof(part));
    memset(pages, 0, sizeof(pages));
    fake_guest_reset(0, sizeof(ram), ram);
    fake_guest_flat(&f->vcpu, 0);
    f->page_limit = count;
    f->next_mpn = GUEST_MPN;
    for (uint32_t n = 0; n < FAKE_RAM_PAGES; n++)
        f->mpn[n] = make_mpn(f->next_mpn++);
    fake_guest.no_write[FAKE_ROM_PAGE] = 1;
    for (unsigned view = 0; view < VIEW_COUNT; view++) {
        machine.pdpt[view] = pdpt[view];
        for (unsigned n = 0; n < SHADOW_MONITOR_PDES; n++)
            machine.monitor_pde[view][n] = MONITOR_PDE + view * LARGE_PAGE_SIZE;
    }
    if (shadow_init(&f->shadow, &f->vcpu, &machine, has_views) != OK)
        NOT_REACHED();
    fake_guest.written = phys_written;
}
