/*
 * flags.c - who may change which bit of EFLAGS.
 *
 * Each case enters its ring with some flags, runs one instruction that loads
 * EBX into them (POPF, IRET, STI ...), reads them back by PUSHF, and compares.
 * SDM 2 "POPF", "PUSHF", "IRET", "CLI", "STI"; SDM 3A 2.3, 6.8.1; what a gate
 * does to them: 6.12.1.3, 17.3.1.1.
 */
#include "guest/guest.h"

#define FLAGS_ARITH     (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_OF)
/* What POPF may always change, but for TF. */
#define FLAGS_FREE      (FLAGS_ARITH | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | \
                         EFLAGS_ID)
#define FLAGS_ALL       (UINT32_MAX & ~(EFLAGS_TF | EFLAGS_VM | EFLAGS_VIF | \
                                        0x00100000u))
#define LOW_WORD        0xffffu

struct flags_case {
    const char *name;
    const struct snippet *snippet;
    unsigned ring;
    uint32_t before;
    uint32_t loaded;
    uint32_t after;         /* without the bit that is always set */
};

/* What PUSHF finds goes to ECX; flags that would disturb us are taken back. */
#define READ_FLAGS      "pushfl; pop %ecx; push $2; popfl"

SNIPPET(popf, "push %ebx", "popfl", READ_FLAGS);
SNIPPET(popf_word, "push %ebx", "popfw", READ_FLAGS);
SNIPPET(iret_flags, "push %ebx; push %cs; push $iret_flags_next", "iretl",
        READ_FLAGS);
SNIPPET(cli_flags, "", "cli", READ_FLAGS);
SNIPPET(sti_flags, "", "sti", READ_FLAGS);
SNIPPET(sahf_flags, "mov %ebx, %eax", "sahf", READ_FLAGS);
SNIPPET(std_flags, "", "std", READ_FLAGS);
SNIPPET(lahf_flags, "mov $0, %eax; push %ebx; popfl", "lahf", "");
SNIPPET(pushf_word, "push $-1; push $-1", "pushfw", "pop %cx; pop %dx");
/* Its operand on the stack differs from EDX:EAX in nothing. */
SNIPPET(cmpxchg8b_flags, "push %edx; push %edx; push $2; popfl; jmp 1f; "
        "1: add %ebx, %edx; mov (%esp), %eax; mov %eax, %edx",
        "cmpxchg8b (%esp)", READ_FLAGS);
SNIPPET(just_end, "", "nop", "");

static const struct flags_case cases[] = {
    { "POPF in ring 0 loads all but RF", &popf, 0, 0, FLAGS_ALL,
      FLAGS_FREE | EFLAGS_IF | EFLAGS_IOPL },
    { "POPF in ring 0 clears all", &popf, 0,
      FLAGS_FREE | EFLAGS_IOPL, 0, 0 },
    { "POPF in ring 3 leaves IF and IOPL", &popf, 3, 0, FLAGS_ALL,
      FLAGS_FREE },
    { "POPF in ring 3 leaves IF set", &popf, 3, EFLAGS_IF, 0, EFLAGS_IF },
    { "POPF in ring 3 with IOPL 3 loads IF", &popf, 3, EFLAGS_IOPL,
      FLAGS_ALL, FLAGS_FREE | EFLAGS_IF | EFLAGS_IOPL },
    { "POPF in ring 3 with IOPL 3 leaves IOPL", &popf, 3,
      EFLAGS_IOPL | EFLAGS_IF, 0, EFLAGS_IOPL },
    { "POPF in ring 3 with IOPL 2 leaves IF", &popf, 3, 0x2000, EFLAGS_IF,
      0x2000 },
    { "POPF of a word leaves the upper half", &popf_word, 0,
      EFLAGS_AC | EFLAGS_ID, LOW_WORD & ~EFLAGS_TF,
      (FLAGS_FREE & LOW_WORD) | EFLAGS_IF | EFLAGS_IOPL | EFLAGS_AC |
      EFLAGS_ID },
    { "IRET in ring 3 loads what POPF does", &iret_flags, 3, 0, FLAGS_ALL,
      FLAGS_FREE },
    { "IRET in ring 3 leaves IF set", &iret_flags, 3, EFLAGS_IF, 0,
      EFLAGS_IF },
    { "IRET in ring 0 loads IF and IOPL", &iret_flags, 0, 0, FLAGS_ALL,
      FLAGS_FREE | EFLAGS_IF | EFLAGS_IOPL },
    { "CLI in ring 0", &cli_flags, 0, EFLAGS_IF, 0, 0 },
    { "STI in ring 0", &sti_flags, 0, 0, 0, EFLAGS_IF },
    { "CLI in ring 3 with IOPL 3", &cli_flags, 3, EFLAGS_IOPL | EFLAGS_IF, 0,
      EFLAGS_IOPL },
    { "STI in ring 3 with IOPL 3", &sti_flags, 3, EFLAGS_IOPL, 0,
      EFLAGS_IOPL | EFLAGS_IF },
    { "SAHF loads five flags", &sahf_flags, 3, EFLAGS_OF, 0xff00,
      EFLAGS_OF | (FLAGS_ARITH & UINT8_MAX) },
    { "CMPXCHG8B sets ZF and leaves what ADD made", &cmpxchg8b_flags, 0, 0,
      EFLAGS_DF, EFLAGS_ZF | EFLAGS_PF },
    { "STD", &std_flags, 3, 0, 0, EFLAGS_DF },
};

static void
run_case(const struct flags_case *f)
{
    struct context c;

    context_init(&c, f->snippet->start, f->ring);
    c.eflags = EFLAGS_FIXED | f->before;
    c.ebx = f->loaded;
    context_run(&c);
    if (c.vector != VEC_DONE)
        check_trap(f->name, &c, VEC_DONE, 0, f->snippet->next);
    else
        check(f->name, c.ecx, f->after | EFLAGS_FIXED);
}

static void
check_images(void)
{
    struct context c;

    context_init(&c, lahf_flags.start, 3);
    c.ebx = FLAGS_ARITH;
    context_run(&c);
    check("LAHF's bits 1, 3 and 5", c.eax,
          ((FLAGS_ARITH & UINT8_MAX) | EFLAGS_FIXED) << 8);
    context_init(&c, pushf_word.start, 3);
    c.eflags |= EFLAGS_NT | EFLAGS_AC;
    context_run(&c);
    check("PUSHF of a word", c.ecx & LOW_WORD,
          EFLAGS_NT | EFLAGS_IF | EFLAGS_FIXED);
    check("PUSHF of a word writes a word", c.edx & LOW_WORD, LOW_WORD);
}

/* The flags that a handler starts with, and those it finds on its stack. */
static void
check_gate(const char *const name[2], unsigned type, uint32_t expected)
{
    uint32_t flags = EFLAGS_IF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_AC |
                     EFLAGS_CF | EFLAGS_DF;
    struct context c;

    idt_set(VEC_DONE, type, 3);
    context_init(&c, just_end.start, 3);
    c.eflags = EFLAGS_FIXED | flags;
    context_run(&c);
    check(name[0], trap_eflags, expected | EFLAGS_FIXED);
    check(name[1], c.eflags, flags | EFLAGS_FIXED);
    idt_set(VEC_DONE, SYS_INT32, 3);
}

TOPIC(flags)
{
    static const char *const interrupt_gate[] = {
        "an interrupt gate clears IF and NT", "what an interrupt gate pushes"
    };
    static const char *const trap_gate[] = {
        "a trap gate clears NT", "what a trap gate pushes"
    };
    uint32_t kept = EFLAGS_IOPL | EFLAGS_AC | EFLAGS_CF | EFLAGS_DF;

    for (size_t n = 0; n < ARRAY_LEN(cases); n++)
        run_case(&cases[n]);
    check_images();
    check_gate(interrupt_gate, SYS_INT32, kept);
    check_gate(trap_gate, SYS_TRAP32, kept | EFLAGS_IF);
}
