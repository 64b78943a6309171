/*
 * boot_target.h - guest memory for tests of the loaders: an array that notes
 * what was written where.
 */
#ifndef TESTS_UNIT_BOOT_TARGET_H
#define TESTS_UNIT_BOOT_TARGET_H

#include <stdlib.h>
#include <string.h>

#include "vmm/boot/direct_boot.h"

struct boot_target {
    uint8_t *bytes;
    uint32_t size;
    struct boot_memory memory[BOOT_MEMORY_MAX];
    struct direct_boot boot;
    struct vcpu vcpu;
};

/* All of it must be RAM, as the map says: the loaders are to check that. */
static inline bool
boot_target_write(void *context, gpa_t at, const void *from, size_t size)
{
    struct boot_target *t = context;
    uint64_t first = gpa_raw(at), end = first + size;

    if (end > t->size || (end > PC_LOW_END && first < PC_HIGH_BASE))
        return false;
    memcpy(t->bytes + first, from, size);
    return true;
}

static inline void
boot_target_init(struct boot_target *t, uint32_t size)
{
    memset(t, 0, sizeof(*t));
    t->bytes = calloc(1, size);
    t->size = size;
    t->boot.command_line = "";
    t->boot.memory = t->memory;
    t->boot.memory_count = boot_memory_of_pc(size, t->memory);
    t->boot.write = boot_target_write;
    t->boot.context = t;
    vcpu_reset(&t->vcpu);
}

static inline void
boot_target_free(struct boot_target *t)
{
    free(t->bytes);
}

static inline uint32_t
boot_target_32(const struct boot_target *t, uint32_t at)
{
    uint32_t value;

    memcpy(&value, t->bytes + at, sizeof(value));
    return value;
}

#endif
