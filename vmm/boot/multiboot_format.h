/*
 * multiboot_format.h - what a Multiboot kernel says and is told, and ELF32.
 *
 * Little-endian, as the specifications lay them out.  The image's structures
 * are hostile; the others are ours.  Multiboot 0.6.96, 3.1.1 and 3.3; ELF 1.2,
 * figures 1-3 and 2-1.
 */
#ifndef VMM_BOOT_MULTIBOOT_FORMAT_H
#define VMM_BOOT_MULTIBOOT_FORMAT_H

#include "kernel/base/bits.h"
#include "kernel/base/types.h"

#define MB_SEARCH           8192u       /* the header begins before here... */
#define MB_HEADER_ALIGN     4u          /* ...at a multiple of this */
#define MB_HEADER_MAGIC     0x1badb002u
#define MB_LOADER_MAGIC     0x2badb002u /* in EAX */

/* Flags: what the kernel requires, and which fields its header has. */
#define MB_REQUIRED         BITS(15, 0)
#define MB_KNOWN            BITS(1, 0)  /* aligned modules, memory sizes */
#define MB_AOUT_KLUDGE      BIT(16)

struct mb_header {
    uint32_t magic, flags, checksum;
    /* With MB_AOUT_KLUDGE. */
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};
#define MB_HEADER_SHORT     offsetof(struct mb_header, header_addr)

/* Which fields of struct mb_info there are. */
#define MB_INFO_MEMORY      BIT(0)
#define MB_INFO_CMDLINE     BIT(2)
#define MB_INFO_MODS        BIT(3)
#define MB_INFO_MEM_MAP     BIT(6)

struct mb_info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper;      /* KB */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t rest[9];
};
STATIC_ASSERT(sizeof(struct mb_info) == 88);

struct mb_module {
    uint32_t mod_start, mod_end;
    uint32_t cmdline;
    uint32_t reserved;
};

struct mb_mmap_entry {
    uint32_t size;                      /* of what follows it */
    uint64_t addr, len;
    uint32_t type;
} PACKED;
STATIC_ASSERT(sizeof(struct mb_mmap_entry) == 24);

/* ELF, 32 bits, little-endian, version 1. */
#define ELF32_IDENT         "\177ELF\1\1\1"
#define ELF_IDENT_CHECKED   7           /* bytes of e_ident */
#define ELF_EM_386          3
#define ELF_PT_LOAD         1
#define ELF_PHNUM_MAX       64          /* what we take: kernels have 2 to 8 */

struct elf32_ehdr {
    uint8_t  e_ident[ELF_IDENT_CHECKED];
    uint8_t  e_ident_rest[9];
    uint16_t e_type, e_machine;
    uint32_t e_version, e_entry, e_phoff, e_shoff, e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};
STATIC_ASSERT(sizeof(struct elf32_ehdr) == 52);

struct elf32_phdr {
    uint32_t p_type, p_offset, p_vaddr, p_paddr;
    uint32_t p_filesz, p_memsz, p_flags, p_align;
};
STATIC_ASSERT(sizeof(struct elf32_phdr) == 32);

#endif
