/*
 * atomic.h - memory that several processors touch without a lock.
 *
 * Thin names over the compiler's atomics.  x86 is TSO: acquire loads and
 * release stores are plain movs, read-modify-writes are LOCKed and full
 * barriers; what is left to say is only what the compiler may not do.
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

/*
 * If *P is OLD make it NEW; whether it was, or what was there.  The older
 * builtins, because these do 8 bytes in line, at any alignment.
 */
#define atomic_compare_exchange(p, old, new)                              \
    __sync_bool_compare_and_swap((p), (old), (new))
#define atomic_compare_swap(p, old, new)                                  \
    __sync_val_compare_and_swap((p), (old), (new))

#endif
