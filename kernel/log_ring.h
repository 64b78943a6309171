/*
 * log_ring.h - reading the log after the fact (writing is base/log.h).
 *
 * The newest lines are kept.  Each has a sequence number, so
 * a reader that is overtaken knows what it missed.
 */
#ifndef KERNEL_LOG_RING_H
#define KERNEL_LOG_RING_H

#include "kernel/base/log.h"

#define LOG_LINE_MAX    240u

struct log_entry {
    uint64_t seq;
    uint64_t time_ns;
    enum log_level level;
    enum log_module module;
    unsigned cpu;
    char text[LOG_LINE_MAX];
};

/*
 * The oldest entry with a number >= SEQ that is still kept.  Returns false if
 * there is none yet.  Any context.
 */
bool log_read(uint64_t seq, struct log_entry *entry);

/* Lines at LEVEL and more urgent ones are shown on the console as they come. */
void log_set_console_level(enum log_level level);
enum log_level log_console_level(void);

/*
 * Who shows lines on the console: called after the line is in the ring, in any
 * context, with any lock held that a logger may hold.  NULL: nobody.
 */
void log_set_mirror(void (*mirror)(const struct log_entry *entry));

const char *log_level_name(enum log_level level);
const char *log_module_name(enum log_module module);

#endif
