/*
 * atomic.h - memory that several processors touch without a lock.
 *
 * Thin names over the compiler's atomics.  x86 is TSO: acquire loads and
 * release stores are plain movs, read-modify-writes are LOCKed and full
 * barriers; what is left to say is only what the compiler may not do.  One is
 * not the compiler's.
 */
#ifndef KERNEL_X86_ATOMIC_H
#define KERNEL_X86_ATOMIC_H

#include "kernel/base/types.h"

#define atomic_load(p)          __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store(p, v)      __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_add(p, v)        __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_sub(p, v)        __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define atomic_or(p, v)         __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_and(p, v)        __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v)   __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fence()          __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* If *P, of up to 4 bytes, is OLD make it NEW; was it, or what was there. */
#define atomic_compare_exchange(p, old, new)                              \
    __sync_bool_compare_and_swap((p), (old), (new))
#define atomic_compare_swap(p, old, new)                                  \
    __sync_val_compare_and_swap((p), (old), (new))

/* The same for 8 bytes, at any alignment.  quirks.h says why the jump. */
static inline uint64_t
atomic_compare_swap64(uint64_t *p, uint64_t old, uint64_t new)
{
    uint32_t low = (uint32_t)old, high = (uint32_t)(old >> 32);

    __asm__ volatile("jmp 1f; 1: lock; cmpxchg8b %0"
                     : "+m"(*p), "+a"(low), "+d"(high)
                     : "b"((uint32_t)new), "c"((uint32_t)(new >> 32))
                     : "memory", "cc");
    return (uint64_t)high << 32 | low;
}

#endif
