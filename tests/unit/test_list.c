/*
 * test_list.c - kernel/base/list.h against an array under random changes.
 */
#include "unit/test.h"

#include "kernel/base/list.h"

#define ITEMS           12u
#define ROUNDS          20000

struct item {
    unsigned name;
    struct list link;
};

/* The order that the list should have. */
struct model {
    unsigned names[ITEMS];
    unsigned count;
};

static void
model_insert(struct model *m, unsigned at, unsigned name)
{
    memmove(&m->names[at + 1], &m->names[at],
            (m->count - at) * sizeof(m->names[0]));
    m->names[at] = name;
    m->count++;
}

static unsigned
model_find(const struct model *m, unsigned name)
{
    unsigned i = 0;

    while (i < m->count && m->names[i] != name)
        i++;
    return i;
}

static void
model_remove(struct model *m, unsigned at)
{
    m->count--;
    memmove(&m->names[at], &m->names[at + 1],
            (m->count - at) * sizeof(m->names[0]));
}

static void
compare(const struct model *m, struct list *l)
{
    struct item *first = LIST_FIRST(l, struct item, link);
    const struct list *back = l;
    unsigned i = 0;

    assert_int_equal(list_is_empty(l), m->count == 0);
    if (m->count == 0)
        assert_null(first);
    else
        assert_int_equal(first->name, m->names[0]);
    LIST_FOR_EACH(item, l, struct item, link) {
        assert_true(i < m->count);
        assert_int_equal(item->name, m->names[i]);
        assert_ptr_equal(item->link.prev, back);
        back = &item->link;
        i++;
    }
    assert_int_equal(i, m->count);
    assert_ptr_equal(l->prev, back);
}

/* ITEM is on no list; POS is where the random choice wants it. */
static void
insert(struct model *m, struct list *l, struct item *item, struct item *pos)
{
    if (list_is_linked(&pos->link)) {
        model_insert(m, model_find(m, pos->name), item->name);
        list_insert_before(&pos->link, &item->link);
    } else if (pos->name % 2 == 0) {
        model_insert(m, 0, item->name);
        list_add_head(l, &item->link);
    } else {
        model_insert(m, m->count, item->name);
        list_add_tail(l, &item->link);
    }
}

static void
test_random_changes(void **state)
{
    struct test_random r = { 99 };
    struct item items[ITEMS];
    struct model m = { .count = 0 };
    struct list l = LIST_INIT(l);

    (void)state;
    for (unsigned i = 0; i < ITEMS; i++) {
        items[i].name = i;
        list_init(&items[i].link);
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct item *item = &items[test_random_below(&r, ITEMS)];

        if (!list_is_linked(&item->link)) {
            insert(&m, &l, item, &items[test_random_below(&r, ITEMS)]);
        } else if (test_random_below(&r, 4) == 0) {
            assert_ptr_equal(LIST_POP(&l, struct item, link),
                             &items[m.names[0]]);
            model_remove(&m, 0);
        } else {
            model_remove(&m, model_find(&m, item->name));
            list_remove(&item->link);
            assert_false(list_is_linked(&item->link));
            list_remove(&item->link);
        }
        compare(&m, &l);
    }
}

/* The safe loop may free what it stands on: ASan would tell. */
static void
test_free_while_walking(void **state)
{
    struct list l;
    unsigned seen = 0;

    (void)state;
    list_init(&l);
    for (unsigned i = 0; i < ITEMS; i++) {
        struct item *item = malloc(sizeof(*item));

        item->name = i;
        list_add_tail(&l, &item->link);
    }
    LIST_FOR_EACH_SAFE(item, &l, struct item, link) {
        assert_int_equal(item->name, seen++);
        list_remove(&item->link);
        free(item);
    }
    assert_int_equal(seen, ITEMS);
    assert_true(list_is_empty(&l));
    assert_null(LIST_POP(&l, struct item, link));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_free_while_walking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
