/*
 * memory.c - guest memory as an array, behind the guest's page tables.
 *
 * A small TLB remembers host addresses by linear page, one table for each kind
 * of access and privilege, so that a hit needs no check.  A page is entered
 * after its walk has set A, and for writes D.  The map of guest-physical memory
 * decides what lies behind a page; a hole or a device has no host address and
 * takes the way byte by byte.
 *
 * The store holds RAM up to its end, and behind it nothing: the ROM area below
 * 1 MB is the store's own pages of that address.
 */
#include "vmrun/machine.h"

#include <string.h>
#include <sys/mman.h>

#include "kernel/base/assert.h"
#include "vmm/guest_mem.h"
#include "vmm/mmu/guest_walk.h"

#define CPL_USER        3
#define PIECES_MAX      2           /* an access crosses one page at most */

/* A part of an access inside one page. */
struct piece {
    uint8_t *memory;                /* NULL: no plain memory */
    uint32_t size;
};

static bool
is_user(const struct vcpu *v, unsigned access)
{
    return v->cpu.cpl == CPL_USER && (access & GUEST_SYSTEM) == 0;
}

/* The host's address of AT for a read or a write of it; NULL: none. */
static uint8_t *
find_physical(const struct machine *m, gpa_t at, bool is_write)
{
    uint32_t backing;
    enum gpa_kind kind = gpa_map_find(&m->map, gpa_to_ppn(at), &backing);

    if (kind != GPA_RAM && (kind != GPA_ROM || is_write))
        return NULL;
    return m->store + (size_t)backing * PAGE_SIZE +
           (gpa_raw(at) & PAGE_MASK);
}

/* A part of a large page is in the TLB, and INVLPG must forget all of it. */
static void
note_large(struct machine *m, uint32_t page, uint32_t size)
{
    m->large_first = MIN(m->large_first, page & ~(size - 1));
    m->large_last = MAX(m->large_last, page | (size - 1));
}

/* False: the access faults.  *MEMORY may be NULL all the same. */
static bool
translate(struct vcpu *v, gla_t at, unsigned access, uint8_t **memory)
{
    struct machine *m = machine_of(v);
    unsigned kind = access & GUEST_ACCESS_MASK;
    uint32_t offset = gla_raw(at) & PAGE_MASK, page = gla_raw(at) - offset;
    struct tlb_entry *e =
        &m->tlb[is_user(v, access)][kind][page / PAGE_SIZE % TLB_ENTRIES];
    struct guest_mapping mapping;

    if (LIKELY(e->page == page && e->generation == m->tlb_generation)) {
        *memory = e->memory + offset;
        return true;
    }
    m->stats.walks++;
    if (!guest_walk(v, at, access, &mapping))
        return false;
    *memory = find_physical(m, mapping.at, kind == GUEST_WRITE);
    if (*memory != NULL)
        *e = (struct tlb_entry){ page, m->tlb_generation, *memory - offset };
    if (mapping.page_size > PAGE_SIZE)
        note_large(m, page, mapping.page_size);
    return true;
}

/* Translate all of an access before any of it happens. */
static bool
translate_all(struct vcpu *v, gla_t at, size_t size, unsigned access,
              struct piece piece[PIECES_MAX])
{
    size_t first = MIN(size, PAGE_SIZE - (gla_raw(at) & PAGE_MASK));

    ASSERT(size - first <= PAGE_SIZE);
    piece[0].size = (uint32_t)first;
    piece[1].size = (uint32_t)(size - first);
    piece[1].memory = NULL;
    return translate(v, at, access, &piece[0].memory) &&
           (first == size ||
            translate(v, gla_add(at, (uint32_t)first), access,
                      &piece[1].memory));
}

bool
guest_probe(struct vcpu *v, gla_t at, size_t size, unsigned access)
{
    struct piece piece[PIECES_MAX];

    return translate_all(v, at, size, access, piece);
}

bool
guest_read(struct vcpu *v, gla_t at, void *to, size_t size, unsigned access)
{
    struct piece piece[PIECES_MAX];
    uint8_t *bytes = to;

    if (!translate_all(v, at, size, access, piece))
        return false;
    for (unsigned n = 0; n < PIECES_MAX; n++) {
        if (piece[n].memory != NULL)
            memcpy(bytes, piece[n].memory, piece[n].size);
        else
            memset(bytes, UINT8_MAX, piece[n].size);
        bytes += piece[n].size;
    }
    return true;
}

bool
guest_write(struct vcpu *v, gla_t at, const void *from, size_t size,
            unsigned access)
{
    struct piece piece[PIECES_MAX];
    const uint8_t *bytes = from;

    if (!translate_all(v, at, size, access, piece))
        return false;
    for (unsigned n = 0; n < PIECES_MAX; n++) {
        if (piece[n].memory != NULL)
            memcpy(piece[n].memory, bytes, piece[n].size);
        bytes += piece[n].size;
    }
    return true;
}

/* One vcpu, one thread: nothing comes in between. */
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

/* A window must not fault: the fault that a walk noted is put back. */
void *
guest_window(struct vcpu *v, gla_t at, unsigned access, size_t *size)
{
    struct guest_fault fault = v->fault;
    uint8_t *memory;

    *size = PAGE_SIZE - (gla_raw(at) & PAGE_MASK);
    if (translate(v, at, access, &memory))
        return memory;
    v->fault = fault;
    return NULL;
}

void
guest_mem_flush(struct vcpu *v, UNUSED bool with_global)
{
    struct machine *m = machine_of(v);

    m->tlb_generation++;
    m->large_first = UINT32_MAX;
    m->large_last = 0;
    v->memory_generation++;
}

void
guest_mem_flush_page(struct vcpu *v, gla_t at)
{
    struct machine *m = machine_of(v);
    unsigned n = gla_raw(at) / PAGE_SIZE % TLB_ENTRIES;

    if (gla_raw(at) >= m->large_first && gla_raw(at) <= m->large_last) {
        guest_mem_flush(v, true);
        return;
    }
    for (unsigned access = 0; access < TLB_ACCESSES; access++) {
        m->tlb[false][access][n].generation = m->tlb_generation - 1;
        m->tlb[true][access][n].generation = m->tlb_generation - 1;
    }
    v->memory_generation++;
}

/* --- Guest-physical memory -------------------------------------------------*/

/* Is all of it plain memory? */
static bool
is_plain(const struct machine *m, gpa_t at, size_t size, bool is_write)
{
    uint64_t first = gpa_raw(at) & ~(uint64_t)PAGE_MASK;

    for (uint64_t p = first; p < gpa_raw(at) + size; p += PAGE_SIZE)
        if (find_physical(m, make_gpa(p), is_write) == NULL)
            return false;
    return true;
}

/* The bytes of [at, at + size) that lie in AT's page. */
static size_t
in_page(gpa_t at, size_t size)
{
    return MIN(size, PAGE_SIZE - (gpa_raw(at) & PAGE_MASK));
}

bool
guest_phys_read(struct vcpu *v, gpa_t at, void *to, size_t size)
{
    const struct machine *m = machine_of(v);
    uint8_t *bytes = to;

    if (!is_plain(m, at, size, false))
        return false;
    while (size > 0) {
        size_t part = in_page(at, size);

        memcpy(bytes, find_physical(m, at, false), part);
        at = gpa_add(at, part);
        bytes += part;
        size -= part;
    }
    return true;
}

bool
guest_phys_write(struct vcpu *v, gpa_t at, const void *from, size_t size)
{
    const struct machine *m = machine_of(v);
    const uint8_t *bytes = from;

    if (!is_plain(m, at, size, true))
        return false;
    while (size > 0) {
        size_t part = in_page(at, size);

        memcpy(find_physical(m, at, true), bytes, part);
        at = gpa_add(at, part);
        bytes += part;
        size -= part;
    }
    return true;
}

/* --- The machine's memory --------------------------------------------------*/

/* Pages from FIRST to END - 1 are KIND; the store has them at their place. */
static bool
set_range(struct machine *m, uint32_t first, uint32_t end,
          enum gpa_kind kind)
{
    struct gpa_range r = { first / PAGE_SIZE, (end - first) / PAGE_SIZE,
                           first / PAGE_SIZE, kind };

    return gpa_map_set(&m->map, &r) == OK;
}

bool
machine_init_memory(struct machine *m, uint32_t size)
{
    void *store = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (store == MAP_FAILED)
        return false;
    m->store = store;
    m->tlb_generation = 1;
    gpa_map_init(&m->map);
    return set_range(m, 0, PC_VIDEO_BASE, GPA_RAM) &&
           set_range(m, PC_ROM_BASE, PC_HIGH_BASE, GPA_ROM) &&
           (size == PC_HIGH_BASE || set_range(m, PC_HIGH_BASE, size, GPA_RAM));
}

void
machine_clear_memory(struct machine *m)
{
    /* Untouched pages of the host's are zero again. */
    if (madvise(m->store, (size_t)m->options->memory_mb * MB(1),
                MADV_DONTNEED) != 0)
        NOT_REACHED();
    guest_mem_flush(&m->vcpu, true);
}

void
machine_set_a20(struct machine *m, bool is_on)
{
    gpa_map_set_a20(&m->map, is_on);
    guest_mem_flush(&m->vcpu, true);
}
