/*
 * sandbox_probe.S - a visit to ring 1.
 *
 *      uint32_t sandbox_visit(uint32_t *saved_esp, void *stack,
 *                             uint32_t offset);
 *
 * Enters ring 1 at sandbox_ring1 with STACK as its stack, DS holding the
 * segment that ends early and EAX = OFFSET, the address that it shall read.
 * The trap that ends the visit arrives on a new ring 0 stack; its handler
 * calls sandbox_return, which comes back here as if sandbox_visit returned.
 *
 *      NORETURN void sandbox_return(uint32_t saved_esp, uint32_t result);
 *
 * Stack of ring 0 at *saved_esp:  edi esi ebx ebp, return address.
 */
#include "kernel/gdt.h"
#include "kernel/x86/regs.h"

	.text
	.globl	sandbox_visit
sandbox_visit:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	20(%esp), %eax			/* saved_esp */
	movl	24(%esp), %ecx			/* stack */
	movl	28(%esp), %edx			/* offset */
	movl	%esp, (%eax)
	pushl	$SEL_RING1_DATA			/* ss */
	pushl	%ecx				/* esp */
	pushl	$EFLAGS_FIXED			/* interrupts stay masked */
	pushl	$SEL_RING1_CODE
	pushl	$sandbox_ring1
	movl	%edx, %eax
	movl	$SEL_RING1_SHORT, %ecx
	movl	%ecx, %ds
	iretl

/* Ring 1.  The first read is inside the segment, the second is eax. */
	.globl	sandbox_outside, sandbox_end
sandbox_ring1:
	movl	$sandbox_ring1, %edx
	movl	(%edx), %edx
sandbox_outside:
	movl	(%eax), %edx
sandbox_end:
	ud2					/* #UD: nothing had stopped us */

	.globl	sandbox_return
sandbox_return:
	movl	4(%esp), %ecx
	movl	8(%esp), %eax
	movl	%ecx, %esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

	.section .note.GNU-stack, "", @progbits
