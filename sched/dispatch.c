/*
 * dispatch.c - who runs now.
 *
 * The decision is runqueue.c's arithmetic; here it is carried out: charge the
 * world that ran, ask for the next, set the timer for the end of its slice if
 * anybody competes, and switch stacks.  A processor with nothing to run is in
 * its idle world, which halts until an interrupt makes somebody ready.
 *
 * A switch happens when a world blocks; and once PERCPU(resched) is set, on the
 * way out of an interrupt, or where a lock is released or preemption enabled.
 */
#include "kernel/base/assert.h"
#include "kernel/base/stats.h"
#include "kernel/clock.h"
#include "kernel/image.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/trap.h"
#include "kernel/x86/cpu.h"
#include "sched/sched.h"
#include "sched/sched_int.h"

/* The load is averaged over about this long. */
#define LOAD_WINDOW     NSEC_PER_SEC
#define LOAD_FULL       1000u

STAT(sched, switches);
STAT(sched, preemptions);
STAT(sched, wakeups);

struct dispatch_cpu {
    struct timer slice;         /* end of the running world's turn */
    uint64_t load_since;        /* load was last brought up to date */
    unsigned load;              /* permille, averaged */
};

struct lock sched_lock = LOCK_INIT("sched", RANK_SCHED);

static struct runqueue runqueue;            /* sched_lock */
static struct dispatch_cpu cpus[CPU_MAX];   /* sched_lock */

/* context_switch.S */
void context_switch(uint32_t *save_esp, uint32_t new_esp);

/* Move the average towards 0 (idle) or LOAD_FULL for the time since. */
static void
update_load(unsigned cpu, bool was_idle, uint64_t now)
{
    struct dispatch_cpu *c = &cpus[cpu];
    uint64_t past = MIN(now - c->load_since, LOAD_WINDOW);
    unsigned target = was_idle ? 0 : LOAD_FULL;
    uint64_t old_part = c->load * (LOAD_WINDOW - past);

    c->load = (unsigned)((old_part + target * past) / LOAD_WINDOW);
    c->load_since = now;
}

/* Account for what CPU did until NOW.  holds sched_lock */
static void
charge(struct percpu *cpu, uint64_t now)
{
    struct world *w = cpu->current;
    uint64_t ran = now - w->run_start;

    w->run_ns += ran;
    w->run_start = now;
    update_load(cpu->cpu, w->is_idle, now);
    if (w->is_idle)
        cpu->idle_ns += ran;
}

static void
on_slice_end(struct timer *timer UNUSED)
{
    STAT_INC(sched, preemptions);
    PERCPU(resched) = true;
}

/* Let the timer end the turn at UNTIL, or not at all. */
static void
arm_slice(uint64_t until)
{
    struct timer *slice = &cpus[PERCPU(cpu)].slice;

    if (until == UINT64_MAX)
        timer_cancel(slice);
    else
        timer_set(slice, until);
}

/* Have each processor in the mask run its scheduler. */
static void
kick(uint32_t mask)
{
    for (; mask != 0; mask &= mask - 1)
        smp_resched(lowest_bit(mask));
}

void
dispatch_switch(void)
{
    struct world *old = PERCPU(current);
    struct world *next;
    uint64_t now = clock_now();
    struct runq_choice choice;
    uint32_t flags;

    ASSERT(lock_is_only(&sched_lock));
    ASSERT(PERCPU(preempt_off) == 0 && PERCPU(irq_depth) == 0);
    PERCPU(resched) = false;
    charge(this_cpu(), now);
    if (old->state == WORLD_RUNNING)
        old->state = WORLD_READY;
    runq_pick(&runqueue, PERCPU(cpu), now, &choice);
    next = choice.client == NULL ? PERCPU(idle) :
           CONTAINER_OF(choice.client, struct world, client);
    arm_slice(choice.until);
    kick(choice.kick);
    next->state = WORLD_RUNNING;
    next->run_start = now;
    if (next == old)
        return;
    STAT_INC(sched, switches);
    PERCPU(current) = next;
    /* What the release will restore is the releaser's own interrupt state. */
    flags = sched_lock.flags;
    context_switch(&old->esp, next->esp);
    sched_lock.flags = flags;
}

/* Interrupts are masked. */
static void
preempt(void)
{
    lock_acquire(&sched_lock);
    dispatch_switch();
    lock_release(&sched_lock);
}

void
dispatch_ready(struct world *w)
{
    w->state = WORLD_READY;
    kick(runq_wake(&runqueue, &w->client, clock_now()));
}

void
dispatch_end(void)
{
    struct world *self = PERCPU(current);

    self->state = WORLD_ZOMBIE;
    runq_remove(&runqueue, &self->client, clock_now());
    dispatch_switch();
    NOT_REACHED();
}

status_t
dispatch_block(const char *reason, uint64_t deadline)
{
    struct world *self = PERCPU(current);

    ASSERT(!self->is_idle);
    self->state = WORLD_WAITING;
    self->wait_name = reason;
    self->wake_time = deadline;
    self->wake_status = OK;
    if (deadline != WAIT_FOREVER)
        timer_set(&self->timer, deadline);
    runq_sleep(&runqueue, &self->client, clock_now());
    dispatch_switch();
    if (deadline != WAIT_FOREVER)
        timer_cancel(&self->timer);
    return self->wake_status;
}

void
dispatch_wake(struct world *w, status_t status)
{
    if (w->state != WORLD_WAITING)
        return;
    STAT_INC(sched, wakeups);
    list_remove(&w->wait_link);
    w->wake_status = status;
    dispatch_ready(w);
}

void
dispatch_wake_all(struct wait_queue *queue)
{
    struct world *w;

    while ((w = LIST_FIRST(&queue->waiters, struct world, wait_link)) != NULL)
        dispatch_wake(w, OK);
}

/* The world may have been woken and wait again: then this is not its time. */
void
dispatch_deadline(struct timer *timer)
{
    struct world *w = CONTAINER_OF(timer, struct world, timer);

    lock_acquire(&sched_lock);
    if (w->state == WORLD_WAITING && clock_now() >= w->wake_time)
        dispatch_wake(w, ERR_TIMEOUT);
    lock_release(&sched_lock);
}

void
world_sleep(uint64_t ns)
{
    lock_acquire(&sched_lock);
    if (!PERCPU(current)->killed)
        (void)dispatch_block("sleep", clock_now() + ns);
    lock_release(&sched_lock);
}

void
world_yield(void)
{
    lock_acquire(&sched_lock);
    runq_yield(&runqueue, PERCPU(cpu), clock_now());
    dispatch_switch();
    lock_release(&sched_lock);
}

unsigned
sched_cpu_load_permille(unsigned cpu)
{
    unsigned load;

    lock_acquire(&sched_lock);
    charge(percpu_get(cpu), clock_now());
    load = cpus[cpu].load;
    lock_release(&sched_lock);
    return load;
}

status_t
sched_init(void)
{
    static struct world boot_idle;

    runq_init(&runqueue, PERCPU(cpu), clock_now());
    panic_set_guard_finder(world_find_guard);
    panic_add_reporter(world_panic_report);
    trap_set_preempt_hook(preempt);
    sched_adopt_cpu(&boot_idle, (uint8_t *)boot_stack);
    return world_start_reaper();
}

void
sched_adopt_cpu(struct world *w, uint8_t *stack)
{
    unsigned cpu = PERCPU(cpu);

    world_adopt_idle(w, stack);
    timer_init(&cpus[cpu].slice, on_slice_end);
    lock_acquire(&sched_lock);
    cpus[cpu].load_since = clock_now();
    if (cpu != 0)
        runq_cpu_online(&runqueue, cpu, clock_now());
    lock_release(&sched_lock);
}

/* sti and hlt have no gap between them in which a wake-up could be lost. */
void
sched_idle(void)
{
    PERCPU(resched) = true;
    for (;;) {
        cli();
        if (PERCPU(resched)) {
            preempt();
            sti();
        } else {
            sti_hlt();
        }
    }
}
