/*
 * wait.c - wait queues.
 *
 * A waiter goes on the queue under sched_lock before the caller's lock is
 * released, so whoever changes the condition under the caller's lock and then
 * wakes finds it there.
 */
#include "sched/wait.h"

#include "kernel/base/assert.h"
#include "kernel/percpu.h"
#include "kernel/x86/cpu.h"
#include "sched/sched_int.h"

void
wait_init(struct wait_queue *queue, const char *name)
{
    list_init(&queue->waiters);
    queue->name = name;
}

/* Release LOCK but leave interrupts masked; returns what it would restore. */
static uint32_t
release_masked(struct lock *lock)
{
    uint32_t flags = lock->flags;

    lock->flags = flags & ~(uint32_t)EFLAGS_IF;
    lock_release(lock);
    return flags;
}

status_t
wait_block(struct wait_queue *queue, struct lock *lock, uint64_t deadline)
{
    struct world *self = PERCPU(current);
    uint32_t flags;
    status_t status;

    ASSERT_HELD(lock);
    lock_acquire(&sched_lock);
    /* Under sched_lock: who kills from now on finds a world that waits. */
    if (self->killed) {
        lock_release(&sched_lock);
        return ERR_KILLED;
    }
    list_add_tail(&queue->waiters, &self->wait_link);
    flags = release_masked(lock);
    status = dispatch_block(queue->name, deadline);
    lock_release(&sched_lock);
    irq_restore(flags);
    lock_acquire(lock);
    return status;
}

void
wait_wake_one(struct wait_queue *queue)
{
    struct world *w;

    lock_acquire(&sched_lock);
    w = LIST_FIRST(&queue->waiters, struct world, wait_link);
    if (w != NULL)
        dispatch_wake(w, OK);
    lock_release(&sched_lock);
}

void
wait_wake_all(struct wait_queue *queue)
{
    lock_acquire(&sched_lock);
    dispatch_wake_all(queue);
    lock_release(&sched_lock);
}
