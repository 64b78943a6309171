/*
 * units.h - sizes and times as people read them.
 *
 * All write into a buffer of UNITS_SIZE bytes and return it, so that they can
 * stand among the arguments of a print.
 */
#ifndef CONSOLE_UNITS_H
#define CONSOLE_UNITS_H

#include "kernel/base/types.h"

#define UNITS_SIZE  32u

/* "512 MB", "1.5 GB", "12 KB", "800 B": at most three digits and a point. */
const char *units_bytes(char *buf, uint64_t bytes);

/* "3 days 04:05:06", "04:05:06": a duration in nanoseconds. */
const char *units_duration(char *buf, uint64_t ns);

/* "   12.345678": seconds with microseconds, as the log shows them. */
const char *units_seconds(char *buf, uint64_t ns);

/* "42.5 %" of permille. */
const char *units_permille(char *buf, unsigned permille);

#endif
