/*
 * heap.c - see heap.h for the layout of pages and chunks.
 *
 * A page of a size class hands out its chunks from the bottom up once
 * (`fresh`), and then from a chain of free ones that is linked by index through
 * the chunks' headers.  A page that becomes empty goes back, unless it is the
 * last of its class that has room: the next request would fetch it again.
 *
 * A chunk's seal is a hash of its address, size and site, and of whether it is
 * live; so a header that was overwritten, a pointer into the middle of a block
 * and a second free all show as a seal that does not match.
 */
#include "mm/heap.h"

#include "kernel/base/addr.h"
#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/string.h"
#include "mm/poison.h"

#define PAGE_MAGIC      0x50414548u     /* "HEAP" */
#define PAGE_HEADER     64u
#define CLASS_LARGE     HEAP_CLASSES    /* one block, no chunks */
#define NO_CHUNK        UINT16_MAX

#define SEAL_LIVE       0x4556494cu     /* "LIVE" */
#define SEAL_FREE       0x45455246u     /* "FREE" */
#define SEAL_MIX        0x9e3779b1u     /* 2^32 / golden ratio */

struct heap_page {
    struct list link;
    uint32_t magic;
    uint16_t size_class;
    uint16_t order;             /* pages in the block: 2^order */
    uint16_t used;              /* live chunks */
    uint16_t fresh;             /* chunks from here up were never used */
    uint16_t free;              /* first of the chain, or NO_CHUNK */
};
STATIC_ASSERT(sizeof(struct heap_page) <= PAGE_HEADER);

struct heap_chunk {
    uint64_t site;              /* who allocated it (last) */
    uint32_t size;              /* live: bytes asked for; free: next index */
    uint32_t seal;
} ALIGNED(HEAP_ALIGN);
STATIC_ASSERT(sizeof(struct heap_chunk) == 16);

#define CHUNK_OVERHEAD  (sizeof(struct heap_chunk) + HEAP_RED_ZONE)

/* Bytes from chunk to chunk, chosen so that a page is used up to its end. */
static const uint16_t strides[HEAP_CLASSES] = {
    32, 48, 64, 80, 96, 128, 160, 192, 256, 336, 448, 576, 672, 800, 1008,
    1344, 2016
};

void
heap_core_init(struct heap *h, const struct heap_pages *pages)
{
    memset(h, 0, sizeof(*h));
    h->pages = pages;
    list_init(&h->full);
    for (unsigned i = 0; i < HEAP_CLASSES; i++)
        list_init(&h->partial[i]);
}

/* Of a large block too: its chunk begins in its first page. */
static struct heap_page *
page_of(const void *ptr)
{
    return (struct heap_page *)ROUND_DOWN((uintptr_t)ptr, PAGE_SIZE);
}

/* Room from chunk to chunk; of a large block all that is behind the header. */
static size_t
page_stride(const struct heap_page *p)
{
    if (p->size_class < CLASS_LARGE)
        return strides[p->size_class];
    return ((size_t)PAGE_SIZE << p->order) - PAGE_HEADER;
}

/* How many chunks a page like P holds. */
static unsigned
page_chunks(const struct heap_page *p)
{
    if (p->size_class == CLASS_LARGE)
        return 1;
    return (PAGE_SIZE - PAGE_HEADER) / strides[p->size_class];
}

static struct heap_chunk *
chunk_at(const struct heap_page *p, unsigned index)
{
    return (struct heap_chunk *)((uintptr_t)p + PAGE_HEADER +
                                 index * page_stride(p));
}

/* From the first chunk of P to C, which need not be in there. */
static size_t
chunk_offset(const struct heap_page *p, const struct heap_chunk *c)
{
    return (uintptr_t)c - (uintptr_t)p - PAGE_HEADER;
}

static uint8_t *
chunk_data(const struct heap_chunk *c)
{
    return (uint8_t *)(c + 1);
}

/* What the seal of C must be if C is in state KIND. */
static uint32_t
seal_of(const struct heap_chunk *c, uint32_t kind)
{
    return (kind ^ (uint32_t)(uintptr_t)c ^ (uint32_t)c->site) * SEAL_MIX +
           c->size;
}

/* How much of what is behind the caller's bytes is watched. */
static size_t
red_zone_size(const struct heap_page *p, const struct heap_chunk *c)
{
    if (!POISON_ON)
        return HEAP_RED_ZONE;
    return page_stride(p) - sizeof(*c) - c->size;
}

static bool
red_zone_intact(const struct heap_page *p, const struct heap_chunk *c)
{
    return poison_intact(chunk_data(c) + c->size, POISON_ZONE,
                         red_zone_size(p, c));
}

/* Note what is wrong with C, as far as its header can be believed. */
static status_t
fault(struct heap *h, const char *what, const struct heap_chunk *c)
{
    bool known = c->seal == seal_of(c, SEAL_LIVE);

    h->fault.what = what;
    h->fault.block = chunk_data(c);
    h->fault.size = known ? c->size : 0;
    h->fault.site = known || c->seal == seal_of(c, SEAL_FREE)
                    ? (uintptr_t)c->site : 0;
    return ERR_CORRUPT;
}

/* The same where there may be no chunk at all to look at. */
static status_t
fault_unknown(struct heap *h, const char *what, const struct heap_chunk *c)
{
    h->fault = (struct heap_fault){ .what = what, .block = c + 1 };
    return ERR_CORRUPT;
}

/* --- allocating ---------------------------------------------------------- */

/* A block of 2^ORDER pages with no chunk in use, on no list; or NULL. */
static struct heap_page *
new_page(struct heap *h, unsigned size_class, unsigned order)
{
    struct heap_page *p = h->pages->get(order);

    if (p == NULL)
        return NULL;
    h->held_pages += BIT(order);
    list_init(&p->link);
    p->magic = PAGE_MAGIC;
    p->size_class = (uint16_t)size_class;
    p->order = (uint16_t)order;
    p->used = 0;
    p->fresh = 0;
    p->free = NO_CHUNK;
    return p;
}

/* Give an unused page back.  What still points to it finds no magic number. */
static void
drop_page(struct heap *h, struct heap_page *p)
{
    unsigned order = p->order;

    list_remove(&p->link);
    p->magic = 0;
    h->held_pages -= BIT(order);
    h->pages->put(p, order);
}

/* A page with a free chunk for SIZE bytes, or a large block; not linked. */
static struct heap_page *
find_page(struct heap *h, size_t size)
{
    size_t largest = ((size_t)PAGE_SIZE << h->pages->order_max) -
                     PAGE_HEADER - CHUNK_OVERHEAD;
    unsigned size_class = 0;
    struct heap_page *p;

    if (size > largest)
        return NULL;
    while (size_class < HEAP_CLASSES &&
           size + CHUNK_OVERHEAD > strides[size_class])
        size_class++;
    if (size_class == CLASS_LARGE)
        return new_page(h, CLASS_LARGE,
                        log2_round_up((uint32_t)DIV_ROUND_UP(
                            size + PAGE_HEADER + CHUNK_OVERHEAD, PAGE_SIZE)));
    p = LIST_POP(&h->partial[size_class], struct heap_page, link);
    return p != NULL ? p : new_page(h, size_class, 0);
}

/* The page has room.  NULL if what was free has been written to. */
static struct heap_chunk *
take_chunk(struct heap *h, struct heap_page *p)
{
    struct heap_chunk *c;

    if (p->free == NO_CHUNK) {
        p->used++;
        return chunk_at(p, p->fresh++);
    }
    c = chunk_at(p, p->free);
    if (c->seal != seal_of(c, SEAL_FREE)) {
        (void)fault(h, "header of a free block overwritten", c);
        return NULL;
    }
    if (POISON_ON && !poison_intact(chunk_data(c), POISON_DEAD,
                                    page_stride(p) - sizeof(*c))) {
        (void)fault(h, "written to after it was freed", c);
        return NULL;
    }
    p->free = (uint16_t)c->size;
    p->used++;
    return c;
}

/*
 * To the head of its list: the next request takes the same page, so that few
 * pages are in use and others have a chance to become empty.
 */
static void
link_page(struct heap *h, struct heap_page *p)
{
    if (p->used == page_chunks(p))
        list_add_head(&h->full, &p->link);
    else
        list_add_head(&h->partial[p->size_class], &p->link);
}

void *
heap_core_alloc(struct heap *h, size_t size, uintptr_t site)
{
    struct heap_page *p = find_page(h, size);
    struct heap_chunk *c;

    if (p == NULL)
        return NULL;
    c = take_chunk(h, p);
    link_page(h, p);
    if (c == NULL)
        return NULL;
    c->site = site;
    c->size = (uint32_t)size;
    c->seal = seal_of(c, SEAL_LIVE);
    memset(chunk_data(c) + size, POISON_ZONE, red_zone_size(p, c));
    if (POISON_ON)
        memset(chunk_data(c), POISON_FRESH, size);
    h->live_blocks++;
    h->live_bytes += size;
    return chunk_data(c);
}

/* --- checking ------------------------------------------------------------ */

/* One chunk, live or free: header, red zone or poison. */
static status_t
check_chunk(struct heap *h, const struct heap_page *p,
            const struct heap_chunk *c)
{
    if (c->seal == seal_of(c, SEAL_FREE)) {
        if (POISON_ON && !poison_intact(chunk_data(c), POISON_DEAD,
                                        page_stride(p) - sizeof(*c)))
            return fault(h, "written to after it was freed", c);
        return OK;
    }
    if (c->seal != seal_of(c, SEAL_LIVE) ||
        c->size > page_stride(p) - CHUNK_OVERHEAD)
        return fault(h, "header overwritten", c);
    if (!red_zone_intact(p, c))
        return fault(h, "written to beyond its end", c);
    return OK;
}

/* The chain of free chunks is as long as it must be, and ends. */
static bool
chain_intact(const struct heap_page *p)
{
    unsigned left = p->fresh - p->used;
    unsigned index = p->free;

    while (left > 0 && index < p->fresh) {
        index = chunk_at(p, index)->size;
        left--;
    }
    return left == 0 && index == NO_CHUNK;
}

/* The header first: nothing behind it can be found if it is wrong. */
static status_t
check_page(struct heap *h, const struct heap_page *p)
{
    if (p->magic != PAGE_MAGIC || p->size_class > CLASS_LARGE ||
        p->order > h->pages->order_max || p->fresh > page_chunks(p) ||
        p->used > p->fresh)
        return fault_unknown(h, "page header overwritten",
                             (const struct heap_chunk *)p);
    for (unsigned i = 0; i < p->fresh; i++)
        if (check_chunk(h, p, chunk_at(p, i)) != OK)
            return ERR_CORRUPT;
    if (!chain_intact(p))
        return fault_unknown(h, "chain of free blocks broken",
                             chunk_at(p, 0));
    return OK;
}

static status_t
check_list(struct heap *h, struct list *pages)
{
    LIST_FOR_EACH(p, pages, struct heap_page, link)
        if (check_page(h, p) != OK)
            return ERR_CORRUPT;
    return OK;
}

status_t
heap_core_check(struct heap *h)
{
    if (check_list(h, &h->full) != OK)
        return ERR_CORRUPT;
    for (unsigned i = 0; i < HEAP_CLASSES; i++)
        if (check_list(h, &h->partial[i]) != OK)
            return ERR_CORRUPT;
    return OK;
}

/* --- freeing ------------------------------------------------------------- */

/* Can the caller mean this chunk?  If not, or if it is damaged: a fault. */
static status_t
check_free(struct heap *h, const struct heap_page *p,
           const struct heap_chunk *c)
{
    size_t offset = chunk_offset(p, c);
    size_t index;

    if (p->magic != PAGE_MAGIC || p->size_class > CLASS_LARGE)
        return fault_unknown(h, "freed, but not a block of the heap", c);
    index = offset / page_stride(p);
    if (offset % page_stride(p) != 0 || index >= p->fresh)
        return fault_unknown(h, "freed, but not the start of a block", c);
    if (c->seal == seal_of(c, SEAL_FREE))
        return fault(h, "freed twice", c);
    /* A damaged header: the block below probably ran over its end. */
    if (c->seal != seal_of(c, SEAL_LIVE) && index > 0 &&
        check_chunk(h, p, chunk_at(p, (unsigned)index - 1)) != OK)
        return ERR_CORRUPT;
    return check_chunk(h, p, c);
}

/* The site stays, so that a second free can say who had the block. */
static void
put_chunk(struct heap_page *p, struct heap_chunk *c)
{
    if (POISON_ON)
        memset(chunk_data(c), POISON_DEAD, page_stride(p) - sizeof(*c));
    c->size = p->free;
    c->seal = seal_of(c, SEAL_FREE);
    p->free = (uint16_t)(chunk_offset(p, c) / page_stride(p));
    p->used--;
}

status_t
heap_core_free(struct heap *h, void *ptr)
{
    struct heap_page *p = page_of(ptr);
    struct heap_chunk *c = (struct heap_chunk *)ptr - 1;
    struct list *partial;

    if (check_free(h, p, c) != OK)
        return ERR_CORRUPT;
    h->live_blocks--;
    h->live_bytes -= c->size;
    if (p->size_class == CLASS_LARGE) {
        drop_page(h, p);
        return OK;
    }
    put_chunk(p, c);
    list_remove(&p->link);
    partial = &h->partial[p->size_class];
    /* The last page with room is kept, empty or not: see above. */
    if (p->used == 0 && !list_is_empty(partial))
        drop_page(h, p);
    else
        list_add_head(partial, &p->link);
    return OK;
}

/* --- reporting ----------------------------------------------------------- */

/* Add a live chunk to its site's sum; returns the number of entries. */
static unsigned
add_to_site(struct heap_site *sites, unsigned count, unsigned max,
            const struct heap_chunk *c)
{
    unsigned i = 0;

    while (i < count && sites[i].site != c->site)
        i++;
    if (i == max)
        i = max - 1;                /* full: the last entry is "others" */
    if (i == count)
        sites[count++].site = i < max - 1 ? (uintptr_t)c->site : 0;
    sites[i].blocks++;
    sites[i].bytes += c->size;
    return count;
}

/* By insertion: there are a few dozen at most. */
static void
sort_sites(struct heap_site *sites, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct heap_site s = sites[i];
        unsigned at = i;

        for (; at > 0 && sites[at - 1].bytes < s.bytes; at--)
            sites[at] = sites[at - 1];
        sites[at] = s;
    }
}

unsigned
heap_core_sites(const struct heap *h, struct heap_site *sites, unsigned max)
{
    unsigned count = 0;

    ASSERT(max >= 2);
    memset(sites, 0, max * sizeof(*sites));
    for (unsigned i = 0; i <= HEAP_CLASSES; i++) {
        const struct list *l = i < HEAP_CLASSES ? &h->partial[i] : &h->full;

        LIST_FOR_EACH(p, l, struct heap_page, link)
            for (unsigned k = 0; k < p->fresh; k++) {
                const struct heap_chunk *c = chunk_at(p, k);

                if (c->seal == seal_of(c, SEAL_LIVE))
                    count = add_to_site(sites, count, max, c);
            }
    }
    sort_sites(sites, count);
    return count;
}
