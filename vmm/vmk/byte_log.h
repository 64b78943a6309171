/*
 * byte_log.h - the newest bytes of a stream, each with its number.
 *
 * Writing never fails: when the log is full the oldest bytes go.  A reader
 * keeps the number of the byte that it wants next, and so knows what it
 * missed; there may be any number of them, and none.
 *
 * Pure, without locks: the owner has one.
 */
#ifndef VMM_VMK_BYTE_LOG_H
#define VMM_VMK_BYTE_LOG_H

#include "kernel/base/types.h"

struct byte_log {
    uint8_t *bytes;
    uint32_t size;          /* a power of 2 */
    uint64_t end;           /* the number of bytes written since the start */
};

/* Empty, in SIZE bytes (a power of 2) at BYTES. */
void byte_log_init(struct byte_log *log, uint8_t *bytes, uint32_t size);

void byte_log_write(struct byte_log *log, const uint8_t *bytes, size_t size);

/* The number of the oldest byte that is still there, or of the next one. */
uint64_t byte_log_start(const struct byte_log *log);

/*
 * Up to SIZE bytes from number *AT on into BUF; returns how many, and *AT moves
 * behind them.  Where that byte is gone, reading begins at byte_log_start().
 */
size_t byte_log_read(const struct byte_log *log, uint64_t *at, uint8_t *buf,
                     size_t size);

#endif
