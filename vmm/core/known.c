/*
 * known.c - see known.h.  A direct-mapped table; entries carry the number of
 * the flush after which they were made, so that a flush costs nothing.
 *
 * Called around translated code by the main loop; no locks.
 */
#include "vmm/core/known.h"

#include "kernel/base/string.h"

#define ENTRIES     2048u

static struct entry {
    uint32_t eip, at, flushes;
} table[ENTRIES];
static uint32_t now;

uint32_t
known_find(uint32_t eip)
{
    const struct entry *e = &table[eip % ENTRIES];

    return e->eip == eip && e->flushes == now ? e->at : 0;
}

void
known_add(uint32_t eip, uint32_t at)
{
    table[eip % ENTRIES] = (struct entry){ eip, at, now };
}

void
known_flush(uint32_t flushes)
{
    now = flushes;
}

void
known_clear(void)
{
    memset(table, 0, sizeof(table));
}
