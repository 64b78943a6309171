/*
 * memory_access.c - guest memory as instructions see it: vmm/guest_mem.h.
 *
 * A small TLB in software remembers which page of the store is behind a linear
 * page, one table for each kind of access and privilege, so that a hit needs no
 * check of rights.  A page is entered after its walk has set A, and for writes
 * D.  It also remembers the window, which may show another page meanwhile; the
 * window's key tells.
 *
 *      linear page -> TLB: page, window -> is the window's key that page?
 *
 * Every write tells mmu_guest_write(), after all of its bytes are in place; so
 * what traces do (drop shadows, drop translations) sees the new contents.  Only
 * writes through guest_window() do not: such a pointer is given for a page
 * without a trace, and v->memory_generation changes when any page gets one.
 *
 * Called by the vcpu's thread; no locks.  What a TLB may keep: SDM 3A 4.10.2.
 */
#include "vmm/guest_mem.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/x86/atomic.h"
#include "vmm/core/account.h"
#include "vmm/core/code_pages.h"
#include "vmm/core/gdt_watch.h"
#include "vmm/core/memory_int.h"
#include "vmm/layout.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/mmu/trace.h"

#define CPL_USER        3
#define TLB_ENTRIES     256u        /* a power of 2 */
#define TLB_ACCESSES    3u          /* read, write, fetch */
#define PIECES_MAX      2           /* an access crosses one page at most */

/* A page that an access of one kind, at one privilege, has reached before. */
struct tlb_entry {
    uint32_t linear;            /* the page's first byte */
    uint32_t generation;
    uint32_t page;              /* of the store */
    uint16_t window;            /* which showed it */
    bool is_lent;               /* guest_window() gave a pointer to it */
    bool is_global;             /* a load of CR3 leaves it */
};

static struct tlb_entry tlb[2][TLB_ACCESSES][TLB_ENTRIES];  /* [is user] */
/* An entry of another generation than its kind's is none; never 0. */
static uint32_t generations[2];     /* [is_global] */
/* Linear addresses around all large pages of which something is in the TLB. */
static uint32_t large_first, large_last;

/* A part of an access inside one page. */
struct piece {
    uint32_t page;              /* of the store, or NO_PAGE */
    uint32_t offset, size;
};

/* --- Linear to the store ---------------------------------------------------*/

static struct tlb_entry *
tlb_place(const struct vcpu *v, uint32_t linear, unsigned access)
{
    bool is_user = v->cpu.cpl == CPL_USER && (access & GUEST_SYSTEM) == 0;

    return &tlb[is_user][access & GUEST_ACCESS_MASK]
               [linear / PAGE_SIZE % TLB_ENTRIES];
}

static inline bool
is_hit(const struct tlb_entry *e, uint32_t linear)
{
    return LIKELY(e->linear == linear &&
                  e->generation == generations[e->is_global]);
}

/* A part of a large page is in the TLB, and INVLPG must forget all of it. */
static void
note_large(uint32_t linear, uint32_t size)
{
    large_first = MIN(large_first, linear & ~(size - 1));
    large_last = MAX(large_last, linear | (size - 1));
}

/* E forgets its page; a pointer that was lent is not good any more. */
static void
evict(struct tlb_entry *e)
{
    if (e->is_lent && e->generation == generations[e->is_global])
        memory.vcpu->memory_generation++;
    *e = (struct tlb_entry){ 0 };
}

/* Which page AT is in; false: the access faults. */
static bool
translate(struct vcpu *v, gla_t at, unsigned access, uint32_t *page)
{
    uint32_t linear = gla_raw(at) & ~PAGE_MASK;
    struct tlb_entry *e = tlb_place(v, linear, access);
    struct guest_mapping mapping;

    if (is_hit(e, linear)) {
        *page = e->page;
        return true;
    }
    if (!guest_walk(v, at, access, &mapping))
        return false;
    *page = memory_page_of(gpa_to_ppn(mapping.at),
                           (access & GUEST_ACCESS_MASK) == GUEST_WRITE);
    if (*page == NO_PAGE)
        return true;
    evict(e);
    *e = (struct tlb_entry){
        .linear = linear, .generation = generations[mapping.is_global],
        .page = *page, .is_global = mapping.is_global,
    };
    if (mapping.page_size > PAGE_SIZE)
        note_large(linear, mapping.page_size);
    return true;
}

/* The window that shows PAGE, where AT is; the TLB remembers it. */
static uint8_t *
show(struct vcpu *v, gla_t at, unsigned access, uint32_t page)
{
    uint32_t offset = gla_raw(at) & PAGE_MASK;
    bool is_write = (access & GUEST_ACCESS_MASK) == GUEST_WRITE;
    unsigned n = memory_window(page, is_write);

    tlb_place(v, gla_raw(at) - offset, access)->window = (uint16_t)n;
    return windows_use(&memory.pages, n) + offset;
}

/* Where a byte of the guest's is. */
struct spot {
    uint32_t page;              /* of the store, or NO_PAGE */
    uint8_t *memory;            /* NULL: nowhere */
};

/*
 * Find the byte at AT; false: the access faults.  The pointer is good until the
 * next but one.
 */
static inline bool
locate(struct vcpu *v, gla_t at, unsigned access, struct spot *spot)
{
    uint32_t offset = gla_raw(at) & PAGE_MASK;
    const struct tlb_entry *e = tlb_place(v, gla_raw(at) - offset, access);
    unsigned n = e->window;
    const struct window *w = &memory.pages.window[n];
    bool is_write = (access & GUEST_ACCESS_MASK) == GUEST_WRITE;

    if (is_hit(e, gla_raw(at) - offset) && LIKELY(w->key == e->page) &&
        (!is_write || w->is_writable)) {
        spot->page = w->key;
        spot->memory = windows_use(&memory.pages, n) + offset;
        return true;
    }
    if (!translate(v, at, access, &spot->page))
        return false;
    spot->memory = spot->page == NO_PAGE ? NULL
                                         : show(v, at, access, spot->page);
    return true;
}

/* --- Accesses --------------------------------------------------------------*/

void
memory_fire(uint32_t page, uint32_t offset, size_t size)
{
    enum vmm_time before;

    if (LIKELY(!trace_is_set(&memory.shadow, make_ppn(page))))
        return;
    memory.odd_accesses++;
    before = account_switch(TIME_MONITOR);
    mmu_guest_write(&memory.shadow, make_ppn(page), offset, (uint32_t)size);
    account_switch(before);
}

/* Could the hardware not have done this access by itself? */
static inline void
note_odd(gla_t at, uint32_t page)
{
    memory.odd_accesses += page == NO_PAGE || gla_raw(at) >= VMM_BASE;
}

static bool
is_in_page(gla_t at, size_t size)
{
    return (gla_raw(at) & PAGE_MASK) + size <= PAGE_SIZE;
}

/* Translate all of an access before any of it happens. */
static bool
translate_all(struct vcpu *v, gla_t at, size_t size, unsigned access,
              struct piece piece[PIECES_MAX])
{
    uint32_t offset = gla_raw(at) & PAGE_MASK;
    size_t first = MIN(size, PAGE_SIZE - offset);

    ASSERT(size - first <= PAGE_SIZE);
    piece[0] = (struct piece){ NO_PAGE, offset, (uint32_t)first };
    piece[1] = (struct piece){ NO_PAGE, 0, (uint32_t)(size - first) };
    return translate(v, at, access, &piece[0].page) &&
           (first == size || translate(v, gla_add(at, (uint32_t)first), access,
                                       &piece[1].page));
}

/* --- guest_mem.h: linear ---------------------------------------------------*/

bool
guest_probe(struct vcpu *v, gla_t at, size_t size, unsigned access)
{
    struct piece piece[PIECES_MAX];

    return translate_all(v, at, size, access, piece);
}

/* Reads and writes across a page. */
static bool
read_pieces(struct vcpu *v, gla_t at, void *to, size_t size, unsigned access)
{
    struct piece piece[PIECES_MAX];
    uint8_t *bytes = to;

    if (!translate_all(v, at, size, access, piece))
        return false;
    note_odd(at, piece[0].page);
    for (unsigned n = 0; n < PIECES_MAX; n++) {
        if (piece[n].page == NO_PAGE)
            memset(bytes, UINT8_MAX, piece[n].size);
        else
            memcpy(bytes, memory_pointer(piece[n].page, false) +
                          piece[n].offset, piece[n].size);
        bytes += piece[n].size;
    }
    return true;
}

static bool
write_pieces(struct vcpu *v, gla_t at, const void *from, size_t size,
             unsigned access)
{
    struct piece piece[PIECES_MAX];
    const uint8_t *bytes = from;

    if (!translate_all(v, at, size, access, piece))
        return false;
    note_odd(at, piece[0].page);
    for (unsigned n = 0; n < PIECES_MAX; n++) {
        if (piece[n].page != NO_PAGE)
            memcpy(memory_pointer(piece[n].page, true) + piece[n].offset,
                   bytes, piece[n].size);
        bytes += piece[n].size;
    }
    for (unsigned n = 0; n < PIECES_MAX; n++)
        if (piece[n].page != NO_PAGE)
            memory_fire(piece[n].page, piece[n].offset, piece[n].size);
    return true;
}

bool
guest_read(struct vcpu *v, gla_t at, void *to, size_t size, unsigned access)
{
    struct spot spot;

    if (UNLIKELY(!is_in_page(at, size)))
        return read_pieces(v, at, to, size, access);
    if (!locate(v, at, access, &spot))
        return false;
    note_odd(at, spot.page);
    if (LIKELY(spot.memory != NULL))
        memory_copy(to, spot.memory, size);
    else
        memset(to, UINT8_MAX, size);
    return true;
}

bool
guest_write(struct vcpu *v, gla_t at, const void *from, size_t size,
            unsigned access)
{
    struct spot spot;

    if (UNLIKELY(!is_in_page(at, size)))
        return write_pieces(v, at, from, size, access);
    if (!locate(v, at, access, &spot))
        return false;
    note_odd(at, spot.page);
    if (LIKELY(spot.memory != NULL)) {
        memory_copy(spot.memory, from, size);
        memory_fire(spot.page, gla_raw(at) & PAGE_MASK, size);
    }
    return true;
}

/* Neither in one page nor in plain memory: no other processor looks. */
static bool
compare_exchange_slowly(struct vcpu *v, gla_t at, size_t size, uint64_t *old,
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

#define COMPARE_EXCHANGE(bits)                                            \
    static uint64_t                                                       \
    compare_exchange##bits(void *at, uint64_t old, uint64_t new)          \
    {                                                                     \
        return atomic_compare_swap((uint##bits##_t *)at,                  \
                                   (uint##bits##_t)old,                   \
                                   (uint##bits##_t)new);                  \
    }
COMPARE_EXCHANGE(8)
COMPARE_EXCHANGE(16)
COMPARE_EXCHANGE(32)
#undef COMPARE_EXCHANGE

bool
guest_compare_exchange(struct vcpu *v, gla_t at, size_t size, uint64_t *old,
                       uint64_t new)
{
    uint64_t expected = *old;
    struct spot spot;

    if (!is_in_page(at, size))
        return compare_exchange_slowly(v, at, size, old, new);
    if (!locate(v, at, GUEST_WRITE, &spot))
        return false;
    note_odd(at, spot.page);
    if (spot.memory == NULL)
        return compare_exchange_slowly(v, at, size, old, new);
    if (size == sizeof(uint8_t))
        *old = compare_exchange8(spot.memory, expected, new);
    else if (size == sizeof(uint16_t))
        *old = compare_exchange16(spot.memory, expected, new);
    else if (size == sizeof(uint32_t))
        *old = compare_exchange32(spot.memory, expected, new);
    else
        *old = atomic_compare_swap64((uint64_t *)spot.memory, expected, new);
    if (*old == expected)
        memory_fire(spot.page, gla_raw(at) & PAGE_MASK, size);
    return true;
}

/* A window must not fault: the fault that a walk noted is put back. */
void *
guest_window(struct vcpu *v, gla_t at, unsigned access, size_t *size)
{
    struct guest_fault fault = v->fault;
    struct spot spot;

    *size = PAGE_SIZE - (gla_raw(at) & PAGE_MASK);
    if (!locate(v, at, access, &spot)) {
        v->fault = fault;
        return NULL;
    }
    if (spot.memory == NULL ||
        ((access & GUEST_ACCESS_MASK) == GUEST_WRITE &&
         trace_is_set(&memory.shadow, make_ppn(spot.page))))
        return NULL;
    windows_lend(&memory.pages, memory.pages.last);
    tlb_place(v, gla_raw(at) & ~PAGE_MASK, access)->is_lent = true;
    return spot.memory;
}

/* --- What goes -------------------------------------------------------------*/

void
memory_access_init(void)
{
    generations[false] = generations[true] = 1;
    large_first = UINT32_MAX;
    large_last = 0;
}

static void
forget(bool is_global)
{
    memory.vcpu->memory_generation++;
    if (++generations[is_global] == 0) {
        memset(tlb, 0, sizeof(tlb));
        generations[is_global] = 1;
    }
}

void
memory_forget_linear(void)
{
    large_first = UINT32_MAX;
    large_last = 0;
    forget(true);
    forget(false);
}

void
guest_mem_flush(struct vcpu *v, bool with_global)
{
    enum vmm_time before = account_switch(TIME_MONITOR);

    if (with_global)
        memory_forget_linear();
    else
        forget(false);
    code_pages_flush(v);
    gdt_watch_flush();
    shadow_switch(&memory.shadow);
    claims_flush(&memory.claims);
    account_switch(before);
}

static void
forget_page(uint32_t linear)
{
    unsigned n = linear / PAGE_SIZE % TLB_ENTRIES;

    linear &= ~PAGE_MASK;
    for (unsigned access = 0; access < TLB_ACCESSES; access++) {
        if (tlb[false][access][n].linear == linear)
            evict(&tlb[false][access][n]);
        if (tlb[true][access][n].linear == linear)
            evict(&tlb[true][access][n]);
    }
}

void
guest_mem_flush_page(struct vcpu *v, gla_t at)
{
    enum vmm_time before = account_switch(TIME_MONITOR);

    if (gla_raw(at) >= large_first && gla_raw(at) <= large_last)
        memory_forget_linear();
    else
        forget_page(gla_raw(at));
    code_pages_flush_page(v, at);
    gdt_watch_flush_page(v, at);
    shadow_invlpg(&memory.shadow, at);
    account_switch(before);
}
