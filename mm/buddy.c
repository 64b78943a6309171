/*
 * buddy.c - see buddy.h for what this does.
 *
 * Invariants, which tests/unit/test_buddy.c checks against a naive model:
 *
 *   - a record is FRAME_FREE exactly when it is the first of a free block, and
 *     then the block is on the list of its order, once;
 *   - the buddy of a free block of order < BUDDY_ORDER_MAX is not a free block
 *     of the same order;
 *   - free_pages is the sum of the sizes of all free blocks.
 *
 * (Knuth, The Art of Computer Programming 1, 2.5, "buddy system".)
 */
#include "mm/buddy.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"

void
buddy_init(struct buddy *b, struct frame *frames)
{
    b->frames = frames;
    b->free_pages = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        b->heads[order] = FRAME_NIL;
}

static void
push(struct buddy *b, uint32_t mpn, unsigned order)
{
    struct frame *f = &b->frames[mpn];

    f->state = FRAME_FREE;
    f->order = (uint8_t)order;
    f->prev = FRAME_NIL;
    f->next = b->heads[order];
    if (f->next != FRAME_NIL)
        b->frames[f->next].prev = mpn;
    b->heads[order] = mpn;
}

/* Take a free block off its list; the caller gives it a new state. */
static void
unlink_block(struct buddy *b, uint32_t mpn)
{
    struct frame *f = &b->frames[mpn];

    if (f->prev != FRAME_NIL)
        b->frames[f->prev].next = f->next;
    else
        b->heads[f->order] = f->next;
    if (f->next != FRAME_NIL)
        b->frames[f->next].prev = f->prev;
    f->state = FRAME_INSIDE;
}

/* Make a block that is on no list free, merged as far as it goes. */
static void
insert_merged(struct buddy *b, uint32_t mpn, unsigned order)
{
    uint8_t flags = b->frames[mpn].flags;

    b->free_pages += BIT(order);
    b->frames[mpn].state = FRAME_INSIDE;
    for (; order < BUDDY_ORDER_MAX; order++) {
        uint32_t other = mpn ^ BIT(order);
        struct frame *f = &b->frames[other];

        if (f->state != FRAME_FREE || f->order != order)
            break;
        unlink_block(b, other);
        flags &= f->flags;
        mpn &= ~BIT(order);
    }
    b->frames[mpn].flags = flags;
    push(b, mpn, order);
}

/* The largest block that begins at MPN and has at most COUNT pages. */
static unsigned
largest_order(uint32_t mpn, uint32_t count)
{
    unsigned order = MIN(highest_bit(count), BUDDY_ORDER_MAX);

    return mpn == 0 ? order : MIN(order, lowest_bit(mpn));
}

void
buddy_add(struct buddy *b, mpn_t first, uint32_t count)
{
    uint32_t mpn = mpn_raw(first);

    while (count > 0) {
        unsigned order = largest_order(mpn, count);

        for (uint32_t i = 0; i < BIT(order); i++)
            b->frames[mpn + i].state = FRAME_INSIDE;
        insert_merged(b, mpn, order);
        mpn += BIT(order);
        count -= BIT(order);
    }
}

mpn_t
buddy_alloc(struct buddy *b, unsigned order)
{
    unsigned have = order;
    struct frame *f;
    uint32_t mpn;

    ASSERT(order <= BUDDY_ORDER_MAX);
    while (b->heads[have] == FRAME_NIL)
        if (++have > BUDDY_ORDER_MAX)
            return INVALID_MPN;

    mpn = b->heads[have];
    f = &b->frames[mpn];
    unlink_block(b, mpn);
    while (have > order) {          /* keep the lower half, free the upper */
        have--;
        b->frames[mpn + BIT(have)].flags = f->flags;
        push(b, mpn + BIT(have), have);
    }
    f->state = FRAME_USED;
    f->order = (uint8_t)order;
    b->free_pages -= BIT(order);
    return make_mpn(mpn);
}

status_t
buddy_free(struct buddy *b, mpn_t mpn, unsigned order)
{
    struct frame *f = &b->frames[mpn_raw(mpn)];

    if (f->state != FRAME_USED || f->order != order)
        return ERR_CORRUPT;
    insert_merged(b, mpn_raw(mpn), order);
    return OK;
}
