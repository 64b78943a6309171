/*
 * descriptor.h - segment descriptors, gates, selectors and the TSS
 * (Intel SDM 3A 3.4, 6.11, 7.2).
 */
#ifndef KERNEL_X86_DESCRIPTOR_H
#define KERNEL_X86_DESCRIPTOR_H

#include "kernel/base/types.h"

/* A selector is index * 8, table indicator in bit 2, RPL in bits 1:0. */
#define SEL_INDEX_SHIFT 3
#define SEL_TI          0x4u
#define SEL_RPL         0x3u

/* `type` of a code or data segment (s = 1). */
enum segment_type {
    SEG_ACCESSED = 1,
    SEG_DATA_W   = 2,
    SEG_DATA_E   = 4,           /* expand-down */
    SEG_CODE_R   = 2,
    SEG_CODE_C   = 4,           /* conforming */
    SEG_CODE     = 8
};

/* `type` of a system segment or gate (s = 0). */
enum system_type {
    SYS_TSS16_AVAIL = 1,
    SYS_LDT         = 2,
    SYS_TSS16_BUSY  = 3,
    SYS_CALL16      = 4,
    SYS_TASK_GATE   = 5,
    SYS_INT16       = 6,
    SYS_TRAP16      = 7,
    SYS_TSS32_AVAIL = 9,
    SYS_TSS32_BUSY  = 11,
    SYS_CALL32      = 12,
    SYS_INT32       = 14,
    SYS_TRAP32      = 15
};

struct segdesc {
    uint32_t limit_low : 16, base_low : 16;
    uint32_t base_mid : 8, type : 4, s : 1, dpl : 2, p : 1;
    uint32_t limit_high : 4, avl : 1, l : 1, db : 1, g : 1, base_high : 8;
} PACKED;
STATIC_ASSERT(sizeof(struct segdesc) == 8);

struct gate {
    uint32_t offset_low : 16, selector : 16;
    uint32_t param_count : 8, type : 4, s : 1, dpl : 2, p : 1;
    uint32_t offset_high : 16;
} PACKED;
STATIC_ASSERT(sizeof(struct gate) == 8);

/* A present 32-bit code or data segment; LIMIT in pages (granularity 4 KB). */
#define SEGDESC_PAGES(base, limit, seg_type, ring)                        \
    { .limit_low = (limit) & 0xffff, .base_low = (base) & 0xffff,         \
      .base_mid = ((base) >> 16) & 0xff, .type = (seg_type), .s = 1,      \
      .dpl = (ring), .p = 1, .limit_high = (limit) >> 16, .db = 1,        \
      .g = 1, .base_high = (base) >> 24 }

#define SEG_LIMIT_4GB   0xfffffu

struct table_register {
    uint16_t limit;
    uint32_t base;
} PACKED;
STATIC_ASSERT(sizeof(struct table_register) == 6);

struct tss {
    uint32_t link;
    uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
    uint32_t cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, iomap;
};
STATIC_ASSERT(sizeof(struct tss) == 104);

#endif
