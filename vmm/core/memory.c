/*
 * memory.c - the guest's memory in the monitor, put together.
 *
 *      guest_mem.h     instructions       -> memory_access.c
 *      shadow faults   the hardware       -> vmm/mmu, memory_shadow.c
 *      memory_fetch()  the translator     -> here
 *
 * all see the same pages through memory_pmap.c, and all writes fire traces.
 * The guest's RAM lies as in a PC: from 0 to the video hole, from 1 MB up, and
 * a ROM below 1 MB.  The store has pages for all of it at their own numbers.
 *
 * The translator keeps its pointers through a whole batch, while guest_mem.h
 * is used as well.  So the last windows of the 96 are a ring for it alone: the
 * pages fetched last are where they are until as many others were fetched.
 *
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/core/memory.h"

#include "kernel/base/assert.h"
#include "kernel/x86/cpu.h"
#include "vmm/boot/direct_boot.h"
#include "vmm/core/account.h"
#include "vmm/core/memory_int.h"
#include "vmm/core/vmk.h"
#include "vmm/guest_mem.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/mmu/mmu_audit.h"
#include "vmm/mmu/trace.h"

#define FETCH_WINDOWS   16u
#define FETCH_KEPT      8u          /* as memory.h promises */
#define BYTE_BITS       8u
#define PAGE_WINDOWS    (VMM_GUEST_WINDOWS - FETCH_WINDOWS)
#define FETCH_AT        (VMM_GUEST_WINDOWS_AT + PAGE_WINDOWS * PAGE_SIZE)

struct memory memory;

/* --- Windows ---------------------------------------------------------------*/

static void
forget(const void *at)
{
    invlpg((uint32_t)at);
}

static pte_t *
entry_of(uint32_t linear)
{
    return (pte_t *)VMM_TABLE_AT + pt_index(linear);
}

/* As the VMkernel has made our data pages: not executable, if that exists. */
struct windows_place
memory_windows(uint32_t at, unsigned count, uint32_t *generation)
{
    return (struct windows_place){
        .at = (uint8_t *)at, .entry = entry_of(at), .count = count,
        .rights = PTE_P | PTE_A | PTE_D | (*entry_of(VMM_SHARED_AT) & PTE_NX),
        .forget = forget, .generation = generation,
    };
}

/* --- The translator's fetch ------------------------------------------------*/

/* The windows of a ring; the newest is the one before `next`. */
static struct windows_place ring;
static uint32_t next;

/* A page is found again if it stays for another FETCH_KEPT. */
static const uint8_t *
show(uint32_t page)
{
    uint32_t word = memory_pmap_touch(page, false);
    pte_t entry = maddr_raw(mpn_to_maddr(make_mpn(word & PMAP_MPN))) |
                  ring.rights;
    unsigned n;

    for (unsigned age = 1; age <= FETCH_WINDOWS - FETCH_KEPT; age++) {
        n = (next - age) % FETCH_WINDOWS;
        if (ring.entry[n] == entry)
            return ring.at + (size_t)n * PAGE_SIZE;
    }
    n = next++ % FETCH_WINDOWS;
    windows_set(&ring, n, entry);
    return ring.at + (size_t)n * PAGE_SIZE;
}

const uint8_t *
memory_fetch(gla_t at, bool is_unwatched, uint32_t *id)
{
    struct vcpu *v = memory.vcpu;
    struct guest_fault fault = v->fault;
    struct guest_mapping mapping;

    if (!guest_walk(v, at, GUEST_FETCH, &mapping)) {
        v->fault = fault;
        return NULL;
    }
    *id = memory_page_of(gpa_to_ppn(mapping.at), false);
    if (*id == NO_PAGE)
        return NULL;
    if (!is_unwatched)
        trace_set(&memory.shadow, make_ppn(*id));
    return show(*id);
}

/* --- The shadow ------------------------------------------------------------*/

struct shadow *
memory_shadow(void)
{
    return &memory.shadow;
}

uint32_t
memory_odd_accesses(void)
{
    return memory.odd_accesses;
}

const uint32_t *
memory_claims(void)
{
    return claims_look(&memory.claims) ? memory.claims.page : NULL;
}

static bool
ignore(UNUSED uint32_t ppn, UNUSED uint32_t offset, UNUSED uint32_t size)
{
    return false;
}

void
memory_on_written(bool (*written)(uint32_t ppn, uint32_t offset,
                                  uint32_t size))
{
    memory.written = written;
}

void
memory_audit(void)
{
    struct mmu_audit a;

    vmm_stats->audits++;
    if (mmu_audit(&memory.shadow, &a))
        return;
    vmk_end(VMM_END_CRASHED,
            "shadow audit: %s; table %x role %x entry %u is %llx, may be %llx",
            a.wrong, a.page != NULL ? ppn_raw(a.page->key.ppn) : 0,
            a.page != NULL ? a.page->key.role : 0, a.index,
            (unsigned long long)a.found, (unsigned long long)a.allowed);
}

/* --- The map ---------------------------------------------------------------*/

void
memory_set_a20(bool is_open)
{
    gpa_map_set_a20(&memory.map, is_open);
    memory_forget_linear();
    shadow_drop_all(&memory.shadow);
    claims_init(&memory.claims, &memory.shadow);
}

static void
set_range(uint32_t first, uint32_t end, enum gpa_kind kind)
{
    struct gpa_range r = { first, end - first, first, kind };
    status_t status = gpa_map_set(&memory.map, &r);

    ASSERT(status == OK);
}

/* As boot_memory_of_pc() tells the guest. */
static void
set_map(uint32_t memory_pages)
{
    gpa_map_init(&memory.map);
    set_range(0, PC_VIDEO_BASE / PAGE_SIZE, GPA_RAM);
    set_range(PC_ROM_BASE / PAGE_SIZE, PC_HIGH_BASE / PAGE_SIZE, GPA_ROM);
    if (memory_pages > PC_HIGH_BASE / PAGE_SIZE)
        set_range(PC_HIGH_BASE / PAGE_SIZE, memory_pages, GPA_RAM);
}

void
memory_init(struct vcpu *v, const struct vmm_params *params)
{
    struct windows_place place = memory_windows(VMM_GUEST_WINDOWS_AT,
                                                PAGE_WINDOWS,
                                                &v->memory_generation);

    ASSERT(params->memory_pages <= VMM_TRACES_SIZE * BYTE_BITS);
    memory.vcpu = v;
    memory.written = ignore;
    set_map(params->memory_pages);
    windows_init(&memory.pages, &place);
    ring = memory_windows(FETCH_AT, FETCH_WINDOWS, NULL);
    memory_pmap_init();
    memory_access_init();
    if (memory_shadow_init(params) != OK)
        vmk_end(VMM_END_NO_MEMORY, "no memory for shadow tables");
    claims_init(&memory.claims, &memory.shadow);
}
