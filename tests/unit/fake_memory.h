/*
 * fake_memory.h - machine memory for tests of code that reads it through a
 * struct mem_reader: a few runs of bytes at chosen addresses, nothing between.
 */
#ifndef TESTS_UNIT_FAKE_MEMORY_H
#define TESTS_UNIT_FAKE_MEMORY_H

#include "kernel/base/mem_reader.h"

#define FAKE_RUNS_MAX   32

struct fake_run {
    uint64_t base;
    size_t size;
    uint8_t *bytes;             /* the memory's own copy */
};

struct fake_memory {
    unsigned count;
    struct fake_run runs[FAKE_RUNS_MAX];
    uint64_t bytes_read;        /* by readers, for tests that set a limit */
};

/* Put a copy of SIZE bytes at BASE; DATA = NULL means zeroes. */
void fake_memory_put(struct fake_memory *memory, uint64_t base,
                     const void *data, size_t size);

/* Where the byte at MADDR is kept, for changing it; aborts if nowhere. */
uint8_t *fake_memory_at(struct fake_memory *memory, uint64_t maddr);

/*
 * Put the runs of a dump file there: each is a 64-bit address, a 32-bit size
 * (little-endian) and the bytes.  Aborts if the file is not as it should be.
 */
void fake_memory_load(struct fake_memory *memory, const char *path);

void fake_memory_free(struct fake_memory *memory);

struct mem_reader fake_memory_reader(struct fake_memory *memory);

#endif
