/*
 * test_timerq.c - kernel/timerq.c against a queue that searches an array.
 */
#include "unit/test.h"

#include "kernel/timerq.h"

#define TIMERS          300u
#define ROUNDS          100000
#define MANY            20000u

/* The model: what is queued, and when it was added. */
struct entry {
    struct timer timer;
    bool queued;
    uint64_t deadline;
    unsigned added;
};

static struct entry *
model_first(struct entry *e)
{
    struct entry *first = NULL;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (!e[i].queued)
            continue;
        if (first == NULL || e[i].deadline < first->deadline ||
            (e[i].deadline == first->deadline && e[i].added < first->added))
            first = &e[i];
    }
    return first;
}

static void
pop_all_due(struct timerq *q, struct entry *e, uint64_t now)
{
    struct entry *want;
    struct timer *got;

    do {
        want = model_first(e);
        assert_true(timerq_next(q) ==
                    (want != NULL ? want->deadline : UINT64_MAX));
        got = timerq_pop_due(q, now);
        if (want == NULL || want->deadline > now) {
            assert_null(got);
            return;
        }
        assert_ptr_equal(got, &want->timer);
        assert_true(got->deadline == want->deadline);
        want->queued = false;
    } while (got != NULL);
}

static void
test_random_load(void **state)
{
    static struct entry e[TIMERS];
    struct test_random r = { 1981 };
    struct timerq q;
    uint64_t now = UINT32_MAX - 5000;

    (void)state;
    timerq_init(&q);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct entry *one = &e[test_random_below(&r, TIMERS)];

        if (one->queued) {
            assert_true(timerq_cancel(&q, &one->timer));
            one->queued = false;
        } else {
            /* Few different deadlines: ties are the rule, not the exception. */
            one->deadline = now + test_random_below(&r, 60);
            one->added = i;
            one->queued = true;
            timerq_add(&q, &one->timer, one->deadline);
        }
        if (test_random_below(&r, 8) == 0) {
            now += test_random_below(&r, 10);
            pop_all_due(&q, e, now);
        }
    }
    pop_all_due(&q, e, UINT64_MAX);
    assert_true(now > UINT32_MAX);
}

static void
test_empty(void **state)
{
    struct timer t = { 0 };
    struct timerq q;

    (void)state;
    timerq_init(&q);
    assert_true(timerq_next(&q) == UINT64_MAX);
    assert_null(timerq_pop_due(&q, UINT64_MAX));
    assert_false(timerq_cancel(&q, &t));
}

static void
test_due_means_not_later_than_now(void **state)
{
    struct timer t = { 0 };
    struct timerq q;

    (void)state;
    timerq_init(&q);
    timerq_add(&q, &t, 100);
    assert_null(timerq_pop_due(&q, 99));
    assert_ptr_equal(timerq_pop_due(&q, 100), &t);
    assert_false(timerq_cancel(&q, &t));
    timerq_add(&q, &t, 0);
    assert_true(timerq_cancel(&q, &t));
    assert_null(timerq_pop_due(&q, UINT64_MAX));
}

/* The shapes that make a recursive heap overflow its stack. */
static void
test_many(void **state)
{
    static struct timer timers[MANY];
    struct timerq q;

    (void)state;
    timerq_init(&q);
    for (unsigned i = 0; i < MANY; i++)
        timerq_add(&q, &timers[i], MANY - i);
    for (unsigned i = MANY; i-- > 0;)
        assert_ptr_equal(timerq_pop_due(&q, UINT64_MAX), &timers[i]);
    for (unsigned i = 0; i < MANY; i++)
        timerq_add(&q, &timers[i], 7);
    for (unsigned i = 0; i < MANY; i += 2)
        assert_true(timerq_cancel(&q, &timers[i]));
    for (unsigned i = 1; i < MANY; i += 2)
        assert_ptr_equal(timerq_pop_due(&q, UINT64_MAX), &timers[i]);
    assert_null(timerq_pop_due(&q, UINT64_MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_load),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_due_means_not_later_than_now),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
