/*
 * memory_pmap.c - from a guest page to its machine page, and to a pointer.
 *
 *      PPN --gpa_map--> page of the store --pmap--> MPN --window--> pointer
 *
 * A page of the store has the number that it has in the guest's RAM; only the
 * A20 gate makes two PPNs show one page.  The pmap's pages belong to the
 * VMkernel and are read through windows of their own.  It changes only while
 * we ask it to: a page that is touched first, or written to first, is a call.
 * What may be in the hardware's tables or in a window by then, the old machine
 * page, is taken out.
 *
 * Called by the vcpu's thread; no locks.
 */
#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "vmm/core/lockstep_pages.h"
#include "vmm/core/memory_int.h"
#include "vmm/core/vmk.h"

static struct windows windows;          /* onto the pmap */
static uint32_t generation;             /* nothing of it is kept */

void
memory_pmap_init(void)
{
    struct windows_place place = memory_windows(VMM_PMAP_WINDOWS_AT,
                                                VMM_PMAP_WINDOWS, &generation);

    windows_init(&windows, &place);
}

/* --- The pmap --------------------------------------------------------------*/

static mpn_t
word_mpn(uint32_t word)
{
    return make_mpn(word & PMAP_MPN);
}

uint32_t
memory_pmap_peek(uint32_t page)
{
    const uint32_t *root = (const uint32_t *)VMM_PMAP_ROOT_AT, *words;
    uint32_t key = page / PMAP_PER_PAGE;
    unsigned n = windows_find(&windows, key);

    if (UNLIKELY(n == WINDOW_NONE)) {
        if (root[key] == 0)
            return 0;
        n = windows_open(&windows, key, make_mpn(root[key]), false);
    }
    words = (const uint32_t *)windows_use(&windows, n);
    return words[page % PMAP_PER_PAGE];
}

static bool
is_enough(uint32_t word, bool is_write)
{
    uint32_t needed = is_write ? PMAP_PRESENT | PMAP_WRITABLE : PMAP_PRESENT;

    return (word & needed) == needed;
}

uint32_t
memory_pmap_touch(uint32_t page, bool is_write)
{
    uint32_t old = memory_pmap_peek(page), new;

    if (LIKELY(is_enough(old, is_write)))
        return old;
    if (!vmk_page(page, is_write))
        vmk_end(VMM_END_NO_MEMORY, "no memory for guest page %x", page);
    new = memory_pmap_peek(page);
    ASSERT(is_enough(new, is_write));
    windows_close(&memory.pages, page);
    if ((old & PMAP_PRESENT) && !mpn_eq(word_mpn(old), word_mpn(new)))
        shadow_revoke(&memory.shadow, word_mpn(old));
    return new;
}

/* --- For the shadow MMU ----------------------------------------------------*/

enum pmap_result
memory_pmap_get(UNUSED void *ctx, ppn_t ppn, enum pmap_intent intent,
                struct pmap_page *page)
{
    uint32_t at, word;
    enum gpa_kind kind = gpa_map_find(&memory.map, ppn, &at);

    if ((kind != GPA_RAM && kind != GPA_ROM) || at != ppn_raw(ppn) ||
        (kind == GPA_ROM && intent == PMAP_WRITE))
        return PMAP_EMULATE;
    word = intent == PMAP_PEEK ? memory_pmap_peek(at)
                               : memory_pmap_touch(at, intent == PMAP_WRITE);
    if ((word & PMAP_PRESENT) == 0)
        return PMAP_BLOCK;
    page->mpn = word_mpn(word);
    page->is_writable = kind == GPA_RAM && (word & PMAP_WRITABLE) != 0;
    if (UNLIKELY(lockstep_phase != LOCKSTEP_OFF))
        return lockstep_pages_ask(at, intent, &page->is_writable);
    return PMAP_OK;
}

/* --- For accesses ----------------------------------------------------------*/

uint32_t
memory_page_of(ppn_t ppn, bool is_write)
{
    uint32_t page;
    enum gpa_kind kind = gpa_map_find(&memory.map, ppn, &page);

    return kind == GPA_RAM || (kind == GPA_ROM && !is_write) ? page : NO_PAGE;
}

unsigned
memory_window(uint32_t page, bool is_write)
{
    struct windows *p = &memory.pages;
    unsigned n = windows_find(p, page);
    uint32_t word;

    if (UNLIKELY(lockstep_phase != LOCKSTEP_OFF) && is_write)
        lockstep_pages_note(page);
    if (LIKELY(n != WINDOW_NONE) && (p->window[n].is_writable || !is_write))
        return n;
    word = memory_pmap_touch(page, is_write);
    windows_close(p, page);
    return windows_open(p, page, word_mpn(word), (word & PMAP_WRITABLE) != 0);
}
