/*
 * timerq.c - a queue of timers, the earliest deadline first (timerq.h).
 *
 * A pairing heap: a tree in which no timer is earlier than its parent, with
 * any number of children in any order.  Two heaps are merged by hanging the
 * later root below the earlier one, and everything else is merging:
 *
 *      add         merge the heap with a heap of one
 *      pop         drop the root; merge its children in pairs, from the first
 *                  to the last, then the results from the last to the first
 *      cancel      cut a subtree out, drop its root likewise, merge the rest
 *
 * The pairs make it fast: a root with many children loses half of them with
 * each pop.  Children form a list through `next` and `prev`, where `prev` of
 * the first is the parent, so a subtree can be cut out without a search.
 * Loops instead of recursion: this runs on interrupt stacks.
 *
 * Fredman, Sedgewick, Sleator, Tarjan: The pairing heap, Algorithmica 1 (1986).
 *
 * Pure; the caller's lock guards queue and timers.
 */
#include "kernel/timerq.h"

#include "kernel/base/assert.h"

static bool
is_earlier(const struct timer *a, const struct timer *b)
{
    if (a->deadline != b->deadline)
        return a->deadline < b->deadline;
    return a->order < b->order;
}

/* Merge two heaps, of which either may be empty; returns the root. */
static struct timer *
merge(struct timer *a, struct timer *b)
{
    struct timer *root, *below;

    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    root = is_earlier(a, b) ? a : b;
    below = root == a ? b : a;
    below->next = root->child;
    below->prev = root;
    if (root->child != NULL)
        root->child->prev = below;
    root->child = below;
    root->next = root->prev = NULL;
    return root;
}

/* Make one heap of the siblings from FIRST on. */
static struct timer *
merge_siblings(struct timer *first)
{
    struct timer *pairs = NULL;     /* the merged pairs, the last one first */
    struct timer *root = NULL;
    struct timer *a, *b;

    while ((a = first) != NULL) {
        b = a->next;
        first = b != NULL ? b->next : NULL;
        a = merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    while ((a = pairs) != NULL) {
        pairs = a->next;
        a->next = a->prev = NULL;
        root = merge(root, a);
    }
    return root;
}

/* Take TIMER, which has a parent, out of its list of siblings. */
static void
cut(struct timer *timer)
{
    if (timer->prev->child == timer)
        timer->prev->child = timer->next;
    else
        timer->prev->next = timer->next;
    if (timer->next != NULL)
        timer->next->prev = timer->prev;
}

static void
drop(struct timerq *q, struct timer *timer)
{
    struct timer *rest = merge_siblings(timer->child);

    if (timer == q->root) {
        q->root = rest;
    } else {
        cut(timer);
        q->root = merge(q->root, rest);
    }
    timer->child = timer->next = timer->prev = NULL;
    timer->queued = false;
}

void
timerq_init(struct timerq *q)
{
    *q = (struct timerq){ 0 };
}

void
timerq_add(struct timerq *q, struct timer *timer, uint64_t deadline)
{
    ASSERT(!timer->queued);
    timer->deadline = deadline;
    timer->order = q->next_order++;
    timer->child = timer->next = timer->prev = NULL;
    timer->queued = true;
    q->root = merge(q->root, timer);
}

bool
timerq_cancel(struct timerq *q, struct timer *timer)
{
    if (!timer->queued)
        return false;
    drop(q, timer);
    return true;
}

uint64_t
timerq_next(const struct timerq *q)
{
    return q->root != NULL ? q->root->deadline : UINT64_MAX;
}

struct timer *
timerq_pop_due(struct timerq *q, uint64_t now)
{
    struct timer *first = q->root;

    if (first == NULL || first->deadline > now)
        return NULL;
    drop(q, first);
    return first;
}
