/*
 * start.S - from the loader to C, and onto the monitor's stack.
 *
 *      void bare_init(const uint32_t *info);       on a stack in low memory
 *      void bare_main(void);                       at VMM_STACK_TOP
 *
 * In: Multiboot 0.6.96, 3.2.  The stack that guest_enter() and the tests use is
 * the one with a guard page below.
 */
#include "vmm/layout.h"

#define MB_HEADER_MAGIC 0x1BADB002
#define BOOT_STACK	4096

	.section .multiboot, "ax"
	.balign 4
	.long	MB_HEADER_MAGIC, 0, -MB_HEADER_MAGIC

	.text
	.globl	guest_entry
guest_entry:
	cld
	movl	$boot_stack + BOOT_STACK, %esp
	pushl	%ebx
	call	bare_init
	movl	$VMM_STACK_TOP, %esp
	xorl	%ebp, %ebp
	call	bare_main
1:	hlt
	jmp	1b

	.bss
	.balign	16
boot_stack:
	.skip	BOOT_STACK

	.section .note.GNU-stack, "", @progbits
