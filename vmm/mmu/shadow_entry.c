/*
 * shadow_entry.c - writing the hardware's entries, and the reverse map.
 *
 * Every present entry is on a chain with the others that point to machine pages
 * of the same hash: "who maps this page?" is answered by walking one chain.
 * The entry itself says which page it maps, so a link is two numbers, and the
 * links of a table fill one page beside it:
 *
 *      rmap[hash(mpn)] -> slot -> slot -> ...     slot = page * 512 + index
 *
 *      TABLE part of shadow page 7      LINKS part of shadow page 7
 *      [0] mpn 1234 P RW                [0] next, prev
 *      [1] mpn 0801 P (another PT')     [1] next, prev
 *
 * Entries of a PD point to shadow pages, which are machine pages as well: the
 * same map finds all links to a shadow table when it is dropped.  An entry of
 * 2 MB is on the chain of its first page.
 *
 * The hardware may walk a table while it is being edited, so the half of an
 * entry that holds P is cleared first and written last.  SDM 3A 4.10.4.
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/mmu/shadow_entry.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "vmm/mmu/shadow_int.h"

#define HASH_FACTOR     2654435761u     /* 2^32 / the golden ratio */
#define HASH_SHIFT      20              /* leaves 12 bits */
#define HALF_BITS       32

STATIC_ASSERT(RMAP_BUCKETS == BIT(HALF_BITS - HASH_SHIFT));

struct link {
    uint32_t next, prev;                    /* slots */
};
STATIC_ASSERT(sizeof(struct link) * PT_ENTRIES == PAGE_SIZE);

/* --- Entries ---------------------------------------------------------------*/

static pte_t *
table(const struct shadow *s, unsigned page)
{
    return s->machine.map(s->machine.ctx, page, SHADOW_TABLE);
}

static unsigned
page_index(const struct shadow *s, const struct shadow_page *page)
{
    return (unsigned)(page - s->machine.page);
}

static pte_t
slot_entry(const struct shadow *s, uint32_t slot)
{
    return table(s, slot / PT_ENTRIES)[slot % PT_ENTRIES];
}

static void
write_entry(pte_t *to, pte_t entry)
{
    uint32_t *half = (uint32_t *)to;

    __atomic_store_n(&half[0], 0, __ATOMIC_RELEASE);
    __atomic_store_n(&half[1], (uint32_t)(entry >> HALF_BITS),
                     __ATOMIC_RELEASE);
    __atomic_store_n(&half[0], (uint32_t)entry, __ATOMIC_RELEASE);
}

pte_t
shadow_entry(const struct shadow *s, const struct shadow_page *page,
             unsigned index)
{
    return table(s, page_index(s, page))[index];
}

/* --- The reverse map -------------------------------------------------------*/

static struct link *
slot_link(const struct shadow *s, uint32_t slot)
{
    struct link *links = s->machine.map(s->machine.ctx, slot / PT_ENTRIES,
                                        SHADOW_LINKS);

    return &links[slot % PT_ENTRIES];
}

static unsigned
hash(mpn_t mpn)
{
    return mpn_raw(mpn) * HASH_FACTOR >> HASH_SHIFT;
}

static void
rmap_add(struct shadow *s, uint32_t slot, mpn_t mpn)
{
    uint32_t *head = &s->rmap[hash(mpn)];

    *slot_link(s, slot) = (struct link){ .next = *head, .prev = SLOT_NONE };
    if (*head != SLOT_NONE)
        slot_link(s, *head)->prev = slot;
    *head = slot;
}

static void
rmap_remove(struct shadow *s, uint32_t slot, mpn_t mpn)
{
    struct link link = *slot_link(s, slot);

    if (link.prev == SLOT_NONE)
        s->rmap[hash(mpn)] = link.next;
    else
        slot_link(s, link.prev)->next = link.next;
    if (link.next != SLOT_NONE)
        slot_link(s, link.next)->prev = link.prev;
}

uint32_t
shadow_rmap_find(const struct shadow *s, mpn_t mpn, uint32_t slot)
{
    slot = slot == SLOT_NONE ? s->rmap[hash(mpn)] : slot_link(s, slot)->next;
    while (slot != SLOT_NONE && !mpn_eq(entry_mpn(slot_entry(s, slot)), mpn))
        slot = slot_link(s, slot)->next;
    return slot;
}

void
shadow_set_entry(struct shadow *s, struct shadow_page *page, unsigned index,
                 pte_t entry)
{
    uint32_t slot = page_index(s, page) * PT_ENTRIES + index;
    pte_t old = slot_entry(s, slot);

    ASSERT_HOT(index < key_entries(page->key));
    if (old == entry)
        return;
    if (old & PTE_P) {
        rmap_remove(s, slot, entry_mpn(old));
        page->live--;
    }
    write_entry(&table(s, page_index(s, page))[index], entry);
    if (entry & PTE_P) {
        rmap_add(s, slot, entry_mpn(entry));
        page->live++;
    }
}

void
shadow_init_entries(struct shadow *s, struct shadow_page *page)
{
    pte_t *entries = table(s, page_index(s, page));
    unsigned count = key_entries(page->key);

    page->live = 0;
    memset(entries, 0, PAGE_SIZE);
    for (unsigned n = count; n < PT_ENTRIES; n++)
        write_entry(&entries[n],
                    s->machine.monitor_pde[key_view(page->key)][n - count]);
}

/* --- All entries to a page -------------------------------------------------*/

static void
set_slot(struct shadow *s, uint32_t slot, pte_t entry)
{
    shadow_set_entry(s, &s->machine.page[slot / PT_ENTRIES],
                     slot % PT_ENTRIES, entry);
}

/* The entry of 2 MB, if there is one, that has MPN inside. */
static uint32_t
find_large(const struct shadow *s, mpn_t mpn)
{
    mpn_t first = make_mpn(ROUND_DOWN(mpn_raw(mpn), PT_ENTRIES));
    uint32_t slot = shadow_rmap_find(s, first, SLOT_NONE);

    while (slot != SLOT_NONE && (slot_entry(s, slot) & PTE_PS) == 0)
        slot = shadow_rmap_find(s, first, slot);
    return slot;
}

static bool
unmap_large(struct shadow *s, mpn_t mpn)
{
    uint32_t slot = find_large(s, mpn);
    bool found = slot != SLOT_NONE;

    for (; slot != SLOT_NONE; slot = find_large(s, mpn))
        set_slot(s, slot, 0);
    return found;
}

bool
shadow_unmap(struct shadow *s, mpn_t mpn)
{
    bool found = unmap_large(s, mpn);
    uint32_t slot = shadow_rmap_find(s, mpn, SLOT_NONE);

    found |= slot != SLOT_NONE;
    for (; slot != SLOT_NONE; slot = shadow_rmap_find(s, mpn, SLOT_NONE))
        set_slot(s, slot, 0);
    return found;
}

/*
 * Change bits of an entry, which stays where it is on its chain: the chain is
 * being walked.
 */
static void
clear_bits(struct shadow *s, uint32_t slot, pte_t bits)
{
    pte_t *entry = &table(s, slot / PT_ENTRIES)[slot % PT_ENTRIES];

    write_entry(entry, *entry & ~bits);
}

/* Clear BITS in all entries to MPN; true: they were set somewhere. */
static bool
clear_all(struct shadow *s, mpn_t mpn, pte_t bits)
{
    bool found = false;

    for (uint32_t slot = shadow_rmap_find(s, mpn, SLOT_NONE);
         slot != SLOT_NONE; slot = shadow_rmap_find(s, mpn, slot)) {
        if ((slot_entry(s, slot) & bits) == 0)
            continue;
        found = true;
        clear_bits(s, slot, bits);
    }
    return found;
}

bool
shadow_protect(struct shadow *s, mpn_t mpn)
{
    bool found = unmap_large(s, mpn);

    return clear_all(s, mpn, PTE_RW) || found;
}

bool
shadow_test_accessed(struct shadow *s, mpn_t mpn)
{
    return clear_all(s, mpn, PTE_A);
}
