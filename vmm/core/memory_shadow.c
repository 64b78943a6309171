/*
 * memory_shadow.c - what the shadow MMU asks of the machine: struct
 * shadow_machine, with real pages and the real TLB.
 *
 * A load of CR3 is dear, and between two entries to the guest the shadow may
 * ask for several.  The monitor itself never touches a guest address, so a
 * flush waits until the guest is entered next (memory_load_view), or until the
 * shadow needs it done before it gives a table another use (settle).  In the
 * meantime the hardware goes on with the PDPTEs that it has latched: the tables
 * that they point to stay as they are.  On the permanent root, where the
 * translator works, no shadow is in use, and the way back flushes anyway.
 *
 * Called by the vcpu's thread; no locks.  Interrupts are on: a switch to the
 * VMkernel and back may load CR3 at any instruction, and finds it good.
 */
#include "kernel/base/bits.h"
#include "kernel/x86/cpu.h"
#include "vmm/core/account.h"
#include "vmm/core/memory_int.h"
#include "vmm/core/vmk.h"
#include "vmm/mmu/trace.h"

/* Unless vm.audit says how often: entries to the guest for each table. */
#ifdef DEBUG
#define AUDIT_PERIOD    64u
#else
#define AUDIT_PERIOD    0u      /* never */
#endif

/* Keys of windows: both parts of each page. */
#define PART_KEY(index, part) ((index) * SHADOW_PART_COUNT + (part))

static struct windows windows;          /* onto shadow pages */
static uint32_t generation;             /* nothing of it is kept */
static struct shadow_page pages[MEMORY_SHADOW_MAX];
static uint32_t links[MEMORY_SHADOW_MAX];   /* MPNs */
static uint32_t loaded_cr3;
static bool is_flush_due;

/* --- Shadow pages ----------------------------------------------------------*/

static bool
alloc(UNUSED void *ctx, unsigned index, mpn_t *mpn)
{
    uint32_t table;

    if (!vmk_shadow_page(&table, &links[index]))
        return false;
    *mpn = make_mpn(table);
    vmm_stats->shadow_used = index + 1;
    return true;
}

static void *
map(UNUSED void *ctx, unsigned index, enum shadow_part part)
{
    uint32_t key = PART_KEY(index, part);
    unsigned n = windows_find(&windows, key);

    if (UNLIKELY(n == WINDOW_NONE))
        n = windows_open(&windows, key,
                         part == SHADOW_TABLE ? pages[index].mpn
                                              : make_mpn(links[index]), true);
    return windows_use(&windows, n);
}

static mpn_t
large_page(UNUSED void *ctx, UNUSED ppn_t first)
{
    return INVALID_MPN;
}

/* --- The TLB ---------------------------------------------------------------*/

static void
load_cr3(uint32_t cr3)
{
    is_flush_due = false;
    loaded_cr3 = cr3;
    write_cr3(cr3);
}

static void
invalidate(UNUSED void *ctx, gla_t at)
{
    if (!is_flush_due)
        invlpg(gla_raw(at));
}

static void
flush(UNUSED void *ctx)
{
    is_flush_due = loaded_cr3 != vmm_shared->params.permanent_cr3;
}

/* Each page that is taken for another use comes here. */
static void
settle(UNUSED void *ctx)
{
    vmm_stats->shadow_reclaimed = (uint32_t)memory.shadow.stats.reclaimed;
    if (is_flush_due)
        load_cr3(loaded_cr3);
}

void
memory_load_permanent(void)
{
    if (loaded_cr3 != vmm_shared->params.permanent_cr3)
        load_cr3(vmm_shared->params.permanent_cr3);
}

void
memory_load_view(void)
{
    uint32_t cr3 = vmm_shared->params.pdpt[shadow_view(&memory.shadow)];

    if (is_flush_due || loaded_cr3 != cr3)
        load_cr3(cr3);
}

/* By itself so seldom that it does not take more time than the guest has. */
void
memory_audit_sometimes(void)
{
    static uint32_t entries;
    uint32_t period = vmm_shared->params.audit;

    if (period == 0)
        period = AUDIT_PERIOD * memory.shadow.allocated;
    if (LIKELY(period == 0) || ++entries < period)
        return;
    entries = 0;
    memory_audit();
}

/* --- Traces ----------------------------------------------------------------*/

static void
written(UNUSED void *ctx, ppn_t ppn, uint32_t offset, uint32_t size)
{
    bool is_claims = claims_written(&memory.claims, ppn, offset, size);

    if (!memory.written(ppn_raw(ppn), offset, size) && !is_claims)
        trace_clear(&memory.shadow, ppn);
}

/* --- Start -----------------------------------------------------------------*/

/* A PDPT of four entries for each view: the VMkernel fills in params. */
static void
set_roots(struct shadow_machine *m, const struct vmm_params *params)
{
    pte_t (*pdpt)[PDPT_ENTRIES] = (pte_t (*)[PDPT_ENTRIES])VMM_PDPT_AT;

    for (unsigned view = 0; view < VIEW_COUNT; view++) {
        m->pdpt[view] = pdpt[view];
        for (unsigned n = 0; n < SHADOW_MONITOR_PDES; n++)
            m->monitor_pde[view][n] = params->monitor_pde[view][n];
    }
}

/*
 * No user code runs where virtual-8086 mode could go on with it, in which the
 * IRET of a processor that we do not trust may have put it: guest_enter.h.
 */
static void
set_low_rights(struct shadow_machine *m, pte_t no_execute)
{
    m->low_set = no_execute;
    m->low_clear = m->low_set == 0 ? PTE_US : 0;
}

status_t
memory_shadow_init(const struct vmm_params *params)
{
    struct windows_place place = memory_windows(VMM_SHADOW_WINDOWS_AT,
                                                VMM_SHADOW_WINDOWS,
                                                &generation);
    struct shadow_machine m = {
        .pmap_get = memory_pmap_get, .large_page = large_page, .alloc = alloc,
        .map = map, .invalidate = invalidate, .flush = flush, .settle = settle,
        .written = written, .page = pages,
        .page_count = MIN(params->shadow_pages, MEMORY_SHADOW_MAX),
        .table_traces = (uint32_t *)VMM_TRACES_AT,
        .code_traces = (uint32_t *)(VMM_TRACES_AT + VMM_TRACES_SIZE),
        .trace_count = params->memory_pages,
    };

    windows_init(&windows, &place);
    set_roots(&m, params);
    set_low_rights(&m, place.rights & PTE_NX);
    loaded_cr3 = params->permanent_cr3;
    vmm_stats->shadow_pages = m.page_count;
    return shadow_init(&memory.shadow, memory.vcpu, &m,
                       params->sandbox == VMM_SANDBOX_PAGING);
}
