/*
 * log.h - one event, one line.
 *
 *      log_info(MOD_PCI, "%02x:%02x.%x vendor=%04x", bus, dev, fn, vendor);
 *
 * This is the interface only; every image brings the function behind it: the
 * VMkernel's ring and console mirror (kernel/log.c), the monitor's vmkcall,
 * the tests' stderr.  Formats are format.h's.  A line needs no newline.
 * May be called in any context, interrupts included, with any lock held.
 */
#ifndef KERNEL_BASE_LOG_H
#define KERNEL_BASE_LOG_H

#include "kernel/base/types.h"

enum log_level {
    LOG_ERROR,              /* something does not work */
    LOG_WARN,               /* works, but not as one would wish */
    LOG_INFO,               /* what a person wants to see once */
    LOG_DEBUG,              /* what a developer wants to see */
    LOG_LEVEL_COUNT
};

enum log_module {
#define LOG_MODULE(name, text) MOD_##name,
#include "kernel/base/log_modules.def"
#undef LOG_MODULE
    LOG_MODULE_COUNT
};

PRINTF_LIKE(3, 4)
void log_write(enum log_level level, enum log_module module,
               const char *format, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
