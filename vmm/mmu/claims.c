/*
 * claims.c - see claims.h.
 *
 *      guest CR3 -> PD [last] ----> PT -> pages: which are there?
 *                   |               |
 *                   shadow's trace  a trace of ours
 *
 * Most of the time nothing has happened, and that is all that is asked.  After
 * a load of CR3 one entry of the PD is read; only when the table behind it is
 * another one, or was written to, all of its entries are.
 *
 * A large page is a table of its own kind, and so is no paging at all: then the
 * guest has what is there physically, which is nothing, or a ROM.
 *
 * SDM 3A 4.3, 4.4; called by the vcpu's thread, no locks.
 */
#include "vmm/mmu/claims.h"

#include "kernel/base/string.h"
#include "vmm/mmu/shadow_fill.h"
#include "vmm/mmu/trace.h"

static const struct shadow_key no_table = {
    .role = FIELD_SET(0u, ROLE_KIND, KIND_EMPTY)
};

static bool
is_same(struct shadow_key a, struct shadow_key b)
{
    return ppn_eq(a.ppn, b.ppn) && a.role == b.role;
}

/* What has the entries for our pages. */
static struct shadow_key
find_table(const struct shadow *s)
{
    struct shadow_key pd = shadow_root_key(s, VIEW_KERNEL, MONITOR_QUADRANT);
    pte_t pde = shadow_guest_entry(s, pd, MONITOR_INDEX);

    return pde & PTE_P ? shadow_leaf_key(pd, MONITOR_INDEX, pde) : no_table;
}

/* Is there anything that a read could find? */
static bool
is_memory(const struct shadow *s, pte_t entry)
{
    struct pmap_page page;

    return (entry & PTE_P) != 0 &&
           s->machine.pmap_get(s->machine.ctx, guest_entry_ppn(entry),
                               PMAP_PEEK, &page) != PMAP_EMULATE;
}

static void
read_table(struct claims *c)
{
    memset(c->page, 0, sizeof(c->page));
    if (key_kind(c->table) == KIND_EMPTY)
        return;
    for (unsigned n = 0; n < CLAIM_PAGES; n++)
        if (is_memory(c->shadow, shadow_guest_entry(c->shadow, c->table, n)))
            bitmap_set(c->page, n);
}

static bool
has_guest_table(const struct claims *c)
{
    return key_kind(c->table) == KIND_GUEST &&
           shadow_is_table(c->shadow, c->table.ppn);
}

void
claims_init(struct claims *c, struct shadow *s)
{
    *c = (struct claims){ .shadow = s, .table = no_table, .is_due = true };
}

void
claims_flush(struct claims *c)
{
    c->is_due = true;
}

bool
claims_written(struct claims *c, ppn_t ppn, uint32_t offset, uint32_t size)
{
    unsigned entry = guest_entry_size(key_format(c->table));
    unsigned half = FIELD_GET(c->table.role, ROLE_QUADRANT);
    uint32_t first = half * CLAIM_PAGES * entry;

    if (key_kind(c->table) != KIND_GUEST || !ppn_eq(ppn, c->table.ppn))
        return false;
    if (offset < first + CLAIM_PAGES * entry && offset + size > first)
        c->is_due = c->is_written = true;
    return true;
}

bool
claims_look(struct claims *c)
{
    struct shadow_key table;

    if (!c->is_due && c->directory_writes == c->shadow->monitor_pde_writes)
        return false;
    c->is_due = false;
    c->directory_writes = c->shadow->monitor_pde_writes;
    table = find_table(c->shadow);
    if (is_same(table, c->table) && !c->is_written)
        return false;
    c->is_written = false;
    c->table = table;
    if (has_guest_table(c))
        trace_set(c->shadow, table.ppn);
    read_table(c);
    return true;
}
