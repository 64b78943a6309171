/*
 * tc_lookup.c - which unit is at a guest address, and which are on a page.
 *
 * Two hash tables of unit numbers, chained through the units themselves.  Few
 * units go on in a second page: these have a span for that.  A *ref* in the
 * table of pages is a unit's number * 2, or a span's number * 2 + 1.
 *
 * A dropped unit leaves the chains of its pages and stays in the other: its
 * successor at the same guest address takes its place, with the stub that old
 * jumps are led to and the checked entry.  So code that changes again and again
 * makes neither table nor chains grow.
 */
#include "bt/bt_int.h"

#include "kernel/base/assert.h"

/* Addresses that are close have buckets that are close: one cache line. */
#define HASH_FOLD 16

/* One unit in 250 goes on in a second page. */
#define UNITS_PER_SPAN 32u

static uint32_t *
bucket_of(const struct bt *bt, uint32_t eip)
{
    return &bt->hash[(eip ^ eip >> HASH_FOLD) & bt->hash_mask];
}

static uint32_t *
page_bucket(const struct bt *bt, uint32_t id)
{
    return &bt->page_hash[(id ^ id >> HASH_FOLD) & bt->page_mask];
}

static struct bt_tu *
find_any(const struct bt *bt, uint32_t eip)
{
    uint32_t n = *bucket_of(bt, eip);

    while (n != NO_TU && bt->tus[n].eip != eip)
        n = bt->tus[n].next_hash;
    return n == NO_TU ? NULL : &bt->tus[n];
}

struct bt_tu *
tc_find(const struct bt *bt, uint32_t eip)
{
    struct bt_tu *tu = find_any(bt, eip);

    return tu == NULL || tu->is_dropped ? NULL : tu;
}

static struct bt_tu *
new_unit(struct bt *bt, uint32_t eip)
{
    uint32_t n = bt->tu_count++;
    uint32_t *head = bucket_of(bt, eip);
    struct bt_tu *tu = &bt->tus[n];

    ASSERT(n < bt->env->tu_max);
    *tu = (struct bt_tu){ .eip = eip, .next_hash = *head, .is_dropped = true };
    *head = n;
    return tu;
}

uint32_t
tc_span_max(const struct bt_env *env)
{
    return BATCH_UNIT_MAX * 2 + env->tu_max / UNITS_PER_SPAN;
}

/* How many of the unit's bytes are on its first page? */
static uint32_t
first_size(const struct bt_tu *tu)
{
    return MIN((uint32_t)tu->length, PAGE_SIZE - (tu->eip & PAGE_MASK));
}

/* The span of unit N, or with NO_TU a free one. */
static struct bt_span *
span_of(const struct bt *bt, uint32_t n)
{
    struct bt_span *span = bt->spans;

    while (span->tu != n)
        span++;
    return span;
}

static uint32_t
span_ref(const struct bt *bt, const struct bt_span *span)
{
    return (uint32_t)(span - bt->spans) * 2 + 1;
}

static void
add_span(struct bt *bt, uint32_t n, uint32_t page)
{
    struct bt_span *span = span_of(bt, NO_TU);
    uint32_t *head = page_bucket(bt, page);

    bt->span_count++;
    *span = (struct bt_span){ .tu = n, .page = page, .next_page = *head };
    *head = span_ref(bt, span);
}

struct bt_tu *
tc_add(struct bt *bt, uint32_t eip, unsigned length, const uint32_t page[2])
{
    struct bt_tu *tu = find_any(bt, eip);
    uint32_t *head = page_bucket(bt, page[0]), n;

    if (tu == NULL)
        tu = new_unit(bt, eip);
    ASSERT(tu->is_dropped);
    n = (uint32_t)(tu - bt->tus);
    tu->is_dropped = false;
    tu->source = 0;
    tu->length = (uint8_t)length;
    tu->page = page[0];
    tu->next_page = *head;
    *head = n * 2;
    if (first_size(tu) < length)
        add_span(bt, n, page[1]);
    return tu;
}

/* Where the ref behind REF is kept. */
static uint32_t *
next_of(const struct bt *bt, uint32_t ref)
{
    return ref % 2 == 0 ? &bt->tus[ref / 2].next_page
                        : &bt->spans[ref / 2].next_page;
}

/* REF itself stays as it is: somebody may be on the way through. */
static void
unchain(struct bt *bt, uint32_t page, uint32_t ref)
{
    uint32_t *at = page_bucket(bt, page);

    while (*at != ref)
        at = next_of(bt, *at);
    *at = *next_of(bt, ref);
}

void
tc_remove(struct bt *bt, struct bt_tu *tu)
{
    uint32_t n = (uint32_t)(tu - bt->tus);

    ASSERT(!tu->is_dropped);
    tu->is_dropped = true;
    unchain(bt, tu->page, n * 2);
    if (first_size(tu) < tu->length) {
        struct bt_span *span = span_of(bt, n);

        unchain(bt, span->page, span_ref(bt, span));
        span->tu = NO_TU;
        bt->span_count--;
    }
}

uint32_t
tc_page_at(const struct bt *bt, const struct bt_tu *tu, uint32_t offset)
{
    if (offset < first_size(tu))
        return tu->page;
    return span_of(bt, (uint32_t)(tu - bt->tus))->page;
}

uint32_t
tc_page_first(const struct bt *bt, uint32_t id)
{
    return *page_bucket(bt, id);
}

struct tc_part
tc_part_of(const struct bt *bt, uint32_t ref)
{
    bool is_span = ref % 2 != 0;
    uint32_t n = is_span ? bt->spans[ref / 2].tu : ref / 2;
    struct tc_part part = { .next = *next_of(bt, ref) };
    struct bt_tu *tu;

    if (n == NO_TU || bt->tus[n].is_dropped)
        return part;
    tu = part.tu = &bt->tus[n];
    part.page = is_span ? bt->spans[ref / 2].page : tu->page;
    part.offset = is_span ? 0 : tu->eip & PAGE_MASK;
    part.size = is_span ? tu->length - first_size(tu) : first_size(tu);
    return part;
}
