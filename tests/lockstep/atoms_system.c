/*
 * atoms_system.c - atoms with sensitive instructions: flags, segments, tables,
 * ports, far transfers, interrupts, exceptions.
 *
 * Kernels get segments that are not flat only where the configuration can do
 * without flat ones, and soon flat ones again.
 */
#include "lockstep/generate.h"

#define FLAGS_RANDOM    (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_DF | EFLAGS_OF | EFLAGS_IF | \
                         EFLAGS_IOPL | EFLAGS_NT | EFLAGS_ID)
#define OPSIZE          0x66

/* Of ES, SS, DS, FS, GS: how `mov` and `push` and `pop` name them. */
static const uint8_t data_segments[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

static bool
must_be_flat(const struct generator *g, enum segment segment)
{
    const struct config *c = g->config;
    /* A user's DS is the machine's: slots are reached through it. */
    bool through_ds = c->cs_rule == SEGMENT_AS_DS ||
                      c->gs_rule == SEGMENT_AS_DS ||
                      (c->is_user && !c->is_native);

    return (segment == SEG_DS && through_ds) ||
           (segment == SEG_GS && c->gs_rule == SEGMENT_AS_DS) ||
           segment == SEG_SS;
}

static uint32_t
flat_selector(struct generator *g)
{
    if (g->config->is_user)
        return gen_below(g, 2) ? USER_DATA : USER_DATA2;
    return gen_below(g, 3) ? KERNEL_DATA : KERNEL_DATA2;
}

static uint32_t
any_selector(struct generator *g)
{
    static const uint16_t user[] = { USER_SMALL, USER_CONST, USER_CODE, 0, 0,
                                     USER_CONST + 8, USER_DATA };
    static const uint16_t kernel[] = { KERNEL_SMALL, KERNEL_CONST,
        KERNEL_DOWN, KERNEL_ABSENT, KERNEL_LDT, KERNEL_GATE, KERNEL_CODE, 0,
        KERNEL_DATA, KERNEL_END, 7 };

    return g->config->is_user ? user[gen_below(g, ARRAY_LEN(user))]
                              : kernel[gen_below(g, ARRAY_LEN(kernel))];
}

static uint32_t
selector_for(struct generator *g, enum segment segment)
{
    return must_be_flat(g, segment) || gen_below(g, 2) ? flat_selector(g)
                                                       : any_selector(g);
}

static enum segment
a_segment(struct generator *g)
{
    return data_segments[gen_below(g, ARRAY_LEN(data_segments))];
}

/* mov eax, selector; mov segment, ax */
static void
load_segment(struct generator *g, enum segment segment, uint32_t selector)
{
    gen_mov(g, GPR_EAX, selector);
    gen_byte(g, 0x8e);
    gen_byte(g, (unsigned)(0xc0 | segment << 3));
}

static void
mov_to_segment(struct generator *g)
{
    enum segment segment = a_segment(g);

    load_segment(g, segment, selector_for(g, segment));
    if (gen_below(g, 2)) {
        gen_mov(g, GPR_ESI, gen_address(g, 4));
        GEN(g, "\x26\x8b\x0e");                 /* mov ecx, es:[esi] */
    }
    if (gen_below(g, 4) != 0)
        load_segment(g, segment, flat_selector(g));
}

static void
push_code(struct generator *g, enum segment segment, bool is_pop)
{
    if (segment >= SEG_FS) {
        gen_byte(g, 0x0f);
        gen_byte(g, (segment == SEG_FS ? 0xa0 : 0xa8) + is_pop);
    } else {
        gen_byte(g, (unsigned)(segment << 3) + 6 + is_pop);
    }
}

static void
push_pop_segment(struct generator *g)
{
    enum segment segment = a_segment(g);

    if (gen_below(g, 2)) {
        push_code(g, (enum segment)gen_below(g, SEG_NONE), false);
        gen_byte(g, 0x59);                      /* pop ecx */
        return;
    }
    gen_byte(g, 0x6a);
    gen_byte(g, selector_for(g, segment));
    push_code(g, segment, true);
    if (gen_below(g, 2))
        load_segment(g, segment, flat_selector(g));
}

static void
mov_from_segment(struct generator *g)
{
    unsigned segment = gen_below(g, SEG_NONE);

    if (gen_below(g, 2))
        gen_byte(g, OPSIZE);
    gen_byte(g, 0x8c);
    if (gen_below(g, 2)) {
        gen_byte(g, 0xc0 | segment << 3 | gen_below(g, 4));
        return;
    }
    gen_byte(g, 0x05 | segment << 3);
    gen_word(g, gen_address(g, 2));
}

/* mov [pointer], offset; mov [pointer+4], selector; les, lds, lfs, lgs */
static void
far_pointer(struct generator *g)
{
    static const char *const opcodes[] = {
        [SEG_ES] = "\xc4", [SEG_DS] = "\xc5", [SEG_FS] = "\x0f\xb4",
        [SEG_GS] = "\x0f\xb5",
    };
    enum segment segment = a_segment(g);
    const char *opcode = opcodes[segment];

    GEN(g, "\xc7\x05");
    gen_word(g, POINTERS_AT + 4);
    gen_word(g, selector_for(g, segment));
    gen_bytes(g, opcode, segment >= SEG_FS ? 2 : 1);
    gen_byte(g, 0x05 | GPR_ESI << 3);
    gen_word(g, POINTERS_AT);
    load_segment(g, segment, flat_selector(g));
}

static void
stack_segment(struct generator *g)
{
    if (gen_below(g, 2)) {
        load_segment(g, SEG_SS, flat_selector(g));
    } else {
        gen_byte(g, 0x6a);
        gen_byte(g, gen_below(g, 8) ? flat_selector(g) : 0);
        gen_byte(g, 0x17);                      /* pop ss */
    }
    gen_reset_stack(g);
}

/* Move the base of a segment in the GDT, use it, and move it back. */
static void
change_descriptor(struct generator *g)
{
    uint32_t base = GDT_AT + KERNEL_DATA2 + 2;

    load_segment(g, SEG_ES, KERNEL_DATA2);
    GEN(g, "\xc6\x05");                         /* mov byte [base], 16 */
    gen_word(g, base);
    gen_byte(g, 16);
    if (gen_below(g, 2))
        load_segment(g, SEG_ES, KERNEL_DATA2);
    gen_mov(g, GPR_ESI, gen_address(g, 32));
    GEN(g, "\x26\x8b\x0e");                     /* mov ecx, es:[esi] */
    GEN(g, "\xc6\x05");
    gen_word(g, base);
    gen_byte(g, 0);
    load_segment(g, SEG_ES, KERNEL_DATA2);
}

/* --- Flags -----------------------------------------------------------------*/

static void
cli_sti(struct generator *g)
{
    gen_byte(g, gen_below(g, 2) ? 0xfa : 0xfb);
}

static void
pushf_pop(struct generator *g)
{
    bool is_16 = gen_below(g, 4) == 0;
    unsigned reg = gen_below(g, 4);

    if (is_16)
        gen_byte(g, OPSIZE);
    gen_byte(g, 0x9c);
    if (is_16)
        gen_byte(g, OPSIZE);
    gen_byte(g, 0x58 + reg);
}

static void
popf_random(struct generator *g)
{
    bool is_16 = gen_below(g, 4) == 0;

    gen_byte(g, 0x68);
    gen_word(g, gen_value(g) & FLAGS_RANDOM);
    if (is_16)
        gen_byte(g, OPSIZE);
    gen_byte(g, 0x9d);
    if (is_16)
        GEN(g, "\x8d\x64\x24\x02");             /* lea esp, [esp+2] */
    gen_byte(g, 0xfc);                          /* cld */
}

/* pushf; cli; ...; popf: a critical section */
static void
save_flags(struct generator *g)
{
    GEN(g, "\x9c\xfa");
    atom_row(g);
    gen_byte(g, 0x9d);
}

/* --- A kernel's own --------------------------------------------------------*/

static void
sti_hlt(struct generator *g)
{
    GEN(g, "\xfb\xf4");
}

/* push next; sti; ret */
static void
sti_ret(struct generator *g)
{
    gen_byte(g, 0x68);
    gen_fixup(g, FIXUP_ABS32, gen_here(g) + 1);
    GEN(g, "\xfb\xc3");
}

static void
iret_here(struct generator *g)
{
    gen_byte(g, 0x68);
    gen_word(g, gen_value(g) & FLAGS_RANDOM & ~(uint32_t)EFLAGS_NT);
    gen_byte(g, 0x6a);
    gen_byte(g, gen_below(g, 2) ? KERNEL_CODE : KERNEL_CODE2);
    gen_byte(g, 0x68);
    gen_fixup(g, FIXUP_ABS32, gen_here(g) + 1);
    gen_byte(g, 0xcf);
}

static void
far_jump(struct generator *g)
{
    unsigned kind = gen_below(g, 3);
    uint32_t selector = gen_below(g, 2) ? KERNEL_CODE : KERNEL_CODE2;

    if (kind < 2) {                             /* jmp or call far */
        gen_byte(g, kind == 0 ? 0xea : 0x9a);
        gen_fixup(g, FIXUP_ABS32, gen_here(g) + 1);
        gen_byte(g, selector);
        gen_byte(g, 0);
    } else {                                    /* retf */
        gen_byte(g, 0x6a);
        gen_byte(g, selector);
        gen_byte(g, 0x68);
        gen_fixup(g, FIXUP_ABS32, gen_here(g) + 1);
        gen_byte(g, 0xcb);
    }
}

static void
software_interrupt(struct generator *g)
{
    switch (gen_below(g, 4)) {
    case 0:
        gen_byte(g, 0xcc);
        break;
    case 1:
        GEN(g, "\xb0\x7f\x04\x7f\xce");         /* overflow; into */
        break;
    default:
        gen_byte(g, 0xcd);
        gen_byte(g, 0x21 + gen_below(g, 0x80));
        break;
    }
}

static void
ports(struct generator *g)
{
    static const char *const in_out[] = {
        "\xe4\x60", "\xe5\x61", "\xe6\x62", "\xe7\x63", "\xec\x90",
        "\xed\x90", "\xee\x90", "\xef\x90", "\x66\xed", "\x66\xef",
    };

    if (gen_below(g, 3) == 0) {                 /* rep ins, outs */
        gen_mov(g, GPR_ESI, gen_address(g, 16));
        gen_mov(g, GPR_EDI, gen_address(g, 16));
        gen_mov(g, GPR_ECX, gen_below(g, 6));
        gen_byte(g, 0xf3);
        gen_byte(g, 0x6c + gen_below(g, 4));
        return;
    }
    gen_bytes(g, in_out[gen_below(g, ARRAY_LEN(in_out))], 2);
}

static void
tables(struct generator *g)
{
    static const char *const stores[] = {
        "\x0f\x01\x05", "\x0f\x01\x0d", "\x0f\x00\x05", "\x0f\x00\x0d",
        "\x0f\x01\x25",                         /* sgdt sidt sldt str smsw */
    };
    unsigned which = gen_below(g, ARRAY_LEN(stores));
    uint32_t at = gen_address(g, 6);

    gen_bytes(g, stores[which], 3);
    gen_word(g, at);
    if (which < 2) {                            /* lgdt, lidt: the same */
        gen_bytes(g, stores[which], 2);
        gen_byte(g, which == 0 ? 0x15 : 0x1d);
        gen_word(g, at);
    }
}

static void
control_registers(struct generator *g)
{
    static const char *const texts[] = {
        "\x0f\x20\xc0\x0f\x22\xc0",             /* mov eax, cr0 and back */
        "\x0f\x20\xe1\x0f\x22\xe1",             /* mov ecx, cr4 and back */
        "\x0f\x20\xd8\x0f\x22\xd8",             /* mov eax, cr3 and back */
        "\x0f\x22\xd2\x0f\x20\xd1",             /* mov cr2, edx; ecx, cr2 */
        "\x0f\x21\xc0\x0f\x23\xc8",             /* mov eax, dr0; dr1, eax */
        "\x0f\x06\x0f\x09\x90\x90",             /* clts; wbinvd */
        "\x0f\x01\xe0\x0f\x01\xe1",             /* smsw eax; smsw ecx */
        "\x0f\x32\x0f\x30\x90\x90",             /* rdmsr; wrmsr */
        "\x0f\x31\x0f\x08\x90\x90",             /* rdtsc; invd */
        "\x0f\x31\x0f\x01\xf9\x90",             /* rdtsc; rdtscp */
        "\x0f\x33\x90\x90\x90\x90",             /* rdpmc */
        "\x0f\x34\x90\x90\x90\x90",             /* sysenter */
        "\x0f\x35\x90\x90\x90\x90",             /* sysexit */
        "\x0f\x01\x3d\x00\x60\x00",             /* invlpg, to be completed */
    };
    unsigned which = gen_below(g, ARRAY_LEN(texts));

    gen_bytes(g, texts[which], 6);
    if (which == ARRAY_LEN(texts) - 1)
        gen_byte(g, 0x10);
}

static void
load_tables(struct generator *g)
{
    gen_mov(g, GPR_EAX, any_selector(g));
    GEN(g, "\x0f\x00");
    gen_byte(g, gen_below(g, 2) ? 0xd0 : 0xd8);  /* lldt, ltr */
}

/* --- Everybody's -----------------------------------------------------------*/

static void
look_at_descriptor(struct generator *g)
{
    gen_mov(g, GPR_EAX, gen_below(g, 2) ? any_selector(g)
                                        : flat_selector(g));
    gen_byte(g, 0x0f);
    switch (gen_below(g, g->config->is_user ? 3 : 4)) {
    case 3:                 /* not natively: bits 19..16 are undefined */
        GEN(g, "\x02\xc8");                     /* lar ecx, eax */
        break;
    case 0:
        GEN(g, "\x03\xd0");                     /* lsl edx, eax */
        break;
    case 1:
        GEN(g, "\x00\xe0");                     /* verr ax */
        break;
    default:
        GEN(g, "\x00\xe8");                     /* verw ax */
        break;
    }
}

static void
cpuid(struct generator *g)
{
    GEN(g, "\x0f\xa2");
}

static void
divide_error(struct generator *g)
{
    GEN(g, "\x31\xc9\xf7\xf1");                 /* xor ecx, ecx; div ecx */
}

static void
bound(struct generator *g)
{
    gen_mov(g, GPR_EAX, gen_value(g));
    GEN(g, "\x62\x05");
    gen_word(g, gen_address(g, 8));
}

/* What is a kernel's, in a user program: #GP. */
static void
forbidden(struct generator *g)
{
    static const char *const texts[] = {
        "\xfa\x90", "\xfb\x90", "\xf4\x90", "\xec\x90", "\xee\x90",
        "\xe4\x60", "\x0f\x06", "\x0f\x09", "\x0f\x30", "\x0f\x32",
        "\x0f\x08", "\x6c\x90", "\x6e\x90", "\xcd\x30", "\xcd\x90",
    };

    gen_bytes(g, texts[gen_below(g, ARRAY_LEN(texts))], 2);
}

const struct atom_choice atoms_system[] = {
    { mov_to_segment, 8, WHOSE_ALL, false },
    { push_pop_segment, 8, WHOSE_ALL, false },
    { mov_from_segment, 6, WHOSE_ALL, false },
    { far_pointer, 4, WHOSE_ALL, false },
    { stack_segment, 3, WHOSE_ALL, true },
    { cli_sti, 10, WHOSE_KERNEL, false },
    { pushf_pop, 8, WHOSE_ALL, false },
    { popf_random, 8, WHOSE_ALL, false },
    { save_flags, 4, WHOSE_KERNEL, true },
    { sti_hlt, 4, WHOSE_KERNEL, false },
    { sti_ret, 4, WHOSE_KERNEL, false },
    { iret_here, 4, WHOSE_KERNEL, false },
    { far_jump, 4, WHOSE_KERNEL, false },
    { software_interrupt, 5, WHOSE_KERNEL, false },
    { ports, 4, WHOSE_KERNEL, false },
    { tables, 3, WHOSE_KERNEL, false },
    { control_registers, 4, WHOSE_KERNEL, false },
    { change_descriptor, 4, WHOSE_KERNEL, false },
    { load_tables, 1, WHOSE_KERNEL, false },
    { look_at_descriptor, 5, WHOSE_ALL, false },
    { cpuid, 3, WHOSE_TRANSLATED, false },
    { divide_error, 1, WHOSE_ALL, false },
    { bound, 2, WHOSE_ALL, false },
    { forbidden, 4, WHOSE_USER, false },
    { atom_undefined, 2, WHOSE_TRANSLATED, false },
};
const unsigned atoms_system_count = ARRAY_LEN(atoms_system);
