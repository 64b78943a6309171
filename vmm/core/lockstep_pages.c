/*
 * lockstep_pages.c - see lockstep_pages.h.
 *
 * Only what this list holds can be writable in the shadow, so that a new stay
 * need take back the rights to a few pages only.  Outside of stays the list is
 * just that: user code and the interpreter write, and nothing is saved; when it
 * is full, all rights are taken back and it starts anew.
 *
 * In a stay, hardware asks by faults; one that finds the list nearly full is
 * told to wait, and attention ends the stay.  The walker's writes of A and D
 * bits cannot wait: what is left of the list is for them.
 *
 * The vcpu's thread; no locks.
 */
#include "vmm/core/lockstep_pages.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/x86/atomic.h"
#include "vmm/core/memory_int.h"
#include "vmm/mmu/guest_walk.h"
#include "vmm/mmu/trace.h"

#define SAVED_MAX       32u
#define SAVED_BY_FAULTS 20u
#define PAGE_WORDS      (PAGE_SIZE / sizeof(uint32_t))
#define HARDWARE_BITS   ((uint32_t)(PTE_A | PTE_D))

enum lockstep_phase lockstep_phase;

static struct saved {
    uint32_t page;              /* of the store */
    bool is_walked;             /* written by the monitor: a table */
} saved[SAVED_MAX];
static uint32_t copy[SAVED_MAX][PAGE_WORDS];
static unsigned count;
static bool is_lost;            /* a page was written that is not saved */

static struct saved *
find(uint32_t page)
{
    for (unsigned n = 0; n < count; n++)
        if (saved[n].page == page)
            return &saved[n];
    return NULL;
}

static uint32_t *
words_of(uint32_t page)
{
    return (uint32_t *)memory_pointer(page, true);
}

static void
add(uint32_t page, bool is_walked)
{
    struct saved *s = find(page);

    if (s != NULL) {
        s->is_walked |= is_walked;
        return;
    }
    if (count == SAVED_MAX) {
        is_lost = true;
        return;
    }
    if (lockstep_phase != LOCKSTEP_OUTSIDE)
        memcpy(copy[count], memory_pointer(page, false), PAGE_SIZE);
    saved[count++] = (struct saved){ page, is_walked };
}

static void
take_back_rights(void)
{
    for (unsigned n = 0; n < count; n++)
        shadow_revoke(&memory.shadow,
                      make_mpn(memory_pmap_peek(saved[n].page) & PMAP_MPN));
    count = 0;
    is_lost = false;
}

enum pmap_result
lockstep_pages_ask(uint32_t page, enum pmap_intent intent, bool *is_writable)
{
    if (intent != PMAP_PEEK && lockstep_phase == LOCKSTEP_STAY &&
        count >= SAVED_BY_FAULTS) {
        atomic_or(&memory.vcpu->attention, ATTENTION_STOP);
        return PMAP_BLOCK;
    }
    if (intent == PMAP_WRITE) {
        if (count == SAVED_MAX)
            take_back_rights();
        add(page, false);
    }
    *is_writable &= find(page) != NULL;
    return PMAP_OK;
}

void
lockstep_pages_note(uint32_t page)
{
    if (lockstep_phase != LOCKSTEP_OUTSIDE)
        add(page, lockstep_phase == LOCKSTEP_STAY);
}

void
lockstep_pages_begin(void)
{
    take_back_rights();
    lockstep_phase = LOCKSTEP_STAY;
}

bool
lockstep_pages_swap(void)
{
    if (is_lost)
        return false;
    lockstep_phase = LOCKSTEP_REPLAY;
    for (unsigned n = 0; n < count; n++) {
        uint32_t *words = words_of(saved[n].page);

        for (unsigned i = 0; i < PAGE_WORDS; i++) {
            uint32_t word = words[i];

            words[i] = copy[n][i];
            copy[n][i] = word;
        }
    }
    return true;
}

/* May A and B, in page N, be one guest entry before and after a walk? */
static bool
may_be_entries(unsigned n, uint32_t a, uint32_t b)
{
    return ((a ^ b) & ~HARDWARE_BITS) == 0 &&
           (saved[n].is_walked ||
            trace_is_set(&memory.shadow, make_ppn(saved[n].page)));
}

static bool
is_same_page(unsigned n, struct lockstep_difference *d)
{
    const uint32_t *words = words_of(saved[n].page);

    for (unsigned i = 0; i < PAGE_WORDS; i++) {
        if (words[i] == copy[n][i] || may_be_entries(n, words[i], copy[n][i]))
            continue;
        *d = (struct lockstep_difference){
            "the word at physical", saved[n].page * PAGE_SIZE +
            i * (uint32_t)sizeof(uint32_t), copy[n][i], words[i]
        };
        return false;
    }
    return true;
}

bool
lockstep_pages_are_same(struct lockstep_difference *d)
{
    if (is_lost) {
        *d = (struct lockstep_difference){ "the number of pages written",
                                           0, count, count + 1 };
        return false;
    }
    for (unsigned n = 0; n < count; n++)
        if (!is_same_page(n, d))
            return false;
    return true;
}

static void
take_in_page(gla_t at, uint32_t size)
{
    uint32_t offset = gla_raw(at) & PAGE_MASK, page;
    struct guest_mapping mapping;
    struct saved *s;

    if (!guest_walk_peek(memory.vcpu, at, GUEST_WRITE, &mapping))
        return;
    page = memory_page_of(gpa_to_ppn(mapping.at), true);
    s = find(page);
    if (s != NULL)
        memcpy((uint8_t *)words_of(page) + offset,
               (const uint8_t *)copy[s - saved] + offset, size);
}

void
lockstep_pages_take(gla_t at, uint32_t size)
{
    uint32_t first = MIN(size, PAGE_SIZE - (gla_raw(at) & PAGE_MASK));

    take_in_page(at, first);
    if (first < size)
        take_in_page(gla_add(at, first), size - first);
}

void
lockstep_pages_keep(void)
{
    for (unsigned n = 0; n < count; n++)
        memcpy(words_of(saved[n].page), copy[n], PAGE_SIZE);
}
