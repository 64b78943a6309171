/*
 * world_switch.S - see world_switch.h: one page, at VMM_SWITCH_AT in the
 * VMkernel's address space and in all monitors'.
 *
 *      void world_switch_enter(struct vmm_shared *shared,      VMkernel
 *                              struct cpu_context *vmk);
 *      void world_switch_leave(void);                          monitor
 *
 * Each stores what its side has in its struct cpu_context, the VMkernel's on a
 * page that the monitor cannot write to, loads the other's
 * CR3, and goes on in world_switch_load, which loads all the rest:
 *
 *                 the leaving side's            |   the coming side's
 *      stack      used                          |   at the very end
 *      context    in the leaving side's space   |   in the coming side's
 *      tables     GDT, IDT, TSS of the leaving  |   CR4 CR0 GDTR IDTR TR
 *                 side, until ... CR3 ..........|   LDTR segments
 *
 * Between CR3 and LIDT the processor's tables are linear addresses of a space
 * that is gone.  Nothing in there may trap: interrupts are masked, the code is
 * on a page that both have, all that it touches is mapped and all selectors
 * it loads are good.  What cannot be masked, an NMI or a machine check in these
 * few instructions, is a triple fault: no order of the steps avoids it, for an
 * IDT entry needs the GDT, the TSS and the stack of its own side.  NMIs are
 * sent by the VMkernel only when the machine stops.
 *
 * CR0 and CR4 are written only if they differ: a write may cost a flush of the
 * TLB, or an exit of a hypervisor below.  Paging stays on, and PAE is set on
 * both sides; CR3 comes first, so that no other bit changes meaning under the
 * old tables.
 *
 * The stack of a side that does not run:
 *
 *      esp ->  edi  esi  ebx  ebp  return address  (arguments of enter)
 */
#include "vmm/core/world_switch.h"

#define ARGUMENT_SHARED 20			/* at saved esp, of enter */
#define ARGUMENT_VMK    24
#define TSS_BUSY        2			/* type bit, in byte 5 */
#define DESCRIPTOR_TYPE 5

	.section .world_switch, "ax"

/* What C wants kept: struct world_switch_stack. */
	.macro	push_preserved
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	.endm

/* This side's state becomes the context at AT(%eax).  Clobbers %ecx. */
	.macro	store_context at
	movl	%esp, \at+CONTEXT_ESP(%eax)
	movl	%cr0, %ecx
	movl	%ecx, \at+CONTEXT_CR0(%eax)
	movl	%cr3, %ecx
	movl	%ecx, \at+CONTEXT_CR3(%eax)
	movl	%cr4, %ecx
	movl	%ecx, \at+CONTEXT_CR4(%eax)
	sgdtl	\at+CONTEXT_GDTR(%eax)
	sidtl	\at+CONTEXT_IDTR(%eax)
	str	\at+CONTEXT_TR(%eax)
	sldt	\at+CONTEXT_LDTR(%eax)
	.endm

/* At VMM_SWITCH_AT: the VMkernel calls the page's first byte. */
	.globl	world_switch_enter
world_switch_enter:
	push_preserved
	movl	ARGUMENT_VMK(%esp), %eax
	store_context 0
	movw	%cs, CONTEXT_CS(%eax)
	movw	%ss, CONTEXT_SS(%eax)
	movw	%ds, CONTEXT_DS(%eax)
	movw	%es, CONTEXT_ES(%eax)
	movw	%fs, CONTEXT_FS(%eax)
	movw	%gs, CONTEXT_GS(%eax)
	movl	ARGUMENT_SHARED(%esp), %eax
	movl	SHARED_VMM+CONTEXT_CR3(%eax), %ecx
	movl	%ecx, %cr3
	movl	$VMM_SHARED_AT+SHARED_VMM, %eax
	jmp	world_switch_load

/* The VMkernel's address of its context is on the VMkernel's stack. */
	.globl	world_switch_leave
world_switch_leave:
	push_preserved
	movl	$VMM_SHARED_AT, %eax
	store_context SHARED_VMM
	movl	VMM_VMK_AT+CONTEXT_CR3, %ecx
	movl	VMM_VMK_AT+CONTEXT_ESP, %edx
	movl	%ecx, %cr3
	movl	ARGUMENT_VMK(%edx), %eax

/*
 * In: %eax the coming side's context, in the address space that is loaded.
 * The TSS was left busy; LTR wants an available one.
 */
world_switch_load:
	movl	CONTEXT_CR4(%eax), %ecx
	movl	%cr4, %edx
	cmpl	%ecx, %edx
	je	1f
	movl	%ecx, %cr4
1:	movl	CONTEXT_CR0(%eax), %ecx
	movl	%cr0, %edx
	cmpl	%ecx, %edx
	je	2f
	movl	%ecx, %cr0
2:	lgdtl	CONTEXT_GDTR(%eax)
	lidtl	CONTEXT_IDTR(%eax)
	movzwl	CONTEXT_TR(%eax), %ecx
	movl	CONTEXT_GDTR+2(%eax), %edx
	andb	$~TSS_BUSY, DESCRIPTOR_TYPE(%edx,%ecx)
	ltr	%cx
	lldt	CONTEXT_LDTR(%eax)
	movw	CONTEXT_ES(%eax), %es
	movw	CONTEXT_FS(%eax), %fs
	movw	CONTEXT_GS(%eax), %gs
	movw	CONTEXT_SS(%eax), %ss
	movl	CONTEXT_ESP(%eax), %esp
	movzwl	CONTEXT_CS(%eax), %ecx
	movw	CONTEXT_DS(%eax), %ds
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	popl	%edx				/* a far return loads CS */
	pushl	%ecx
	pushl	%edx
	lretl

	.section .note.GNU-stack, "", @progbits
