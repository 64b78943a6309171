/*
 * boot.h - what the boot loader told us, checked and copied.
 *
 * All that the VMkernel knows about how it was started.  Nothing in here points
 * into memory that the loader wrote, except the modules, whose pages the memory
 * map keeps out of use: MEMORY_USABLE really is free for the taking.
 *
 * Filled once, early, on the boot processor, before any memory is allocated;
 * read-only afterwards.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "kernel/base/mem_reader.h"
#include "kernel/base/memory_map.h"
#include "kernel/base/status.h"

#define BOOT_COMMAND_LINE_MAX   1024u   /* with the final NUL, all of them */
#define BOOT_LOADER_MAX         64u
#define BOOT_STRING_MAX         128u
#define BOOT_MODULE_MAX         16u

/* A file that the loader put into memory at [start, end), not empty. */
struct boot_module {
    maddr_t start;
    maddr_t end;
    char string[BOOT_STRING_MAX];   /* its words in the loader's menu */
};

struct boot_info {
    struct memory_map map;          /* flat */
    unsigned module_count;
    struct boot_module modules[BOOT_MODULE_MAX];
    maddr_t kernel_start;           /* our own image: [start, end) */
    maddr_t kernel_end;
    char command_line[BOOT_COMMAND_LINE_MAX];   /* options only, printable */
    char loader[BOOT_LOADER_MAX];   /* its name, "unknown" if it gave none */
    uint64_t entry_tsc;
};

/* What entry.S and the linker know. */
struct boot_source {
    uint32_t magic;                 /* EAX and EBX at entry */
    maddr_t info;
    uint64_t entry_tsc;             /* time stamp at entry */
    maddr_t kernel_start;
    maddr_t kernel_end;
};

/*
 * Fill INFO from what a Multiboot loader left in memory.  Wrong statements
 * about modules or memory cost a line in the log and are ignored; the call
 * fails only if there is nothing to go on with:
 *
 *      ERR_INVALID     not started by a Multiboot loader
 *      ERR_TRUNCATED   its information cannot be read
 *      ERR_NO_MEMORY   it knows of no memory that could be used
 */
MUST_CHECK status_t boot_info_fill(struct boot_info *info,
                                   const struct boot_source *source,
                                   const struct mem_reader *reader);

#endif
