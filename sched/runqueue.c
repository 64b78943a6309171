/*
 * runqueue.c - who runs next, on which processor, and for how long.
 *
 * runq_pick looks through the processor's own queue for the client that is
 * eligible and has the earliest deadline, and through the others for the one
 * that is owed most.  Queues are plain lists: picking is linear in the number
 * of clients that wait, at some ten nanoseconds each.  For the dozens that are
 * usual that is cheaper than a tree, for a thousand it is still well below a
 * hundredth of a slice; and limits, clocks and affinity can change without
 * anything having to be sorted again.
 *
 * Clients that cannot be served as they are entitled to, because too many are
 * bound to one processor, would be owed more and more, and those that have
 * another to themselves less and less.  When a queue is so far off, all of it
 * is moved to the clock at once (recentre): its members keep their order, and
 * nobody gains a claim that would starve others later.
 *
 * A processor needs a timer only if somebody else could run in place of what
 * it runs.  When that becomes so while it has none, it is interrupted: at once
 * if it idles, otherwise after the first slice, so that short bursts of work
 * elsewhere disturb nobody.
 */
#include "sched/runqueue.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"

/* A foreign client is stolen if it is owed so much more than one's own. */
#define STEAL_THRESHOLD ((int64_t)(2 * SHARE_SLICE))

/* A queue is recentred when the client it picks is so far off. */
#define DRIFT_LIMIT     ((int64_t)(6 * SHARE_SLICE))

/* A switch is not worth it for less. */
#define RUN_MIN         (SHARE_SLICE / 8)

/* What a search has seen. */
struct search {
    struct sched_client *best;
    int64_t lag;                /* of `best` */
    bool competition;           /* somebody else could run here */
    uint64_t limited;           /* the first end of a limit */
};

static bool
may_run_on(const struct sched_client *c, unsigned cpu)
{
    return (c->affinity & BIT(cpu)) != 0;
}

static bool
is_limited(const struct runqueue *rq, const struct sched_client *c)
{
    return c->share.limited_until > rq->share.now;
}

static void
note_limit(struct search *s, const struct sched_client *c)
{
    s->limited = MIN(s->limited, c->share.limited_until);
}

/* --- Choosing ------------------------------------------------------------ */

/*
 * Should A run rather than B (which may be nobody)?  Who is eligible goes
 * before who is not; of the like, the more urgent.
 */
static bool
goes_before(const struct runqueue *rq, const struct sched_client *a,
            const struct sched_client *b)
{
    const struct prop_share *ps = &rq->share;
    bool a_eligible, b_eligible;

    if (a == NULL || b == NULL)
        return b == NULL;
    a_eligible = share_behind(ps, &a->share) >= 0;
    b_eligible = share_behind(ps, &b->share) >= 0;
    if (a_eligible != b_eligible)
        return a_eligible;
    return share_urgency(ps, &a->share) < share_urgency(ps, &b->share);
}

/* The best of those that wait for CPU. */
static void
search_own(struct runqueue *rq, unsigned cpu, struct search *s)
{
    *s = (struct search){ .limited = RUNQ_NEVER };
    LIST_FOR_EACH(c, &rq->cpus[cpu].waiting, struct sched_client, link) {
        if (is_limited(rq, c)) {
            note_limit(s, c);
            continue;
        }
        s->competition = s->best != NULL;
        if (goes_before(rq, c, s->best))
            s->best = c;
    }
    if (s->best != NULL)
        s->lag = share_lag(&rq->share, &s->best->share);
}

/* Add to S what waits for processor FROM and may run on CPU. */
static void
search_other(struct runqueue *rq, unsigned from, unsigned cpu,
             struct search *s)
{
    int64_t lag;

    LIST_FOR_EACH(c, &rq->cpus[from].waiting, struct sched_client, link) {
        if (!may_run_on(c, cpu))
            continue;
        if (is_limited(rq, c)) {
            note_limit(s, c);
            continue;
        }
        lag = share_lag(&rq->share, &c->share);
        if (s->best == NULL || lag > s->lag) {
            s->best = c;
            s->lag = lag;
        }
    }
}

/* Of those that wait elsewhere and may run on CPU: who is owed most? */
static void
search_others(struct runqueue *rq, unsigned cpu, struct search *s)
{
    *s = (struct search){ .limited = RUNQ_NEVER };
    for (uint32_t m = rq->online & ~BIT(cpu); m != 0; m &= m - 1)
        search_other(rq, lowest_bit(m), cpu, s);
    s->competition = s->best != NULL;
}

/*
 * PICKED shows that the queue of CPU is far behind or ahead: move all that
 * share its clock by what brings PICKED to it.
 */
static void
recentre(struct runqueue *rq, unsigned cpu, struct sched_client *picked)
{
    int64_t by = share_behind(&rq->share, &picked->share);
    bool is_free = picked->share.state == SHARE_FREE;

    LIST_FOR_EACH(c, &rq->cpus[cpu].waiting, struct sched_client, link)
        if ((c->share.state == SHARE_FREE) == is_free)
            share_shift(&c->share, by);
}

/* Choose among own and others' clients; S tells what was seen on the way. */
static struct sched_client *
choose(struct runqueue *rq, unsigned cpu, struct search *s)
{
    struct search others;

    search_own(rq, cpu, s);
    search_others(rq, cpu, &others);
    s->competition = s->competition || others.competition;
    if (s->best == NULL) {
        s->limited = MIN(s->limited, others.limited);
        return others.best;
    }
    if (s->lag > DRIFT_LIMIT || s->lag < -DRIFT_LIMIT)
        recentre(rq, cpu, s->best);
    if (others.best != NULL && others.lag - s->lag > STEAL_THRESHOLD)
        return others.best;
    return s->best;
}

/* Which processors could now serve somebody who still waits for CPU? */
static uint32_t
whom_to_kick(struct runqueue *rq, unsigned cpu, bool slice_over)
{
    uint32_t wanted = 0;
    uint32_t useful = 0;

    for (uint32_t m = rq->online & ~rq->kicked; m != 0; m &= m - 1) {
        struct runq_cpu *p = &rq->cpus[lowest_bit(m)];

        if (p->idle || (p->untimed && slice_over))
            useful |= BIT(lowest_bit(m));
    }
    if (useful == 0)
        return 0;
    LIST_FOR_EACH(c, &rq->cpus[cpu].waiting, struct sched_client, link)
        if (!is_limited(rq, c))
            wanted |= c->affinity;
    return useful & wanted & ~BIT(cpu);
}

/* --- Placing ------------------------------------------------------------- */

/* Would C run at once on CPU, instead of what runs there? */
static bool
would_preempt(const struct runqueue *rq, const struct sched_client *c,
              unsigned cpu)
{
    const struct sched_client *current = rq->cpus[cpu].current;

    return !is_limited(rq, c) && goes_before(rq, c, current);
}

static bool
is_free_for(const struct runqueue *rq, unsigned cpu)
{
    return rq->cpus[cpu].idle && (rq->kicked & BIT(cpu)) == 0;
}

/*
 * Where C should run: on its last processor if that idles, else on any that
 * idles; else on its last if it may preempt there, else where it may preempt
 * the least urgent; else it waits for its last one.
 */
static unsigned
choose_cpu(const struct runqueue *rq, const struct sched_client *c)
{
    uint32_t allowed = c->affinity & rq->online;
    const struct sched_client *current, *victim = NULL;
    unsigned cpu, last, best;

    ASSERT(allowed != 0);
    last = (allowed & BIT(c->cpu)) != 0 ? c->cpu : lowest_bit(allowed);
    if (is_free_for(rq, last))
        return last;
    for (uint32_t m = allowed; m != 0; m &= m - 1)
        if (is_free_for(rq, lowest_bit(m)))
            return lowest_bit(m);
    if (would_preempt(rq, c, last))
        return last;
    best = last;
    for (uint32_t m = allowed; m != 0; m &= m - 1) {
        cpu = lowest_bit(m);
        current = rq->cpus[cpu].current;
        if (current != NULL && would_preempt(rq, c, cpu) &&
            (victim == NULL || goes_before(rq, victim, current))) {
            victim = current;
            best = cpu;
        }
    }
    return best;
}

/* Queue C, which is runnable and on no queue; whom to interrupt for it? */
static uint32_t
place(struct runqueue *rq, struct sched_client *c)
{
    unsigned cpu = choose_cpu(rq, c);
    struct runq_cpu *p = &rq->cpus[cpu];
    uint32_t kick = 0;

    if (p->idle || p->untimed ||
        (p->current != NULL && would_preempt(rq, c, cpu)))
        kick = BIT(cpu) & ~rq->kicked;
    c->cpu = cpu;
    list_add_tail(&p->waiting, &c->link);
    rq->kicked |= kick;
    return kick;
}

static void
take(struct runqueue *rq, unsigned cpu, struct sched_client *c)
{
    list_remove(&c->link);
    if (c->cpu != cpu)
        c->migrations++;
    c->cpu = cpu;
    rq->cpus[cpu].current = c;
    share_set_running(&rq->share, &c->share, true);
}

/* What runs on CPU has to wait again: here, if it still may run here. */
static uint32_t
put_back(struct runqueue *rq, unsigned cpu)
{
    struct runq_cpu *p = &rq->cpus[cpu];
    struct sched_client *c = p->current;

    if (c == NULL)
        return 0;
    p->current = NULL;
    share_set_running(&rq->share, &c->share, false);
    if (!may_run_on(c, cpu))
        return place(rq, c);
    list_add_tail(&p->waiting, &c->link);
    return 0;
}

/* --- What the dispatcher calls ------------------------------------------- */

void
runq_pick(struct runqueue *rq, unsigned cpu, uint64_t now,
          struct runq_choice *choice)
{
    struct runq_cpu *p = &rq->cpus[cpu];
    struct sched_client *c, *previous = p->current;
    bool slice_over;
    struct search s;
    uint64_t run;

    share_advance(&rq->share, now);
    /* A whole request has just begun, so one has ended. */
    slice_over = previous != NULL && previous->share.request == SHARE_SLICE;
    rq->kicked &= ~BIT(cpu);
    choice->kick = put_back(rq, cpu);
    c = choose(rq, cpu, &s);
    choice->client = c;
    choice->until = s.limited;
    p->idle = c == NULL;
    p->untimed = false;
    if (c != NULL) {
        take(rq, cpu, c);
        run = MAX((uint64_t)c->share.request, RUN_MIN);
        if (s.competition || c->share.max < SHARE_RATE_ONE)
            choice->until = MIN(choice->until, rq->share.now + run);
        p->untimed = choice->until == RUNQ_NEVER;
    }
    choice->kick |= whom_to_kick(rq, cpu, slice_over);
    rq->kicked |= choice->kick;
}

uint32_t
runq_wake(struct runqueue *rq, struct sched_client *c, uint64_t now)
{
    share_advance(&rq->share, now);
    share_wake(&rq->share, &c->share);
    return place(rq, c);
}

static void
unqueue(struct runqueue *rq, struct sched_client *c)
{
    if (rq->cpus[c->cpu].current == c)
        rq->cpus[c->cpu].current = NULL;
    list_remove(&c->link);
}

void
runq_sleep(struct runqueue *rq, struct sched_client *c, uint64_t now)
{
    share_advance(&rq->share, now);
    unqueue(rq, c);
    share_sleep(&rq->share, &c->share);
}

void
runq_remove(struct runqueue *rq, struct sched_client *c, uint64_t now)
{
    share_advance(&rq->share, now);
    unqueue(rq, c);
    share_remove(&rq->share, &c->share);
}

void
runq_yield(struct runqueue *rq, unsigned cpu, uint64_t now)
{
    share_advance(&rq->share, now);
    if (rq->cpus[cpu].current != NULL)
        share_yield(&rq->cpus[cpu].current->share);
}

/* --- Settings ------------------------------------------------------------ */

void
runq_init(struct runqueue *rq, unsigned cpu, uint64_t now)
{
    *rq = (struct runqueue){ 0 };
    share_init(&rq->share, 1, now);
    for (unsigned i = 0; i < RUNQ_CPUS_MAX; i++)
        list_init(&rq->cpus[i].waiting);
    rq->online = BIT(cpu);
}

void
runq_cpu_online(struct runqueue *rq, unsigned cpu, uint64_t now)
{
    share_advance(&rq->share, now);
    rq->online |= BIT(cpu);
    share_set_cpus(&rq->share, (unsigned)__builtin_popcount(rq->online));
}

void
runq_client_init(struct sched_client *c, const struct share_params *params,
                 uint32_t affinity)
{
    *c = (struct sched_client){ .affinity = affinity,
                                .cpu = lowest_bit(affinity) };
    share_client_init(&c->share, params);
    list_init(&c->link);
}

uint32_t
runq_set_params(struct runqueue *rq, struct sched_client *c,
                const struct share_params *params, uint64_t now)
{
    uint32_t kick = 0;

    share_advance(&rq->share, now);
    share_set_params(&rq->share, &c->share, params);
    /* A timer may be too late, or missing: let the processor look again. */
    if (c->share.awake)
        kick = BIT(c->cpu) & ~rq->kicked;
    rq->kicked |= kick;
    return kick;
}

uint32_t
runq_set_affinity(struct runqueue *rq, struct sched_client *c,
                  uint32_t affinity, uint64_t now)
{
    uint32_t kick = 0;

    share_advance(&rq->share, now);
    c->affinity = affinity;
    if (may_run_on(c, c->cpu))
        return 0;
    if (rq->cpus[c->cpu].current == c) {
        kick = BIT(c->cpu) & ~rq->kicked;
    } else if (list_is_linked(&c->link)) {
        list_remove(&c->link);
        return place(rq, c);
    }
    rq->kicked |= kick;
    return kick;
}
