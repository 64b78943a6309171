/*
 * timer.c - per-processor queues of one-shot timers over one hardware timer.
 *
 * The hardware (`struct timer_source`: the local APIC's timer, or the PIT) is
 * programmed for the earliest deadline of this processor's queue only, so a
 * machine with nothing to do takes no interrupts at all.  Hardware that fires
 * early costs one more round, never an early callback.
 */
#include "kernel/timer.h"

#include "kernel/base/log.h"
#include "kernel/base/stats.h"
#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"

STAT(timer, interrupts);
STAT(timer, expired);

struct timer_cpu {
    struct lock lock;           /* guards the rest */
    struct timerq queue;
    uint64_t programmed;        /* deadline the hardware is set to */
    struct timer *running;      /* whose callback is being called */
};

static struct timer_cpu timer_cpus[CPU_MAX];
static const struct timer_source *source;

void
timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
    *timer = (struct timer){ .fn = fn };
}

/* holds t->lock, on t's processor */
static void
program(struct timer_cpu *t)
{
    uint64_t next = timerq_next(&t->queue);
    uint64_t now;

    if (source == NULL || next == t->programmed)
        return;
    t->programmed = next;
    if (next == UINT64_MAX) {
        source->stop();
        return;
    }
    now = clock_now();
    source->start(next > now ? next - now : 0);
}

void
timer_set(struct timer *timer, uint64_t deadline)
{
    uint32_t flags = irq_save();
    struct timer_cpu *here = &timer_cpus[PERCPU(cpu)];

    timer_cancel(timer);
    lock_acquire(&here->lock);
    timer->cpu = PERCPU(cpu);
    timerq_add(&here->queue, timer, deadline);
    program(here);
    lock_release(&here->lock);
    irq_restore(flags);
}

/* The hardware keeps its setting: firing for nothing is cheaper. */
bool
timer_cancel(struct timer *timer)
{
    struct timer_cpu *t = &timer_cpus[timer->cpu];
    bool was_armed;

    lock_acquire(&t->lock);
    was_armed = timerq_cancel(&t->queue, timer);
    lock_release(&t->lock);
    return was_armed;
}

/*
 * On all processors: the callback may still be running on one while the timer
 * has since been set, and cancelled, on another.
 */
void
timer_cancel_wait(struct timer *timer)
{
    timer_cancel(timer);
    for (unsigned i = 0; i < cpu_count(); i++)
        while (atomic_load(&timer_cpus[i].running) == timer)
            cpu_pause();
}

void
timer_interrupt(void)
{
    struct timer_cpu *t = &timer_cpus[PERCPU(cpu)];
    struct timer *due;

    STAT_INC(timer, interrupts);
    lock_acquire(&t->lock);
    t->programmed = UINT64_MAX;
    while ((due = timerq_pop_due(&t->queue, clock_now())) != NULL) {
        STAT_INC(timer, expired);
        atomic_store(&t->running, due);
        lock_release(&t->lock);
        due->fn(due);
        lock_acquire(&t->lock);
        atomic_store(&t->running, NULL);
    }
    program(t);
    lock_release(&t->lock);
}

static void
on_timer(struct trapframe *frame UNUSED)
{
    source->eoi();
    timer_interrupt();
}

void
timer_start(const struct timer_source *timer_source)
{
    for (unsigned i = 0; i < CPU_MAX; i++) {
        lock_init(&timer_cpus[i].lock, "timer", RANK_TIMER);
        timerq_init(&timer_cpus[i].queue);
        timer_cpus[i].programmed = UINT64_MAX;
    }
    source = timer_source;
    if (source->eoi != NULL)
        trap_set_handler(VEC_TIMER, on_timer);
    log_info(MOD_TIME, "timer: %s", source->name);
}
