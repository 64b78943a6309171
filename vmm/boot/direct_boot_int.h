/*
 * direct_boot_int.h - what the loaders of vmm/boot share.
 */
#ifndef VMM_BOOT_DIRECT_BOOT_INT_H
#define VMM_BOOT_DIRECT_BOOT_INT_H

#include "vmm/boot/direct_boot.h"

/* Note why, and return what kind of error it is. */
static inline status_t
boot_fail(struct direct_boot *b, status_t status, const char *why)
{
    b->error = why;
    return status;
}

/* Copy SIZE bytes at OFFSET of IMAGE; false: it does not have them. */
MUST_CHECK bool image_read(const struct boot_image *image, uint64_t offset,
                           void *to, size_t size);

/* Is all of [first, first + size) RAM?  An empty range is not asked about. */
bool boot_is_ram(const struct direct_boot *b, uint64_t first, uint64_t size);

/* The end of the RAM that begins at PC_HIGH_BASE; 0: there is none. */
uint64_t boot_ram_end(const struct direct_boot *b);

/*
 * Copy SIZE bytes of IMAGE from OFFSET to guest memory at TO, which the caller
 * has checked.  False: the image is shorter, or TO is no RAM after all.
 */
MUST_CHECK bool boot_copy(struct direct_boot *b,
                          const struct boot_image *image, uint64_t offset,
                          const struct boot_memory *to);

/* Is this a kernel of the kind?  Then the other function loads it. */
bool linux_is_kernel(const struct boot_image *image);
MUST_CHECK status_t linux_load(struct direct_boot *b, struct guest_cpu *cpu);
bool multiboot_is_kernel(const struct boot_image *image);
MUST_CHECK status_t multiboot_load(struct direct_boot *b,
                                   struct guest_cpu *cpu);

#endif
