/*
 * lock.h - spinlocks with ranks and holders.
 *
 * lock_acquire masks interrupts on this processor and spins; lock_release
 * brings back the interrupt state of before.  So a spinlock may be taken in
 * any context, and must be held for a short, bounded time only: no blocking.
 * A switch to another world that became due meanwhile happens on release.
 *
 * Every lock has a rank.  A processor may only take locks of ascending rank,
 * which makes deadlock impossible; debug builds check it on every acquire,
 * know the holder, and report a lock that is waited for for seconds.
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include "kernel/base/assert.h"
#include "kernel/base/types.h"

/* From outermost to innermost. */
enum lock_rank {
    RANK_SUBSYSTEM = 10,        /* shell, device lists, anything coarse */
    RANK_KVA,                   /* VMkernel page tables */
    RANK_HEAP,
    RANK_FRAME,                 /* machine pages */
    RANK_DEVICE,                /* one device's registers and queues */
    RANK_WAIT,                  /* wait queues */
    RANK_SCHED,                 /* worlds and run queues */
    RANK_TIMER,
    RANK_IRQ,                   /* vectors and who registered for them */
    RANK_CHIP,                  /* register pairs: interrupt chips, PCI */
    RANK_CONSOLE,               /* console output */
    RANK_LOG                    /* innermost: everybody may log */
};

struct lock {
    uint32_t taken;
    uint32_t flags;             /* the holder's EFLAGS before */
    const char *name;
    enum lock_rank rank;
    unsigned holder;            /* cpu + 1; 0 when free */
    uint32_t holder_eip;
    struct lock *outer;         /* debug: the lock taken before */
};

#define LOCK_INIT(lock_name, lock_rank) \
    { .name = (lock_name), .rank = (lock_rank) }

void lock_init(struct lock *lock, const char *name, enum lock_rank rank);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);

/* Take it if it is free; whether it was.  For panic and NMI paths. */
bool lock_try(struct lock *lock);

/* Whether this processor holds LOCK. */
bool lock_is_held(const struct lock *lock);

/* Whether it holds LOCK and, as far as debug builds know, no other one. */
bool lock_is_only(const struct lock *lock);

#define ASSERT_HELD(lock) ASSERT(lock_is_held(lock))

#endif
