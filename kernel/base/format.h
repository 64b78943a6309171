/*
 * format.h - printf's format language for freestanding code.
 *
 * Understood: flags `0 - + space #`, width and precision (both also `*`),
 * lengths `hh h l ll z t j`, conversions `d i u x X o c s p %`.  There is no
 * floating point and no %n.  An unknown conversion is copied as it stands.  A
 * NULL string prints as "(null)", a NULL pointer as 0x0.  Widths and
 * precisions above FORMAT_WIDTH_MAX count as that, so that a wrong `*` argument
 * cannot flood the sink.  The compiler checks the arguments.
 *
 * Pure, re-entrant, allocates nothing.
 */
#ifndef KERNEL_BASE_FORMAT_H
#define KERNEL_BASE_FORMAT_H

#include "kernel/base/types.h"

#define FORMAT_WIDTH_MAX 65535u

/* Receives the output piecewise: SIZE bytes at TEXT, not NUL-terminated. */
typedef void (*format_sink_t)(void *arg, const char *text, size_t size);

/* Format into SINK; returns the number of bytes sent. */
PRINTF_LIKE(3, 0)
size_t format_to_sink(format_sink_t sink, void *arg, const char *format,
                      va_list args);

/*
 * Format into BUF of SIZE bytes, always ended by a NUL when SIZE > 0.  Returns
 * the length that the whole text has; >= SIZE means that it was cut.
 */
PRINTF_LIKE(3, 0)
size_t format_buf_args(char *buf, size_t size, const char *format,
                       va_list args);

PRINTF_LIKE(3, 4)
size_t format_buf(char *buf, size_t size, const char *format, ...);

#endif
