/*
 * byte_log.c - the newest bytes of a stream (byte_log.h).
 *
 * Byte number n lies at n modulo the size, so nothing but `end` ever moves;
 * 64 bits of it do not wrap.
 *
 * Called by a console's two sides, under its lock.
 */
#include "vmm/vmk/byte_log.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/string.h"

void
byte_log_init(struct byte_log *log, uint8_t *bytes, uint32_t size)
{
    ASSERT(IS_POWER_OF_2(size));
    *log = (struct byte_log){ .bytes = bytes, .size = size };
}

/* How many bytes lie behind number AT before the end of the memory comes. */
static size_t
run_at(const struct byte_log *log, uint64_t at, size_t size)
{
    uint32_t slot = (uint32_t)at & (log->size - 1);

    return MIN(size, (size_t)(log->size - slot));
}

void
byte_log_write(struct byte_log *log, const uint8_t *bytes, size_t size)
{
    /* What would be overwritten by the rest need not be written. */
    if (size > log->size) {
        log->end += size - log->size;
        bytes += size - log->size;
        size = log->size;
    }
    while (size > 0) {
        size_t run = run_at(log, log->end, size);

        memcpy(log->bytes + ((uint32_t)log->end & (log->size - 1)), bytes,
               run);
        log->end += run;
        bytes += run;
        size -= run;
    }
}

uint64_t
byte_log_start(const struct byte_log *log)
{
    return log->end > log->size ? log->end - log->size : 0;
}

size_t
byte_log_read(const struct byte_log *log, uint64_t *at, uint8_t *buf,
              size_t size)
{
    size_t done = 0;

    *at = MAX(*at, byte_log_start(log));
    while (done < size && *at < log->end) {
        size_t left = (size_t)MIN((uint64_t)(size - done), log->end - *at);
        size_t run = run_at(log, *at, left);

        memcpy(buf + done, log->bytes + ((uint32_t)*at & (log->size - 1)),
               run);
        *at += run;
        done += run;
    }
    return done;
}
