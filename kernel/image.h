/*
 * image.h - the places in our own image that linker.ld and the build define.
 *
 * All are linear addresses in the direct map; sections begin and end on pages.
 */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include "kernel/base/stats.h"
#include "kernel/base/types.h"

extern char image_start[], image_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char data_start[], data_end[];
extern char bss_start[], bss_end[];

/* boot/entry.S: the stack that kernel_start begins on. */
extern char boot_stack[], boot_stack_top[];

/* Every STAT() of the image. */
extern struct stat_counter stats_start[], stats_end[];

/* scripts/symtab.sh */
extern const uint32_t symtab_count;
extern const uint32_t symtab_addresses[];
extern const uint32_t symtab_name_offsets[];
extern const char symtab_names[];

#endif
