/*
 * exceptions.c - each exception: its vector, error code, and the EIP that is
 * saved, of the instruction (fault) or behind it (trap).
 *
 * SDM 3A table 6-1 and section 6.15, vector by vector; 6.13 for error codes,
 * table 6-5 for double faults; SDM 2 for who raises what.  Page faults, machine
 * checks and invalid TSSs are other topics.
 */
#include "guest/guest.h"

#define ERROR_IDT       BIT(1)          /* the error code names a gate */
#define ERROR_OF_GATE(v) ((v) << 3 | ERROR_IDT)
#define CR4_SSE         (CR4_OSFXSR | CR4_OSXMMEXCPT)
#define GDT_ABSENT      GDT_FREE        /* a data segment, not present */
#define GDT_SMALL       (GDT_FREE + 1)  /* for ring 3, 4 KB */
#define SMALL_LIMIT     0xfffu
#define VEC_ABSENT      0x50            /* its gate is not present */
#define SEL_BEYOND      0x7fb8

struct exception_case {
    const char *name;
    const struct snippet *snippet;
    unsigned ring, vector;
    uint32_t error, cr0, flags;
    bool is_trap, is_rough;
};

SNIPPET(divide, "xor %ecx, %ecx", "divl %ecx", "");
SNIPPET(divide_large, "mov $1, %edx; mov $1, %ecx", "divl %ecx", "");
SNIPPET(divide_minus, "mov $0x80000000, %eax; cdq; mov $-1, %ecx",
        "idivl %ecx", "");
SNIPPET(divide_byte, "mov $0x1000, %ax; mov $0x10, %cl", "divb %cl", "");
SNIPPET(aam_zero, "", ".byte 0xd4, 0", "");
SNIPPET(icebp, "", ".byte 0xf1", "");
SNIPPET(step, "", "nop", "nop");
SNIPPET(breakpoint, "", "int3", "");
SNIPPET(breakpoint_int, "", ".byte 0xcd, 3", "");
SNIPPET(overflow, "mov $0x7f, %al; inc %al", "into", "");
SNIPPET(no_overflow, "xor %al, %al; into", "nop", "");
SNIPPET(bound_low, "mov $-1, %eax; push $10; push $0", "bound %eax, (%esp)",
        "");
SNIPPET(bound_high, "mov $11, %eax; push $10; push $0", "bound %eax, (%esp)",
        "");
SNIPPET(bound_edge, "mov $10, %eax; push $10; push $0; bound %eax, (%esp)",
        "nop", "");
SNIPPET(ud2, "", "ud2", "");
SNIPPET(lock_nop, "", ".byte 0xf0, 0x90", "");
SNIPPET(lock_mov, "", ".byte 0xf0, 0x89, 0x04, 0x24", "");
SNIPPET(lock_register, "", ".byte 0xf0, 0xff, 0xc0", "");
SNIPPET(mov_to_cs, "mov %cs, %eax", ".byte 0x8e, 0xc8", "");
SNIPPET(lea_register, "", ".byte 0x8d, 0xc0", "");
SNIPPET(seg_six, "", ".byte 0x8e, 0xf0", "");
SNIPPET(bound_register, "", ".byte 0x62, 0xc0", "");
SNIPPET(mov_cr1, "", ".byte 0x0f, 0x20, 0xc8", "");
SNIPPET(fnop, "", "fnop", "");
SNIPPET(wait_user, "", "fwait", "");
SNIPPET(sse, "", "xorps %xmm0, %xmm0", "");
SNIPPET(load_absent, "mov $6 * 8, %eax", "mov %eax, %es", "");
SNIPPET(stack_absent, "mov $6 * 8, %eax", "mov %eax, %ss", "");
SNIPPET(int_absent, "", "int $0x50", "");
SNIPPET(stack_limit, "mov $7 * 8 + 3, %eax; mov %eax, %ss; mov $0, %esp",
        "push %eax", "");
SNIPPET(frame_limit, "mov $7 * 8 + 3, %eax; mov %eax, %ss; mov $0x1000, %ebp",
        "mov (%ebp), %eax", "");
SNIPPET(int_privilege, "", "int $14", "");
SNIPPET(hlt_user, "", "hlt", "");
SNIPPET(cli_user, "", "cli", "");
SNIPPET(sti_user, "", "sti", "");
SNIPPET(in_user, "", "in $0x80, %al", "");
SNIPPET(outs_user, "mov $0x80, %edx; mov $0x100000, %esi", "outsb", "");
SNIPPET(mov_cr0_user, "", "mov %cr0, %eax", "");
SNIPPET(mov_dr7_user, "", "mov %dr7, %eax", "");
SNIPPET(clts_user, "", "clts", "");
SNIPPET(lgdt_user, "", "lgdt (%esp)", "");
SNIPPET(ltr_user, "", "ltr %ax", "");
SNIPPET(wbinvd_user, "", "wbinvd", "");
SNIPPET(invlpg_user, "", "invlpg (%esp)", "");
SNIPPET(rdmsr_user, "mov $0x174, %ecx", "rdmsr", "");
SNIPPET(rdmsr_unknown, "mov $0x12345678, %ecx", "rdmsr", "");
SNIPPET(wrmsr_unknown, "mov $0x12345678, %ecx", "wrmsr", "");
SNIPPET(beyond, "mov $0x7fb8, %eax", "mov %eax, %es", "");
SNIPPET(null_stack, "xor %eax, %eax", "mov %eax, %ss", "");
SNIPPET(null_use, "xor %eax, %eax; mov %eax, %es", "mov %es:(%esp), %eax", "");
SNIPPET(inner_data, "mov $0x10, %eax", "mov %eax, %es", "");
SNIPPET(write_code, "", "mov %eax, %cs:(%esp)", "");
SNIPPET(tss_as_data, "mov $5 * 8, %eax", "mov %eax, %es", "");
SNIPPET(far_null, "", "ljmp $0, $0x100000", "");
SNIPPET(far_data, "", "ljmp $0x10, $0x100000", "");
SNIPPET(busy_tss, "mov $5 * 8, %eax", "ltr %ax", "");
SNIPPET(too_long, "", ".fill 15, 1, 0x66; nop", "");
SNIPPET(pg_without_pe, "mov $0x80000010, %eax", "mov %eax, %cr0", "");
SNIPPET(nw_without_cd, "mov $0x20000011, %eax", "mov %eax, %cr0", "");
SNIPPET(misaligned, "sub $16, %esp", "mov 1(%esp), %eax", "");
SNIPPET(misaligned_word, "sub $16, %esp", "incw 3(%esp)", "");
SNIPPET(aligned_byte, "sub $16, %esp; mov 1(%esp), %al", "nop", "");
SNIPPET(float_zero, "fninit; push $0x37b; fldcw (%esp); fld1; fldz; "
        "fdivrp %st, %st(1)", "fwait", "");
SNIPPET(sse_zero, "push $0x1d80; ldmxcsr (%esp); xorps %xmm0, %xmm0; "
        "mov $0x3f800000, %eax; movd %eax, %xmm1", "divss %xmm0, %xmm1", "");

static const struct exception_case cases[] = {
    { "#DE division by zero", &divide, 3, VEC_DE },
    { "#DE quotient too large", &divide_large, 3, VEC_DE },
    { "#DE most negative by -1", &divide_minus, 3, VEC_DE },
    { "#DE byte quotient of 100h", &divide_byte, 3, VEC_DE },
    { "#DE AAM 0", &aam_zero, 3, VEC_DE },
    { "#DE in ring 0", &divide, 0, VEC_DE },
    { "#DB INT1 from ring 3", &icebp, 3, VEC_DB, .is_trap = true },
    { "#DB single step", &step, 3, VEC_DB, .flags = EFLAGS_TF,
      .is_trap = true },
    { "#DB single step in ring 0", &step, 0, VEC_DB, .flags = EFLAGS_TF,
      .is_trap = true },
    { "#BP INT3", &breakpoint, 3, VEC_BP, .is_trap = true },
    { "#BP INT 3", &breakpoint_int, 3, VEC_BP, .is_trap = true },
    { "#OF INTO", &overflow, 3, VEC_OF, .is_trap = true },
    { "no #OF without OF", &no_overflow, 3, VEC_DONE },
    { "#BR below", &bound_low, 3, VEC_BR },
    { "#BR above", &bound_high, 3, VEC_BR },
    { "no #BR at the bound", &bound_edge, 3, VEC_DONE },
    { "#UD UD2", &ud2, 3, VEC_UD },
    { "#UD LOCK NOP", &lock_nop, 0, VEC_UD },
    { "#UD LOCK MOV", &lock_mov, 0, VEC_UD },
    { "#UD LOCK with a register", &lock_register, 0, VEC_UD },
    { "#UD MOV CS", &mov_to_cs, 0, VEC_UD },
    { "#UD LEA of a register", &lea_register, 3, VEC_UD },
    { "#UD a seventh segment register", &seg_six, 3, VEC_UD },
    { "#UD BOUND of a register", &bound_register, 3, VEC_UD },
    { "#UD MOV from CR1", &mov_cr1, 0, VEC_UD },
    { "#UD SSE without CR4.OSFXSR", &sse, 3, VEC_UD },
    { "#NM x87 with CR0.TS", &fnop, 3, VEC_NM, .cr0 = CR0_TS },
    { "#NM x87 with CR0.EM", &fnop, 3, VEC_NM, .cr0 = CR0_EM },
    { "#NM WAIT with CR0.TS and MP", &wait_user, 3, VEC_NM,
      .cr0 = CR0_TS | CR0_MP },
    { "no #NM for WAIT with CR0.TS alone", &wait_user, 3, VEC_DONE,
      .cr0 = CR0_TS },
    { "#NP data segment", &load_absent, 0, VEC_NP, GDT_ABSENT << 3 },
    { "#NP gate", &int_absent, 0, VEC_NP, ERROR_OF_GATE(VEC_ABSENT) },
    { "#SS not present", &stack_absent, 0, VEC_SS, GDT_ABSENT << 3 },
    { "#SS beyond the limit by PUSH", &stack_limit, 3, VEC_SS },
    { "#SS beyond the limit by EBP", &frame_limit, 3, VEC_SS },
    { "#GP INT of a gate of DPL 0", &int_privilege, 3, VEC_GP,
      ERROR_OF_GATE(VEC_PF) },
    { "#GP HLT", &hlt_user, 3, VEC_GP },
    { "#GP CLI", &cli_user, 3, VEC_GP },
    { "#GP STI", &sti_user, 3, VEC_GP },
    { "#GP IN", &in_user, 3, VEC_GP },
    { "#GP OUTS", &outs_user, 3, VEC_GP },
    { "#GP MOV CR0", &mov_cr0_user, 3, VEC_GP },
    { "#GP MOV DR7", &mov_dr7_user, 3, VEC_GP },
    { "#GP CLTS", &clts_user, 3, VEC_GP },
    { "#GP LGDT", &lgdt_user, 3, VEC_GP },
    { "#GP LTR", &ltr_user, 3, VEC_GP },
    { "#GP WBINVD", &wbinvd_user, 3, VEC_GP },
    { "#GP INVLPG", &invlpg_user, 3, VEC_GP },
    { "#GP RDMSR", &rdmsr_user, 3, VEC_GP },
    { "#GP RDMSR of an unknown one", &rdmsr_unknown, 0, VEC_GP },
    { "#GP WRMSR of an unknown one", &wrmsr_unknown, 0, VEC_GP },
    { "#GP beyond the GDT", &beyond, 0, VEC_GP, SEL_BEYOND },
    { "#GP null in SS", &null_stack, 0, VEC_GP },
    { "#GP null used", &null_use, 0, VEC_GP },
    { "#GP data of ring 0 in ring 3", &inner_data, 3, VEC_GP, SEL_DATA0 },
    { "#GP write to code", &write_code, 0, VEC_GP },
    { "#GP TSS as data", &tss_as_data, 0, VEC_GP, GDT_TSS << 3 },
    { "#GP far JMP to null", &far_null, 0, VEC_GP },
    { "#GP far JMP to data", &far_data, 0, VEC_GP, SEL_DATA0 },
    { "#GP LTR of a busy TSS", &busy_tss, 0, VEC_GP, GDT_TSS << 3 },
    { "#GP sixteen bytes", &too_long, 0, VEC_GP },
    { "#GP CR0.PG without PE", &pg_without_pe, 0, VEC_GP,
      .is_rough = true },
    { "#GP CR0.NW without CD", &nw_without_cd, 0, VEC_GP },
    { "#MF at the next WAIT", &float_zero, 3, VEC_MF },
    { "#AC doubleword", &misaligned, 3, VEC_AC, .cr0 = CR0_AM,
      .flags = EFLAGS_AC },
    { "#AC word across doublewords", &misaligned_word, 3, VEC_AC,
      .cr0 = CR0_AM, .flags = EFLAGS_AC },
    { "no #AC for a byte", &aligned_byte, 3, VEC_DONE, .cr0 = CR0_AM,
      .flags = EFLAGS_AC },
    { "no #AC without CR0.AM", &misaligned, 3, VEC_DONE, .flags = EFLAGS_AC },
    { "no #AC without EFLAGS.AC", &misaligned, 3, VEC_DONE, .cr0 = CR0_AM },
    { "no #AC in ring 0", &misaligned, 0, VEC_DONE, .cr0 = CR0_AM,
      .flags = EFLAGS_AC },
};

static void
run_case(const struct exception_case *e)
{
    const struct snippet *s = e->snippet;
    const char *eip = e->is_trap ? s->next : s->at;
    struct context c;

    if (e->is_rough && machine_is_gentle()) {
        skip(e->name);
        return;
    }
    context_init(&c, s->start, e->ring);
    c.eflags |= e->flags;
    write_cr0(read_cr0() | e->cr0);
    context_run(&c);
    write_cr0(CR0_PE | CR0_ET | CR0_NE);
    if (e->vector == VEC_DONE)
        eip = (const char *)c.eip;      /* wherever the snippet ends */
    check_trap(e->name, &c, e->vector, e->error, eip);
}

static void
check_sse(void)
{
    struct context c;

    write_cr4(CR4_SSE);
    run_snippet(&c, &sse_zero, 3);
    check_trap("#XM DIVSS by 0", &c, VEC_XM, 0, sse_zero.at);
    write_cr4(CR4_OSFXSR);
    run_snippet(&c, &sse_zero, 3);
    check_trap("#UD DIVSS by 0 without CR4.OSXMMEXCPT", &c, VEC_UD, 0,
               sse_zero.at);
    write_cr0(CR0_PE | CR0_ET | CR0_NE | CR0_TS);
    run_snippet(&c, &sse, 3);
    check_trap("#NM SSE with CR0.TS", &c, VEC_NM, 0, sse.at);
    write_cr0(CR0_PE | CR0_ET | CR0_NE | CR0_EM);
    run_snippet(&c, &sse, 3);
    check_trap("#UD SSE with CR0.EM", &c, VEC_UD, 0, sse.at);
    write_cr0(CR0_PE | CR0_ET | CR0_NE);
    write_cr4(0);
}

/* #NP while #NP is delivered: both contributory, SDM 3A table 6-5. */
static void
check_double_fault(void)
{
    struct context c;

    idt_set(VEC_NP, SYS_INT32, 0)->p = 0;
    run_snippet(&c, &load_absent, 0);
    check("#DF vector", c.vector, VEC_DF);
    check("#DF error code", c.error, 0);
    run_snippet(&c, &int_absent, 3);
    check("#GP by a gate that may not be called comes first", c.vector,
          VEC_GP);
    idt_set(VEC_NP, SYS_INT32, 0);
    idt_set(VEC_UD, SYS_INT32, 0)->p = 0;
    run_snippet(&c, &ud2, 3);
    check_trap("#NP while #UD is delivered", &c, VEC_NP,
               ERROR_OF_GATE(VEC_UD) | 1, ud2.at);
    idt_set(VEC_UD, SYS_INT32, 0)->type = SYS_CALL32;
    run_snippet(&c, &ud2, 3);
    check_trap("#GP while #UD is delivered", &c, VEC_GP,
               ERROR_OF_GATE(VEC_UD) | 1, ud2.at);
    idt_set(VEC_UD, SYS_INT32, 0);
}

/* The image of EFLAGS has RF for faults, not for traps: SDM 3B 17.3.1.1. */
static void
check_resume_flag(void)
{
    struct context c;

    run_snippet(&c, &ud2, 3);
    check("RF in the flags of a fault", c.eflags & EFLAGS_RF, EFLAGS_RF);
    run_snippet(&c, &breakpoint, 3);
    check("no RF in the flags of a trap", c.eflags & EFLAGS_RF, 0);
    run_snippet(&c, &int_privilege, 3);
    check("RF when INT n itself faults", c.eflags & EFLAGS_RF, EFLAGS_RF);
}

TOPIC(exceptions)
{
    struct segdesc *d = gdt_set(GDT_ABSENT, 0, UINT32_MAX, SEG_DATA_W);

    d->p = 0;
    gdt_set(GDT_SMALL, 0x100000, SMALL_LIMIT, SEG_DATA_W)->dpl = 3;
    idt_set(VEC_ABSENT, SYS_INT32, 0)->p = 0;
    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_sse();
    check_double_fault();
    check_resume_flag();
}
