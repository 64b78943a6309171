/*
 * vm_elf.c - see vm_elf.h.
 *
 * The file is a part of our own image, but made by other tools: what does not
 * fit together is refused, and no byte outside of it is read.  System V ABI,
 * chapter 5 "Program Header".
 */
#include "vmm/vmk/vm_elf.h"

#include "kernel/base/addr.h"
#include "kernel/base/bits.h"
#include "kernel/base/string.h"
#include "vmm/boot/multiboot_format.h"

#define ELF_PF_X    BIT(0)
#define ELF_PF_W    BIT(1)

static bool
is_inside(size_t size, uint32_t first, uint32_t count)
{
    return first <= size && count <= size - first;
}

static status_t
add_segment(struct vm_elf *elf, const uint8_t *file, size_t size,
            const struct elf32_phdr *h)
{
    if (h->p_type != ELF_PT_LOAD || h->p_memsz == 0)
        return OK;
    if (elf->count == VM_ELF_SEGMENTS || h->p_filesz > h->p_memsz ||
        !is_inside(size, h->p_offset, h->p_filesz) ||
        (h->p_vaddr | h->p_offset) % PAGE_SIZE != 0 ||
        h->p_memsz - 1 > UINT32_MAX - h->p_vaddr)
        return TRACE_ERR(ERR_CORRUPT);
    elf->segment[elf->count++] = (struct vm_elf_segment){
        .bytes = file + h->p_offset, .address = h->p_vaddr,
        .file_size = h->p_filesz, .memory_size = h->p_memsz,
        .is_writable = (h->p_flags & ELF_PF_W) != 0,
        .is_executable = (h->p_flags & ELF_PF_X) != 0
    };
    return OK;
}

status_t
vm_elf_read(const uint8_t *file, size_t size, struct vm_elf *elf)
{
    struct elf32_ehdr header;
    struct elf32_phdr segment;

    if (size < sizeof(header))
        return TRACE_ERR(ERR_CORRUPT);
    memcpy(&header, file, sizeof(header));
    if (memcmp(header.e_ident, ELF32_IDENT, ELF_IDENT_CHECKED) != 0 ||
        header.e_machine != ELF_EM_386 ||
        header.e_phentsize != sizeof(segment) ||
        header.e_phnum > ELF_PHNUM_MAX ||
        !is_inside(size, header.e_phoff, header.e_phnum * sizeof(segment)))
        return TRACE_ERR(ERR_CORRUPT);
    elf->entry = header.e_entry;
    elf->count = 0;
    for (unsigned n = 0; n < header.e_phnum; n++) {
        status_t status;

        memcpy(&segment, file + header.e_phoff + n * sizeof(segment),
               sizeof(segment));
        status = add_segment(elf, file, size, &segment);
        if (status != OK)
            return status;
    }
    return OK;
}
