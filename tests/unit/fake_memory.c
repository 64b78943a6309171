/*
 * fake_memory.c - machine memory for tests (fake_memory.h).
 *
 * Each run is a heap block of exactly its size, so that the address sanitizer
 * sees a reader that goes past its end.
 */
#include "unit/fake_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_run *
find_run(struct fake_memory *memory, uint64_t from, size_t size)
{
    for (unsigned i = 0; i < memory->count; i++) {
        struct fake_run *run = &memory->runs[i];

        if (from >= run->base && from - run->base <= run->size &&
            size <= run->size - (from - run->base))
            return run;
    }
    return NULL;
}

static bool
read_bytes(void *ctx, maddr_t from, void *buf, size_t size)
{
    struct fake_memory *memory = ctx;
    uint64_t base = maddr_raw(from);
    struct fake_run *run = find_run(memory, base, size);

    if (run == NULL)
        return false;
    memory->bytes_read += size;
    memcpy(buf, run->bytes + (base - run->base), size);
    return true;
}

void
fake_memory_put(struct fake_memory *memory, uint64_t base, const void *data,
                size_t size)
{
    struct fake_run *run = &memory->runs[memory->count];

    if (memory->count == FAKE_RUNS_MAX)
        abort();
    memory->count++;
    run->base = base;
    run->size = size;
    run->bytes = calloc(1, size > 0 ? size : 1);
    if (run->bytes == NULL)
        abort();
    if (data != NULL && size > 0)
        memcpy(run->bytes, data, size);
}

uint8_t *
fake_memory_at(struct fake_memory *memory, uint64_t maddr)
{
    struct fake_run *run = find_run(memory, maddr, 1);

    if (run == NULL)
        abort();
    return run->bytes + (maddr - run->base);
}

void
fake_memory_load(struct fake_memory *memory, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint64_t base;
    uint32_t size;

    if (file == NULL) {
        fprintf(stderr, "%s: not found (run tests from the top)\n", path);
        abort();
    }
    while (fread(&base, sizeof base, 1, file) == 1) {
        if (fread(&size, sizeof size, 1, file) != 1)
            abort();
        fake_memory_put(memory, base, NULL, size);
        /* Runs may overlap, so not through fake_memory_at(). */
        if (fread(memory->runs[memory->count - 1].bytes, 1, size, file) !=
            size)
            abort();
    }
    fclose(file);
}

void
fake_memory_free(struct fake_memory *memory)
{
    for (unsigned i = 0; i < memory->count; i++)
        free(memory->runs[i].bytes);
    *memory = (struct fake_memory){ 0 };
}

struct mem_reader
fake_memory_reader(struct fake_memory *memory)
{
    return (struct mem_reader){ .read = read_bytes, .ctx = memory };
}
