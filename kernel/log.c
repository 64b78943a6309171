/*
 * log.c - the VMkernel's log: a ring of lines in memory, mirrored to the
 * console at the chosen level.
 *
 * Any context may write, with any lock held: the log's own lock is the
 * innermost one, and the mirror is called after it has been released.  Lines
 * are numbered from 1; entry n lies at slot n modulo the number of slots, so
 * finding one costs nothing and an overtaken reader can tell what it missed.
 */
#include "kernel/log_ring.h"

#include "kernel/base/assert.h"
#include "kernel/base/format.h"
#include "kernel/base/stats.h"
#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"

#define LOG_SLOTS       512u    /* x 280 bytes */

STAT(log, lines);

static struct lock log_lock = LOCK_INIT("log", RANK_LOG);
static struct log_entry slots[LOG_SLOTS];   /* guarded by log_lock */
static uint64_t last_seq;                   /* guarded by log_lock */
static enum log_level console_level = LOG_INFO;
static void (*mirror)(const struct log_entry *entry);

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn",
    [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

static const char *const module_names[LOG_MODULE_COUNT] = {
#define LOG_MODULE(name, text) [MOD_##name] = text,
#include "kernel/base/log_modules.def"
#undef LOG_MODULE
};

const char *
log_level_name(enum log_level level)
{
    return level_names[level];
}

const char *
log_module_name(enum log_module module)
{
    return module_names[module];
}

void
log_set_console_level(enum log_level level)
{
    console_level = level;
}

enum log_level
log_console_level(void)
{
    return console_level;
}

void
log_set_mirror(void (*fn)(const struct log_entry *entry))
{
    mirror = fn;
}

void
log_write(enum log_level level, enum log_module module, const char *format,
          ...)
{
    struct log_entry entry = {
        .time_ns = clock_now(), .level = level, .module = module,
        .cpu = PERCPU(cpu)
    };
    va_list args;

    va_start(args, format);
    format_buf_args(entry.text, sizeof(entry.text), format, args);
    va_end(args);

    lock_acquire(&log_lock);
    entry.seq = ++last_seq;
    slots[entry.seq % LOG_SLOTS] = entry;
    lock_release(&log_lock);

    STAT_INC(log, lines);
    if (level <= console_level && mirror != NULL)
        mirror(&entry);
}

bool
log_read(uint64_t seq, struct log_entry *entry)
{
    bool found;

    lock_acquire(&log_lock);
    if (seq == 0)
        seq = 1;
    if (seq + LOG_SLOTS <= last_seq)
        seq = last_seq - LOG_SLOTS + 1;
    found = seq <= last_seq;
    if (found)
        *entry = slots[seq % LOG_SLOTS];
    lock_release(&log_lock);
    return found;
}
