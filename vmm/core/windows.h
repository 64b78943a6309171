/*
 * windows.h - a few linear pages through which many machine pages are seen.
 *
 * The monitor has not the linear space to map all of a guest's memory, or all
 * shadow tables.  So it moves windows: a page table entry is written and the
 * TLB told to forget what it said before.  A pool of windows is a cache of what
 * they show: a page is named by a number (its key), found by a hash, and when
 * all windows are taken the clock chooses one that was not used of late.
 *
 *      bucket[hash(key)] -> window -> window       `next` is an index
 *
 * The window that was asked for last is never the one that goes, so the last
 * two pointers are good at any time.  Who keeps pointers for longer lends the
 * window, and learns when such a window goes (windows_lend).
 *
 * Internal to the monitor's memory.  Pure but for `forget`; the vcpu's thread.
 */
#ifndef VMM_CORE_WINDOWS_H
#define VMM_CORE_WINDOWS_H

#include "kernel/base/addr.h"
#include "kernel/x86/paging.h"

#define WINDOWS_MAX         96u
#define WINDOW_BUCKETS      256u
#define WINDOW_NONE         UINT8_MAX       /* no window */
#define WINDOW_KEY_NONE     UINT32_MAX      /* no page */

STATIC_ASSERT(WINDOWS_MAX <= WINDOW_NONE);

struct window {
    uint32_t key;
    uint32_t lent;              /* the generation when it was */
    uint8_t next;
    bool is_used;               /* the clock's bit */
    bool is_writable;
};

/* Where a pool is. */
struct windows_place {
    uint8_t *at;                /* the first window */
    pte_t *entry;               /* its page table entry; the others follow */
    unsigned count;
    pte_t rights;               /* of each entry; PTE_RW as asked for */
    void (*forget)(const void *at);     /* what the TLB knows of one page */
    uint32_t *generation;       /* of pointers that are kept: windows_lend */
};

struct windows {
    struct windows_place place;
    unsigned hand, last;
    uint8_t bucket[WINDOW_BUCKETS];
    struct window window[WINDOWS_MAX];
};

/* Make ENTRY that of window N, for owners who do without a pool, too. */
void windows_set(const struct windows_place *place, unsigned n, pte_t entry);

void windows_init(struct windows *p, const struct windows_place *place);

/* Show MPN, under KEY, in some window; there is none for KEY. */
unsigned windows_open(struct windows *p, uint32_t key, mpn_t mpn,
                      bool is_writable);

/* Another machine page is behind KEY, or none. */
void windows_close(struct windows *p, uint32_t key);

/* The window of KEY, or WINDOW_NONE. */
static inline unsigned
windows_find(const struct windows *p, uint32_t key)
{
    unsigned n = p->bucket[key % WINDOW_BUCKETS];

    while (n != WINDOW_NONE && p->window[n].key != key)
        n = p->window[n].next;
    return n;
}

static inline uint8_t *
windows_use(struct windows *p, unsigned n)
{
    p->window[n].is_used = true;
    p->last = n;
    return p->place.at + (size_t)n * PAGE_SIZE;
}

/*
 * A pointer into window N is kept while the generation stays as it is: it
 * changes when a window goes that was lent since it changed last.
 */
static inline void
windows_lend(struct windows *p, unsigned n)
{
    p->window[n].lent = *p->place.generation;
}

#endif
