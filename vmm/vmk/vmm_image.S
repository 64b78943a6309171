/*
 * vmm_image.S - the monitor's program as data of the VMkernel's.
 *
 *      extern const uint8_t vmm_image_start[], vmm_image_end[];
 *
 * An ELF file that begins on a page, so that its segments do, too: the page
 * tables of all monitors show text and rodata from here.
 */
	.section .rodata.vmm_image, "a"
	.globl	vmm_image_start, vmm_image_end
	.balign	4096
vmm_image_start:
	.incbin	"vmm_image.elf"
vmm_image_end:

	.section .note.GNU-stack, "", @progbits
