/*
 * pages.c - the guest's pages: mapped how, and which are watched for writes.
 *
 * The kernel knows, too, but cannot be asked quickly; so everything that maps
 * or protects guest memory tells us.  A page that code was translated from and
 * that is writable is made read-only: the write that faults drops what came
 * from those bytes (traps.c) and is stepped with the page open.
 */
#include "tests/btrun/pages.h"

#include <sys/mman.h>

#include "kernel/base/addr.h"
#include "tests/btrun/btrun.h"

static uint8_t pages[BIT(32 - PAGE_SHIFT)];
static unsigned watched;

/* Those that one instruction is to write to; of more, all is forgotten. */
#define OPEN_MAX 16
static uint32_t open_pages[OPEN_MAX];
static unsigned open_count;

static int
protection(unsigned flags)
{
    return (flags & PAGE_READ ? PROT_READ : 0) |
           (flags & PAGE_WRITE ? PROT_WRITE : 0) |
           (flags & PAGE_EXECUTE ? PROT_EXEC : 0);
}

unsigned
pages_flags(uint32_t address)
{
    return pages[address / PAGE_SIZE];
}

void
pages_set(uint32_t start, uint32_t size, unsigned prot)
{
    uint32_t first = start / PAGE_SIZE;
    uint32_t end = (uint32_t)(((uint64_t)start + size + PAGE_MASK) /
                              PAGE_SIZE);
    uint8_t flags = (uint8_t)((prot & PROT_READ ? PAGE_READ : 0) |
                              (prot & PROT_WRITE ? PAGE_WRITE : 0) |
                              (prot & PROT_EXEC ? PAGE_EXECUTE : 0));

    for (uint32_t page = first; page < end; page++) {
        if (pages[page] & (PAGE_EXECUTE | PAGE_WATCHED))
            bt_invalidate_page(engine, page);
        if (pages[page] & PAGE_WATCHED)
            watched--;
        pages[page] = flags;
    }
}

const uint8_t *
pages_fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    uint32_t page = eip / PAGE_SIZE;
    uint8_t *bytes = (uint8_t *)(page * PAGE_SIZE);

    (void)context;
    if ((pages[page] & PAGE_EXECUTE) == 0)
        return NULL;
    if ((pages[page] & (PAGE_WRITE | PAGE_WATCHED)) == PAGE_WRITE &&
        (flags & BT_FETCH_UNWATCHED) == 0) {
        pages[page] |= PAGE_WATCHED;
        watched++;
        mprotect(bytes, PAGE_SIZE, PROT_READ | PROT_EXEC);
    }
    *id = page;
    return bytes;
}

static void
unwatch(uint32_t page)
{
    pages[page] &= (uint8_t)~(PAGE_WATCHED | PAGE_OPEN);
    watched--;
    mprotect((void *)(page * PAGE_SIZE), PAGE_SIZE, protection(pages[page]));
}

bool
pages_open(uint32_t address, uint32_t size)
{
    uint32_t page = address / PAGE_SIZE, offset = address & PAGE_MASK;

    if ((pages[page] & (PAGE_WATCHED | PAGE_OPEN)) != PAGE_WATCHED)
        return false;
    if (size == 0) {
        offset = 0;
        size = PAGE_SIZE;
    }
    if (open_count == OPEN_MAX) {
        bt_invalidate_page(engine, page);
        unwatch(page);
    } else if (bt_page_written(engine, page, offset, size) ==
               BT_WRITTEN_UNWATCH) {
        unwatch(page);
    } else {
        pages[page] |= PAGE_OPEN;
        open_pages[open_count++] = page;
        mprotect((void *)(page * PAGE_SIZE), PAGE_SIZE,
                 protection(pages[page]));
    }
    return true;
}

void
pages_close(void)
{
    while (open_count > 0) {
        uint32_t page = open_pages[--open_count];

        if ((pages[page] & PAGE_OPEN) == 0)
            continue;
        pages[page] &= (uint8_t)~PAGE_OPEN;
        mprotect((void *)(page * PAGE_SIZE), PAGE_SIZE,
                 protection(pages[page]) & ~PROT_WRITE);
    }
}

bool
pages_unwatch_all(void)
{
    bool any = watched > 0;

    for (uint32_t page = 0; watched > 0; page++)
        if (pages[page] & PAGE_WATCHED) {
            unwatch(page);
            bt_invalidate_page(engine, page);
        }
    return any;
}
