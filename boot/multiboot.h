/*
 * multiboot.h - the Multiboot Specification 0.6.96, its names and layouts.
 *
 * Only boot/ includes this: the rest of the VMkernel sees boot/boot.h.  The
 * constants also serve the assembler.  All structures are in machine memory,
 * written by the boot loader (hostile, as anything that comes from outside),
 * little-endian.  A field of struct multiboot_info may be looked at only if its
 * bit in `flags` is set.
 *
 *      OFFSET  SIZE  FLAG  MEANING (section 3.3)
 *           0     4        flags
 *           4     8     0  KB of memory from 0, KB of memory from 1 MB
 *          12     4     1  boot device
 *          16     4     2  address of the command line, NUL-terminated
 *          20     8     3  number of modules, address of their list
 *          28    16   4/5  symbol table of the image
 *          44     8     6  bytes and address of the memory map
 *          52     8     7  drive table
 *          60     4     8  ROM configuration table
 *          64     4     9  address of the loader's name, NUL-terminated
 *          68     4    10  APM table
 *          72    16    11  VBE; the framebuffer (flag 12) follows
 */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

/* The header in the image (3.1) and what the loader leaves in EAX (3.2). */
#define MULTIBOOT_HEADER_MAGIC          0x1BADB002
#define MULTIBOOT_PAGE_ALIGN            0x00000001
#define MULTIBOOT_MEMORY_INFO           0x00000002
#define MULTIBOOT_BOOTLOADER_MAGIC      0x2BADB002

#ifndef __ASSEMBLY__

#include "kernel/base/bits.h"

#define MULTIBOOT_INFO_MEMORY           BIT(0)
#define MULTIBOOT_INFO_BOOTDEV          BIT(1)
#define MULTIBOOT_INFO_CMDLINE          BIT(2)
#define MULTIBOOT_INFO_MODS             BIT(3)
#define MULTIBOOT_INFO_AOUT_SYMS        BIT(4)
#define MULTIBOOT_INFO_ELF_SHDR         BIT(5)
#define MULTIBOOT_INFO_MEM_MAP          BIT(6)
#define MULTIBOOT_INFO_DRIVE_INFO       BIT(7)
#define MULTIBOOT_INFO_CONFIG_TABLE     BIT(8)
#define MULTIBOOT_INFO_BOOT_LOADER_NAME BIT(9)
#define MULTIBOOT_INFO_APM_TABLE        BIT(10)
#define MULTIBOOT_INFO_VBE_INFO         BIT(11)

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower;
    uint32_t mem_upper;
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count;
    uint32_t mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length;
    uint32_t mmap_addr;
    uint32_t drives_length;
    uint32_t drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
};
STATIC_ASSERT(sizeof(struct multiboot_info) == 72);
STATIC_ASSERT(offsetof(struct multiboot_info, cmdline) == 16);
STATIC_ASSERT(offsetof(struct multiboot_info, mmap_length) == 44);
STATIC_ASSERT(offsetof(struct multiboot_info, boot_loader_name) == 64);

/* One of mods_count: the module is [mod_start, mod_end). */
struct multiboot_mod_list {
    uint32_t mod_start;
    uint32_t mod_end;
    uint32_t cmdline;
    uint32_t pad;
};
STATIC_ASSERT(sizeof(struct multiboot_mod_list) == 16);

#define MULTIBOOT_MEMORY_AVAILABLE          1
#define MULTIBOOT_MEMORY_RESERVED           2
#define MULTIBOOT_MEMORY_ACPI_RECLAIMABLE   3
#define MULTIBOOT_MEMORY_NVS                4
#define MULTIBOOT_MEMORY_BADRAM             5

/* `size` counts the bytes behind itself: the next entry is at size + 4. */
struct multiboot_mmap_entry {
    uint32_t size;
    uint64_t addr;
    uint64_t len;
    uint32_t type;
} PACKED;
STATIC_ASSERT(sizeof(struct multiboot_mmap_entry) == 24);
STATIC_ASSERT(offsetof(struct multiboot_mmap_entry, len) == 12);

#endif
#endif
