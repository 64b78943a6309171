/*
 * fake_image.c - what an image has to bring along, for programs that run on
 * the build machine: an assertion aborts; the log is counted, and shown on
 * stderr if TEST_LOG is in the environment.
 */
#include "unit/fake_image.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/assert.h"

struct fake_log fake_log;

void
fake_log_reset(void)
{
    fake_log = (struct fake_log){ 0 };
}

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
    char text[sizeof fake_log.last];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fake_log.warnings += level == LOG_WARN;
    fake_log.errors += level == LOG_ERROR;
    if (level <= LOG_WARN)
        snprintf(fake_log.last, sizeof fake_log.last, "%s", text);
    if (getenv("TEST_LOG") != NULL)
        fprintf(stderr, "<%d,%d> %s\n", (int)level, (int)module, text);
}
