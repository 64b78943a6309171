/*
 * list.h - doubly linked rings with the link inside the element.
 *
 * A list is a `struct list` that is its own neighbour when empty; an element
 * carries a `struct list` member for each list it can be on.  All operations
 * take constant time, allocate nothing and lock nothing.  list_remove leaves
 * the element linked to itself, so list_is_linked() tells the truth and
 * removing twice is harmless.
 *
 *      struct list queue;  list_init(&queue);
 *      list_add_tail(&queue, &world->link);
 *      LIST_FOR_EACH(w, &queue, struct world, link) ...
 */
#ifndef KERNEL_BASE_LIST_H
#define KERNEL_BASE_LIST_H

#include "kernel/base/types.h"

struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

static inline void
list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool
list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline bool
list_is_linked(const struct list *item)
{
    return item->next != item;
}

/* Insert ITEM, which is on no list, just before POS. */
static inline void
list_insert_before(struct list *pos, struct list *item)
{
    item->next = pos;
    item->prev = pos->prev;
    pos->prev->next = item;
    pos->prev = item;
}

static inline void
list_add_tail(struct list *l, struct list *item)
{
    list_insert_before(l, item);
}

static inline void
list_add_head(struct list *l, struct list *item)
{
    list_insert_before(l->next, item);
}

static inline void
list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

/* The element of TYPE that holds the link ITEM as MEMBER. */
#define LIST_ENTRY(item, type, member) CONTAINER_OF(item, type, member)

/* First element, or NULL. */
#define LIST_FIRST(l, type, member)                                       \
    (list_is_empty(l) ? NULL : LIST_ENTRY((l)->next, type, member))

/* Remove and return the first element, or NULL. */
#define LIST_POP(l, type, member)                                         \
    ({                                                                    \
        type *pop_first_ = LIST_FIRST(l, type, member);                   \
        if (pop_first_ != NULL)                                           \
            list_remove(&pop_first_->member);                             \
        pop_first_;                                                       \
    })

/* The body must not remove `var`: see LIST_FOR_EACH_SAFE. */
#define LIST_FOR_EACH(var, l, type, member)                               \
    for (type *var = LIST_ENTRY((l)->next, type, member);                 \
         &var->member != (l);                                             \
         var = LIST_ENTRY(var->member.next, type, member))

/* The body may remove or free `var`. */
#define LIST_FOR_EACH_SAFE(var, l, type, member)                          \
    for (type *var = LIST_ENTRY((l)->next, type, member),                 \
         *var##_next = LIST_ENTRY(var->member.next, type, member);        \
         &var->member != (l);                                             \
         var = var##_next,                                                \
         var##_next = LIST_ENTRY(var->member.next, type, member))

#endif
