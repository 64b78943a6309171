/*
 * status.c - the words for status_t, and (debug builds) where errors are born.
 *
 * Pure: linked into VMkernel, monitor and tests alike.
 */
#include "kernel/base/status.h"

#include "kernel/base/log.h"

static const char *const status_texts[STATUS_COUNT] = {
#define STATUS(name, text) [name] = text,
#include "kernel/base/status.def"
#undef STATUS
};

const char *
status_text(status_t status)
{
    if ((unsigned)status >= STATUS_COUNT)
        return "unknown error";
    return status_texts[status];
}

#ifdef DEBUG
status_t
status_trace(status_t status, const char *file, unsigned line)
{
    if (status != OK)
        log_debug(MOD_KERNEL, "%s at %s:%u", status_text(status), file, line);
    return status;
}
#endif
