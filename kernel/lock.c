/*
 * lock.c - spinlocks.
 *
 * A test-and-set lock with a read-only spin.  Not a fair one: where Socle is
 * itself a guest, the next in a queue may be a virtual processor that does not
 * run at the moment, and everybody would wait for it.  The holder's processor
 * and the place where it was taken are always recorded (two stores) and printed
 * when somebody waits absurdly long; the order of ranks is checked in debug
 * builds.
 *
 * What happens under a lock may make another world due on this very processor,
 * without any interrupt that would end in a switch: so releasing one looks.
 */
#include "kernel/lock.h"

#include "kernel/panic.h"
#include "kernel/preempt.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"

/* Spins before a lock is declared dead: many seconds on any machine. */
#define SPINS_MAX       (1u << 31)

void
lock_init(struct lock *lock, const char *name, enum lock_rank rank)
{
    *lock = (struct lock)LOCK_INIT(name, rank);
}

#ifdef DEBUG
static void
check_rank(const struct lock *lock)
{
    const struct lock *outer = PERCPU(held);

    if (outer != NULL && outer->rank >= lock->rank)
        panic("lock order: '%s' (rank %u) taken inside '%s' (rank %u)",
              lock->name, lock->rank, outer->name, outer->rank);
}

static void
note_acquired(struct lock *lock)
{
    lock->outer = PERCPU(held);
    PERCPU(held) = lock;
}

/*
 * Locks may be released in any order: unlink this one from the chain.  But then
 * it must not be the one that unmasks interrupts, for others are still held.
 */
static void
note_released(struct lock *lock)
{
    struct lock *l = PERCPU(held);

    if (l == lock) {
        PERCPU(held) = lock->outer;
        return;
    }
    ASSERT((lock->flags & EFLAGS_IF) == 0);
    while (l != NULL && l->outer != lock)
        l = l->outer;
    ASSERT(l != NULL);
    l->outer = lock->outer;
}
#else
static void check_rank(const struct lock *lock UNUSED) {}
static void note_acquired(struct lock *lock UNUSED) {}
static void note_released(struct lock *lock UNUSED) {}
#endif

static void
take(struct lock *lock, uint32_t flags, const void *caller)
{
    lock->flags = flags;
    lock->holder = PERCPU(cpu) + 1;
    lock->holder_eip = (uint32_t)caller;
    note_acquired(lock);
}

static void
spin(struct lock *lock)
{
    for (uint32_t spins = 0; spins < SPINS_MAX; spins++) {
        if (atomic_load(&lock->taken) == 0 &&
            atomic_exchange(&lock->taken, 1) == 0)
            return;
        cpu_pause();
    }
    panic("lock '%s' is stuck: held by CPU %u, taken at %08x", lock->name,
          lock->holder - 1, lock->holder_eip);
}

void
lock_acquire(struct lock *lock)
{
    uint32_t flags = irq_save();

    if (lock_is_held(lock))
        panic("lock '%s' taken twice, first at %08x", lock->name,
              lock->holder_eip);
    check_rank(lock);
    if (atomic_exchange(&lock->taken, 1) != 0)
        spin(lock);
    take(lock, flags, __builtin_return_address(0));
}

bool
lock_try(struct lock *lock)
{
    uint32_t flags = irq_save();

    if (atomic_exchange(&lock->taken, 1) != 0) {
        irq_restore(flags);
        return false;
    }
    take(lock, flags, __builtin_return_address(0));
    return true;
}

void
lock_release(struct lock *lock)
{
    uint32_t flags = lock->flags;

    ASSERT(lock_is_held(lock));
    note_released(lock);
    lock->holder = 0;
    atomic_store(&lock->taken, 0);
    irq_restore(flags);
    preempt_check();
}

bool
lock_is_held(const struct lock *lock)
{
    return atomic_load(&lock->holder) == PERCPU(cpu) + 1;
}

bool
lock_is_only(const struct lock *lock)
{
    const struct lock *newest = PERCPU(held);

    return lock_is_held(lock) &&
           (newest == NULL || (newest == lock && lock->outer == NULL));
}
