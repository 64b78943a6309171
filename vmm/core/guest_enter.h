/*
 * guest_enter.h - from the monitor into guest code, and back by a trap.
 *
 * guest_frame holds the machine's registers of the guest: the monitor fills it
 * in, guest_enter() loads all of it and goes there; the next exception, INT or
 * interrupt leaves the registers of that moment in it, with vector and error
 * code, and guest_enter() returns.  The TSS's esp0 points behind the frame, so
 * the processor pushes straight into it.  Of a selector there, the low 16 bits
 * count; the others may be anything.
 *
 * CS has RPL 1 or 3.  EFLAGS is loaded as it is: IF must be set, IOPL 0, VM
 * clear.  CR3, CR0.TS, GDTR and LDTR are the caller's business.  Interrupts are
 * masked at the call and at the return: a vector from 32 up that is not a
 * software interrupt must be handed to the VMkernel (vmk_interrupt) before they
 * are allowed again.  All of ESP is the guest's, with a 16-bit stack, too.
 *
 * Any selector, address and flag may be in the frame.  If the processor refuses
 * to load them, the frame stays as it is but for vector (#TS, #NP, #SS or #GP),
 * error, and is_refused: as if the guest had trapped at its first instruction.
 * That says nothing about the guest's own tables: interpret the instruction.
 *
 * Where IRET in ring 3 takes EFLAGS.VM from its frame (QEMU's TCG; SDM 2A, IRET
 * says that it does not), guest code gets into virtual-8086 mode, with IF and
 * IOPL as it likes.  A trap from there leaves the vector, and is_lost.  That
 * there is a trap, even with IF = 0, is for whoever makes the guest's page
 * tables to see to: that mode reaches 1 MB + 64 KB (shadow.h, low_clear).
 *
 * An exception in the monitor's own code (RPL 0) is a bug and ends the VM with
 * a report; an interrupt there goes to the VMkernel and comes back.  Only a
 * debug trap on the way in is the guest's: MOV SS from a watched address puts
 * off its #DB until behind the INT n that follows.  It is left in DR6.
 *
 * Assembly includes this too, for the selectors.
 */
#ifndef VMM_CORE_GUEST_ENTER_H
#define VMM_CORE_GUEST_ENTER_H

/*
 * Vectors with a gate that rings 1 and 3 may use by INT n: translated code's
 * callout, and INT 80h.  Of all others an INT n is #GP with error n * 8 + 2, as
 * are INTO, and INT3 in ring 3.  The VMkernel gives no device these vectors.
 */
#define GUEST_INT_CALLOUT   0x81
#define GUEST_INT_SYSCALL   0x80

/* Selectors of the monitor's GDT: the top slots. */
#define VMM_SEL_CODE        0xff80      /* ring 0, flat */
#define VMM_SEL_DATA        0xff88
#define VMM_SEL_TSS         0xff90
#define VMM_SEL_DF_TSS      0xff98
#define VMM_SEL_NMI_TSS     0xffa0
#define VMM_SEL_LDT         0xffa8      /* the shadow LDT */
#define VMM_SEL_NATIVE_CODE 0xffb1      /* ring 1, flat: native_exec.c */
#define VMM_SEL_NATIVE_DATA 0xffb9
#define VMM_SEL_STACK16     0xffc0      /* ring 0: IRET's, to a 16-bit stack */
/* From here up: not within the GDT's limit in direct execution. */
#define VMM_SEL_BT          0xffc8      /* translated code: + RPL */
#define VMM_SEL_BT_GS       0xffd0      /* slots and tables: + RPL */
#define VMM_SEL_BT_ES       0xffd8      /* the guest's segments, cached */
#define VMM_SEL_BT_SS       0xffe0
#define VMM_SEL_BT_DS       0xffe8
#define VMM_SEL_BT_FS       0xfff0

#ifndef __ASSEMBLY__
#include "kernel/x86/descriptor.h"
#include "kernel/x86/trapframe.h"

struct guest_frame {
    struct trapframe regs;
    uint32_t cr2;               /* of a #PF; read before anything could fault */
    uint16_t is_refused;        /* not 0: the guest was not entered */
    uint16_t is_lost;           /* not 0: only regs.vector is good */
};

extern struct guest_frame guest_frame;

void guest_enter(void);

/* Set up GDT, IDT, TSS and the FPU's traps: once, first of all. */
void guest_enter_init(void);

/* Write the descriptor of SELECTOR, whose RPL does not count. */
void gdt_set(unsigned selector, const struct segdesc *descriptor);

/*
 * Direct execution must not load what translated code runs on: with IS_DIRECT
 * the GDT ends below VMM_SEL_BT.  Cheap if nothing changes.
 */
void gdt_limit_for_direct(bool is_direct);
#endif

#endif
