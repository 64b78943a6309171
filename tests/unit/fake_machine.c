/*
 * fake_machine.c - processors and worlds that exist in simulated time only.
 */
#include "unit/fake_machine.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "sched/water_fill.h"

#define KICK_DELAY_MAX  5000u       /* ns until an interrupt arrives */
#define FIRST_WAKE_MAX  1000000u    /* ns until a new world wakes */

/* NS, give or take a half, but not 0. */
static uint64_t
about(struct fake_machine *m, uint64_t ns)
{
    return 1 + ns / 2 + test_random_below(&m->random, (uint32_t)ns);
}

void
fake_machine_kick(struct fake_machine *m, uint32_t mask)
{
    uint64_t at;

    for (; mask != 0; mask &= mask - 1) {
        struct fake_cpu *cpu = &m->cpus[lowest_bit(mask)];

        at = m->now + test_random_below(&m->random, KICK_DELAY_MAX);
        cpu->pick_at = MIN(cpu->pick_at, at);
    }
}

static void
wake_world(struct timer *timer)
{
    struct fake_world *w = CONTAINER_OF(timer, struct fake_world, wake);
    struct fake_machine *m = w->machine;

    w->woken_at = m->now;
    w->left = w->run_ns == FAKE_FOREVER ? FAKE_FOREVER : about(m, w->run_ns);
    fake_machine_kick(m, runq_wake(&m->rq, &w->client, m->now));
}

static void
sleep_world(struct fake_machine *m, struct fake_world *w)
{
    runq_sleep(&m->rq, &w->client, m->now);
    timerq_add(&m->sleepers, &w->wake, m->now + about(m, w->sleep_ns));
}

static void
pick(struct fake_machine *m, unsigned n)
{
    struct fake_cpu *cpu = &m->cpus[n];
    struct runq_choice choice;
    struct fake_world *w = NULL;

    runq_pick(&m->rq, n, m->now, &choice);
    ASSERT(choice.until > m->now);
    ASSERT((choice.kick & BIT(n)) == 0);
    if (choice.client != NULL) {
        w = CONTAINER_OF(choice.client, struct fake_world, client);
        ASSERT((w->client.affinity & BIT(n)) != 0);
        if (w->woken_at != FAKE_FOREVER)
            w->longest_wait = MAX(w->longest_wait, m->now - w->woken_at);
        w->woken_at = FAKE_FOREVER;
    }
    cpu->current = w;
    cpu->since = m->now;
    cpu->pick_at = choice.until;
    m->picks++;
    fake_machine_kick(m, choice.kick);
}

/* When something happens on CPU next: its world sleeps, or it picks. */
static uint64_t
next_event(const struct fake_cpu *cpu)
{
    uint64_t sleeps = FAKE_FOREVER;

    if (cpu->current != NULL && cpu->current->left != FAKE_FOREVER)
        sleeps = cpu->since + cpu->current->left;
    return MIN(sleeps, cpu->pick_at);
}

static void
bring_up_to_date(struct fake_machine *m, struct fake_cpu *cpu)
{
    struct fake_world *w = cpu->current;

    if (w != NULL && w->left != FAKE_FOREVER)
        w->left -= m->now - cpu->since;
    cpu->since = m->now;
}

static void
step_cpu(struct fake_machine *m, unsigned n)
{
    struct fake_cpu *cpu = &m->cpus[n];

    bring_up_to_date(m, cpu);
    if (cpu->current != NULL && cpu->current->left == 0)
        sleep_world(m, cpu->current);
    pick(m, n);
}

/* Time passes: integrate what everybody was entitled to meanwhile. */
static void
pass_until(struct fake_machine *m, uint64_t now)
{
    struct prop_share *ps = &m->rq.share;
    double ns = (double)(now - m->now);

    for (unsigned i = 0; i < m->count; i++)
        m->worlds[i].entitled +=
            water_rate(ps, &m->worlds[i].client.share) * ns / SHARE_RATE_ONE;
    m->now = now;
}

/* Carry out the next event before END; false if there is none. */
static bool
step(struct fake_machine *m, uint64_t end)
{
    uint64_t first = MIN(timerq_next(&m->sleepers), end);
    unsigned who = m->cpu_count;
    struct timer *timer;

    for (unsigned i = 0; i < m->cpu_count; i++) {
        if (next_event(&m->cpus[i]) < first) {
            first = next_event(&m->cpus[i]);
            who = i;
        }
    }
    pass_until(m, first);
    if (who < m->cpu_count) {
        step_cpu(m, who);
        return true;
    }
    timer = timerq_pop_due(&m->sleepers, first);
    if (timer != NULL)
        timer->fn(timer);
    return timer != NULL;
}

void
fake_machine_run(struct fake_machine *m, uint64_t ns)
{
    uint64_t end = m->now + ns;

    while (step(m, end))
        ;
    for (unsigned i = 0; i < m->cpu_count; i++)
        bring_up_to_date(m, &m->cpus[i]);
    share_advance(&m->rq.share, end);
}

void
fake_machine_measure(struct fake_machine *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        m->worlds[i].used_before = m->worlds[i].client.share.used;
        m->worlds[i].entitled = 0;
        m->worlds[i].longest_wait = 0;
    }
    m->picks = 0;
}

double
fake_world_used(const struct fake_world *w)
{
    return (double)(w->client.share.used - w->used_before);
}

void
fake_machine_build(struct fake_machine *m, unsigned cpus, uint64_t seed)
{
    memset(m, 0, sizeof(*m));
    m->random.state = seed;
    m->cpu_count = cpus;
    m->now = NSEC_PER_SEC;
    timerq_init(&m->sleepers);
    runq_init(&m->rq, 0, m->now);
    for (unsigned i = 1; i < cpus; i++)
        runq_cpu_online(&m->rq, i, m->now);
}

struct fake_world *
fake_machine_add(struct fake_machine *m, const struct share_params *params,
                 uint64_t run_ns, uint64_t sleep_ns)
{
    struct fake_world *w = &m->worlds[m->count++];

    ASSERT(m->count <= FAKE_WORLDS_MAX);
    ASSERT(share_params_check(params) == OK);
    runq_client_init(&w->client, params, RUNQ_ALL_CPUS);
    w->machine = m;
    w->wake.fn = wake_world;
    w->run_ns = run_ns;
    w->sleep_ns = sleep_ns;
    w->woken_at = FAKE_FOREVER;
    timerq_add(&m->sleepers, &w->wake,
               m->now + test_random_below(&m->random, FIRST_WAKE_MAX));
    return w;
}

struct fake_world *
fake_machine_add_hog(struct fake_machine *m, unsigned shares, unsigned min,
                     unsigned max)
{
    const struct share_params params = { shares, min, max };

    return fake_machine_add(m, &params, FAKE_FOREVER, 0);
}
