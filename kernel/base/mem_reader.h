/*
 * mem_reader.h - reading machine memory that nobody has mapped.
 *
 * What the firmware and the boot loader leave behind (boot information, ACPI
 * and MP tables) lies anywhere in machine memory, and its pointers cannot be
 * trusted.  Parsers of it see memory only through this interface, which copies:
 * so they never follow a foreign pointer, and the same code runs in the
 * VMkernel (a reader over kmap windows) and in tests (a reader over a buffer).
 *
 * A reader returns false, with BUF undefined, if any byte of the range cannot
 * be read or the range wraps.  It must be able to take any address and size.
 */
#ifndef KERNEL_BASE_MEM_READER_H
#define KERNEL_BASE_MEM_READER_H

#include "kernel/base/addr.h"

struct mem_reader {
    bool (*read)(void *ctx, maddr_t from, void *buf, size_t size);
    void *ctx;
};

MUST_CHECK static inline bool
mem_read(const struct mem_reader *reader, maddr_t from, void *buf, size_t size)
{
    return reader->read(reader->ctx, from, buf, size);
}

#endif
