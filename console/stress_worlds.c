/*
 * stress_worlds.c - jobs of `test smp` about worlds, locks, waiting and time
 * (console/stress.h).
 */
#include "console/stress.h"

#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "sched/wait.h"
#include "sched/world.h"

#define PATIENCE_NS     (30 * NSEC_PER_SEC) /* then something was lost */
#define SHORT_NS_MAX    200000u
#define LOCK_STEPS      20u
#define SPIN_STEPS      50000u
#define SPIN_START      0x12345678u
#define PAUSE_MAX       2000u
#define PAIRS           2u
#define ALARMS          4u
#define POLL_NS         (50 * NSEC_PER_USEC)

static void
pause(unsigned times)
{
    while (times-- > 0)
        cpu_pause();
}

/* --- Calls ---------------------------------------------------------------- */

static void
count_call(void *arg)
{
    atomic_add((uint32_t *)arg, 1);
}

void
stress_calls(struct stress_world *self)
{
    while (stress_next_round(self)) {
        uint32_t calls = 0;

        smp_call_others(count_call, &calls);
        if (calls != cpu_count() - 1)
            stress_fail(self, "%u processors answered", calls);
    }
}

/* --- Locks ---------------------------------------------------------------- */

static struct lock outer_lock = LOCK_INIT("stress outer", RANK_SUBSYSTEM);
static struct lock inner_lock = LOCK_INIT("stress inner", RANK_DEVICE);
static uint64_t outer_count;            /* outer_lock */
static uint64_t inner_count;            /* inner_lock */

/* Two additions that nobody may see apart. */
static bool
add_both(unsigned how_long)
{
    bool good;

    lock_acquire(&outer_lock);
    outer_count++;
    pause(how_long);
    lock_acquire(&inner_lock);
    inner_count++;
    good = inner_count == outer_count;
    lock_release(&inner_lock);
    lock_release(&outer_lock);
    return good;
}

void
stress_locks(struct stress_world *self)
{
    while (stress_next_round(self))
        for (unsigned i = 0; i < LOCK_STEPS; i++)
            if (!add_both(stress_random(self, LOCK_STEPS)))
                stress_fail(self, "two worlds had one lock");
}

/* --- Waiting -------------------------------------------------------------- */

/* Two worlds that take turns: whose it is tells the lowest bit. */
struct pair {
    struct lock lock;
    struct wait_queue queue;
    uint32_t turns;             /* lock */
};

#define PAIR(n) { \
    .lock = LOCK_INIT("stress pair", RANK_DEVICE), \
    .queue = { LIST_INIT(pairs[n].queue.waiters), "stress pair" } }
static struct pair pairs[PAIRS] = { PAIR(0), PAIR(1) };

/* Wait for the turn of SIDE, a while at a time; whether it came.  Holds lock */
static bool
wait_turn(struct stress_world *self, struct pair *p, unsigned side)
{
    uint64_t patience = clock_now() + PATIENCE_NS;

    while (p->turns % 2 != side) {
        uint64_t deadline = patience;

        if (stress_random(self, 2) == 0)
            deadline = clock_now() + stress_random(self, SHORT_NS_MAX);
        if (wait_block(&p->queue, &p->lock, deadline) == ERR_TIMEOUT &&
            clock_now() < deadline)
            return false;
        if (clock_now() >= patience)
            return false;
    }
    return true;
}

/* The wake-up comes with the lock held or not; both must do. */
static bool
take_turn(struct stress_world *self, struct pair *p, unsigned side)
{
    bool came;

    lock_acquire(&p->lock);
    came = wait_turn(self, p, side);
    if (came)
        p->turns++;
    if (stress_random(self, 2) == 0) {
        wait_wake_all(&p->queue);
        lock_release(&p->lock);
    } else {
        lock_release(&p->lock);
        wait_wake_one(&p->queue);
    }
    return came;
}

/* A run that was cut short leaves turns open; the other one goes first then. */
void
stress_pingpong(struct stress_world *self)
{
    struct pair *p = &pairs[self->index / 2];

    while (stress_next_round(self))
        if (!take_turn(self, p, self->index % 2)) {
            stress_fail(self, "a wake-up was lost, or came early");
            break;
        }
}

/* --- Timers --------------------------------------------------------------- */

struct alarm {
    struct timer timer;
    uint32_t fired;
    uint32_t early;
    bool cancelled;
};

static void
ring(struct timer *timer)
{
    struct alarm *a = CONTAINER_OF(timer, struct alarm, timer);

    if (clock_now() < timer->deadline)
        atomic_add(&a->early, 1);
    atomic_add(&a->fired, 1);
}

static void
set_alarm(struct stress_world *self, struct alarm *a)
{
    unsigned settings = 1 + stress_random(self, 2);

    a->fired = a->early = 0;
    a->cancelled = false;
    /* The first setting must be far enough off not to come true. */
    if (settings > 1)
        timer_set(&a->timer, clock_now() + PATIENCE_NS);
    timer_set(&a->timer, clock_now() + stress_random(self, SHORT_NS_MAX));
}

static void
await_alarm(struct alarm *a)
{
    uint64_t patience = clock_now() + PATIENCE_NS;

    while (atomic_load(&a->fired) == 0 && clock_now() < patience)
        world_sleep(POLL_NS);
}

static void
check_alarm(struct stress_world *self, struct alarm *a)
{
    timer_cancel_wait(&a->timer);
    if (a->fired != (a->cancelled ? 0 : 1) || a->early > 0)
        stress_fail(self, "a timer%s fired %u times, %u of them early",
                    a->cancelled ? " that was cancelled" : "", a->fired,
                    a->early);
}

void
stress_timers(struct stress_world *self)
{
    struct alarm alarms[ALARMS];

    for (unsigned i = 0; i < ALARMS; i++)
        timer_init(&alarms[i].timer, ring);
    while (stress_next_round(self)) {
        for (unsigned i = 0; i < ALARMS; i++)
            set_alarm(self, &alarms[i]);
        world_yield();                  /* maybe to another processor */
        for (unsigned i = 0; i < ALARMS; i++) {
            if (stress_random(self, 2) == 0)
                alarms[i].cancelled = timer_cancel(&alarms[i].timer);
            else
                await_alarm(&alarms[i]);
        }
        for (unsigned i = 0; i < ALARMS; i++)
            check_alarm(self, &alarms[i]);
    }
}

void
stress_sleep(struct stress_world *self)
{
    while (stress_next_round(self)) {
        uint32_t ns = stress_random(self, SHORT_NS_MAX);
        uint64_t start = clock_now();

        world_sleep(ns);
        if (clock_now() - start < ns)
            stress_fail(self, "slept %u ns and not %u",
                        (unsigned)(clock_now() - start), ns);
    }
}

/* --- Creating, killing, joining ------------------------------------------- */

enum child_kind { CHILD_ENDS, CHILD_SLEEPS, CHILD_WAITS, CHILD_SPINS,
                  CHILD_KINDS };

struct child {
    enum child_kind kind;
    struct lock lock;
    struct wait_queue queue;    /* where nobody wakes it */
    struct world *world;
    uint32_t ended;
};

static void
wait_for_end(struct child *c)
{
    lock_acquire(&c->lock);
    while (wait_block(&c->queue, &c->lock, WAIT_FOREVER) != ERR_KILLED)
        ;
    lock_release(&c->lock);
}

static void
child_world(void *arg)
{
    struct child *c = arg;

    if (c->kind == CHILD_SLEEPS)
        world_sleep(PATIENCE_NS);
    else if (c->kind == CHILD_WAITS)
        wait_for_end(c);
    while (c->kind == CHILD_SPINS && !world_should_stop())
        cpu_pause();
    atomic_store(&c->ended, 1);
}

/* One that nobody joins. */
static void
orphan_world(void *arg UNUSED)
{
    world_yield();
}

static bool
raise_child(struct child *c, unsigned kind)
{
    struct world_params params = {
        .name = "child", .fn = child_world, .arg = c
    };

    *c = (struct child){ .kind = (enum child_kind)kind };
    lock_init(&c->lock, "stress child", RANK_DEVICE);
    wait_init(&c->queue, "nothing");
    return world_create(&params, &c->world) == OK;
}

static void
join_child(struct stress_world *self, struct child *c)
{
    pause(stress_random(self, PAUSE_MAX));
    if (c->kind != CHILD_ENDS)
        world_kill(c->world);
    world_join(c->world);
    if (c->ended == 0)
        stress_fail(self, "joined a world that has not ended");
}

void
stress_family(struct stress_world *self)
{
    const struct world_params orphan = {
        .name = "orphan", .fn = orphan_world
    };
    struct child child;

    while (stress_next_round(self)) {
        if (world_create(&orphan, NULL) != OK)
            stress_fail(self, "no memory for a world");
        if (!raise_child(&child, stress_random(self, CHILD_KINDS)))
            stress_fail(self, "no memory for a world");
        else
            join_child(self, &child);
    }
}

/* --- Computing ------------------------------------------------------------ */

/* The barrier: a compiler that knows the result would not compute it twice. */
static uint32_t
compute(void)
{
    uint32_t x = SPIN_START;

    compiler_barrier();
    for (unsigned i = 0; i < SPIN_STEPS; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    return x;
}

void
stress_spin(struct stress_world *self)
{
    uint32_t expected = compute();

    while (stress_next_round(self))
        if (compute() != expected)
            stress_fail(self, "computed something else");
}
