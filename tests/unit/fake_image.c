/*
 * fake_image.c - what an image has to bring along, for programs that run on
 * the build machine: the log goes to stderr, an assertion aborts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/assert.h"
#include "kernel/base/log.h"

void
assert_failed(const char *what, const char *file, unsigned line)
{
    fprintf(stderr, "assertion failed: %s at %s:%u\n", what, file, line);
    abort();
}

void
log_write(enum log_level level, enum log_module module, const char *format,
          ...)
{
    va_list args;

    if (getenv("TEST_LOG") == NULL)
        return;
    fprintf(stderr, "<%d,%d> ", (int)level, (int)module);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
