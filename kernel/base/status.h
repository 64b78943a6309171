/*
 * status.h - how functions report that the environment failed.
 *
 * Three kinds of failure are never mixed: the environment fails (a status_t,
 * here), a guest misbehaves (an architectural fault for that guest), we have a
 * bug (ASSERT, base/assert.h).  A function that returns status_t is marked
 * MUST_CHECK, delivers results through out-pointers, and leaves them alone when
 * it fails.
 */
#ifndef KERNEL_BASE_STATUS_H
#define KERNEL_BASE_STATUS_H

#include "kernel/base/types.h"

typedef enum status {
#define STATUS(name, text) name,
#include "kernel/base/status.def"
#undef STATUS
    STATUS_COUNT
} status_t;

/* The error in words ("out of memory"); "unknown error" for other numbers. */
const char *status_text(status_t status);

/*
 * Wraps the first return of an error: a debug build logs where it was born.
 *      return TRACE_ERR(ERR_NO_MEMORY);
 */
#ifdef DEBUG
status_t status_trace(status_t status, const char *file, unsigned line);
#define TRACE_ERR(code) status_trace((code), __FILE__, __LINE__)
#else
#define TRACE_ERR(code) (code)
#endif

#endif
