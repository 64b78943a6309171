/*
 * pagetable.c - see pagetable.h.
 *
 * Entries are 64 bits and written in two halves, in the order that never shows
 * a processor a present entry with half an address.  Accessed and dirty bits
 * are set from the start: nobody here looks at them, and the processor need not
 * write them.  No mapping is global: a monitor's address space has none of
 * them, so loading its CR3 must make the processor forget them all.
 */
#include "mm/pagetable.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/cpuid.h"
#include "mm/mm.h"

static pte_t pdpt[PDPT_ENTRIES] ALIGNED(32);
static pte_t directories[PDPT_ENTRIES][PT_ENTRIES] ALIGNED(PAGE_SIZE);

/* The bits of an entry that this CPU knows. */
static pte_t supported;
static bool active;

#define PTE_COMMON  (PTE_P | PTE_A)
static const pte_t kind_bits[MAP_KIND_COUNT] = {
    [MAP_TEXT]   = PTE_COMMON,
    [MAP_RODATA] = PTE_COMMON | PTE_NX,
    [MAP_DATA]   = PTE_COMMON | PTE_NX | PTE_RW | PTE_D,
    [MAP_DEVICE] = PTE_COMMON | PTE_NX | PTE_RW | PTE_D | PTE_PCD | PTE_PWT
};

void
pagetable_init(void)
{
    supported = ~0ull;
    if (!cpu_has(CPU_NX))
        supported &= ~PTE_NX;
    for (unsigned i = 0; i < PDPT_ENTRIES; i++)
        pdpt[i] = maddr_raw(direct_maddr(directories[i])) | PTE_P;
}

void
pagetable_get_registers(struct paging_registers *r)
{
    r->cr0 = (read_cr0() & ~(CR0_CD | CR0_NW)) | CR0_PG | CR0_WP;
    r->cr3 = (uint32_t)maddr_raw(direct_maddr(pdpt));
    r->cr4 = (read_cr4() & ~(uint32_t)CR4_PGE) | CR4_PAE;
    r->efer = cpu_has(CPU_NX) ? (uint32_t)rdmsr(MSR_EFER) | EFER_NXE : 0;
}

void
pagetable_activate(void)
{
    struct paging_registers r;

    pagetable_get_registers(&r);
    /* First: with NXE off, NX is a reserved bit, and every access faults. */
    if (r.efer != 0)
        wrmsr(MSR_EFER, r.efer);
    write_cr3(r.cr3);
    write_cr4(r.cr4);
    write_cr0(r.cr0);
    active = true;
}

bool
pagetable_is_active(void)
{
    return active;
}

/*
 * A processor may walk the tables at any moment: the half with PTE_P is the
 * last to be written when an entry appears, the first when it goes.
 */
static void
write_entry(pte_t *entry, pte_t v)
{
    uint32_t *half = (uint32_t *)entry;

    if (v & PTE_P) {
        atomic_store(&half[1], (uint32_t)(v >> 32));
        atomic_store(&half[0], (uint32_t)v);
    } else {
        atomic_store(&half[0], (uint32_t)v);
        atomic_store(&half[1], (uint32_t)(v >> 32));
    }
}

static pte_t *
directory_entry(uint32_t linear)
{
    return &directories[pdpt_index(linear)][pd_index(linear)];
}

/* The entry of the page at LINEAR, or NULL if there is no page table. */
static pte_t *
table_entry(uint32_t linear)
{
    pte_t pde = *directory_entry(linear);
    pte_t *table;

    if ((pde & (PTE_P | PTE_PS)) != PTE_P)
        return NULL;
    table = direct_ptr(make_maddr(pde & PTE_ADDR));
    return &table[pt_index(linear)];
}

/* Rights are decided in the last level; directories allow everything. */
static void
add_table(uint32_t linear, maddr_t table)
{
    pte_t *pde = directory_entry(linear);

    ASSERT(!(*pde & PTE_P));
    write_entry(pde, maddr_raw(table) | PTE_P | PTE_RW | PTE_A);
}

void
pagetable_use_table(uint32_t linear, pte_t *table)
{
    add_table(linear, direct_maddr(table));
}

status_t
pagetable_prepare(uint32_t linear, uint32_t pages,
                  status_t (*source)(mpn_t *mpn))
{
    uint32_t end = linear + pages * PAGE_SIZE;

    ASSERT(end > linear);
    for (uint32_t at = ROUND_DOWN(linear, LARGE_PAGE_SIZE); at < end;
         at += LARGE_PAGE_SIZE) {
        status_t status;
        mpn_t mpn;

        if (table_entry(at) != NULL)
            continue;
        status = source(&mpn);
        if (status != OK)
            return status;
        memset(direct_ptr(mpn_to_maddr(mpn)), 0, PAGE_SIZE);
        add_table(at, mpn_to_maddr(mpn));
    }
    return OK;
}

/* PTE_NX is reserved, thus fatal, on CPUs without it. */
static pte_t
make_entry(mpn_t mpn, enum map_kind kind)
{
    return (maddr_raw(mpn_to_maddr(mpn)) | kind_bits[kind]) & supported;
}

void
pagetable_map(uint32_t linear, mpn_t mpn, enum map_kind kind)
{
    pte_t *entry = table_entry(linear);

    ASSERT(entry != NULL && !(*entry & PTE_P));
    write_entry(entry, make_entry(mpn, kind));
}

void
pagetable_map_large(uint32_t linear, mpn_t mpn, enum map_kind kind)
{
    pte_t *pde = directory_entry(linear);

    ASSERT(linear % LARGE_PAGE_SIZE == 0 && !(*pde & PTE_P));
    write_entry(pde, make_entry(mpn, kind) | PTE_PS);
}

void
pagetable_unmap(uint32_t linear)
{
    pte_t *entry = table_entry(linear);

    ASSERT(entry != NULL && (*entry & PTE_P));
    write_entry(entry, *entry & PTE_ADDR);
}

mpn_t
pagetable_take(uint32_t linear)
{
    pte_t *entry = table_entry(linear);
    maddr_t maddr;

    /* Page 0 is nobody's, so that an entry of 0 means "nothing". */
    ASSERT(entry != NULL && !(*entry & PTE_P));
    if (*entry == 0)
        return INVALID_MPN;
    maddr = make_maddr(*entry & PTE_ADDR);
    write_entry(entry, 0);
    return maddr_to_mpn(maddr);
}

bool
pagetable_is_mapped(uint32_t linear)
{
    pte_t pde = *directory_entry(linear);
    pte_t *entry;

    if ((pde & PTE_P) && (pde & PTE_PS))
        return true;
    entry = table_entry(linear);
    return entry != NULL && (*entry & PTE_P);
}
