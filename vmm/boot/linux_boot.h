/*
 * linux_boot.h - the fields of the Linux/x86 boot protocol that a loader uses.
 *
 * Offsets in the bzImage, whose first sector holds the setup header, and the
 * same ones in the page of boot parameters (the "zero page") that the kernel
 * gets: the header lies at the same place in both.  Names are those of the
 * kernel's Documentation/x86/boot.rst and zero-page.rst.
 *
 *      OFFSET  SIZE  MEANING
 *       1e8       1  number of entries at 2d0
 *       1f1       1  setup_sects: sectors behind the first; 0 means 4
 *       1f4       4  syssize: of the 32-bit code, in 16 bytes
 *       1fe       2  boot_flag: aa55
 *       201       1  jump: the header ends at 202 + this
 *       202       4  header: "HdrS"
 *       206       2  version
 *       210       1  type_of_loader
 *       211       1  loadflags
 *       214       4  code32_start
 *       218       4  ramdisk_image
 *       21c       4  ramdisk_size
 *       228       4  cmd_line_ptr
 *       22c       4  initrd_addr_max
 *       230       4  kernel_alignment
 *       234       1  relocatable_kernel
 *       238       4  cmdline_size: without the NUL
 *       258       8  pref_address
 *       260       4  init_size: from the load address, before the kernel
 *                    knows where memory is
 *       2d0      20n e820_table
 */
#ifndef VMM_BOOT_LINUX_BOOT_H
#define VMM_BOOT_LINUX_BOOT_H

#include "kernel/base/bits.h"
#include "kernel/base/types.h"

#define BP_E820_ENTRIES         0x1e8
#define BP_SETUP_HEADER         0x1f1
#define BP_SETUP_SECTS          0x1f1
#define BP_SYSSIZE              0x1f4
#define BP_BOOT_FLAG            0x1fe
#define BP_HEADER_LENGTH        0x201
#define BP_HEADER               0x202
#define BP_VERSION              0x206
#define BP_TYPE_OF_LOADER       0x210
#define BP_LOADFLAGS            0x211
#define BP_CODE32_START         0x214
#define BP_RAMDISK_IMAGE        0x218
#define BP_RAMDISK_SIZE         0x21c
#define BP_CMD_LINE_PTR         0x228
#define BP_INITRD_ADDR_MAX      0x22c
#define BP_KERNEL_ALIGNMENT     0x230
#define BP_RELOCATABLE          0x234
#define BP_CMDLINE_SIZE         0x238
#define BP_PREF_ADDRESS         0x258
#define BP_INIT_SIZE            0x260
#define BP_HEADER_END_MAX       0x290   /* what follows is not the header's */
#define BP_E820_TABLE           0x2d0

#define LINUX_BOOT_FLAG         0xaa55
#define LINUX_HEADER_MAGIC      0x53726448u     /* "HdrS" */
#define LINUX_VERSION_MIN       0x020a          /* pref_address, init_size */
#define LINUX_LOADED_HIGH       BIT(0)          /* of loadflags */
#define LINUX_LOADER_UNDEFINED  0xff
#define LINUX_SETUP_SECTS_OLD   4
#define LINUX_SECTOR            512u
#define LINUX_PARAGRAPH         16u             /* unit of syssize */

struct linux_e820_entry {
    uint64_t addr, size;
    uint32_t type;
} PACKED;
STATIC_ASSERT(sizeof(struct linux_e820_entry) == 20);

#endif
