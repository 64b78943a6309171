/*
 * enter.S - from C to code under test and back, by signals both ways.
 *
 * machine_enter(m) saves what a C function must preserve and traps on purpose:
 * the signal handler (machine.c) puts m's registers into the signal's frame,
 * and returning from the signal loads all of them at once, segments and TF
 * included.  The next signal's handler takes them out again and continues at
 * machine_return, with the registers of machine_trap's time.
 *
 *      stack meanwhile:   ebp ebx esi edi return-address m
 *
 * machine_enter(struct machine *m): C's convention.
 * machine_exit: where translated code leaves to; traps.
 * machine_signal(number, info, context): a signal handler; the C library's %gs
 * must be loaded before any C code runs.
 */
        .set    MACHINE_EFLAGS, 548
        .set    FLAGS_NOT_IN_SIGNALS, 0x204000

        .data
        .balign 4
        .globl  machine_host_gs
machine_host_gs: .long 0
mxcsr_default:  .long 0x1f80

        .text
        .globl  machine_enter, machine_trap, machine_return
machine_enter:
        push    %ebp
        push    %ebx
        push    %esi
        push    %edi
        mov     20(%esp), %eax
        fxrstor (%eax)
        pushl   MACHINE_EFLAGS(%eax)    /* NT and ID: no signal sets them */
        andl    $FLAGS_NOT_IN_SIGNALS, (%esp)
        popf
machine_trap:
        ud2
machine_return:
        mov     20(%esp), %eax
        fxsave  (%eax)
        fninit
        ldmxcsr mxcsr_default
        pop     %edi
        pop     %esi
        pop     %ebx
        pop     %ebp
        ret

        .globl  machine_exit
machine_exit:
        ud2

        .globl  machine_signal
machine_signal:
        cld
        mov     machine_host_gs, %gs
        jmp     machine_handle

        .section .note.GNU-stack, "", @progbits
