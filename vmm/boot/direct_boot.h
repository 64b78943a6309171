/*
 * direct_boot.h - start a guest kernel without firmware or boot loader.
 *
 * A kernel is a Linux bzImage (with an initrd) or a Multiboot image (with
 * modules); which one, its header says.  Loading puts the kernel, its files,
 * its command line and its tables into guest memory, which must be zero as
 * after power-on, and sets the processor as the protocol wants it: protected
 * mode, flat segments, no paging, interrupts off.
 *
 * Images are read in place and may hold anything: nothing outside of them is
 * read, nothing outside of guest RAM is written, and every loop is bounded by
 * their sizes.  Pure; called by whoever creates a VM, before it runs.
 */
#ifndef VMM_BOOT_DIRECT_BOOT_H
#define VMM_BOOT_DIRECT_BOOT_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"
#include "vmm/vcpu.h"

#define GUEST_MODULES_MAX   16u
#define BOOT_MEMORY_MAX     8u

struct boot_image {
    const uint8_t *bytes;
    uint32_t size;
};

/* A file that the guest gets with its kernel. */
struct guest_module {
    struct boot_image image;
    const char *command_line;   /* "" where there is none */
};

/* As INT 15h, E820h reports it; the types are its own. */
enum boot_memory_type {
    BOOT_MEMORY_RAM = 1,
    BOOT_MEMORY_RESERVED = 2,
};

struct boot_memory {
    uint64_t base, length;
    uint32_t type;              /* enum boot_memory_type */
};

/* What is to be started, and where to. */
struct direct_boot {
    struct boot_image kernel;
    const char *command_line;
    const struct guest_module *modules;  /* Linux: the initrd, or none */
    unsigned module_count;
    const struct boot_memory *memory;   /* ascending */
    unsigned memory_count;
    /* Copy to guest RAM; false: not all of it is RAM, and nothing was done. */
    bool (*write)(void *context, gpa_t at, const void *from, size_t size);
    void *context;
    const char *error;          /* out: why not, as part of a sentence */
};

/*
 * Load, and make V (as after vcpu_reset()) ready to run the first instruction.
 * Errors, with b->error set; guest memory may have been written:
 *
 *      ERR_UNSUPPORTED     this is no kernel that we know how to start
 *      ERR_CORRUPT         its header or its size is wrong
 *      ERR_NO_MEMORY       guest memory is too small for it
 *      ERR_INVALID         too long a command line, or too many files for it
 */
MUST_CHECK status_t direct_boot(struct direct_boot *b, struct vcpu *v);

/*
 * The memory of a PC with SIZE bytes of RAM (a multiple of a page, from 1 MB
 * to PC_MEMORY_MAX) in the usual places; returns how many ranges there are.
 */
#define PC_MEMORY_MAX       MB(3584u)
#define PC_LOW_END          0x0009fc00u     /* the BIOS's data area begins */
#define PC_VIDEO_BASE       0x000a0000u
#define PC_ROM_BASE         0x000f0000u
#define PC_HIGH_BASE        0x00100000u
unsigned boot_memory_of_pc(uint32_t size,
                           struct boot_memory memory[BOOT_MEMORY_MAX]);

#endif
