/*
 * report.h - results, one line each, over COM1.
 *
 * Names are unique within a topic.  Polled; callable at CPL 0 at any time.
 */
#ifndef TESTS_GUEST_REPORT_H
#define TESTS_GUEST_REPORT_H

#include "kernel/base/types.h"

struct context;

void report_init(void);
void report_topic(const char *name);
PRINTF_LIKE(1, 2)
void print(const char *format, ...);
void check(const char *name, uint32_t got, uint32_t expected);
/* A feature that this CPU does not have, or may not be asked for. */
void skip(const char *name);
void check_trap(const char *name, const struct context *c, unsigned vector,
                uint32_t error, const void *eip);
void report_done(void);

#endif
