/*
 * stack16.S - to a guest with a 16-bit stack, with all of its ESP.
 *
 * An IRET to a stack segment of 16 bits loads SP and no more (SDM 2A, IRET: the
 * size of the new stack); the upper half of ESP stays what it was at CPL 0.
 * That it be the guest's, and not the monitor's, guest_enter() goes over to
 * another name of the same stack for its last instructions:
 *
 *      SS   VMM_SEL_STACK16, flat but for its base
 *      ESP  bits 31:16 of the guest's, bits 15:0 of the monitor's
 *
 * so the base is a multiple of 64 KB, whatever the guest's ESP is, and linear
 * addresses wrap.  The stack is less than 64 KB, so IRET's pops carry nothing
 * into the upper half.
 *
 * Interrupts are masked meanwhile; NMI, #MC and #DF are tasks with stacks of
 * their own.  What can be pushed there is a refusal of what is being loaded: it
 * arrives with this SS and an ESP that may look like guest_frame, so that SS is
 * asked first, and then the stack has its old name again.  C never sees it.
 *
 *      stack16_take    from guest_enter(), back to load_registers; IRET's words
 *                      are on the stack.  Clobbers EAX, ECX, EDX.
 *      stack16_leave   from trap_common, on to from_monitor; EAX is
 *                      VMM_SEL_DATA, a struct trapframe on the stack.
 *                      Clobbers EDX.
 */
#include "vmm/core/guest_enter.h"
#include "vmm/core/vmm_entry_int.h"
#include "vmm/layout.h"

#define STACK16		(VMM_GDT_AT + VMM_SEL_STACK16)
#define UPPER_HALF	0xffff0000
#define STACK_HIGH	(VMM_STACK_AT & UPPER_HALF)

#if STACK_HIGH != ((VMM_STACK_TOP - 1) & UPPER_HALF)
#error "the stack has one upper half"
#endif

	.text
	.globl	stack16_take, stack16_leave
stack16_take:
	movl	guest_frame+FRAME_ESP, %ecx
	andl	$UPPER_HALF, %ecx
	movzwl	%sp, %edx
	orl	%ecx, %edx
	movl	%esp, %eax
	subl	%ecx, %eax
	shrl	$16, %eax
	movb	%al, STACK16+SLOT_BASE_MID
	movb	%ah, STACK16+SLOT_BASE_HIGH
	movl	$VMM_SEL_STACK16, %eax
	movl	%eax, %ss
	movl	%edx, %esp
	jmp	load_registers

stack16_leave:
	movzwl	%sp, %edx
	orl	$STACK_HIGH, %edx
	movl	%eax, %ss
	movl	%edx, %esp
	jmp	from_monitor

	.section .note.GNU-stack, "", @progbits
