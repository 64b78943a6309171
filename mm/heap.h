/*
 * heap.h - the heap's workings: size classes out of pages, for one instance.
 *
 * What the VMkernel calls is heap_alloc() of mm/mm.h; that is this with a lock
 * around it (mm/vmk_heap.c).  Pure: pages come and go through two functions.
 *
 * A page of the heap holds chunks of one size class.  Requests beyond the
 * largest class have a block of pages of their own.  Either way the memory
 * begins with a struct heap_page, found from any pointer into the first page by
 * rounding down:
 *
 *      heap_page | chunk | chunk | chunk ...           a size class
 *      heap_page | chunk ........................      one large block
 *
 *      chunk  =  heap_chunk (16 bytes) | the caller's bytes | red zone
 *
 * The chunk's header says how many bytes the caller asked for and who it was;
 * a seal over both and the address shows whether somebody overwrote it.  The
 * red zone is at least HEAP_RED_ZONE bytes and in debug builds all of the rest.
 * Both are verified at free and by heap_core_check(); debug builds also poison.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "kernel/base/list.h"
#include "kernel/base/status.h"
#include "kernel/base/types.h"

#define HEAP_CLASSES    17u
#define HEAP_ALIGN      16u
#define HEAP_RED_ZONE   8u

struct heap_pages {
    void *(*get)(unsigned order);       /* aligned to its size, or NULL */
    void (*put)(void *block, unsigned order);
    unsigned order_max;
};

/* What is wrong with the heap, and who allocated the block concerned. */
struct heap_fault {
    const char *what;           /* NULL: nothing */
    const void *block;          /* as the caller knows it */
    size_t size;                /* 0: not known */
    uintptr_t site;             /* 0: not known */
};

struct heap {
    const struct heap_pages *pages;
    struct list partial[HEAP_CLASSES];  /* pages with a free chunk */
    struct list full;                   /* pages without, and large blocks */
    size_t live_bytes;                  /* asked for and not freed */
    size_t live_blocks;
    size_t held_pages;                  /* got from `pages` */
    struct heap_fault fault;            /* the last one found */
};

/* One line of a leak report: what is live and was allocated by SITE. */
struct heap_site {
    uintptr_t site;             /* 0: all others together */
    size_t blocks;
    size_t bytes;
};

void heap_core_init(struct heap *h, const struct heap_pages *pages);

/*
 * SITE is the address of the code that asks.  NULL when there is no memory, or
 * with h->fault set (debug builds) when freed memory was written to.
 */
void *heap_core_alloc(struct heap *h, size_t size, uintptr_t site);

/*
 * ERR_CORRUPT with h->fault set, and nothing freed, if PTR is not a live block
 * of this heap or was written beyond its ends.
 */
MUST_CHECK status_t heap_core_free(struct heap *h, void *ptr);

/* Look at every chunk; ERR_CORRUPT with h->fault set at the first fault. */
MUST_CHECK status_t heap_core_check(struct heap *h);

/*
 * Sum up the live blocks by site into SITES[MAX] (MAX >= 2), most bytes first;
 * returns how many entries are used.  Sites that did not fit are summed up in
 * an entry with site 0.
 */
unsigned heap_core_sites(const struct heap *h, struct heap_site *sites,
                         unsigned max);

#endif
