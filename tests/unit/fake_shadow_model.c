/*
 * fake_shadow_model.c - random guests for the shadow MMU.
 *
 * Few tables, few linear addresses and few entries are used, so that things
 * meet: tables that are data, tables of other formats, tables in ROM and in no
 * memory, directories that point to themselves.  An access must reach the page
 * that a walk of the guest's tables finds, or fault as it does; and it may be
 * left to the interpreter only for a reason that the model knows, too.
 */
#include "unit/fake_shadow_model.h"

#include <string.h>

#include "unit/fake_guest.h"
#include "unit/fake_shadow.h"
#include "vmm/mmu/guest_entry.h"
#include "vmm/mmu/trace.h"

#define CPL_USER        3
#define TABLES          10u             /* pages 1 to 10 are tables, often */
#define DIRECTORIES     3u              /* ... the first of them directories */
#define BUSY_PAGES      48u             /* what entries point to, mostly */
#define FLAGS           0xfffu
#define LARGE_SHIFT     22
#define TRIES           100u
#define FEW_PAGES       18u

static struct vcpu *const cpu = &fake_shadow.vcpu;

static uint32_t
below(struct shadow_model *m, uint32_t limit)
{
    return m->below(m->ctx, limit);
}

static bool
one_in(struct shadow_model *m, uint32_t n)
{
    return below(m, n) == 0;
}

static bool
is_ram(uint32_t page)
{
    return page < FAKE_RAM_PAGES && page != FAKE_ROM_PAGE;
}

/* --- The guest's choices ---------------------------------------------------*/

/* Indices, for two levels, of the entries that are used. */
static const uint16_t directory_index[] = { 0, 1, 512, 768, 1022, 1023 };
static const uint16_t table_index[] = { 0, 1, 5, 511, 512, 1023 };

static gla_t
any_linear(struct shadow_model *m)
{
    /* The last is the monitor's, and seldom of interest. */
    uint32_t directories = ARRAY_LEN(directory_index) - !one_in(m, 8);
    uint32_t pd = directory_index[below(m, directories)];
    uint32_t pt = table_index[below(m, ARRAY_LEN(table_index))];

    return make_gla(pd << LARGE_SHIFT | pt << PAGE_SHIFT |
                    (below(m, PAGE_SIZE / 8) * 8));
}

static unsigned
format(void)
{
    return guest_format(cpu);
}

static uint32_t
any_page(struct shadow_model *m)
{
    if (one_in(m, 32))
        return FAKE_RAM_PAGES + below(m, 4);
    return one_in(m, 8) ? 1 + below(m, TABLES)
                        : TABLES + below(m, BUSY_PAGES - TABLES);
}

/* Of a directory, mostly; or of a table, for IS_DIRECTORY false. */
static uint32_t
any_table(struct shadow_model *m, bool is_directory)
{
    if (one_in(m, 12))
        return any_page(m);
    return is_directory ? 1 + below(m, DIRECTORIES)
                        : 1 + DIRECTORIES + below(m, TABLES - DIRECTORIES);
}

static uint64_t
any_entry(struct shadow_model *m, bool is_directory)
{
    uint32_t page = is_directory ? any_table(m, false) : any_page(m);
    uint64_t entry = (uint64_t)page << PAGE_SHIFT;

    entry |= below(m, FLAGS + 1) & ~(uint32_t)PTE_PS;
    entry |= one_in(m, 8) ? 0 : PTE_P;
    entry |= one_in(m, 3) ? 0 : PTE_RW | PTE_US;
    if (one_in(m, is_directory ? 6 : 16))
        entry = (entry & FLAGS) | PTE_PS |
                (uint64_t)below(m, 3) << (one_in(m, 2) ? 21 : LARGE_SHIFT);
    if ((format() & FORMAT_PAE) && one_in(m, 10))
        entry |= one_in(m, 4) ? 1ull << (36 + below(m, 27)) : PTE_NX;
    return entry;
}

/* Where in its tables the guest's entry of LEVEL for a linear address is. */
static uint32_t
entry_offset(gla_t at, bool is_directory)
{
    uint32_t linear = gla_raw(at);

    if (format() & FORMAT_PAE)
        return 8 * (is_directory ? pd_index(linear) : pt_index(linear));
    return 4 * (is_directory ? linear >> LARGE_SHIFT
                             : linear >> PAGE_SHIFT & 1023);
}

static gpa_t
any_entry_address(struct shadow_model *m, bool is_directory)
{
    return make_gpa((uint64_t)any_table(m, is_directory) * PAGE_SIZE +
                    entry_offset(any_linear(m), is_directory));
}

/* --- The naive model -------------------------------------------------------*/

struct walk {
    uint64_t pde, pte;          /* pte: of a large page its PDE */
    uint32_t pd, pt;            /* pages of the tables */
    bool is_large;
};

static uint64_t
read_entry(uint32_t page, uint32_t offset)
{
    gpa_t at = make_gpa((uint64_t)page * PAGE_SIZE + offset);
    uint64_t entry = 0;

    return guest_phys_read(cpu, at, &entry, guest_entry_size(format())) ?
           entry : UINT32_MAX;
}

static struct walk
naive_walk(gla_t at)
{
    struct walk w = { .pd = cpu->cpu.cr3 >> PAGE_SHIFT };

    if (format() & FORMAT_PAE)
        w.pd = (uint32_t)(cpu->cpu.pdpte[pdpt_index(gla_raw(at))] >>
                          PAGE_SHIFT);
    w.pde = w.pte = read_entry(w.pd, entry_offset(at, true));
    w.is_large = guest_pde_is_large(w.pde, format());
    w.pt = w.is_large ? w.pd : (uint32_t)((w.pde & PTE_ADDR) >> PAGE_SHIFT);
    if (!w.is_large)
        w.pte = read_entry(w.pt, entry_offset(at, false));
    return w;
}

/* The page is found and the access allowed: may it be emulated all the same? */
static bool
may_emulate(gla_t at, ppn_t ppn, unsigned access)
{
    bool is_write = access == GUEST_WRITE, is_paged = cpu->cpu.cr0 & CR0_PG;
    struct walk w;

    if (gla_raw(at) >= SHADOW_MONITOR_BASE || ppn_raw(ppn) >= FAKE_RAM_PAGES)
        return true;
    if (is_write && (!is_ram(ppn_raw(ppn)) ||
                     trace_is_set(&fake_shadow.shadow, ppn)))
        return true;
    if (!is_paged)
        return false;
    w = naive_walk(at);
    return !is_ram(w.pd) || !is_ram(w.pt) ||
           (is_write && (w.pde & w.pte & PTE_RW) == 0);
}

/* After an access: are A and D as a processor leaves them? */
static bool
has_bits(gla_t at, unsigned access)
{
    struct walk w;

    if ((cpu->cpu.cr0 & CR0_PG) == 0)
        return true;
    w = naive_walk(at);
    return (w.pde & w.pte & PTE_A) != 0 &&
           (access != GUEST_WRITE || (w.pte & PTE_D) != 0);
}

/* --- Operations ------------------------------------------------------------*/

/* Whether through the shadow or by emulation, the guest writes something. */
static void
write_data(struct shadow_model *m, gpa_t at, bool is_emulated)
{
    static const uint8_t sizes[] = { 1, 2, 4, 8 };
    uint64_t value = any_entry(m, one_in(m, 2));
    size_t size = sizes[below(m, ARRAY_LEN(sizes))];

    if (ppn_raw(gpa_to_ppn(at)) >= FAKE_RAM_PAGES)
        return;
    if (is_emulated) {
        if (!guest_phys_write(cpu, at, &value, size))
            return;             /* ROM */
    } else {
        memcpy(fake_guest.memory + gpa_raw(at), &value, size);
    }
}

static const char *
check_fault(gla_t at, unsigned access)
{
    struct guest_fault fault = cpu->fault;
    struct guest_mapping mapping;

    if (guest_walk(cpu, at, access, &mapping))
        return "a fault that the guest's tables do not know";
    if (fault.vector != VEC_PF || fault.error != cpu->fault.error ||
        !gla_eq(fault.address, at))
        return "a fault with another code or address";
    return NULL;
}

static const char *
emulate(struct shadow_model *m, gla_t at, unsigned access)
{
    struct guest_mapping mapping;

    m->emulated++;
    if (!guest_walk(cpu, at, access, &mapping))
        return gla_raw(at) >= SHADOW_MONITOR_BASE ? NULL :
               "emulation of what must fault";
    if (!may_emulate(at, gpa_to_ppn(mapping.at), access))
        return "emulation without a reason";
    if (access == GUEST_WRITE)
        write_data(m, mapping.at, true);
    return NULL;
}

static const char *
do_access(struct shadow_model *m)
{
    gla_t at = any_linear(m);
    unsigned access = below(m, GUEST_FETCH + 1);
    struct guest_mapping mapping;
    bool is_mapped = guest_walk_peek(cpu, at, access, &mapping);
    ppn_t ppn = INVALID_PPN;

    switch (fake_shadow_access(at, access, &ppn)) {
    case FAKE_FAULT:
        m->faults++;
        return check_fault(at, access);
    case FAKE_EMULATE:
        return emulate(m, at, access);
    case FAKE_STALE:
        m->stale++;
        break;
    case FAKE_DONE:
        m->done++;
        if (!is_mapped || !ppn_eq(ppn, gpa_to_ppn(mapping.at)))
            return "an access that the guest's tables do not allow";
        break;
    }
    if (access == GUEST_WRITE && !ppn_eq(ppn, INVALID_PPN))
        write_data(m, gpa_add(ppn_to_gpa(ppn), gla_raw(at) & PAGE_MASK), false);
    return NULL;
}

static const char *
do_touch(struct shadow_model *m)
{
    gla_t at = any_linear(m);
    unsigned access = below(m, GUEST_WRITE + 1);
    ppn_t ppn;

    /* No TLB: what the shadow says now. */
    shadow_invlpg(&fake_shadow.shadow, at);
    if (fake_shadow_access(at, access, &ppn) == FAKE_DONE &&
        !has_bits(at, access))
        return "an access without A or D";
    return NULL;
}

static const char *
do_write_entry(struct shadow_model *m)
{
    bool is_directory = one_in(m, 4);
    uint64_t entry = any_entry(m, is_directory);
    size_t size = one_in(m, 4) ? 4 : guest_entry_size(format());
    gpa_t at = any_entry_address(m, is_directory);

    if (guest_phys_write(cpu, at, &entry, size))
        return NULL;
    return is_ram(ppn_raw(gpa_to_ppn(at))) ? "no memory where there is" : NULL;
}

/* As a guest that unmaps, clears A, or maps a page it had before. */
static const char *
change_bits(struct shadow_model *m, gpa_t at)
{
    static const uint64_t bits[] = { PTE_P, PTE_A, PTE_D, PTE_RW, PTE_US };
    uint64_t entry = 0;

    if (!guest_phys_read(cpu, at, &entry, 4))
        return NULL;
    entry ^= bits[below(m, ARRAY_LEN(bits))];
    return guest_phys_write(cpu, at, &entry, 4) ||
           !is_ram(ppn_raw(gpa_to_ppn(at))) ? NULL : "no write to RAM";
}

static const char *
do_change_bits(struct shadow_model *m)
{
    return change_bits(m, any_entry_address(m, one_in(m, 4)));
}

/* What is in the TLB at some place or behind it. */
static const struct fake_tlb *
any_cached(struct shadow_model *m)
{
    uint32_t first = below(m, FAKE_TLB_ENTRIES), n = 0;
    const struct fake_tlb *tlb = fake_shadow.tlb;

    for (; n < FAKE_TLB_ENTRIES; n++, first++)
        if (tlb[first % FAKE_TLB_ENTRIES].is_valid)
            break;
    return &tlb[first % FAKE_TLB_ENTRIES];
}

/* The entry of a page that is in the TLB, perhaps without INVLPG. */
static const char *
do_change_mapped(struct shadow_model *m)
{
    const struct fake_tlb *e = any_cached(m);
    gla_t at = make_gla(e->vpn * PAGE_SIZE);
    struct walk w = naive_walk(at);
    const char *wrong;
    ppn_t ppn;

    if (!e->is_valid || w.is_large || w.pt >= FAKE_RAM_PAGES)
        return NULL;
    wrong = change_bits(m, make_gpa((uint64_t)w.pt * PAGE_SIZE +
                                    entry_offset(at, false)));
    if (wrong == NULL &&
        fake_shadow_access(at, GUEST_READ, &ppn) == FAKE_STALE)
        m->stale++;
    return wrong;
}

static const char *
do_clear_page(struct shadow_model *m)
{
    static const uint8_t zeroes[PAGE_SIZE];
    ppn_t page = make_ppn(1 + below(m, TABLES));

    if (one_in(m, 8))
        fake_shadow_write(ppn_to_gpa(page), zeroes, PAGE_SIZE);
    return NULL;
}

static const char *
load_cr3(struct shadow_model *m)
{
    cpu->cpu.cr3 = any_table(m, true) << PAGE_SHIFT;
    for (unsigned n = 0; n < PDPT_ENTRIES; n++)
        cpu->cpu.pdpte[n] = (uint64_t)any_table(m, true) << PAGE_SHIFT |
                            !one_in(m, 8);
    fake_shadow_switch();
    return NULL;
}

static const char *
do_load_cr3(struct shadow_model *m)
{
    const char *wrong = load_cr3(m);

    for (unsigned n = 0; n < FAKE_TLB_ENTRIES && wrong == NULL; n++)
        if (fake_shadow.tlb[n].is_valid && !fake_shadow.is_flush_due)
            wrong = "a load of CR3 left something in the TLB";
    return wrong;
}

static const char *
do_invlpg(struct shadow_model *m)
{
    gla_t at = any_linear(m);

    shadow_invlpg(&fake_shadow.shadow, at);
    return fake_shadow_is_flushed(at) ? NULL : "INVLPG left a stale entry";
}

/* Also in the second 2 MB, which may be one page for the hardware. */
static ppn_t
busy_page(struct shadow_model *m)
{
    return make_ppn(below(m, BUSY_PAGES) + (one_in(m, 8) ? PT_ENTRIES : 0));
}

static const char *
do_revoke(struct shadow_model *m)
{
    fake_shadow_revoke(busy_page(m),
                       (enum fake_page_state)below(m, FAKE_ABSENT + 1));
    return NULL;
}

static const char *
do_trace(struct shadow_model *m)
{
    ppn_t ppn = busy_page(m);

    if (one_in(m, 2))
        trace_set(&fake_shadow.shadow, ppn);
    else
        trace_clear(&fake_shadow.shadow, ppn);
    return NULL;
}

static const char *
do_privilege(struct shadow_model *m)
{
    fake_shadow_set_cpl(one_in(m, 2) ? CPL_USER : 0);
    if (one_in(m, 4)) {
        cpu->cpu.cr0 ^= CR0_WP;
        fake_shadow_switch();
    }
    return NULL;
}

static const char *
do_mode(struct shadow_model *m)
{
    static const uint32_t bits[] = { CR4_PSE, CR4_PAE, CR4_PGE };

    if (!one_in(m, 4))
        return NULL;
    if (one_in(m, 4))
        cpu->cpu.cr0 ^= CR0_PG;
    else if (one_in(m, 3))
        cpu->cpu.efer ^= EFER_NXE;
    else
        cpu->cpu.cr4 ^= bits[below(m, ARRAY_LEN(bits))];
    return load_cr3(m);
}

static const char *
do_rare(struct shadow_model *m)
{
    if (one_in(m, 16))
        shadow_drop_all(&fake_shadow.shadow);
    if (one_in(m, 16))
        fake_shadow.has_large ^= true;
    return NULL;
}

/* --- A run -----------------------------------------------------------------*/

static void
fill_tables(struct shadow_model *m)
{
    for (uint32_t n = 0; n < TRIES * TABLES; n++)
        if (do_write_entry(m) != NULL)
            return;
}

void
shadow_model_start(struct shadow_model *m)
{
    bool has_views = one_in(m, 2);

    fake_shadow_reset(has_views,
                      one_in(m, 2) ? FEW_PAGES : FAKE_SHADOW_PAGES);
    fake_shadow.has_large = one_in(m, 2);
    cpu->cpu.cr0 |= CR0_WP | (one_in(m, 8) ? 0 : CR0_PG);
    cpu->cpu.cr4 = (one_in(m, 2) ? CR4_PAE : 0) |
                   (one_in(m, 3) ? 0 : CR4_PSE);
    cpu->cpu.efer = one_in(m, 2) ? EFER_NXE : 0;
    fill_tables(m);
    load_cr3(m);
}

const char *
shadow_model_step(struct shadow_model *m)
{
    static const char *(*const operation[])(struct shadow_model *) = {
        do_access, do_access, do_access, do_access, do_access, do_access,
        do_access, do_access, do_access, do_access, do_access, do_access,
        do_access, do_touch, do_touch, do_write_entry, do_write_entry,
        do_change_bits, do_change_mapped, do_change_mapped, do_clear_page,
        do_load_cr3, do_invlpg, do_revoke, do_trace, do_privilege, do_mode,
        do_rare,
    };
    const char *wrong = operation[below(m, ARRAY_LEN(operation))](m);

    m->steps++;
    return wrong != NULL ? wrong : fake_shadow_check();
}
