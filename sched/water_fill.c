/*
 * water_fill.c - the rates that runnable clients are entitled to.
 *
 * Imagine that the time of all processors is water, poured over all clients
 * that want to run until there is none left.  At water level L a client with S
 * shares has the rate L * S; but never less than its minimum, nor more than
 * its maximum, nor more than one processor.  So a client is FREE, LOW (held up
 * by its minimum) or HIGH (held down by its maximum), and
 *
 *      L = (processors - rates of the LOW and HIGH) / (shares of the FREE)
 *
 * The level is found by pouring over all, fixing those whose limits must bind,
 * and pouring what is left over the rest, until no limit binds: few rounds in
 * practice.  As clients come and go the level moves a little, mostly without
 * anybody's state changing, and then one division finds it (the bounds).
 *
 * If the minima are more than there is, all are scaled down alike; a little is
 * always left for those that have none, so that no client ever starves.
 *
 * Units: rates 2^-20 processor; levels 2^-20 of that per share.
 */
#include "sched/water_fill.h"

/* What the minima take together leaves 1/128 for those that have none. */
#define SPARE_SHIFT     7

/* One filling: what is left to pour, and over whom. */
struct filling {
    uint64_t room;              /* a rate */
    uint64_t shares;
    uint64_t level;
    uint64_t min_scale;         /* 2^LEVEL_SHIFT, or less for too many minima */
};

static uint64_t
all_cpus(const struct prop_share *ps)
{
    return (uint64_t)ps->cpus << SHARE_RATE_SHIFT;
}

/* What the minima of all may take together. */
static uint64_t
most_for_minima(const struct prop_share *ps)
{
    return all_cpus(ps) - (all_cpus(ps) >> SPARE_SHIFT);
}

static uint64_t
level_for(uint64_t room, uint64_t shares)
{
    return (room << LEVEL_SHIFT) / shares;
}

uint64_t
water_level_of(uint32_t rate, unsigned shares)
{
    return DIV_ROUND_UP((uint64_t)rate << LEVEL_SHIFT, shares);
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
    f->level = level_for(f->room, f->shares);
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

/* Narrow the bounds of the level to where STATE is right for C. */
static void
narrow_bounds(struct prop_share *ps, const struct share_client *c,
              enum share_state state)
{
    if (state == SHARE_FREE)
        ps->level_low = MAX(ps->level_low, c->level_min);
    else if (state == SHARE_HIGH)
        ps->level_low = MAX(ps->level_low, c->level_max);
    if (state == SHARE_FREE)
        ps->level_high = MIN(ps->level_high, c->level_max);
    else if (state == SHARE_LOW)
        ps->level_high = MIN(ps->level_high, c->level_min);
}

void
water_fill(struct prop_share *ps)
{
    struct filling f = { .room = all_cpus(ps),
                         .min_scale = BIT64(LEVEL_SHIFT) };

    if (ps->min_sum > most_for_minima(ps))
        f.min_scale = level_for(most_for_minima(ps), ps->min_sum);
    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable) {
        c->next_state = SHARE_FREE;
        f.shares += c->params.shares;
    }
    while (pour(ps, &f))
        ;
    ps->level = f.shares > 0 ? f.level : LEVEL_ALL_FIXED;
    ps->level_low = 0;
    ps->level_high = UINT64_MAX;
    LIST_FOR_EACH(c, &ps->runnable, struct share_client, runnable)
        narrow_bounds(ps, c, c->next_state);
    /* Scaled minima change with every client: nothing can be kept. */
    if (f.min_scale < BIT64(LEVEL_SHIFT))
        ps->level_low = UINT64_MAX;
}

void
water_guess(struct prop_share *ps, struct share_client *c)
{
    c->state = SHARE_FREE;
    if (ps->free_shares == 0 || ps->level >= c->level_max)
        c->state = SHARE_HIGH;
    else if (ps->level < c->level_min)
        c->state = SHARE_LOW;
    c->rate = c->state == SHARE_LOW ? c->min : c->max;
    narrow_bounds(ps, c, c->state);
}

bool
water_keep_states(struct prop_share *ps)
{
    uint64_t level = LEVEL_ALL_FIXED;
    bool right;

    if (ps->fixed_rate > all_cpus(ps) || ps->min_sum > most_for_minima(ps))
        return false;
    if (ps->free_shares > 0) {
        level = level_for(all_cpus(ps) - ps->fixed_rate, ps->free_shares);
        right = level >= ps->level_low && level < ps->level_high;
    } else {
        /* Nobody wants more, unless held up by a minimum only. */
        right = ps->level_high == UINT64_MAX;
    }
    if (right)
        ps->level = level;
    return right;
}

uint32_t
water_rate(const struct prop_share *ps, const struct share_client *c)
{
    if (!c->awake)
        return 0;
    return c->state != SHARE_FREE ? c->rate :
           (uint32_t)(ps->level * c->params.shares >> LEVEL_SHIFT);
}
