/*
 * ap_trampoline.h - how another processor gets from its reset state to C.
 *
 * The code between the two symbols is copied to a page below 1 MB, which must
 * be mapped at its own address meanwhile, with a filled `struct ap_params` at
 * its end; a start-up IPI then sends the processor there (SDM 3A 8.4.4).
 */
#ifndef KERNEL_AP_TRAMPOLINE_H
#define KERNEL_AP_TRAMPOLINE_H

#include "kernel/base/addr.h"
#include "kernel/x86/descriptor.h"

extern const char ap_trampoline_start[], ap_trampoline_end[];

/* In the last bytes of the page; offsets are known to ap_trampoline.S. */
struct ap_params {
    struct segdesc gdt[3];      /* null, flat code, flat data */
    struct table_register gdtr;
    uint32_t protected_eip;     /* far pointer into the page */
    uint16_t protected_cs;
    uint32_t cr3, cr4, cr0;
    uint32_t efer;              /* low half; 0: the MSR is not written */
    uint32_t esp;
    uint32_t entry;             /* void entry(void *arg), never returns */
    uint32_t arg;
} PACKED;
STATIC_ASSERT(sizeof(struct ap_params) == 64);

#define AP_PARAMS_OFFSET (PAGE_SIZE - sizeof(struct ap_params))

/* Offset of the 32-bit part, for protected_eip. */
extern const char ap_trampoline_protected[];

#endif
