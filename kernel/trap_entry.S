/*
 * trap_entry.S - the first and last instructions of every trap.
 *
 * trap_stubs: 256 stubs of 16 bytes.  Each makes the stack alike (an error
 * code where the CPU pushed none, then the vector) and joins trap_common,
 * which builds struct trapframe (kernel/x86/trapframe.h):
 *
 *      eflags cs eip        by the CPU (ss esp above them from an outer ring)
 *      error  vector        here
 *      eax ecx edx ebx esp ebp esi edi
 *      gs fs es ds          <- %esp, the argument of
 *
 *      void trap_dispatch(struct trapframe *frame);
 *
 * All registers are restored from the frame, so handlers may change them.
 */
#include "kernel/gdt.h"

#define VECTOR_COUNT    256
#define TRAP_STUB_SIZE  16
#define EXCEPTIONS_WITH_ERROR 0x00227d00	/* 8 10-14 17 21 */

	.text
	.globl	trap_stubs
	.balign	TRAP_STUB_SIZE
trap_stubs:
	.set	vector, 0
	.rept	VECTOR_COUNT
	.balign	TRAP_STUB_SIZE
	.if	vector >= 32
	pushl	$0
	.elseif	((EXCEPTIONS_WITH_ERROR >> vector) & 1) == 0
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.balign	16
trap_common:
	pushal
	pushl	%gs
	pushl	%fs
	pushl	%es
	pushl	%ds
	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	$SEL_PERCPU, %eax
	movl	%eax, %gs
	cld
	movl	%esp, %eax
	pushl	56(%esp)			/* a frame for backtraces: eip .. */
	pushl	28(%esp)			/* .. and ebp of the interrupted */
	movl	%esp, %ebp
	pushl	%eax
	call	trap_dispatch
	addl	$12, %esp
	popl	%ds
	popl	%es
	popl	%fs
	popl	%gs
	popal
	addl	$8, %esp			/* vector, error */
	iretl

/*
 * The double fault's task: the CPU has switched stacks and saved the state in
 * this processor's ordinary TSS.  An error code (0) is on the stack.
 */
	.globl	double_fault_entry
double_fault_entry:
	cld
	xorl	%ebp, %ebp
	call	double_fault
1:	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits
