/*
 * test_runqueue.c - the scheduler in a simulated machine (fake_machine.h).
 *
 * After ten seconds, each world that always wanted to run must have had what
 * it was entitled to, to 1 % of that or 0.1 % of a processor (ten milliseconds,
 * two and a half slices), whichever is more.  What that is comes from bisection
 * in floating point, with none of the code under test, where the worlds that
 * want to run are always the same.
 *
 * With sleepers the rates change at every turn, and the entitlement is the
 * integral of the rates of water_fill.c, which test_prop_share.c checks against
 * the same kind of bisection.  Then a world may get more than that, for
 * sleepers leave some of theirs unused, but not less.
 */
#include "unit/fake_machine.h"

#include <math.h>
#include <time.h>

#include "kernel/base/bits.h"

#define RUN_NS          (10 * NSEC_PER_SEC)
#define SETTLE_NS       (2 * NSEC_PER_MSEC)     /* until all have woken */
#define TOLERANCE       0.01        /* of the entitlement */
#define FLOOR           0.001       /* of one processor */
#define HOG_MIXES       160u
#define CHANGING_MIXES  96u
#define SLEEPER_MIXES   24u
#define PAIRED_MIXES    8u
#define PERMILLE        1000.0

/* What a mix of worlds may contain. */
#define WIDE_SHARES     BIT(0)      /* 1 to 100000, else 1 to 4000 */
#define LIMITS          BIT(1)
#define SLEEPERS        BIT(2)
#define KINDS           8u

static struct fake_machine machine;

/* --- What is right ------------------------------------------------------- */

static double
rate_at(const struct fake_world *w, double level)
{
    const struct share_params *p = &w->client.share.params;
    double max = p->max_permille != 0 ? p->max_permille / PERMILLE : 1;

    return MIN(MAX(level * p->shares, p->min_permille / PERMILLE), max);
}

/* The water level when all worlds want to run. */
static double
true_level(const struct fake_machine *m)
{
    double low = 0, high = 2;

    for (int i = 0; i < 100; i++) {
        double level = (low + high) / 2, sum = 0;

        for (unsigned k = 0; k < m->count; k++)
            sum += rate_at(&m->worlds[k], level);
        *(sum < m->cpu_count ? &low : &high) = level;
    }
    return low;
}

/* By how much W got more than WANT ns of NS, in units of what is allowed. */
static double
excess(const struct fake_world *w, double want, double ns)
{
    return (fake_world_used(w) - want) / MAX(TOLERANCE * want, FLOOR * ns);
}

static void
check(const struct fake_world *w, double want, double least, double most)
{
    const struct share_params *p = &w->client.share.params;
    double got = excess(w, want, RUN_NS);

    if (got < least || got > most)
        fail_msg("world %u (shares %u min %u max %u) of %u on %u processors: "
                 "ran %.3f ms, not %.3f", (unsigned)(w - w->machine->worlds),
                 p->shares, p->min_permille, p->max_permille,
                 w->machine->count, w->machine->cpu_count,
                 fake_world_used(w) / 1e6, want / 1e6);
}

/* --- Random mixes -------------------------------------------------------- */

static struct share_params
random_params(struct test_random *r, unsigned kind, unsigned *min_left)
{
    static const unsigned wide[] =
        { 1, 10, 100, 500, 1000, 2000, 5000, 100000 };
    struct share_params p = { .shares = 1 + test_random_below(r, 4000) };

    if (kind & WIDE_SHARES)
        p.shares = wide[test_random_below(r, ARRAY_LEN(wide))];
    if ((kind & LIMITS) && test_random_below(r, 3) == 0) {
        p.min_permille = test_random_below(r, 1000);
        p.min_permille = MIN(p.min_permille, *min_left);
        *min_left -= p.min_permille;
    }
    if ((kind & LIMITS) && test_random_below(r, 3) == 0) {
        p.max_permille = 1 + test_random_below(r, 1000);
        p.max_permille = MAX(p.max_permille, p.min_permille);
    }
    return p;
}

/* Works now and then, or computes for long, or does input and output. */
static void
add_sleeper(struct fake_machine *m, const struct share_params *p)
{
    static const struct { unsigned run, run_more, sleep, sleep_more; } t[] = {
        { 100000, 500000, 2000000, 20000000 },
        { 1000000, 20000000, 2000000, 40000000 },
        { 50000, 100000, 300000, 1000000 },
    };
    unsigned i = test_random_below(&m->random, ARRAY_LEN(t));
    uint64_t run = t[i].run + test_random_below(&m->random, t[i].run_more);

    fake_machine_add(m, p, run, t[i].sleep +
                     test_random_below(&m->random, t[i].sleep_more));
}

static void
build_mix(struct fake_machine *m, unsigned kind, unsigned number)
{
    unsigned cpus = 1 + number % 8;
    unsigned min_left = cpus * 900;
    struct share_params p;
    unsigned count;

    fake_machine_build(m, cpus, number * KINDS + kind + 1);
    for (int i = 0; i < 20; i++)
        test_random_next(&m->random);
    count = 1 + test_random_below(&m->random, cpus * 4);
    for (unsigned i = 0; i < count; i++) {
        p = random_params(&m->random, kind, &min_left);
        if ((kind & SLEEPERS) && test_random_below(&m->random, 2) == 0)
            add_sleeper(m, &p);
        else
            fake_machine_add_hog(m, p.shares, p.min_permille, p.max_permille);
    }
    fake_machine_run(m, SETTLE_NS);
    fake_machine_measure(m);
}

static void
test_hogs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HOG_MIXES; i++) {
        double level;

        build_mix(&machine, i % 4, i);
        fake_machine_run(&machine, RUN_NS);
        level = true_level(&machine);
        for (unsigned k = 0; k < machine.count; k++) {
            struct fake_world *w = &machine.worlds[k];

            check(w, rate_at(w, level) * RUN_NS, -1, 1);
        }
    }
}

static void
test_sleepers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SLEEPER_MIXES; i++) {
        build_mix(&machine, SLEEPERS + i % 4, i);
        fake_machine_run(&machine, RUN_NS);
        for (unsigned k = 0; k < machine.count; k++) {
            struct fake_world *w = &machine.worlds[k];

            if (w->run_ns == FAKE_FOREVER)
                check(w, w->entitled, -1, INFINITY);
            if (w->client.share.params.max_permille != 0)
                check(w, w->client.share.params.max_permille / PERMILLE *
                      RUN_NS, -INFINITY, 1);
        }
    }
}

/*
 * Worlds that sleep, next to a hog with the same shares each: sleeping must
 * not pay.  And the hogs, whose shares differ, must get in proportion.
 */
static void
test_sleeping_never_pays(void **state)
{
    struct fake_machine *m = &machine;

    (void)state;
    for (unsigned i = 0; i < PAIRED_MIXES; i++) {
        double per_share;

        fake_machine_build(m, 1 + i % 4, i + 1);
        for (unsigned k = 0; k < 4 * m->cpu_count; k++) {
            struct share_params p = { 500 + 100 * (k % 6), 0, 0 };

            fake_machine_add_hog(m, p.shares, 0, 0);
            add_sleeper(m, &p);
        }
        fake_machine_run(m, SETTLE_NS);
        fake_machine_measure(m);
        fake_machine_run(m, RUN_NS);
        per_share = fake_world_used(&m->worlds[0]) /
                    m->worlds[0].client.share.params.shares;
        for (unsigned k = 0; k < m->count; k += 2) {
            const struct fake_world *hog = &m->worlds[k];

            check(hog, per_share * hog->client.share.params.shares, -2, 2);
            check(&m->worlds[k + 1], fake_world_used(hog), -INFINITY, 1);
        }
    }
}

/* --- Changes ------------------------------------------------------------- */

/* Shares and limits change all the time, and the entitlement with them. */
static void
test_changing_shares(void **state)
{
    struct fake_machine *m = &machine;

    (void)state;
    for (unsigned i = 0; i < CHANGING_MIXES; i++) {
        double want[FAKE_WORLDS_MAX] = { 0 };

        build_mix(m, i % 4, 1000 + i);
        for (uint64_t past = 0, ns; past < RUN_NS; past += ns) {
            unsigned who = test_random_below(&m->random, m->count);
            unsigned min_left = 300;
            struct share_params p =
                random_params(&m->random, i % 4, &min_left);
            double level;

            fake_machine_kick(m, runq_set_params(
                &m->rq, &m->worlds[who].client, &p, m->now));
            ns = MIN(20000000 + test_random_below(&m->random, 100000000),
                     RUN_NS - past);
            fake_machine_run(m, ns);
            level = true_level(m);
            for (unsigned k = 0; k < m->count; k++)
                want[k] += rate_at(&m->worlds[k], level) * (double)ns;
        }
        for (unsigned k = 0; k < m->count; k++)
            check(&m->worlds[k], want[k], -1, 1);
    }
}

static void
set_affinity(struct fake_machine *m, unsigned world, uint32_t affinity)
{
    fake_machine_kick(m, runq_set_affinity(
        &m->rq, &m->worlds[world].client, affinity, m->now));
}

/*
 * Three worlds bound to one of two processors cannot have what their shares
 * promise.  They must share that one by their shares, the fourth world has the
 * other; and once they are free again nobody has old claims.
 */
static void
test_affinity(void **state)
{
    static const double bound[] = { 0.25, 0.25, 0.5, 1 };
    static const double unbound[] = { 0.4, 0.4, 0.8, 0.4 };
    struct fake_machine *m = &machine;

    (void)state;
    fake_machine_build(m, 2, 5);
    for (unsigned i = 0; i < 4; i++)
        fake_machine_add_hog(m, i == 2 ? 2000 : 1000, 0, 0);
    fake_machine_run(m, SETTLE_NS);
    for (unsigned i = 0; i < 3; i++)
        set_affinity(m, i, BIT(0));
    fake_machine_run(m, NSEC_PER_SEC);
    fake_machine_measure(m);
    fake_machine_run(m, RUN_NS);
    for (unsigned i = 0; i < 4; i++)
        check(&m->worlds[i], bound[i] * RUN_NS, -1, 1);

    for (unsigned i = 0; i < 3; i++)
        set_affinity(m, i, RUNQ_ALL_CPUS);
    fake_machine_measure(m);
    fake_machine_run(m, RUN_NS);
    for (unsigned i = 0; i < 4; i++)
        check(&m->worlds[i], unbound[i] * RUN_NS, -1.5, 1.5);
}

/* Who is driven off a processor finds the one that idles. */
static void
test_displaced_world_moves(void **state)
{
    struct fake_machine *m = &machine;

    (void)state;
    for (unsigned bound_to = 0; bound_to < 2; bound_to++) {
        fake_machine_build(m, 2, 11);
        fake_machine_add_hog(m, 1000, 0, 0);
        fake_machine_run(m, SETTLE_NS);
        fake_machine_add_hog(m, 1000, 0, 0);
        set_affinity(m, 1, BIT(bound_to));
        fake_machine_run(m, SETTLE_NS);
        fake_machine_measure(m);
        fake_machine_run(m, RUN_NS);
        check(&m->worlds[0], RUN_NS, -1, 1);
        check(&m->worlds[1], RUN_NS, -1, 1);
    }
}

/* --- Latency and quiet --------------------------------------------------- */

/*
 * A world that works little, among hogs: it must run soon after it wakes.  It
 * asks for SHARE_WAKE_SLICE and is served by the time that its rate would take
 * for that, or when the slice that is running then ends.
 */
static void
test_woken_worlds_run_soon(void **state)
{
    struct fake_machine *m = &machine;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        unsigned hogs = 1 + i % 13;
        const struct share_params p = { 1000, 0, 0 };
        struct fake_world *w;
        double rate, bound;

        fake_machine_build(m, 1 + i % 4, i + 1);
        w = fake_machine_add(m, &p, 200000, 20000000);
        for (unsigned k = 0; k < hogs; k++)
            fake_machine_add_hog(m, 500 + 250 * (k % 5), 0, 0);
        fake_machine_run(m, RUN_NS);
        rate = MIN(1, p.shares * true_level(m));
        bound = SHARE_WAKE_SLICE / rate + SHARE_SLICE;
        if (w->longest_wait > bound)
            fail_msg("waited %.3f ms, not %.3f, on %u processors with %u hogs",
                     (double)w->longest_wait / 1e6, bound / 1e6,
                     m->cpu_count, hogs);
    }
}

/* No timer goes off where nobody competes, and none for who only idles. */
static void
test_no_tick(void **state)
{
    struct fake_machine *m = &machine;

    (void)state;
    fake_machine_build(m, 4, 9);
    for (unsigned i = 0; i < 4; i++)
        fake_machine_add_hog(m, 1000 * (i + 1), 0, 0);
    fake_machine_run(m, 100 * NSEC_PER_MSEC);
    fake_machine_measure(m);
    fake_machine_run(m, 60 * NSEC_PER_SEC);
    assert_int_equal(m->picks, 0);

    fake_machine_add_hog(m, 1000, 0, 0);
    fake_machine_run(m, RUN_NS);
    assert_true(m->picks > 4 * RUN_NS / SHARE_SLICE / 2);
    assert_true(m->picks < 4 * RUN_NS / SHARE_SLICE * 2);
}

/* --- Single steps -------------------------------------------------------- */

static void
test_steps_on_one_processor(void **state)
{
    const struct share_params p = { 1000, 0, 0 };
    struct sched_client a, *b = malloc(sizeof(*b));
    struct runq_choice choice;
    struct runqueue rq;

    (void)state;
    runq_init(&rq, 3, 0);
    runq_client_init(&a, &p, RUNQ_ALL_CPUS);
    runq_client_init(b, &p, RUNQ_ALL_CPUS);
    runq_pick(&rq, 3, 10, &choice);
    assert_null(choice.client);
    assert_true(choice.until == RUNQ_NEVER);

    /* An idle processor is interrupted, once. */
    assert_int_equal(runq_wake(&rq, &a, 20), BIT(3));
    assert_int_equal(runq_wake(&rq, b, 20), 0);
    runq_pick(&rq, 3, 30, &choice);
    assert_ptr_equal(choice.client, &a);
    assert_true(choice.until == 30 + SHARE_WAKE_SLICE);

    /* Who yields lets the other go first. */
    runq_yield(&rq, 3, 1000);
    runq_pick(&rq, 3, 1000, &choice);
    assert_ptr_equal(choice.client, b);

    /* B ran ahead; it owes that even asleep, but not when it is no more. */
    runq_sleep(&rq, b, 500000);
    assert_int_equal(b->share.state, SHARE_FREE);
    runq_remove(&rq, b, 500000);
    free(b);
    runq_pick(&rq, 3, 500000, &choice);
    assert_ptr_equal(choice.client, &a);
    assert_true(choice.until == RUNQ_NEVER);
    runq_sleep(&rq, &a, 600000);
    runq_pick(&rq, 3, 600000, &choice);
    assert_null(choice.client);
}

/* --- Speed --------------------------------------------------------------- */

static uint64_t
real_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* COUNT clients want to run on 4 processors; one more comes and goes. */
static void
time_cycles(unsigned count, unsigned cycles)
{
    struct sched_client *c = calloc(count + 1, sizeof(*c));
    uint64_t now = 0, start;
    struct runq_choice choice;
    struct runqueue rq;

    runq_init(&rq, 0, 0);
    for (unsigned i = 1; i < 4; i++)
        runq_cpu_online(&rq, i, 0);
    for (unsigned i = 0; i <= count; i++) {
        const struct share_params p = { 100 + i * 7 % 900,
                                        i % 10 == 0 ? 5 : 0, 0 };

        runq_client_init(&c[i], &p, RUNQ_ALL_CPUS);
        if (i > 0)
            (void)runq_wake(&rq, &c[i], now);
    }
    start = real_ns();
    for (unsigned i = 0; i < cycles; i++) {
        now += 100000;
        (void)runq_wake(&rq, &c[0], now);
        runq_pick(&rq, c[0].cpu, now, &choice);
        now += 1000;
        runq_sleep(&rq, &c[0], now);
        runq_pick(&rq, c[0].cpu, now, &choice);
    }
    print_message("%5u clients: %u ns for wake, pick, sleep and pick\n", count,
                  (unsigned)((real_ns() - start) / cycles));
    free(c);
}

static void
test_speed(void **state)
{
    (void)state;
    time_cycles(10, 4000);
    time_cycles(100, 2000);
    time_cycles(1000, 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_on_one_processor),
        cmocka_unit_test(test_hogs),
        cmocka_unit_test(test_sleepers),
        cmocka_unit_test(test_sleeping_never_pays),
        cmocka_unit_test(test_changing_shares),
        cmocka_unit_test(test_affinity),
        cmocka_unit_test(test_displaced_world_moves),
        cmocka_unit_test(test_woken_worlds_run_soon),
        cmocka_unit_test(test_no_tick),
        cmocka_unit_test(test_speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
