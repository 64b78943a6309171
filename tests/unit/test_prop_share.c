/*
 * test_prop_share.c - the arithmetic of shares: sched/prop_share.c and
 * sched/water_fill.c.
 *
 * Rates are compared with a bisection in floating point, over random sets of
 * clients that come, go and change, so that also what is kept from one change
 * to the next is checked.  The accounts are checked by what they promise.
 */
#include "unit/test.h"

#include <math.h>

#include "sched/prop_share.h"
#include "sched/water_fill.h"

#define CLIENTS         40u
#define ROUNDS          3000
#define ONE             ((double)SHARE_RATE_ONE)

/* Minima of all together leave so much of the processors for the others. */
#define SPARE           (1 / 128.0)

static double
min_rate(const struct share_client *c, double scale)
{
    return c->params.min_permille / 1000.0 * scale;
}

static double
rate_at(const struct share_client *c, double level, double scale)
{
    double max = c->params.max_permille ? c->params.max_permille / 1000.0 : 1;

    return MIN(MAX(level * c->params.shares, min_rate(c, scale)), max);
}

static double
min_scale(const struct share_client *c, unsigned cpus)
{
    double sum = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        if (c[i].state != SHARE_OUT)
            sum += min_rate(&c[i], 1);
    return sum > cpus * (1 - SPARE) ? cpus * (1 - SPARE) / sum : 1;
}

static void
check_rates(const struct prop_share *ps, const struct share_client *c)
{
    double scale = min_scale(c, ps->cpus);
    double low = 0, high = 64, sum, level;

    for (int i = 0; i < 120; i++) {
        level = (low + high) / 2;
        sum = 0;
        for (unsigned k = 0; k < CLIENTS; k++)
            if (c[k].state != SHARE_OUT)
                sum += rate_at(&c[k], level, scale);
        *(sum < ps->cpus ? &low : &high) = level;
    }
    for (unsigned k = 0; k < CLIENTS; k++) {
        double want = c[k].awake ? rate_at(&c[k], low, scale) : 0;
        double got = water_rate(ps, &c[k]) / ONE;

        if (fabs(got - want) > want * 1e-3 + 4 / ONE)
            fail_msg("shares %u min %u max %u: rate %.6f, not %.6f",
                     c[k].params.shares, c[k].params.min_permille,
                     c[k].params.max_permille, got, want);
    }
}

static struct share_params
random_params(struct test_random *r)
{
    static const unsigned ranges[] = { 1, 10, 1000, 4000, 100000 };
    unsigned range = ranges[test_random_below(r, ARRAY_LEN(ranges))];
    struct share_params p = { .shares = 1 + test_random_below(r, range) };

    if (test_random_below(r, 4) == 0)
        p.min_permille = test_random_below(r, 400);
    if (test_random_below(r, 4) == 0)
        p.max_permille = MAX(p.min_permille, 1u) +
                         test_random_below(r, 500);
    p.max_permille = MIN(p.max_permille, SHARE_PERMILLE_ONE);
    return p;
}

static void
test_rates(void **state)
{
    struct test_random r = { 42 };
    struct share_client c[CLIENTS];
    struct prop_share ps;
    struct share_params p;

    (void)state;
    share_init(&ps, 1, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        p = random_params(&r);
        share_client_init(&c[i], &p);
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct share_client *one = &c[test_random_below(&r, CLIENTS)];

        share_advance(&ps, (uint64_t)i * 1000);
        p = random_params(&r);
        if (i % 100 == 0)
            share_set_cpus(&ps, 1 + test_random_below(&r, 8));
        else if (test_random_below(&r, 4) == 0)
            share_set_params(&ps, one, &p);
        else if (one->awake)
            share_sleep(&ps, one);
        else
            share_wake(&ps, one);
        check_rates(&ps, c);
    }
}

static void
test_params(void **state)
{
    static const struct { struct share_params p; status_t status; } t[] = {
        { { 1, 0, 0 }, OK },
        { { 100000, 1000, 1000 }, OK },
        { { 1000, 200, 0 }, OK },
        { { 1000, 200, 200 }, OK },
        { { 0, 0, 0 }, ERR_RANGE },
        { { 100001, 0, 0 }, ERR_RANGE },
        { { 1000, 1001, 0 }, ERR_RANGE },
        { { 1000, 0, 1001 }, ERR_RANGE },
        { { 1000, 300, 299 }, ERR_RANGE },
        { { UINT32_MAX, UINT32_MAX, UINT32_MAX }, ERR_RANGE },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(share_params_check(&t[i].p), t[i].status);
}

/* --- Accounts ------------------------------------------------------------ */

/* One or two clients on one processor, from time 0. */
struct pair {
    struct prop_share ps;
    struct share_client a, b;
};

static void
setup(struct pair *p, struct share_params a, struct share_params b)
{
    share_init(&p->ps, 1, 0);
    share_client_init(&p->a, &a);
    share_client_init(&p->b, &b);
    share_wake(&p->ps, &p->a);
    share_wake(&p->ps, &p->b);
}

/* Equal, but for some roundings. */
#define ROUNDING        10
#define assert_near(a, b)                                                 \
    assert_true((int64_t)(a) - (int64_t)(b) <= ROUNDING &&                \
                (int64_t)(b) - (int64_t)(a) <= ROUNDING)

static void
test_lag(void **state)
{
    struct pair p;

    (void)state;
    setup(&p, (struct share_params){ 3000, 0, 0 },
          (struct share_params){ 1000, 0, 0 });
    share_set_running(&p.ps, &p.a, true);
    share_advance(&p.ps, 800000);
    assert_near(share_lag(&p.ps, &p.a), 600000 - 800000);
    assert_near(share_lag(&p.ps, &p.b), 200000);
    assert_true(p.a.used == 800000 && p.b.used == 0);

    /* Time does not go back. */
    share_advance(&p.ps, 700000);
    assert_true(p.a.used == 800000);

    share_set_running(&p.ps, &p.a, false);
    share_set_running(&p.ps, &p.b, true);
    share_advance(&p.ps, 1000000);
    assert_near(share_lag(&p.ps, &p.a), 750000 - 800000);
    assert_near(share_lag(&p.ps, &p.b), 250000 - 200000);
    assert_true(share_urgency(&p.ps, &p.a) < share_urgency(&p.ps, &p.b));
}

/* The lag survives a change of shares, and of what clock it is kept on. */
static void
test_lag_is_kept(void **state)
{
    static const struct share_params changes[] = {
        { 10, 0, 0 }, { 100000, 0, 0 }, { 1000, 900, 0 }, { 1000, 0, 10 },
        { 1, 0, 0 }, { 7, 500, 500 }, { 1000, 0, 0 },
    };
    struct pair p;

    (void)state;
    setup(&p, (struct share_params){ 1000, 0, 0 },
          (struct share_params){ 1000, 0, 0 });
    share_set_running(&p.ps, &p.a, true);
    share_advance(&p.ps, 2000000);
    for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
        share_set_params(&p.ps, &p.a, &changes[i]);
        assert_near(share_lag(&p.ps, &p.a), -1000000);
        assert_near(share_lag(&p.ps, &p.b), 1000000);
    }
}

static void
test_sleep(void **state)
{
    const struct share_params same = { 1000, 0, 0 };
    struct pair p;

    (void)state;
    setup(&p, same, same);
    share_set_running(&p.ps, &p.a, true);
    share_advance(&p.ps, 2000000);

    /* B was owed 1 ms and forfeits it; nobody is left to owe it to. */
    share_sleep(&p.ps, &p.b);
    assert_int_equal(p.b.state, SHARE_OUT);
    share_wake(&p.ps, &p.b);
    assert_near(share_lag(&p.ps, &p.b), 0);

    /* A ran ahead: it is in the accounts until that is paid, at its rate. */
    share_advance(&p.ps, 4000000);
    share_sleep(&p.ps, &p.a);
    share_set_running(&p.ps, &p.b, true);
    assert_int_equal(p.a.state, SHARE_FREE);
    assert_int_equal(water_rate(&p.ps, &p.a), 0);
    assert_near(water_rate(&p.ps, &p.b), SHARE_RATE_ONE / 2);
    share_advance(&p.ps, 4500000);
    share_wake(&p.ps, &p.a);
    assert_true(share_lag(&p.ps, &p.a) < 0);
    share_sleep(&p.ps, &p.a);
    share_advance(&p.ps, 20000000);
    assert_int_equal(p.a.state, SHARE_OUT);
    assert_near(water_rate(&p.ps, &p.b), SHARE_RATE_ONE);
    share_wake(&p.ps, &p.a);
    assert_near(share_lag(&p.ps, &p.a), 0);
}

/* A client with a maximum is told to wait after a slice, and for how long. */
static void
test_max(void **state)
{
    struct pair p;

    (void)state;
    setup(&p, (struct share_params){ 1000, 0, 100 },
          (struct share_params){ 1000, 0, 0 });
    share_advance(&p.ps, NSEC_PER_SEC);
    share_set_running(&p.ps, &p.a, true);
    assert_true(p.a.limited_until <= p.ps.now);
    /* It waited for long, but may catch up on two slices only. */
    for (unsigned i = 0; i < 3; i++) {
        assert_true(p.a.limited_until <= p.ps.now);
        share_advance(&p.ps, p.ps.now + SHARE_SLICE);
    }
    assert_true(p.a.limited_until > p.ps.now);
    assert_true(p.a.limited_until - p.ps.now < 10 * SHARE_SLICE);
    /* A higher maximum shortens the wait in proportion. */
    share_set_params(&p.ps, &p.a, &(struct share_params){ 1000, 0, 1000 });
    assert_true(p.a.limited_until - p.ps.now < SHARE_SLICE);
}

/* Extreme shares and long times must not overflow: UBSan watches. */
static void
test_extremes(void **state)
{
    const uint64_t month = 30 * 24 * 3600 * NSEC_PER_SEC;
    struct pair p;

    (void)state;
    setup(&p, (struct share_params){ 1, 0, 1 },
          (struct share_params){ 100000, 0, 0 });
    share_set_running(&p.ps, &p.a, true);
    share_advance(&p.ps, 24 * 3600 * NSEC_PER_SEC);
    assert_true(share_lag(&p.ps, &p.a) < 0);
    share_set_running(&p.ps, &p.a, false);
    share_set_running(&p.ps, &p.b, true);
    share_advance(&p.ps, 48 * 3600 * NSEC_PER_SEC);
    share_sleep(&p.ps, &p.b);
    share_sleep(&p.ps, &p.a);
    share_advance(&p.ps, month);
    assert_int_equal(p.a.state, SHARE_OUT);
    share_wake(&p.ps, &p.a);
    assert_near(share_lag(&p.ps, &p.a), 0);
    assert_true(p.a.used == 24 * 3600 * NSEC_PER_SEC);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_lag),
        cmocka_unit_test(test_lag_is_kept),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
