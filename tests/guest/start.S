/*
 * start.S - from the loader to C, into a context, and back at a trap.
 *
 *      void guest_entry(void);     in: Multiboot 0.6.96, 3.2
 *      void context_run(struct context *c);
 *      extern const uint8_t trap_stubs[256][16];
 *      extern uint32_t trap_eflags;
 *
 * A trap leaves this on the stack of the handler, which is a struct context:
 *
 *      esp ->  gs fs es ds                 pushed by trap_common
 *              edi ... eax                 PUSHA
 *              vector, error               pushed by the stub; or by the CPU
 *              eip cs eflags               the CPU
 *              esp ss                      the CPU, from an outer level
 *              es ds fs gs                 the CPU, from virtual-8086 mode
 *
 * It is copied to the context that runs, wherever SS has its base, and
 * context_run() returns on the stack of its caller.
 */
#include "guest/layout.h"
#include "kernel/x86/regs.h"

#define MB_HEADER_MAGIC 0x1BADB002
#define LAR_DB          0x00400000      /* the stack is one of 32 bits */

	.section .multiboot, "ax"
	.balign 4
	.long	MB_HEADER_MAGIC, 0, -MB_HEADER_MAGIC

	.text
	.globl	guest_entry, guest_main
guest_entry:
	movl	$entry_stack + GUEST_STACK, %esp
	pushl	%ebx
	call	guest_main

/*
 * Without a change of level IRET takes only EIP, CS and EFLAGS, from the
 * context's own stack.  GPRs are read through the old DS, so EAX and DS, which
 * are needed for it, come last, from the stack.
 */
	.globl	context_run
context_run:
	pushal
	movl	36(%esp), %eax
	movl	%eax, running
	movl	%esp, resume_esp
	testl	$EFLAGS_VM, CONTEXT_EFLAGS(%eax)
	jnz	enter_v86
	testl	$3, CONTEXT_CS(%eax)
	jnz	enter_outer
	movw	CONTEXT_SS(%eax), %ss
	movl	CONTEXT_ESP(%eax), %esp
	jmp	enter
enter_v86:
	pushl	CONTEXT_V86 + 12(%eax)
	pushl	CONTEXT_V86 + 8(%eax)
	pushl	CONTEXT_V86 + 4(%eax)
	pushl	CONTEXT_V86(%eax)
enter_outer:
	pushl	CONTEXT_SS(%eax)
	pushl	CONTEXT_ESP(%eax)
enter:
	pushl	CONTEXT_EFLAGS(%eax)
	pushl	CONTEXT_CS(%eax)
	pushl	CONTEXT_EIP(%eax)
	movl	CONTEXT_EDI(%eax), %edi
	movl	CONTEXT_ESI(%eax), %esi
	movl	CONTEXT_EBP(%eax), %ebp
	movl	CONTEXT_EBX(%eax), %ebx
	movl	CONTEXT_EDX(%eax), %edx
	movl	CONTEXT_ECX(%eax), %ecx
	movw	CONTEXT_GS(%eax), %gs
	movw	CONTEXT_FS(%eax), %fs
	movw	CONTEXT_ES(%eax), %es
	pushl	CONTEXT_EAX(%eax)
	movw	CONTEXT_DS(%eax), %ds
	popl	%eax
	.globl	context_iret
context_iret:
	iret

/* For gate N: make the stack look as if the CPU had pushed an error code. */
	.globl	trap_stubs
	.balign	STUB_SIZE
trap_stubs:
	.set	vector, 0
	.rept	IDT_ENTRIES
	.if	vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
	.else
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.balign	STUB_SIZE
	.set	vector, vector + 1
	.endr

trap_common:
	pushal
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	movl	$SEL_DATA0, %eax
	movl	%eax, %ds
	movl	%eax, %es
	pushfl
	popl	trap_eflags
	cld
	movl	%esp, %esi
	movl	%ss, %ecx
	larl	%ecx, %ecx
	jnz	0f
	testl	$LAR_DB, %ecx
	jnz	0f
	movzwl	%si, %esi
0:	movl	running, %edi
	testl	%edi, %edi
	jz	stray_trap
	movl	%edi, %ebx
	movl	$WORDS_INNER, %ecx
	testl	$EFLAGS_VM, %ss:CONTEXT_EFLAGS(%esi)
	jz	1f
	movl	$CONTEXT_WORDS, %ecx
1:	testl	$3, %ss:CONTEXT_CS(%esi)
	jz	2f
	cmpl	$WORDS_OUTER, %ecx
	ja	2f
	movl	$WORDS_OUTER, %ecx
2:	movl	%ecx, %edx
	rep movsl %ss:(%esi), %es:(%edi)
	cmpl	$WORDS_INNER, %edx
	jne	3f
	movl	%esi, CONTEXT_ESP(%ebx)
	movl	%ss, %ecx
	movl	%ecx, CONTEXT_SS(%ebx)
3:	movl	$0, running
	movl	%eax, %ss
	movl	resume_esp, %esp
	movl	%eax, %fs
	movl	%eax, %gs
	pushl	$EFLAGS_FIXED
	popfl
	popal
	ret

/* Nobody runs a context: a bug of the test program, or of the machine. */
	.globl	guest_stray_trap
stray_trap:
	movl	%eax, %ss
	movl	$entry_stack + GUEST_STACK, %esp
	pushl	%esi
	call	guest_stray_trap

	.bss
	.globl	trap_eflags
	.balign	16
entry_stack:
	.skip	GUEST_STACK
running:
	.skip	4
resume_esp:
	.skip	4
trap_eflags:
	.skip	4
