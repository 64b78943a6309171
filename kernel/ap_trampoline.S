/*
 * ap_trampoline.S - real mode to paging, for all processors but the first.
 *
 * Runs in a copy: the page that the start-up IPI names is CS, EIP 0.  All that
 * differs between processors is in struct ap_params at the page's end
 * (kernel/ap_trampoline.h); its offsets are below.  Ends in
 *
 *      entry(arg)      on the stack at esp, paging on, interrupts masked
 */
#include "kernel/x86/regs.h"

#define PARAMS          (4096 - 64)
#define P_GDTR          (PARAMS + 24)
#define P_FAR           (PARAMS + 30)
#define P_CR3           (PARAMS + 36)
#define P_CR4           (PARAMS + 40)
#define P_CR0           (PARAMS + 44)
#define P_EFER          (PARAMS + 48)
#define P_ESP           (PARAMS + 52)
#define P_ENTRY         (PARAMS + 56)
#define P_ARG           (PARAMS + 60)
#define FLAT_DATA       0x10

	.section .rodata
	.globl	ap_trampoline_start, ap_trampoline_protected
	.globl	ap_trampoline_end
	.balign	16
	.code16
ap_trampoline_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movzwl	%ax, %ebx
	shll	$4, %ebx			/* the page's machine address */
	lgdtl	P_GDTR
	movl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*P_FAR

	.code32
ap_trampoline_protected:
	movl	$FLAT_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	P_CR4(%ebx), %eax
	movl	%eax, %cr4
	movl	P_CR3(%ebx), %eax
	movl	%eax, %cr3
	movl	P_EFER(%ebx), %eax
	testl	%eax, %eax
	jz	1f
	movl	$MSR_EFER, %ecx
	xorl	%edx, %edx
	wrmsr
1:	movl	P_CR0(%ebx), %eax
	movl	%eax, %cr0
	movl	P_ESP(%ebx), %esp
	xorl	%ebp, %ebp
	pushl	P_ARG(%ebx)
	pushl	$0				/* no return address */
	jmpl	*P_ENTRY(%ebx)
ap_trampoline_end:

	.section .note.GNU-stack, "", @progbits
