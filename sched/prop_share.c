/*
 * prop_share.c - proportional-share arithmetic (prop_share.h).
 *
 * water_fill.c says at what rate each client is entitled to run.  Here it is
 * known how far each has been served.
 *
 * Clocks.  A client has paid for its use up to a point on a clock: running for
 * dt moves that point by dt / weight.  For LOW and HIGH clients the clock is
 * real time and the weight is the rate.  For FREE clients the clock is virtual
 * time and the weight is the shares; virtual time moves as the water level
 * says, so while the level changes all the time it touches no FREE client, and
 *
 *      lag = (clock - paid) * weight
 *
 * holds for all.  Eligible clients by deadline is EEVDF (Stoica, Abdel-Wahab:
 * Earliest Eligible Virtual Deadline First, 1996), here with limits and for
 * several processors; it keeps every lag within a few slices.
 *
 * Sleep.  A client that was owed time when it went to sleep forfeits it to the
 * FREE ones, by a jump of virtual time: sleeping never pays.  One that ran
 * ahead is a debtor: it stays in the accounts, entitled as if it were awake,
 * until its debt is paid.  So those at whose cost it ran get that time back,
 * and a client that runs in short bursts is treated as if it had run evenly.
 *
 * Bounds.  Nobody runs ahead by more than LAG_LIMIT: who had a processor to
 * himself is not punished for long when others come.  What a client is owed
 * is bounded by whoever picks it (share_shift).
 *
 * Maximum.  The rates respect it on average; `limited_until` enforces it, by a
 * bucket that leaks in real time.  It is looked at when a request begins, not
 * within one, so that a limit is no reason for very short runs.
 *
 * Units: rates 2^-20 processor, virtual time 2^-20 ns per share.  Both clocks
 * may wrap: only differences count.
 */
#include "sched/prop_share.h"

#include "kernel/base/assert.h"
#include "sched/water_fill.h"

/* Nobody is ahead by more, nor takes more along when his state changes. */
#define LAG_LIMIT       ((int64_t)(8 * SHARE_SLICE))

/* A client that had to wait may catch up so much on its maximum. */
#define MAX_BURST       ((int64_t)(2 * SHARE_SLICE))

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
    int64_t behind = share_behind(ps, c);
    int64_t product;

    if (__builtin_mul_overflow(behind, (int64_t)weight_of(c), &product))
        product = behind < 0 ? INT64_MIN : INT64_MAX;
    return product / (int64_t)SHARE_RATE_ONE;
}

static int64_t
bounded(int64_t lag)
{
    return MAX(-LAG_LIMIT, MIN(lag, LAG_LIMIT));
}

/* Put C, with its request, at LAG on its clock. */
static void
set_lag(const struct prop_share *ps, struct share_client *c, int64_t lag)
{
    c->paid = clock_of(ps, c) - (uint64_t)clock_distance(c, bounded(lag));
    c->deadline = c->paid + (uint64_t)clock_distance(c, c->request);
}

static void
new_request(struct share_client *c, uint64_t ns)
{
    c->request = (int64_t)ns;
    c->deadline = c->paid + (uint64_t)clock_distance(c, c->request);
    c->limited_until = c->max_paid;
}

/* Move virtual time by what is pending; the rest of the division remains. */
static void
settle_clock(struct prop_share *ps)
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
share_shift(struct share_client *c, int64_t by)
{
    c->paid += (uint64_t)by;
    c->deadline += (uint64_t)by;
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

/* --- States -------------------------------------------------------------- */

/* Let the sums over all runnable clients include C, or not. */
static void
count(struct prop_share *ps, const struct share_client *c)
{
    if (c->state == SHARE_FREE)
        ps->free_shares += c->params.shares;
    else
        ps->fixed_rate += c->rate;
}

static void
uncount(struct prop_share *ps, const struct share_client *c)
{
    if (c->state == SHARE_FREE)
        ps->free_shares -= c->params.shares;
    else
        ps->fixed_rate -= c->rate;
}

/* Change over to the state and rate that the filling found; keep the lag. */
static void
change_state(struct prop_share *ps, struct share_client *c)
{
    int64_t lag = share_lag(ps, c);

    if (c->state == c->next_state &&
        (c->state == SHARE_FREE || c->rate == c->next_rate))
        return;
    uncount(ps, c);
    c->state = c->next_state;
    c->rate = c->next_rate;
    count(ps, c);
    set_lag(ps, c, lag);
}

/* The set of runnable clients changed, or what they may have. */
static void
states_update(struct prop_share *ps)
{
    if (!water_keep_states(ps)) {
        water_fill(ps);
        LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable)
            change_state(ps, c);
    }
    settle_clock(ps);
}

/* --- Clients come and go ------------------------------------------------- */

/* C joins the runnable ones with LAG. */
static void
enter(struct prop_share *ps, struct share_client *c, int64_t lag)
{
    water_guess(ps, c);
    set_lag(ps, c, lag);
    count(ps, c);
    ps->min_sum += c->min;
    list_add_tail(&ps->runnable, &c->runnable);
    states_update(ps);
}

/* C leaves them; virtual time does not notice. */
static void
leave(struct prop_share *ps, struct share_client *c)
{
    uncount(ps, c);
    c->state = SHARE_OUT;
    list_remove(&c->runnable);
    list_remove(&c->active);
    ps->min_sum -= c->min;
    states_update(ps);
}

/* C leaves for good: what it is owed, or owes, falls to the FREE ones. */
static void
settle(struct prop_share *ps, struct share_client *c)
{
    ps->pending += bounded(share_lag(ps, c)) * (int64_t)SHARE_RATE_ONE;
    leave(ps, c);
}

void
share_wake(struct prop_share *ps, struct share_client *c)
{
    ASSERT(!c->awake);
    c->awake = true;
    c->max_paid = MAX(c->max_paid, ps->now);
    if (c->state != SHARE_OUT)
        list_remove(&c->active);
    else
        enter(ps, c, 0);
    new_request(c, SHARE_WAKE_SLICE);
}

void
share_sleep(struct prop_share *ps, struct share_client *c)
{
    ASSERT(c->awake);
    c->awake = false;
    list_remove(&c->active);
    if (share_behind(ps, c) >= 0)
        settle(ps, c);
    else
        list_add_tail(&ps->debtors, &c->active);
}

void
share_remove(struct prop_share *ps, struct share_client *c)
{
    c->awake = false;
    if (c->state != SHARE_OUT)
        settle(ps, c);
}

void
share_set_running(struct prop_share *ps, struct share_client *c,
                  bool running)
{
    ASSERT(c->awake);
    list_remove(&c->active);
    if (running)
        list_add_tail(&ps->running, &c->active);
}

/* A deadline one slice later; doing it again changes nothing more. */
void
share_yield(struct share_client *c)
{
    new_request(c, 2 * SHARE_SLICE);
    c->request = (int64_t)SHARE_SLICE;
}

/* --- Time passes --------------------------------------------------------- */

static void
charge_max(const struct prop_share *ps, struct share_client *c, int64_t ns)
{
    int64_t start = (int64_t)ps->now - ns;
    int64_t burst = MAX_BURST * SHARE_RATE_ONE / c->max;
    int64_t paid = MAX((int64_t)c->max_paid, start - burst);

    c->max_paid = (uint64_t)(paid + ns * SHARE_RATE_ONE / c->max);
}

/* C ran during the last NS. */
static void
charge(struct prop_share *ps, struct share_client *c, int64_t ns)
{
    uint64_t furthest = clock_of(ps, c) +
                        (uint64_t)clock_distance(c, LAG_LIMIT);

    c->used += (uint64_t)ns;
    c->paid += (uint64_t)clock_distance(c, ns);
    if ((int64_t)(c->paid - furthest) > 0)
        c->paid = furthest;
    if (c->max < SHARE_RATE_ONE)
        charge_max(ps, c, ns);
    c->request -= ns;
    if (c->request <= 0)
        new_request(c, SHARE_SLICE);
}

static void
pass(struct prop_share *ps, uint64_t ns)
{
    uint64_t room = (uint64_t)ps->cpus << SHARE_RATE_SHIFT;

    ps->now += ns;
    if (room > ps->fixed_rate)
        ps->pending += (int64_t)(ns * (room - ps->fixed_rate));
    settle_clock(ps);
    LIST_FOR_EACH(c, &ps->running, struct share_client, active)
        charge(ps, c, (int64_t)ns);
    LIST_FOR_EACH_SAFE(c, &ps->debtors, struct share_client, active)
        if (share_behind(ps, c) >= 0)
            settle(ps, c);
}

void
share_advance(struct prop_share *ps, uint64_t now)
{
    while (ps->now < now)
        pass(ps, MIN(now - ps->now, STEP_MAX));
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

static void
set_params(struct share_client *c, const struct share_params *p)
{
    unsigned max = p->max_permille != 0 ? p->max_permille :
                                          SHARE_PERMILLE_ONE;

    c->params = *p;
    c->min = rate_of_permille(p->min_permille);
    c->max = rate_of_permille(max);
    c->level_min = water_level_of(c->min, p->shares);
    c->level_max = water_level_of(c->max, p->shares);
}

void
share_client_init(struct share_client *c, const struct share_params *params)
{
    *c = (struct share_client){ .state = SHARE_OUT };
    list_init(&c->runnable);
    list_init(&c->active);
    set_params(c, params);
}

/* What C is ahead on its maximum is waited out at its new one; no credit. */
static void
rescale_max(const struct prop_share *ps, struct share_client *c,
            uint32_t old_max)
{
    int64_t ahead = (int64_t)(c->max_paid - ps->now);

    ahead = MAX(ahead, 0) * old_max / c->max;
    c->max_paid = ps->now + (uint64_t)ahead;
    c->limited_until = MIN(c->limited_until, c->max_paid);
}

void
share_set_params(struct prop_share *ps, struct share_client *c,
                 const struct share_params *params)
{
    struct list *neighbour = c->active.next;
    bool out = c->state == SHARE_OUT;
    uint32_t old_max = c->max;
    int64_t lag = 0;

    if (!out) {
        lag = share_lag(ps, c);
        leave(ps, c);
    }
    set_params(c, params);
    rescale_max(ps, c, old_max);
    if (out)
        return;
    enter(ps, c, lag);
    if (neighbour != &c->active)
        list_insert_before(neighbour, &c->active);
}

void
share_init(struct prop_share *ps, unsigned cpus, uint64_t now)
{
    *ps = (struct prop_share){ .cpus = cpus, .now = now,
                               .level = LEVEL_ALL_FIXED };
    list_init(&ps->runnable);
    list_init(&ps->running);
    list_init(&ps->debtors);
}

void
share_set_cpus(struct prop_share *ps, unsigned cpus)
{
    ASSERT(cpus > 0);
    ps->cpus = cpus;
    states_update(ps);
}
