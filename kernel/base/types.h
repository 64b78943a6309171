/*
 * types.h - the few words of C that every file of the project speaks.
 *
 * Everything may include this: VMkernel, monitor, translator, tests.  It holds
 * no policy and no code, only names for what the compiler can do.
 */
#ifndef KERNEL_BASE_TYPES_H
#define KERNEL_BASE_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED          __attribute__((packed))
#define ALIGNED(n)      __attribute__((aligned(n)))
#define NORETURN        __attribute__((noreturn))
#define NOINLINE        __attribute__((noinline))
#define MUST_CHECK      __attribute__((warn_unused_result))
#define UNUSED          __attribute__((unused))
#define USED            __attribute__((used))
#define SECTION(name)   __attribute__((section(name)))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#define LIKELY(x)       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)     __builtin_expect(!!(x), 0)

#define STATIC_ASSERT(cond) _Static_assert(cond, #cond)

#define ARRAY_LEN(a)    (sizeof(a) / sizeof((a)[0]))

/* The structure of TYPE whose MEMBER is at PTR. */
#define CONTAINER_OF(ptr, type, member) \
    ((type *)((uintptr_t)(ptr) - offsetof(type, member)))

#define MIN(a, b)       ((a) < (b) ? (a) : (b))
#define MAX(a, b)       ((a) > (b) ? (a) : (b))

/* Rounding to powers of two only. */
#define ROUND_DOWN(x, p2) ((x) & ~((__typeof__(x))(p2) - 1))
#define ROUND_UP(x, p2)   ROUND_DOWN((x) + ((__typeof__(x))(p2) - 1), p2)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define IS_POWER_OF_2(x)  ((x) != 0 && ((x) & ((x) - 1)) == 0)

#define KB(n)           ((n) * 1024u)
#define MB(n)           ((n) * 1024u * 1024u)
#define GB(n)           ((n) * 1024ull * 1024u * 1024u)

#define NSEC_PER_USEC   1000ull
#define NSEC_PER_MSEC   1000000ull
#define NSEC_PER_SEC    1000000000ull

#endif
