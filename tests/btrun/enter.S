/*
 * enter.S - from btrun's C code to translated code and back.
 *
 * enter_guest(at) saves what a C function must preserve, loads the guest's
 * registers and jumps to AT; translated code comes back to leave_guest, with
 * all registers the guest's, and enter_guest returns.
 *
 *      host stack while the guest runs:   ebp ebx esi edi return-address at
 *
 * %gs is the C library's in btrun and the guest's own in the guest.
 */
        .set    GUEST_EIP, 32
        .set    GUEST_EFLAGS, 36
        .set    GUEST_GS, 40
        .set    GUEST_FPU, 48

        .data
        .balign 4
host_esp:       .long 0
enter_at:       .long 0
        .globl  host_gs, host_vsyscall
host_gs:        .long 0
host_vsyscall:  .long 0

        .text
        .globl  enter_guest
enter_guest:
        push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     20(%esp), %eax
        mov     %eax, enter_at
        mov     %esp, host_esp
        fxrstor guest+GUEST_FPU
        mov     %gs, host_gs
        mov     guest+GUEST_GS, %gs
        pushl   guest+GUEST_EFLAGS
        popf
        mov     guest+0, %eax
        mov     guest+4, %ecx
        mov     guest+8, %edx
        mov     guest+12, %ebx
        mov     guest+16, %esp
        mov     guest+20, %ebp
        mov     guest+24, %esi
        mov     guest+28, %edi
        jmp     *enter_at

        .globl  leave_guest
leave_guest:
        mov     %eax, guest+0
        mov     %ecx, guest+4
        mov     %edx, guest+8
        mov     %ebx, guest+12
        mov     %esp, guest+16
        mov     %ebp, guest+20
        mov     %esi, guest+24
        mov     %edi, guest+28
        mov     host_esp, %esp
        pushf
        popl    guest+GUEST_EFLAGS
        cld
        mov     %gs, guest+GUEST_GS
        mov     host_gs, %gs
        fxsave  guest+GUEST_FPU
        pop     %edi
        pop     %esi
        pop     %ebx
        pop     %ebp
        ret

/* signal_entry(number, info, context): the guest's %gs may be loaded. */
        .globl  signal_entry
signal_entry:
        cld
        mov     host_gs, %gs
        jmp     traps_handle

/* uint32_t host_syscall(args): EAX EBX ECX EDX ESI EDI EBP; C's by the ABI. */
        .globl  host_syscall
host_syscall:
        push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     20(%esp), %eax
        mov     4(%eax), %ebx
        mov     8(%eax), %ecx
        mov     12(%eax), %edx
        mov     16(%eax), %esi
        mov     20(%eax), %edi
        mov     24(%eax), %ebp
        mov     (%eax), %eax
        call    *host_vsyscall
        pop     %edi
        pop     %esi
        pop     %ebx
        pop     %ebp
        ret
        .section .note.GNU-stack, "", @progbits
