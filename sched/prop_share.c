/*
 * prop_share.c - proportional-share arithmetic (prop_share.h).
 *
 * Rates.  Imagine that the processors' time is water, poured over all clients
 * that want to run until there is none left.  At water level L a client with
 * S shares gets the rate L * S; but never less than its minimum, nor more than
 * its maximum, nor more than one processor.  So at any moment a client is
 * FREE, LOW (held up by its minimum) or HIGH (held down by its maximum), and
 *
 *      L = (processors - rates of the LOW and HIGH) / (shares of the FREE)
 *
 * Clocks.  A client has paid for its use up to a point on a clock: running for
 * dt moves that point by dt / weight.  For LOW and HIGH clients the clock is
 * real time and the weight is the rate.  For FREE clients the clock is virtual
 * time and the weight is the shares; virtual time is the mean of what they
 * have paid, weighted by shares, so their lags add up to zero whatever happens
 * and what some leave unused falls to the others in proportion.  A change of
 * the level therefore touches no FREE client, and lag = (clock - paid) * weight
 * holds for all.  This is EEVDF (Stoica, Abdel-Wahab: Earliest Eligible
 * Virtual Deadline First, 1996) with the limits added; it keeps every lag
 * within about one slice.
 *
 * Sleep.  A sleeper that was owed time forfeits it, so sleeping never pays; one
 * that ran ahead works its debt off at the rate that it had, awake or not.
 *
 * Maximum.  The rates respect it on average; `limited_until` enforces it, by a
 * bucket that leaks in real time and holds SHARE_BURST at most.
 *
 * Units: rates 2^-20 processor; level 2^-20 of that per share; virtual time
 * 2^-20 ns per share.  Both clocks may wrap: only differences count.
 */
#include "sched/prop_share.h"

#include "kernel/base/assert.h"

#define LEVEL_SHIFT     20

/* The level when nobody is FREE: virtual time then is as fast as real time. */
#define LEVEL_ALL_FIXED BIT64(LEVEL_SHIFT)

/* What the minima take together leaves 1/128 for those that have none. */
#define SPARE_SHIFT     7

/* Lag is kept in bounds: beyond, accounts have lost touch with the world. */
#define LAG_LIMIT       ((int64_t)(8 * SHARE_SLICE))

/* Real-time clients run ahead, when nobody else wants to, at no higher price. */
#define DEBT_LIMIT      ((int64_t)(2 * SHARE_SLICE))

/* A client that had to wait may catch up so much on its maximum. */
#define SHARE_BURST     (2 * SHARE_SLICE)

/* Accounts advance by at most this at a time: products stay below 2^63. */
#define STEP_MAX        BIT64(33)

/* --- Clocks and lag ------------------------------------------------------ */

static uint64_t
clock_of(const struct prop_share *ps, const struct share_client *c)
{
    return c->state == SHARE_FREE ? ps->virtual_now : ps->now;
}

static uint32_t
weight_of(const struct share_client *c)
{
    return c->state == SHARE_FREE ? c->params.shares : c->rate;
}

/* How far NS of use move C on its clock. */
static int64_t
clock_distance(const struct share_client *c, int64_t ns)
{
    return ns * (int64_t)SHARE_RATE_ONE / (int64_t)weight_of(c);
}

int64_t
share_behind(const struct prop_share *ps, const struct share_client *c)
{
    return (int64_t)(clock_of(ps, c) - c->paid);
}

int64_t
share_lag(const struct prop_share *ps, const struct share_client *c)
{
    return share_behind(ps, c) * (int64_t)weight_of(c) /
           (int64_t)SHARE_RATE_ONE;
}

/* Put C at LAG on its clock; it is not in the pool of the FREE yet. */
static void
set_lag(const struct prop_share *ps, struct share_client *c, int64_t lag)
{
    lag = MAX(-LAG_LIMIT, MIN(lag, LAG_LIMIT));
    c->paid = clock_of(ps, c) - (uint64_t)clock_distance(c, lag);
    c->deadline = c->paid + (uint64_t)clock_distance(c, c->request);
}

static void
new_request(struct share_client *c, uint64_t ns)
{
    c->request = (int64_t)ns;
    c->deadline = c->paid + (uint64_t)clock_distance(c, c->request);
}

/*
 * The pool of the FREE clients.  `pending` is the sum of shares * (paid -
 * virtual_now) over it, and settling moves virtual_now so that this becomes 0.
 */
static void
pool_change(struct prop_share *ps, const struct share_client *c, bool add)
{
    int64_t ahead;

    if (c->state != SHARE_FREE)
        return;
    ahead = -share_behind(ps, c) * (int64_t)c->params.shares;
    ps->free_shares += add ? c->params.shares : 0ull - c->params.shares;
    ps->pending += add ? ahead : -ahead;
}

static void
pool_settle(struct prop_share *ps)
{
    int64_t shares = (int64_t)ps->free_shares;
    int64_t step;

    if (shares == 0) {
        ps->pending = 0;
        return;
    }
    step = ps->pending / shares;
    ps->virtual_now += (uint64_t)step;
    ps->pending -= step * shares;
}

void
share_shift(struct prop_share *ps, struct share_client *c, int64_t by)
{
    pool_change(ps, c, false);
    c->paid += (uint64_t)by;
    c->deadline += (uint64_t)by;
    pool_change(ps, c, true);
}

/*
 * The deadline as a distance in virtual time.  One in real time is converted
 * by the speed of virtual time at the present level; beyond a second the order
 * does not matter any more.
 */
int64_t
share_urgency(const struct prop_share *ps, const struct share_client *c)
{
    int64_t left = (int64_t)(c->deadline - clock_of(ps, c));
    int64_t horizon = (int64_t)NSEC_PER_SEC;

    if (c->state == SHARE_FREE)
        return left;
    left = MAX(-horizon, MIN(left, horizon));
    return left * (int64_t)(ps->level >> (LEVEL_SHIFT / 2)) >>
           (LEVEL_SHIFT / 2);
}

/* --- The water level ----------------------------------------------------- */

/* One filling: what is left to pour, and over whom. */
struct filling {
    uint64_t room;              /* a rate */
    uint64_t shares;
    uint64_t level;
    uint64_t min_scale;         /* less than 1 if the minima are too much */
};

static uint64_t
water_level(uint64_t room, uint64_t shares)
{
    return (room << LEVEL_SHIFT) / shares;
}

static uint32_t
scaled_min(const struct filling *f, const struct share_client *c)
{
    return (uint32_t)(c->min * f->min_scale >> LEVEL_SHIFT);
}

/* By how much its limits would raise the rate of C; negative: lower it. */
static int64_t
correction(const struct filling *f, const struct share_client *c)
{
    int64_t rate = (int64_t)(f->level * c->params.shares >> LEVEL_SHIFT);

    return MIN(MAX(rate, (int64_t)scaled_min(f, c)), (int64_t)c->max) - rate;
}

static bool
reaches_max(const struct filling *f, const struct share_client *c)
{
    return f->level * c->params.shares >> LEVEL_SHIFT >= c->max;
}

static void
fix(struct filling *f, struct share_client *c, enum share_state state)
{
    uint32_t rate = state == SHARE_LOW ? scaled_min(f, c) : c->max;

    c->next_state = state;
    c->next_rate = MAX(rate, 1u);
    f->room -= MIN(f->room, c->next_rate);
    f->shares -= c->params.shares;
}

/*
 * Pour what is left over those not fixed yet.  If the limits ask for more than
 * there is, the level will only fall, so those below their minimum are fixed
 * for good; if for less, those above their maximum.  Returns whether it has to
 * be done again.
 */
static bool
pour(const struct prop_share *ps, struct filling *f)
{
    int64_t total = 0;
    bool again = false;

    if (f->shares == 0)
        return false;
    f->level = water_level(f->room, f->shares);
    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable)
        if (c->next_state == SHARE_FREE)
            total += correction(f, c);
    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable) {
        if (c->next_state != SHARE_FREE)
            continue;
        if (total >= 0 && correction(f, c) > 0)
            fix(f, c, SHARE_LOW);
        else if (total <= 0 && reaches_max(f, c))
            fix(f, c, SHARE_HIGH);
        again = again || c->next_state != SHARE_FREE;
    }
    return again && total != 0;
}

/* Change over to the state and rate that the filling found; keep the lag. */
static void
change_state(struct prop_share *ps, struct share_client *c)
{
    int64_t lag = share_lag(ps, c);

    if (c->state == c->next_state &&
        (c->state == SHARE_FREE || c->rate == c->next_rate))
        return;
    pool_change(ps, c, false);
    c->state = c->next_state;
    c->rate = c->next_rate;
    set_lag(ps, c, lag);
    pool_change(ps, c, true);
}

/* The levels between which the states, as they are, remain right. */
static void
find_bounds(struct prop_share *ps)
{
    uint64_t low = 0;
    uint64_t high = UINT64_MAX;

    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable) {
        switch (c->state) {
        case SHARE_LOW:
            high = MIN(high, c->level_min);
            break;
        case SHARE_HIGH:
            low = MAX(low, c->level_max);
            break;
        default:
            low = MAX(low, c->level_min);
            high = MIN(high, c->level_max);
        }
    }
    ps->level_low = low;
    ps->level_high = high;
}

/* What the minima of all may take together. */
static uint64_t
most_for_minima(const struct prop_share *ps)
{
    uint64_t all = (uint64_t)ps->cpus << SHARE_RATE_SHIFT;

    return all - (all >> SPARE_SHIFT);
}

static void
refill(struct prop_share *ps)
{
    uint64_t room = (uint64_t)ps->cpus << SHARE_RATE_SHIFT;
    struct filling f = { .room = room, .min_scale = BIT(LEVEL_SHIFT) };

    if (ps->min_sum > most_for_minima(ps))
        f.min_scale = (most_for_minima(ps) << LEVEL_SHIFT) / ps->min_sum;
    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable) {
        c->next_state = SHARE_FREE;
        f.shares += c->params.shares;
    }
    while (pour(ps, &f))
        ;
    ps->fixed_rate = 0;
    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable) {
        change_state(ps, c);
        if (c->state != SHARE_FREE)
            ps->fixed_rate += c->rate;
    }
    ps->level = f.shares > 0 ? f.level : LEVEL_ALL_FIXED;
    find_bounds(ps);
}

/*
 * The set of runnable clients changed.  Mostly nobody's state does, and the
 * new level is found without looking at anybody.
 */
static void
level_update(struct prop_share *ps)
{
    uint64_t room = (uint64_t)ps->cpus << SHARE_RATE_SHIFT;
    uint64_t level = 0;
    bool same = false;

    if (ps->free_shares > 0 && ps->fixed_rate <= room &&
        ps->min_sum <= most_for_minima(ps)) {
        level = water_level(room - ps->fixed_rate, ps->free_shares);
        same = level >= ps->level_low && level < ps->level_high;
    }
    if (same)
        ps->level = level;
    else
        refill(ps);
    pool_settle(ps);
}

/* --- Clients come and go ------------------------------------------------- */

/* C joins the runnable ones with LAG; its request is set. */
static void
enter(struct prop_share *ps, struct share_client *c, int64_t lag)
{
    c->state = SHARE_FREE;
    set_lag(ps, c, lag);
    list_add_tail(&ps->runnable, &c->runnable);
    pool_change(ps, c, true);
    ps->min_sum += c->min;
    ps->level_low = MAX(ps->level_low, c->level_min);
    ps->level_high = MIN(ps->level_high, c->level_max);
    level_update(ps);
}

/* C leaves them; its lag goes on in real time, at the rate that it had. */
static void
leave(struct prop_share *ps, struct share_client *c)
{
    int64_t lag = share_lag(ps, c);
    uint32_t rate = share_rate(ps, c);

    if (c->state != SHARE_FREE)
        ps->fixed_rate -= c->rate;
    pool_change(ps, c, false);
    c->state = SHARE_ASLEEP;
    c->rate = MAX(rate, 1u);
    set_lag(ps, c, lag);
    list_remove(&c->runnable);
    ps->min_sum -= c->min;
    level_update(ps);
}

void
share_wake(struct prop_share *ps, struct share_client *c)
{
    int64_t debt = share_behind(ps, c) < 0 ? share_lag(ps, c) : 0;

    ASSERT(c->state == SHARE_ASLEEP);
    c->request = SHARE_WAKE_SLICE;
    c->limited_until = MAX(c->limited_until, ps->now);
    enter(ps, c, debt);
}

void
share_sleep(struct prop_share *ps, struct share_client *c)
{
    ASSERT(c->state != SHARE_ASLEEP);
    list_remove(&c->running);
    leave(ps, c);
}

void
share_set_running(struct prop_share *ps, struct share_client *c,
                  bool running)
{
    ASSERT(c->state != SHARE_ASLEEP);
    list_remove(&c->running);
    if (running)
        list_add_tail(&ps->running, &c->running);
}

void
share_yield(struct share_client *c)
{
    new_request(c, (uint64_t)c->request + SHARE_SLICE);
}

uint32_t
share_rate(const struct prop_share *ps, const struct share_client *c)
{
    switch (c->state) {
    case SHARE_ASLEEP: return 0;
    case SHARE_FREE:
        return (uint32_t)(ps->level * c->params.shares >> LEVEL_SHIFT);
    default: return c->rate;
    }
}

/* --- Time passes --------------------------------------------------------- */

static void
charge_limit(const struct prop_share *ps, struct share_client *c, int64_t ns)
{
    int64_t start = (int64_t)ps->now - ns;
    int64_t burst = (int64_t)SHARE_BURST * SHARE_RATE_ONE / c->max;
    int64_t until = MAX((int64_t)c->limited_until, start - burst);

    c->limited_until = (uint64_t)(until + ns * SHARE_RATE_ONE / c->max);
}

/* C ran during the last NS. */
static void
charge(struct prop_share *ps, struct share_client *c, int64_t ns)
{
    int64_t step = clock_distance(c, ns);

    c->used += (uint64_t)ns;
    c->paid += (uint64_t)step;
    if (c->state == SHARE_FREE)
        ps->pending += step * (int64_t)c->params.shares;
    else if (share_lag(ps, c) < -DEBT_LIMIT)
        c->paid = ps->now + (uint64_t)clock_distance(c, DEBT_LIMIT);
    c->request -= ns;
    if (c->request <= 0)
        new_request(c, SHARE_SLICE);
    if (c->max < SHARE_RATE_ONE)
        charge_limit(ps, c, ns);
}

void
share_advance(struct prop_share *ps, uint64_t now)
{
    uint64_t ns;

    while (ps->now < now) {
        ns = now - ps->now;
        if (!list_is_empty(&ps->running))
            ns = MIN(ns, STEP_MAX);
        ps->now += ns;
        LIST_FOR_EACH(c, &ps->running, struct share_client, running)
            charge(ps, c, (int64_t)ns);
        pool_settle(ps);
    }
}

/* --- Setting up ---------------------------------------------------------- */

status_t
share_params_check(const struct share_params *p)
{
    if (p->shares < SHARE_COUNT_MIN || p->shares > SHARE_COUNT_MAX ||
        p->min_permille > SHARE_PERMILLE_ONE ||
        p->max_permille > SHARE_PERMILLE_ONE ||
        (p->max_permille != 0 && p->max_permille < p->min_permille))
        return ERR_RANGE;
    return OK;
}

static uint32_t
rate_of_permille(unsigned permille)
{
    return (uint32_t)((permille << SHARE_RATE_SHIFT) / SHARE_PERMILLE_ONE);
}

/* The lowest level at which SHARES get RATE. */
static uint64_t
level_of_rate(uint32_t rate, unsigned shares)
{
    return DIV_ROUND_UP((uint64_t)rate << LEVEL_SHIFT, shares);
}

static void
set_params(struct share_client *c, const struct share_params *p)
{
    unsigned max = p->max_permille != 0 ? p->max_permille :
                                          SHARE_PERMILLE_ONE;

    c->params = *p;
    c->min = rate_of_permille(p->min_permille);
    c->max = rate_of_permille(max);
    c->level_min = level_of_rate(c->min, p->shares);
    c->level_max = level_of_rate(c->max, p->shares);
}

void
share_client_init(struct share_client *c, const struct share_params *params)
{
    *c = (struct share_client){ .state = SHARE_ASLEEP,
                                .rate = SHARE_RATE_ONE };
    list_init(&c->runnable);
    list_init(&c->running);
    set_params(c, params);
}

void
share_set_params(struct prop_share *ps, struct share_client *c,
                 const struct share_params *params)
{
    int64_t lag;

    if (c->state == SHARE_ASLEEP) {
        set_params(c, params);
        return;
    }
    lag = share_lag(ps, c);
    leave(ps, c);
    set_params(c, params);
    enter(ps, c, lag);
}

void
share_init(struct prop_share *ps, unsigned cpus, uint64_t now)
{
    *ps = (struct prop_share){ .cpus = cpus, .now = now,
                               .level = LEVEL_ALL_FIXED };
    list_init(&ps->runnable);
    list_init(&ps->running);
}

void
share_set_cpus(struct prop_share *ps, unsigned cpus)
{
    ASSERT(cpus > 0);
    ps->cpus = cpus;
    level_update(ps);
}
