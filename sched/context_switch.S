/*
 * context_switch.S - from one stack to another.
 *
 *      void context_switch(uint32_t *save_esp, uint32_t new_esp);
 *
 * Saves what a C function must preserve on the old stack, its %esp at
 * *SAVE_ESP, and returns on the new one.  A world's saved stack, low to high:
 *
 *      edi  esi  ebx  ebp  return address
 */
	.text
	.globl	context_switch
context_switch:
	movl	4(%esp), %eax
	movl	8(%esp), %edx
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	%esp, (%eax)
	movl	%edx, %esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

	.section .note.GNU-stack, "", @progbits
