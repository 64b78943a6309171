/*
 * tc_layout.c - see tc_layout.h.
 *
 *      | code ........ | claimed | code? | claimed | slots, tables |
 *
 * Two runs of free pages are needed.  Slots and tables, whose size is fixed,
 * take the end of the highest run that they fit into; the code takes the
 * longest run of what is left.  Without claims that is vmm/layout.h's.
 *
 * Pure; no locks.
 */
#include "vmm/core/tc_layout.h"

#include "kernel/base/bitmap.h"
#include "kernel/base/string.h"

#define FIXED_PAGES     (1 + TC_TABLE_PAGES)
#define CODE_PAGES_MIN  64u             /* 256 KB: less is no cache */

STATIC_ASSERT(VMM_TC_AT + VMM_TC_SIZE == VMM_SLOTS_AT &&
              VMM_SLOTS_AT + PAGE_SIZE == VMM_TABLES_AT &&
              VMM_TC_SIZE / PAGE_SIZE + FIXED_PAGES == TC_PAGES);

/* Pages from FIRST up to END. */
struct run {
    uint32_t first, end;
};

static uint32_t
length(struct run r)
{
    return r.end - r.first;
}

/* The first run of free pages from page FROM on; empty: there is none. */
static struct run
next_run(const uint32_t *claimed, uint32_t from)
{
    uint32_t first = bitmap_find_clear(claimed, TC_PAGES, from), end;

    if (first == BITMAP_NONE)
        return (struct run){ TC_PAGES, TC_PAGES };
    end = bitmap_find_set(claimed, TC_PAGES, first);
    return (struct run){ first, end == BITMAP_NONE ? TC_PAGES : end };
}

/* The last one that has FIXED_PAGES, or an empty one. */
static struct run
find_fixed(const uint32_t *claimed)
{
    struct run found = { 0, 0 };

    for (struct run r = next_run(claimed, 0); length(r) > 0;
         r = next_run(claimed, r.end))
        if (length(r) >= FIXED_PAGES)
            found = r;
    return found;
}

static struct run
find_longest(const uint32_t *claimed)
{
    struct run found = { 0, 0 };

    for (struct run r = next_run(claimed, 0); length(r) > 0;
         r = next_run(claimed, r.end))
        if (length(r) > length(found))
            found = r;
    return found;
}

bool
tc_layout_choose(const uint32_t *claimed, struct tc_layout *layout)
{
    uint32_t taken[BITMAP_WORDS(TC_PAGES)];
    struct run fixed = find_fixed(claimed), code;

    if (length(fixed) == 0)
        return false;
    layout->slots = fixed.end - FIXED_PAGES;
    memcpy(taken, claimed, sizeof(taken));
    bitmap_set_run(taken, layout->slots, FIXED_PAGES);
    code = find_longest(taken);
    layout->code = code.first;
    layout->code_pages = length(code);
    return length(code) >= CODE_PAGES_MIN;
}

static bool
is_free(const uint32_t *claimed, uint32_t first, uint32_t count)
{
    return bitmap_find_set(claimed, first + count, first) == BITMAP_NONE;
}

bool
tc_layout_is_free(const struct tc_layout *layout, const uint32_t *claimed)
{
    return is_free(claimed, layout->code, layout->code_pages) &&
           is_free(claimed, layout->slots, FIXED_PAGES);
}
