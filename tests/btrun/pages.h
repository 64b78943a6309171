/*
 * pages.h - what is mapped for the guest, and whose writes are watched.
 */
#ifndef TESTS_BTRUN_PAGES_H
#define TESTS_BTRUN_PAGES_H

#include "kernel/base/bits.h"

enum page_flags {
    PAGE_READ = BIT(0), PAGE_WRITE = BIT(1), PAGE_EXECUTE = BIT(2),
    PAGE_WATCHED = BIT(3),
    PAGE_OPEN = BIT(4),     /* watched, but for the write that is due */
};
/* Of the page at ADDRESS; 0: nothing is mapped. */
unsigned pages_flags(uint32_t address);
void pages_set(uint32_t start, uint32_t size, unsigned protection);
const uint8_t *pages_fetch(void *context, uint32_t eip, unsigned flags,
                           uint32_t *id);
/*
 * A write of SIZE bytes (0: nobody knows) at ADDRESS met a watched page: let
 * it happen.  False: it did not.
 */
bool pages_open(uint32_t address, uint32_t size);
/* That was that. */
void pages_close(void);
/* Before the kernel writes for the guest; false: nothing was watched. */
bool pages_unwatch_all(void);

#endif
