/*
 * vmm_entry.S - into the guest, and out of it again by a trap.
 *
 *      void guest_enter(void);
 *
 * Everything a C function must preserve is kept on the stack, whose pointer
 * waits in monitor_esp.  What IRET takes is copied there, too, so that nothing
 * is ever pushed over guest_frame while that is being loaded:
 *
 *      monitor_esp ->  edi  esi  ebx  ebp  return address
 *              below:  ss  esp  eflags  cs  eip
 *
 * vmm_stubs: the way back.  256 stubs make the stack alike (an error code
 * where the processor pushed none, then the vector); trap_common completes a
 * struct trapframe.  From rings 1 and 3 the stack is guest_frame itself, by the
 * TSS's esp0, and guest_enter() returns; from ring 0 it is the monitor's.  So
 * the stack tells who trapped.  stack16.S has the case of a 16-bit stack.
 *
 *      void vmk_interrupt(unsigned vector);                    vmk.c
 *      void vmm_on_exception(const struct trapframe *frame);   guest_enter.c
 *
 * are called for what hits the monitor itself.  The latter returns only if it
 * has found that the guest's state could not be loaded.
 *
 * Where C code runs DS, ES and SS are VMM_SEL_DATA, FS and GS null, and EFLAGS
 * has nothing of the guest's: a world switch can come at any time, and loads
 * just that (world_switch.h).
 */
#include "kernel/x86/regs.h"
#include "vmm/core/guest_enter.h"
#include "vmm/core/vmm_entry_int.h"
#include "vmm/layout.h"

#define VECTOR_DB	1
#define FIRST_INTERRUPT	32
#define EXCEPTIONS_WITH_ERROR 0x00227d00	/* 8 10-14 17 21 */
#define FRAME_SLACK	64

	.text
	.globl	guest_enter, load_registers, guest_load, guest_load_end
guest_enter:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	%esp, monitor_esp
	movl	$0, guest_frame+FRAME_STATE
	pushl	guest_frame+FRAME_SS
	pushl	guest_frame+FRAME_ESP
	pushl	guest_frame+FRAME_EFLAGS
	pushl	guest_frame+FRAME_CS
	pushl	guest_frame+FRAME_EIP
	movzwl	guest_frame+FRAME_SS, %eax	/* to a 16-bit stack? */
	movl	%eax, %edx
	andl	$SELECTOR_SLOT, %eax
	andl	$SELECTOR_TI, %edx
	shll	$SELECTOR_TI_SHIFT, %edx
	testb	$SLOT_DB, VMM_GDT_AT+SLOT_FLAGS(%eax,%edx)
	jz	stack16_take
load_registers:
	movl	guest_frame+FRAME_EAX, %eax
	movl	guest_frame+FRAME_ECX, %ecx
	movl	guest_frame+FRAME_EDX, %edx
	movl	guest_frame+FRAME_EBX, %ebx
	movl	guest_frame+FRAME_EBP, %ebp
	movl	guest_frame+FRAME_ESI, %esi
	movl	guest_frame+FRAME_EDI, %edi
guest_load:
	movw	guest_frame+FRAME_GS, %gs
	movw	guest_frame+FRAME_FS, %fs
	movw	guest_frame+FRAME_ES, %es
	movw	guest_frame+FRAME_DS, %ds	/* last: no data of ours behind */
	iretl
guest_load_end:

	.globl	vmm_stubs
	.balign	VMM_STUB_SIZE
vmm_stubs:
	.set	vector, 0
	.rept	VMM_STUBS
	.balign	VMM_STUB_SIZE
	.if	vector >= FIRST_INTERRUPT
	pushl	$0
	.elseif	((EXCEPTIONS_WITH_ERROR >> vector) & 1) == 0
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushal
	pushl	%gs
	pushl	%fs
	pushl	%es
	pushl	%ds
	movl	$VMM_SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%ss, %edx
	cmpw	%ax, %dx
	jne	stack16_leave
	cmpl	$guest_frame, %esp
	jne	from_elsewhere
	movl	%cr2, %eax
	movl	%eax, guest_frame+FRAME_CR2
leave_guest:
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	monitor_esp, %esp
	pushl	$EFLAGS_FIXED			/* DF, AC, arithmetic flags */
	popfl
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

/*
 * Virtual-8086 mode: four words more, so the frame begins in the slack, and
 * what is in guest_frame is none.  RPL says nothing: CS is not a selector.
 */
from_elsewhere:
	testl	$EFLAGS_VM, FRAME_EFLAGS(%esp)
	jz	from_monitor
	movl	FRAME_VECTOR(%esp), %eax
	movl	%eax, guest_frame+FRAME_VECTOR
	movl	$FRAME_LOST, guest_frame+FRAME_STATE
	jmp	leave_guest

	.globl	from_monitor
from_monitor:
	cld
	cmpl	$FIRST_INTERRUPT, FRAME_VECTOR(%esp)
	jb	exception
	pushl	FRAME_VECTOR(%esp)
	call	vmk_interrupt
	addl	$4, %esp
resume:
	popl	%ds
	popl	%es
	popl	%fs
	popl	%gs
	popal
	addl	$8, %esp			/* vector, error */
	iretl

/*
 * A debug trap at a stub's first instruction has pushed into guest_frame and
 * FRAME_SLACK below; what was there is not filled in yet.
 */
exception:
	cmpl	$VECTOR_DB, FRAME_VECTOR(%esp)
	jne	1f
	movl	FRAME_EIP(%esp), %eax
	subl	$vmm_stubs, %eax
	cmpl	$VMM_STUBS*VMM_STUB_SIZE, %eax
	jb	resume
1:	pushl	%esp
	call	vmm_on_exception
	jmp	leave_guest

/*
 * Tasks, on stacks of their own.  A task switch has set EFLAGS.NT, with which
 * an IRET would be a switch back, and CR0.TS.
 */
	.macro	task_entry name, handler
	.globl	\name
\name:
	pushl	$EFLAGS_FIXED
	popfl
	clts
	xorl	%ebp, %ebp
	call	\handler
	.endm
	task_entry vmm_double_fault_entry, vmm_on_double_fault
	task_entry vmm_nmi_entry, vmm_on_nmi

	.bss
	.balign	64
	.skip	FRAME_SLACK
	.globl	guest_frame
guest_frame:
	.skip	FRAME_SIZE
monitor_esp:
	.skip	4

	.section .note.GNU-stack, "", @progbits
