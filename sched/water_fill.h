/*
 * water_fill.h - the rates that runnable clients are entitled to.
 *
 * The part of prop_share.c that knows who is held by a minimum or maximum, at
 * what rate, and how the rest is divided.  Only that file changes anything by
 * this; others may ask for water_rate().
 */
#ifndef SCHED_WATER_FILL_H
#define SCHED_WATER_FILL_H

#include "sched/prop_share.h"

/* Water levels are rates per share, in fixed point. */
#define LEVEL_SHIFT     20

/* The level when nobody is FREE: virtual time then is as fast as real time. */
#define LEVEL_ALL_FIXED BIT64(LEVEL_SHIFT)

/*
 * Find `next_state` and `next_rate` of all runnable clients, the level, and the
 * bounds within which the level may move without a change of anybody's state.
 */
void water_fill(struct prop_share *ps);

/* C, which is not runnable yet: give it the state that seems right for it. */
void water_guess(struct prop_share *ps, struct share_client *c);

/*
 * The runnable set changed: set the level for the states as they are.  Returns
 * false, and sets nothing, if they are not right any more.
 */
MUST_CHECK bool water_keep_states(struct prop_share *ps);

/* What C is entitled to now, in SHARE_RATE_ONE; 0 if it sleeps. */
uint32_t water_rate(const struct prop_share *ps, const struct share_client *c);

/* The lowest level at which SHARES have RATE. */
uint64_t water_level_of(uint32_t rate, unsigned shares);

#endif
