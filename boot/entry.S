/*
 * entry.S - from the loader to C.
 *
 *      void entry(void);       in:  eax = 0x2BADB002, ebx = multiboot info
 *                              32-bit protected mode, flat, paging off, IF = 0
 *                              (Multiboot specification 0.6.96, 3.2)
 *
 * Runs at its machine address, DIRECT_BASE below where it is linked, until
 * paging is on; M() converts.  Checks that the machine has what nothing here
 * can do without, builds a page directory that shows the first GB both at 0
 * and at DIRECT_BASE, and calls
 *
 *      void kernel_start(uint32_t magic, uint32_t info, uint64_t tsc);
 *
 * A machine that lacks something gets a line on COM1 and on the screen.
 */
#include "kernel/x86/regs.h"

#define DIRECT_BASE      0x40000000
#define M(symbol)        ((symbol) - DIRECT_BASE)

#define MB_HEADER_MAGIC  0x1BADB002
#define MB_LOADER_MAGIC  0x2BADB002
#define MB_PAGE_ALIGN    0x1
#define MB_MEMORY_INFO   0x2
#define MB_FLAGS         (MB_PAGE_ALIGN | MB_MEMORY_INFO)

#define CPUID_1_EDX_TSC  0x00000010
#define CPUID_1_EDX_PAE  0x00000040
#define CPUID_1_EDX_CX8  0x00000100
#define CPUID_1_EDX_CMOV 0x00008000

#define PDE_LARGE_RW     0x83           /* PTE_P | PTE_RW | PTE_PS */
#define PDPTE_P          0x01
#define BOOT_STACK_SIZE  0x4000

#define COM1             0x3f8
#define COM1_LCR         (COM1 + 3)
#define COM1_LSR         (COM1 + 5)
#define LCR_8N1          0x03
#define LCR_DLAB         0x80
#define LSR_THRE         0x20
#define VGA_TEXT         0xb8000
#define VGA_WHITE        0x0f

	.section .multiboot, "ax"
	.balign 4
	.long	MB_HEADER_MAGIC
	.long	MB_FLAGS
	.long	-(MB_HEADER_MAGIC + MB_FLAGS)

/* Fail with the message unless the zero flag is clear (the bit was there). */
.macro REQUIRE message
	movl	$M(\message), %esi
	jz	boot_fail
.endm

	.text
	.globl	entry
entry:
	cld
	movl	$M(boot_stack_top), %esp
	movl	%eax, %ebp			/* magic, until C */
	cmpl	$MB_LOADER_MAGIC, %eax
	movl	$M(msg_multiboot), %esi
	jne	boot_fail

	/* CPUID exists where the ID flag can be toggled (SDM 1, 20.1.2). */
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$EFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	xorl	%ecx, %eax
	testl	$EFLAGS_ID, %eax
	REQUIRE	msg_cpuid

	movl	%ebx, %edi			/* CPUID clobbers ebx */
	movl	$1, %eax
	cpuid
	movl	%edi, %ebx
	testl	$CPUID_1_EDX_TSC, %edx
	REQUIRE	msg_tsc
	testl	$CPUID_1_EDX_PAE, %edx
	REQUIRE	msg_pae
	testl	$CPUID_1_EDX_CX8, %edx
	REQUIRE	msg_cx8
	testl	$CPUID_1_EDX_CMOV, %edx
	REQUIRE	msg_cmov

	/* The time stamp at entry: all times are counted from it. */
	rdtsc
	movl	%eax, M(entry_tsc)
	movl	%edx, M(entry_tsc) + 4

	/* 512 large pages: machine 0 .. 1 GB. */
	movl	$M(boot_pd), %edi
	movl	$PDE_LARGE_RW, %eax
	movl	$512, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	1b
	movl	$(M(boot_pd) + PDPTE_P), M(boot_pdpt)
	movl	$(M(boot_pd) + PDPTE_P), M(boot_pdpt) + 8

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$M(boot_pdpt), %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	andl	$~(CR0_CD | CR0_NW), %eax
	orl	$(CR0_PG | CR0_WP | CR0_NE), %eax
	movl	%eax, %cr0

	movl	$1f, %eax			/* leave the identity mapping */
	jmp	*%eax
1:	movl	$boot_stack_top, %esp
	movl	%ebp, %eax
	xorl	%ebp, %ebp			/* end of every backtrace */
	pushl	entry_tsc + 4
	pushl	entry_tsc
	pushl	%ebx
	pushl	%eax
	call	kernel_start		/* does not return */

/*
 * boot_fail: in esi = machine address of a message ending in NUL.  Prints it
 * on COM1 (115200 8N1, if there is a UART) and on the VGA text screen; halts.
 */
boot_fail:
	movw	$COM1_LCR, %dx
	movb	$LCR_DLAB, %al
	outb	%al, %dx
	movw	$COM1, %dx
	movb	$1, %al				/* divisor 1: 115200 */
	outb	%al, %dx
	incw	%dx
	xorb	%al, %al
	outb	%al, %dx
	movw	$COM1_LCR, %dx
	movb	$LCR_8N1, %al
	outb	%al, %dx
	movl	$VGA_TEXT, %edi
1:	lodsb
	testb	%al, %al
	jz	3f
	movb	$VGA_WHITE, %ah
	stosw
	movb	%al, %ah
	movl	$0x10000, %ecx			/* a dead UART must not hang us */
2:	movw	$COM1_LSR, %dx
	inb	%dx, %al
	testb	$LSR_THRE, %al
	loopz	2b
	movb	%ah, %al
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	1b
3:	cli
	hlt
	jmp	3b

	.section .rodata
msg_multiboot:
	.asciz	"Socle: not started by a Multiboot loader; use GRUB's 'multiboot' or QEMU's -kernel.\r\n"
msg_cpuid:
	.asciz	"Socle: this CPU has no CPUID; a Pentium Pro or newer with PAE is required.\r\n"
msg_tsc:
	.asciz	"Socle: this CPU has no time stamp counter (TSC), which is required.\r\n"
msg_pae:
	.asciz	"Socle: this CPU has no Physical Address Extension (PAE), which is required.\r\n"
msg_cx8:
	.asciz	"Socle: this CPU has no CMPXCHG8B, which is required.\r\n"
msg_cmov:
	.asciz	"Socle: this CPU has no CMOV, which is required.\r\n"

	.section .boot_stack, "aw", @progbits
	.balign	4096
	.globl	boot_stack, boot_stack_top
boot_stack:
	.skip	BOOT_STACK_SIZE
boot_stack_top:

	.bss
	.balign	4096
boot_pd:
	.skip	4096
	.balign	32
boot_pdpt:
	.skip	32
	.balign	8
entry_tsc:
	.skip	8

	.section .note.GNU-stack, "", @progbits
