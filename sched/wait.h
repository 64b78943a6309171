/*
 * wait.h - wait queues: where worlds block until something is so.
 *
 *      lock_acquire(&dev->lock);
 *      while (!dev->done)
 *          status = wait_block(&dev->queue, &dev->lock, WAIT_FOREVER);
 *      lock_release(&dev->lock);
 *
 * and elsewhere, an interrupt handler included:
 *
 *      lock_acquire(&dev->lock);  dev->done = true;  lock_release(&dev->lock);
 *      wait_wake_all(&dev->queue);
 */
#ifndef SCHED_WAIT_H
#define SCHED_WAIT_H

#include "kernel/base/list.h"
#include "kernel/base/status.h"
#include "kernel/lock.h"

#define WAIT_FOREVER    UINT64_MAX

struct wait_queue {
    struct list waiters;        /* guarded by the scheduler's lock */
    const char *name;           /* what one waits for, as `worlds` shows it */
};

void wait_init(struct wait_queue *queue, const char *name);

/*
 * Release LOCK, block until woken or until DEADLINE (clock_now() scale), and
 * take LOCK again; no wake-up between release and block is lost.  Returns OK,
 * ERR_TIMEOUT, or ERR_KILLED when somebody killed this world (then do not
 * block again but clean up and return).  LOCK is the only spinlock held.
 */
status_t wait_block(struct wait_queue *queue, struct lock *lock,
                    uint64_t deadline);

void wait_wake_one(struct wait_queue *queue);
void wait_wake_all(struct wait_queue *queue);

#endif
