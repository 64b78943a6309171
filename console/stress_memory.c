/*
 * stress_memory.c - jobs of `test smp` that allocate, map, and look whether
 * memory holds what was written (console/stress.h).
 */
#include "console/stress.h"

#include "kernel/base/string.h"
#include "kernel/preempt.h"
#include "kernel/smp.h"
#include "kernel/x86/atomic.h"
#include "mm/mm.h"

#define BLOCKS          16u
#define ORDERS          5u              /* 0 .. 4 */
#define HEAP_SIZE_MAX   6000u
#define WINDOWS         6u              /* of 16; interrupts need some */
#define WINDOW_LOOKS    50u
#define KVA_PAGES_MAX   4u
#define SEED_LIMIT      UINT32_MAX

/* --- Pages ---------------------------------------------------------------- */

struct block {
    mpn_t mpn;
    unsigned order;
    uint32_t mark;
    bool used;
};

static void
write_page(mpn_t mpn, uint32_t mark)
{
    uint32_t *words = kmap_page(mpn);

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        words[i] = mark + i;
    kunmap_page(words);
}

static bool
page_holds(mpn_t mpn, uint32_t mark)
{
    uint32_t *words = kmap_page(mpn);
    bool good = true;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        good = good && words[i] == mark + i;
    kunmap_page(words);
    return good;
}

static void
fill_block(struct stress_world *self, struct block *b)
{
    enum zone_id zone = (enum zone_id)stress_random(self, ZONE_COUNT);

    b->order = stress_random(self, ORDERS);
    b->mark = stress_random(self, SEED_LIMIT);
    b->used = page_alloc(zone, b->order, OWNER_TEST, &b->mpn) == OK;
    for (uint32_t i = 0; b->used && i < 1u << b->order; i++)
        write_page(mpn_add(b->mpn, i), b->mark + i);
}

static void
drop_block(struct stress_world *self, struct block *b)
{
    if (!b->used)
        return;
    for (uint32_t i = 0; i < 1u << b->order; i++)
        if (!page_holds(mpn_add(b->mpn, i), b->mark + i))
            stress_fail(self, "page " PRI_mpn " of a block of order %u was "
                        "changed", mpn_raw(b->mpn) + i, b->order);
    page_free(b->mpn, b->order);
    b->used = false;
}

void
stress_pages(struct stress_world *self)
{
    struct block blocks[BLOCKS] = { 0 };

    while (stress_next_round(self)) {
        struct block *b = &blocks[stress_random(self, BLOCKS)];

        drop_block(self, b);
        fill_block(self, b);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        drop_block(self, &blocks[i]);
}

/* --- The heap ------------------------------------------------------------- */

struct heap_block {
    uint8_t *bytes;             /* or NULL */
    size_t size;
    uint8_t mark;
};

static void
free_block(struct stress_world *self, struct heap_block *b)
{
    for (size_t i = 0; b->bytes != NULL && i < b->size; i++)
        if (b->bytes[i] != b->mark) {
            stress_fail(self, "byte %zu of a block of %zu was changed", i,
                        b->size);
            break;
        }
    heap_free(b->bytes);
    b->bytes = NULL;
}

void
stress_heap(struct stress_world *self)
{
    struct heap_block blocks[BLOCKS] = { 0 };

    while (stress_next_round(self)) {
        struct heap_block *b = &blocks[stress_random(self, BLOCKS)];

        free_block(self, b);
        b->size = stress_random(self, HEAP_SIZE_MAX) + 1;
        b->mark = (uint8_t)stress_random(self, UINT8_MAX);
        b->bytes = heap_alloc(b->size);
        if (b->bytes != NULL)
            memset(b->bytes, b->mark, b->size);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        free_block(self, &blocks[i]);
}

/* --- Windows -------------------------------------------------------------- */

/* All pages at once; each must show its own mark, interrupts or not. */
static void
check_windows(struct stress_world *self, const mpn_t *mpns)
{
    uint32_t *windows[WINDOWS];
    uint32_t mark = stress_random(self, SEED_LIMIT);
    unsigned wrong = 0;

    preempt_disable();
    for (unsigned i = 0; i < WINDOWS; i++) {
        windows[i] = kmap_page(mpns[i]);
        mmio_write32(windows[i], mark + i);
    }
    for (unsigned look = 0; look < WINDOW_LOOKS; look++)
        for (unsigned i = 0; i < WINDOWS; i++)
            wrong += mmio_read32(windows[i]) != mark + i;
    for (unsigned i = WINDOWS; i > 0; i--)
        kunmap_page(windows[i - 1]);
    preempt_enable();
    if (wrong > 0)
        stress_fail(self, "%u looks through a window were wrong", wrong);
}

void
stress_windows(struct stress_world *self)
{
    mpn_t mpns[WINDOWS];
    unsigned count = 0;

    while (count < WINDOWS &&
           page_alloc(ZONE_HIGH, 0, OWNER_TEST, &mpns[count]) == OK)
        count++;
    while (count == WINDOWS && stress_next_round(self))
        check_windows(self, mpns);
    while (count > 0)
        page_free(mpns[--count], 0);
}

/* --- Addresses that show one page after the other ------------------------- */

struct view {
    const uint32_t *at;
    uint32_t expected;
    uint32_t wrong;             /* processors that saw something else */
};

static void
look(void *arg)
{
    struct view *v = arg;

    if (mmio_read32(v->at) != v->expected)
        atomic_add(&v->wrong, 1);
}

static void
check_view(struct stress_world *self, uint32_t *at, uint32_t mark)
{
    struct view view = { .at = at, .expected = mark };

    if (mmio_read32(at) != 0)
        stress_fail(self, "%p holds %08x and not 0", (void *)at, *at);
    mmio_write32(at, mark);
    look(&view);
    smp_call_others(look, &view);
    look(&view);
    if (view.wrong > 0)
        stress_fail(self, "%u processors see old contents at %p", view.wrong,
                    (void *)at);
}

/*
 * The next allocation mostly gets the addresses of this one; the page that is
 * held meanwhile makes it get other pages.
 */
void
stress_kva(struct stress_world *self)
{
    mpn_t held = INVALID_MPN;

    while (stress_next_round(self)) {
        unsigned pages = stress_random(self, KVA_PAGES_MAX) + 1;
        uint8_t *ptr = kva_alloc(pages, OWNER_TEST);

        for (unsigned i = 0; ptr != NULL && i < pages; i++)
            check_view(self, (uint32_t *)(void *)(ptr + i * PAGE_SIZE),
                       stress_random(self, SEED_LIMIT) | 1);
        if (ptr != NULL)
            kva_free(ptr, pages);
        if (!mpn_eq(held, INVALID_MPN))
            page_free(held, 0);
        if (page_alloc(ZONE_HIGH, 0, OWNER_TEST, &held) != OK)
            held = INVALID_MPN;
    }
    if (!mpn_eq(held, INVALID_MPN))
        page_free(held, 0);
}
