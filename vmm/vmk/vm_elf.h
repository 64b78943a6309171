/*
 * vm_elf.h - the monitor's program, as the ELF file that it is.
 *
 * The build puts vmm.elf into the VMkernel's rodata (vmm/vmm.mk).  Pure.
 */
#ifndef VMM_VMK_VM_ELF_H
#define VMM_VMK_VM_ELF_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

#define VM_ELF_SEGMENTS 8u

/* Memory from `address`: file_size bytes at `bytes`, and zeros behind. */
struct vm_elf_segment {
    const uint8_t *bytes;       /* on a page, as `address` is */
    uint32_t address, file_size, memory_size;
    bool is_writable, is_executable;
};

struct vm_elf {
    uint32_t entry;
    unsigned count;
    struct vm_elf_segment segment[VM_ELF_SEGMENTS];
};

/* vmm_image.S */
extern const uint8_t vmm_image_start[], vmm_image_end[];

/*
 * ERR_CORRUPT: the SIZE bytes at FILE, which is on a page, are no 32-bit ELF
 * program of whole pages.
 */
MUST_CHECK status_t vm_elf_read(const uint8_t *file, size_t size,
                                struct vm_elf *elf);

#endif
