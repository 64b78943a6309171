/*
 * assert.h - what to do when we ourselves are wrong.
 *
 * An assertion speaks about our own code, never about what a guest, a disk or
 * a person did.  It stays on in release builds: in the VMkernel it ends the
 * machine with a report, in a monitor it ends that VM only; each image brings
 * its own assert_failed().  ASSERT_HOT is for paths where the check itself
 * would show in a measurement, and exists in debug builds only.
 */
#ifndef KERNEL_BASE_ASSERT_H
#define KERNEL_BASE_ASSERT_H

#include "kernel/base/types.h"

NORETURN void assert_failed(const char *what, const char *file,
                            unsigned line);

#define ASSERT(x)                                                         \
    do {                                                                  \
        if (UNLIKELY(!(x)))                                               \
            assert_failed(#x, __FILE__, __LINE__);                        \
    } while (0)

#define NOT_REACHED() assert_failed("not reached", __FILE__, __LINE__)

#ifdef DEBUG
#define ASSERT_HOT(x) ASSERT(x)
#else
#define ASSERT_HOT(x) ((void)sizeof(!(x)))
#endif

#endif
