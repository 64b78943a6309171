/*
 * report.c - what the monitor has to say: lines for the log, and its last
 * words.
 *
 * The functions behind kernel/base/log.h and assert.h in this image.  Both go
 * through the VMkernel, which puts the VM's name before the text; so neither
 * may be used between the last look at shared->requests and the guest's entry.
 */
#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "vmm/core/vmk.h"

/* The VM is named instead of MODULE. */
void
log_write(enum log_level level, enum log_module module, const char *format,
          ...)
{
    va_list args;

    (void)module;
    va_start(args, format);
    vmk_log(level, format, args);
    va_end(args);
}

void
assert_failed(const char *what, const char *file, unsigned line)
{
    vmk_end(VMM_END_CRASHED, "%s:%u: assertion failed: %s", file, line, what);
}
