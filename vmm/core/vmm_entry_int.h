/*
 * vmm_entry_int.h - between vmm_entry.S, stack16.S and guest_enter.c.
 *
 * Assembly includes this too, for the offsets in struct guest_frame.
 */
#ifndef VMM_CORE_VMM_ENTRY_INT_H
#define VMM_CORE_VMM_ENTRY_INT_H

#define VMM_STUB_SIZE   16
#define VMM_STUBS       256

#define FRAME_DS        0
#define FRAME_ES        4
#define FRAME_FS        8
#define FRAME_GS        12
#define FRAME_EDI       16
#define FRAME_ESI       20
#define FRAME_EBP       24
#define FRAME_EBX       32
#define FRAME_EDX       36
#define FRAME_ECX       40
#define FRAME_EAX       44
#define FRAME_VECTOR    48
#define FRAME_EIP       56
#define FRAME_CS        60
#define FRAME_EFLAGS    64
#define FRAME_ESP       68
#define FRAME_SS        72
#define FRAME_CR2       76
#define FRAME_STATE     80
#define FRAME_LOST      0x10000
#define FRAME_SIZE      84

/* From a selector to its slot: the LDT is behind the GDT.  SDM 3A 3.4.5. */
#define SELECTOR_SLOT   0xfff8
#define SELECTOR_TI     0x4
#define SELECTOR_TI_SHIFT 14
#define SLOT_BASE_MID   4               /* byte offsets */
#define SLOT_FLAGS      6
#define SLOT_DB         0x40
#define SLOT_BASE_HIGH  7

#ifndef __ASSEMBLY__
#include "vmm/core/guest_enter.h"
#include "vmm/layout.h"

STATIC_ASSERT(offsetof(struct guest_frame, regs.gs) == FRAME_GS);
STATIC_ASSERT(offsetof(struct guest_frame, regs.ebp) == FRAME_EBP);
STATIC_ASSERT(offsetof(struct guest_frame, regs.ebx) == FRAME_EBX);
STATIC_ASSERT(offsetof(struct guest_frame, regs.eax) == FRAME_EAX);
STATIC_ASSERT(offsetof(struct guest_frame, regs.vector) == FRAME_VECTOR);
STATIC_ASSERT(offsetof(struct guest_frame, regs.eip) == FRAME_EIP);
STATIC_ASSERT(offsetof(struct guest_frame, regs.ss) == FRAME_SS);
STATIC_ASSERT(offsetof(struct guest_frame, cr2) == FRAME_CR2);
STATIC_ASSERT(offsetof(struct guest_frame, is_refused) == FRAME_STATE);
STATIC_ASSERT(offsetof(struct guest_frame, is_lost) == FRAME_STATE + 2);
STATIC_ASSERT(sizeof(struct guest_frame) == FRAME_SIZE);
STATIC_ASSERT(VMM_GDT_AT + (SELECTOR_TI << SELECTOR_TI_SHIFT) == VMM_LDT_AT);

/* One entry for each vector, VMM_STUB_SIZE bytes apart. */
extern const char vmm_stubs[];
/* Where guest_enter() loads what the guest may have chosen. */
extern const char guest_load[], guest_load_end[];

/* Entries of the tasks. */
void vmm_double_fault_entry(void);
void vmm_nmi_entry(void);

/* Called by vmm_entry.S, interrupts masked. */
void vmm_on_exception(const struct trapframe *frame);
NORETURN void vmm_on_double_fault(void);
NORETURN void vmm_on_nmi(void);
#endif

#endif
